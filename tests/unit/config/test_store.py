import asyncio
import os
from dataclasses import replace

import pytest

from backend.config import files as files_module
from backend.config import store as store_module
from backend.config.load import domains_from_data
from backend.config.model import Account, Destination, MailDomain
from backend.config.store import ConfigStore
from backend.core.clock import FakeClock
from backend.core.errors import ConfigError, ConflictError, NotFoundError
from backend.core.problems import Problem
from backend.runtime import tasks
from tests.support.settings import new_folder, open_store

COMMENTED = """\
# my domains
[domains."example.org"] # the main one
# said to be nice
description = "old"

# Anna
[accounts.anna]
domain = "example.org" # yes
[accounts.anna.destinations."anna@example.org"]
# her box
mailbox = "INBOX"
"""


@pytest.fixture
def folder(tmp_path):
    folder = new_folder(tmp_path / "data")
    folder.domains_toml.write_text(COMMENTED)
    return folder


def with_domain(name="example.net", **settings):
    def change(config):
        domains = {**config.domains.domains, name: MailDomain(**settings)}
        return replace(config, domains=config.domains.model_copy(update={"domains": domains}))

    return change


def described(text):
    return with_domain("example.org", description=text)


async def test_an_applied_change_is_written_with_its_comments_kept(folder):
    store = await open_store(folder)
    events = store.changes.subscribe()
    seen = []
    store.follow(seen.append)
    applied = await store.edit(described("new"), author="me", note="a note")
    text = folder.domains_toml.read_text()
    assert text == COMMENTED.replace('"old"', '"new"')
    assert store.current.domains.domains["example.org"].description == "new"
    assert seen == [store.current]
    [event] = events.take()
    assert (event.revision, event.author) == (applied.revision, "me")
    assert (await open_store(folder)).current == store.current


async def test_a_new_account_is_added_without_its_defaults(folder):
    store = await open_store(folder)
    account = Account(domain="example.org", destinations={"b@example.org": Destination()})
    accounts = {**store.current.domains.accounts, "bob": account}
    await store.apply(store.current.domains.model_copy(update={"accounts": accounts}), author="me")
    text = folder.domains_toml.read_text()
    assert text.startswith(COMMENTED)
    added = text.removeprefix(COMMENTED).split()
    assert added == [
        "[accounts.bob]",
        "domain",
        "=",
        '"example.org"',
        '[accounts.bob.destinations."b@example.org"]',
    ]


async def test_what_changes_nothing_is_no_revision(folder):
    store = await open_store(folder)
    before = store.current.revision
    applied = await store.apply(store.current.domains, author="me")
    assert (applied.steps, applied.revision) == ((), before)
    assert len(await store.revisions()) == 1


async def test_a_change_made_from_an_old_revision_is_a_conflict(folder):
    store = await open_store(folder)
    first = store.current.revision
    await store.edit(with_domain(), author="me", base_revision=first)
    with pytest.raises(ConflictError):
        await store.edit(with_domain("x.org"), author="me", base_revision=first)
    assert "x.org" not in store.current.domains.domains


async def test_faults_between_settings_leave_everything_as_it_was(folder):
    store = await open_store(folder)
    domains = domains_from_data({"routes": [{"transport": "gone"}], "postmaster_account": "no"})
    with pytest.raises(ConfigError) as caught:
        await store.apply(domains, author="me")
    assert {p.path for p in caught.value.problems} == {"/routes/0/transport", "/postmaster_account"}
    assert folder.domains_toml.read_text() == COMMENTED


async def test_a_part_that_cant_follow_undoes_the_others(folder):
    store = await open_store(folder)
    steps = []

    def part(name):
        async def prepare(old, new):
            steps.append(f"do {name}")

            async def undo():
                steps.append(f"undo {name}")

            return undo

        return prepare

    async def refuses(old, new):
        raise ConfigError([Problem(code="listener.bind", message="Port 25 is taken.")])

    for prepare in (part("a"), part("b"), refuses, part("never")):
        store.prepare_with(prepare)
    with pytest.raises(ConfigError, match="Port 25"):
        await store.edit(with_domain(), author="me")
    assert steps == ["do a", "do b", "undo b", "undo a"]
    assert folder.domains_toml.read_text() == COMMENTED
    assert len(store.current.domains.domains) == 1


async def test_what_cant_be_written_is_undone(folder):
    store = await open_store(folder)
    undone = []

    async def prepare(old, new):
        async def undo():
            undone.append(new.revision)

        return undo

    store.prepare_with(prepare)
    # A folder in the place of the next revision: the files are written, the history can't be, and the files go back.
    blocked = folder.revisions / f"{store.current.revision + 1:08}.json"
    blocked.mkdir()
    with pytest.raises(ConfigError, match="could not be saved"):
        await store.edit(with_domain(), author="me")
    assert undone == [2]
    assert folder.domains_toml.read_text() == COMMENTED
    assert list(folder.config.glob(".*")) == []
    blocked.rmdir()
    await store.edit(with_domain(), author="me")
    assert "example.net" in store.current.domains.domains


async def test_revisions_have_author_time_and_diff_and_can_be_reverted(folder):
    clock = FakeClock()
    store = await open_store(folder, clock=clock)
    clock.advance(60)
    await store.edit(described("new"), author="anna", note="renamed")
    await store.edit(with_domain(), author="bob")
    newest = await store.revisions()
    assert [(r.number, r.author) for r in newest] == [(3, "bob"), (2, "anna"), (1, "file")]
    assert newest[1].at == clock.time()
    assert newest[0].note == "Changed domains.example.net"
    diff = await store.diff(2)
    assert '-description = "old"' in diff and '+description = "new"' in diff
    assert "+++ b/domains.toml" in diff
    applied = await store.revert(3, author="anna")
    assert applied.revision == 4
    assert list(store.current.domains.domains) == ["example.org"]
    await store.restore(1, author="anna")
    assert store.current.domains.domains["example.org"].description == "old"
    with pytest.raises(NotFoundError):
        await store.revert(99, author="anna")


async def test_edits_of_the_file_are_picked_up(folder):
    store = await open_store(folder)
    assert await store.reload_from_disk() is None
    folder.domains_toml.write_text(COMMENTED.replace("old", "edited"))
    applied = await store.reload_from_disk()
    assert applied.revision == 2
    assert store.current.domains.domains["example.org"].description == "edited"
    assert (await store.revisions())[0].author == "file"
    assert await store.reload_from_disk() is None


async def test_an_edit_is_picked_up_before_a_change_is_made(folder):
    store = await open_store(folder)
    folder.domains_toml.write_text(COMMENTED.replace("old", "edited"))
    await store.edit(with_domain(), author="me")
    assert store.current.domains.domains["example.org"].description == "edited"
    assert "example.net" in store.current.domains.domains
    assert "edited" in folder.domains_toml.read_text()


async def test_a_broken_file_keeps_what_runs_and_names_the_line(folder, expect_log):
    expect_log("configuration file not used")
    raised, cleared = [], []
    store = await open_store(
        folder, on_problem=raised.append, on_clear=lambda *key: cleared.append(key)
    )
    folder.domains_toml.write_text(COMMENTED.replace('"old"', "old"))
    assert await store.reload_from_disk() is None
    assert await store.reload_from_disk() is None
    [problem] = raised
    assert (problem.file, problem.line) == ("domains.toml", 4)
    assert store.current.domains.domains["example.org"].description == "old"
    with pytest.raises(ConflictError, match="fault in line 4"):
        await store.edit(with_domain(), author="me")
    assert "old" in folder.domains_toml.read_text()
    folder.domains_toml.write_text(COMMENTED)
    await store.reload_from_disk()
    assert cleared == [(problem.code, problem.subject)]
    assert store.faults == ()


async def test_a_missing_file_is_a_fault_too(folder, expect_log):
    expect_log("configuration file not used")
    store = await open_store(folder)
    folder.server_toml.unlink()
    await store.reload_from_disk()
    assert store.faults[0].file == "server.toml"
    with pytest.raises(ConfigError, match="can't be read"):
        await ConfigStore(folder).open()


async def test_an_edit_that_a_part_refuses_is_not_taken(folder, expect_log):
    expect_log("configuration file not used")
    store = await open_store(folder)

    async def refuses(old, new):
        raise ConfigError([Problem(code="listener.bind", message="Port 25 is taken.")])

    store.prepare_with(refuses)
    folder.domains_toml.write_text(COMMENTED.replace("old", "edited"))
    assert await store.reload_from_disk() is None
    assert store.faults[0].message == "Port 25 is taken."
    assert store.current.domains.domains["example.org"].description == "old"


async def test_edits_while_the_server_was_stopped_become_a_revision(folder):
    await open_store(folder)
    folder.domains_toml.write_text(COMMENTED.replace("old", "edited"))
    store = await open_store(folder)
    assert store.current.revision == 2
    assert (await store.revisions())[0].note == "Edited while the server was stopped"


async def test_bare_localparts_are_logged_and_written_in_full_at_the_next_save(folder, expect_log):
    expect_log(
        r"ERROR .*deprecated: destination with localpart-only key will be removed in the future, "
        r"replace it with a full email address, by appending the default domain "
        r"\{'localpart': 'anna', 'address': 'anna@example.org', 'account': 'anna'\}"
    )
    folder.domains_toml.write_text(COMMENTED.replace('"anna@example.org"', "anna"))
    store = await open_store(folder)
    assert list(store.current.domains.accounts["anna"].destinations) == ["anna@example.org"]
    assert "destinations.anna]" in folder.domains_toml.read_text()
    await store.edit(described("new"), author="me")
    written = folder.domains_toml.read_text().replace("\n\n", "\n")
    assert written == COMMENTED.replace("old", "new").replace("\n\n", "\n")


async def test_changes_of_server_toml_wait_for_a_restart(folder):
    store = await open_store(folder)
    limits = store.current.server.limits.model_copy(update={"recipients": 200})
    server = store.current.server.model_copy(update={"limits": limits})
    applied = await store.apply(server=server, author="me")
    assert applied.needs_restart == ("limits.recipients",)
    assert store.pending_restart == ("limits.recipients",)
    assert "\nrecipients = 200" in folder.server_toml.read_text()
    assert (await open_store(folder)).pending_restart == ()


async def test_files_with_other_line_ends_and_a_byte_order_mark_are_read(folder):
    folder.domains_toml.write_bytes(b"\xef\xbb\xbf" + COMMENTED.replace("\n", "\r\n").encode())
    store = await open_store(folder)
    assert "anna" in store.current.domains.accounts


async def test_an_interrupted_write_leaves_the_old_file(folder, monkeypatch):
    store = await open_store(folder)

    def fails(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fails)
        with pytest.raises(ConfigError, match="No space left"):
            await store.edit(with_domain(), author="me")
    assert folder.domains_toml.read_text() == COMMENTED
    assert sorted(p.name for p in folder.config.iterdir()) == [
        "domains.toml",
        "revisions",
        "server.toml",
    ]


async def test_the_watcher_picks_up_edits_by_itself(folder, monkeypatch):
    monkeypatch.setattr(store_module, "POLL_S", 0.01)
    store = await open_store(folder)
    events = store.changes.subscribe()
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        watcher = tasks.start(group, store.watch(), "watch")
        folder.domains_toml.write_text(COMMENTED.replace("old", "edited"))
        assert (await events.get()).author == "file"
        await tasks.stop(watcher)
    assert store.current.domains.domains["example.org"].description == "edited"


async def test_a_text_that_cant_be_rewritten_is_written_afresh(folder, monkeypatch, expect_log):
    expect_log("comments could not be kept")
    store = await open_store(folder)
    monkeypatch.setattr(files_module, "rewrite", lambda text, *_, **__: text)
    await store.edit(described("new"), author="me")
    assert (await open_store(folder)).current.domains == store.current.domains
    assert store.current.domains.domains["example.org"].description == "new"


async def test_changes_at_the_same_time_come_one_after_the_other(folder):
    store = await open_store(folder)
    names = [f"d{number}.example" for number in range(8)]
    async with asyncio.TaskGroup() as group:
        for name in names:
            tasks.start(group, store.edit(with_domain(name), author="me"), name)
    assert set(names) < set(store.current.domains.domains)
    assert [r.number for r in await store.revisions()] == list(range(9, 0, -1))


async def test_a_caller_that_goes_away_leaves_no_half_change(folder):
    store = await open_store(folder)
    reached = asyncio.Event()

    async def prepare(old, new):
        reached.set()
        await asyncio.sleep(0)

    store.prepare_with(prepare)
    task = tasks.spawn(store.edit(with_domain(), author="me"), "edit")
    await reached.wait()
    await tasks.stop(task)
    assert "example.net" in store.current.domains.domains
    assert "example.net" in folder.domains_toml.read_text()
