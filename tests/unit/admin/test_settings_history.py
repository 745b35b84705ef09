"""Sign-ins and changes of the settings over the API: pages, filters, differences, what going back would do."""

import pytest

from backend.api import settings as st
from backend.api import signins as si
from backend.core.events import SignedIn
from tests.support.admin_server import admin_server


@pytest.fixture
async def rig(tmp_path):
    async with admin_server(tmp_path / "data") as server:
        yield server


@pytest.fixture
async def client(rig):
    async with rig.local() as one:
        yield one


def note_failures(rig, count: int, peer: str = "203.0.113.9") -> None:
    for at in range(count):
        rig.record(
            SignedIn(
                account="",
                address=f"guess{at}@example.org",
                protocol="imap",
                peer=peer,
                succeeded=False,
                mechanism="PLAIN",
                at=float(at + 1),
                encrypted=True,
            )
        )


async def test_sign_ins_come_in_pages_and_by_what_is_asked_for(rig, client):
    note_failures(rig, 25)
    note_failures(rig, 2, "192.0.2.1")
    page = await client.ask("GET", "/sign-ins", query={"limit": "10", "offset": "20"})
    assert (len(page["items"]), page["total"]) == (7, 27)
    assert [item["number"] for item in page["items"]] == list(range(7, 0, -1))
    found = await client.sign_ins(si.SignInQuery(peer="192.0.2.1", succeeded=False))
    assert [(item.peer, item.encrypted) for item in found] == [("192.0.2.1", True)] * 2
    assert await client.sign_ins(si.SignInQuery(protocol="submission")) == []
    assert len(await client.sign_ins(si.SignInQuery(search="guess24"))) == 1
    sources = await client.sign_in_sources()
    assert [(one.peer, one.count) for one in sources] == [("203.0.113.9", 25), ("192.0.2.1", 2)]
    assert len(await client.sign_in_sources(si.SignInSourceQuery(search="192."))) == 1


async def test_the_lists_are_described(client):
    for name in ("sign-ins", "sign-in-sources"):
        spec = await client.form_spec(name)
        assert spec.listing is not None
        assert spec.listing.paged


async def test_changes_of_the_settings_come_in_pages(client):
    for number in range(4):
        await client.add_domain(f"d{number}.example")
    found = await client.revisions(limit=2, offset=1)
    assert [item.number for item in found.items] == [4, 3]
    assert (found.total, found.current) == (5, 5)


async def test_a_change_is_shown_line_by_line(client):
    before = (await client.config()).files["domains.toml"]
    await client.add_domain("b.example")
    number = (await client.revisions()).current
    found = await client.revision_diff(number)
    assert [file.file for file in found.files] == ["domains.toml"]
    added = [line for line in found.files[0].lines if line.kind == "added"]
    assert '[domains."b.example"]' in ["".join(p.text for p in line.parts) for line in added]
    assert (await client.config()).files["domains.toml"] != before


async def test_what_going_back_would_do_is_told_and_not_done(client):
    await client.add_domain("b.example")
    current = (await client.revisions()).current
    told = await client.check_revert(current - 1)
    assert told.problems == []
    assert any("b.example" in effect for effect in told.effects)
    assert {line.kind for line in told.files[0].lines} >= {"removed"}
    assert (await client.revisions()).current == current
    same = await client.check_revert(current)
    assert (same.effects, same.files) == ([], [])


async def test_a_check_shows_the_lines_that_would_change_even_with_a_fault(client):
    text = (await client.config()).files["domains.toml"]
    request = st.ConfigFiles(files={"domains.toml": text + '\n[domains."b.example"]\ncolour = 1\n'})
    found = await client.check_config(request)
    assert found.problems[0].severity == "error"
    assert [line.kind for line in found.files[0].lines][-2:] == ["added", "added"]
