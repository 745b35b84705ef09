"""What the routes do, over the real services."""

import asyncio
import io
import logging
import socket

import aiohttp
import pytest

from backend.accounts.directory import Directory
from backend.admin.handlers import connect
from backend.api import settings as st
from backend.api import types as t
from backend.api.client import ApiError
from backend.core.address import parse_address
from backend.core.connection import SessionFacts
from backend.core.envelope import NOTHING_ASKED, Asked, Envelope, Hold
from backend.core.events import ProblemRaised, TimelineEntry
from backend.core.ids import AccountId, Cid, TraceId
from backend.core.problems import Problem
from backend.observe import log as logs
from tests.support.admin_server import admin_server


@pytest.fixture
async def rig(tmp_path):
    async with admin_server(tmp_path / "data") as server:
        yield server


@pytest.fixture
async def client(rig):
    async with rig.local() as one:
        yield one


async def refused(awaitable) -> ApiError:
    with pytest.raises(ApiError) as error:
        await awaitable
    return error.value


async def test_domains_are_added_listed_and_removed(client):
    added = await client.add_domain("Bücher.example", description="Books")
    assert (added.name, added.unicode) == ("xn--bcher-kva.example", "bücher.example")
    assert {d.name for d in await client.domains()} == {"example.org", added.name}
    assert (await refused(client.add_domain("bücher.example"))).status == 409
    await client.remove_domain("bücher.example")
    assert (await refused(client.remove_domain("bücher.example"))).status == 404
    error = await refused(client.add_domain("not a domain"))
    assert error.status == 422
    assert error.issues[0].path == "/name"


async def test_an_account_lives_from_adding_to_removal(client):
    added = await client.add_account(
        t.AddAccount(address="anna@example.org", full_name="Anna Meier", quota_bytes=5_000_000)
    )
    assert added.password
    assert added.account.quota_bytes == 5_000_000
    changed = await client.add_address("anna", "@example.org", mailbox="Rest")
    assert [a.catch_all for a in changed.addresses] == [False, True]
    assert (await client.domains())[0].catch_all == "anna"
    assert (await client.account("anna@example.org")).id == "anna"  # by address, too
    assert (await refused(client.remove_domain("example.org"))).status == 409
    changed = await client.change_account("anna", t.ChangeAccount(disabled=True, full_name="A"))
    assert (changed.disabled, changed.full_name, changed.quota_bytes) == (True, "A", 5_000_000)
    assert await client.set_password("anna") not in {None, added.password}
    assert await client.set_password("anna", "a long enough passphrase") is None
    await client.remove_address("anna", "@example.org")
    await client.remove_account("anna")
    assert await client.accounts() == []
    assert (await refused(client.account("anna"))).status == 404


async def test_a_given_password_is_never_sent_back(client):
    request = t.AddAccount(address="anna@example.org", password="correct horse battery")
    assert (await client.add_account(request)).password is None


async def test_faults_of_a_request_name_their_fields(rig):
    connector = aiohttp.UnixConnector(str(rig.folder.admin_socket))
    async with aiohttp.ClientSession(connector=connector) as http:
        url = "http://localhost/api/v1/accounts"
        async with http.post(url, json={"adress": "x", "quota_bytes": -1}) as reply:
            issues = {i["path"]: i["message"] for i in (await reply.json())["issues"]}
            assert reply.status == 422
        assert set(issues) == {"/address", "/adress", "/quota_bytes"}
        async with http.post(url, data=b"{", headers={"Content-Type": "application/json"}) as reply:
            assert reply.status == 422
        async with http.post(url, data=b"address=x") as reply:
            assert reply.status == 415
        huge = io.BytesIO(b'{"name": "' + b"x" * 11_000_000)
        kind = {"Content-Type": "application/json"}
        async with http.post("http://localhost/api/v1/domains", data=huge, headers=kind) as reply:
            assert reply.status == 413
        async with http.get("http://localhost/api/v1/queue?limit=9999&sort=mood") as reply:
            assert {i["path"] for i in (await reply.json())["issues"]} == {"/limit", "/sort"}


async def test_an_unknown_fault_says_no_more_than_a_number(rig, client, monkeypatch, expect_log):
    expect_log("request failed")

    def broken():
        raise RuntimeError("/secret/path")

    monkeypatch.setattr(rig.control, "ports", broken)
    error = await refused(client.status())
    assert error.status == 500
    assert "secret" not in str(error)
    lines = (await client.log(t.LogQuery(level="error"))).lines
    assert "/secret/path" in lines[-1].trace
    assert str(lines[-1].fields["number"]) in str(error)


# --- configuration


async def test_the_configuration_is_checked_applied_and_taken_back(client):
    before = await client.config()
    text = before.files["domains.toml"] + '\n# mine\n[domains."b.example"]\n'
    request = st.ConfigFiles(files={"domains.toml": text})
    checked = await client.check_config(request)
    assert (checked.problems, checked.needs_restart) == ([], False)
    assert any("b.example" in effect for effect in checked.effects)
    assert len(await client.domains()) == 1  # nothing was changed
    applied = await client.apply_config(request, revision=before.revision)
    assert {d.name for d in await client.domains()} == {"example.org", "b.example"}
    assert "# mine" in (await client.config()).files["domains.toml"]
    history = await client.revisions()
    assert (history.current, history.items[0].author) == (applied.revision, "local owner")
    assert '+[domains."b.example"]' in (await client.revision_diff(applied.revision)).diff
    await client.revert(before.revision, revision=applied.revision)
    assert [d.name for d in await client.domains()] == ["example.org"]


async def test_a_stale_revision_is_a_conflict_that_shows_what_holds_now(client):
    before = await client.config()
    await client.add_domain("b.example")
    request = st.ConfigFiles(files={"domains.toml": before.files["domains.toml"]})
    error = await refused(client.apply_config(request, revision=before.revision))
    assert error.status == 409
    assert error.rev == before.revision + 1
    assert "b.example" in error.theirs.files["domains.toml"]


async def test_a_configuration_with_faults_changes_nothing_and_names_the_lines(client):
    before = await client.config()
    text = before.files["domains.toml"] + '\n[accounts.x]\ndomain = "nowhere.example"\ncolour = 1\n'
    request = st.ConfigFiles(files={"domains.toml": text})
    checked = await client.check_config(request)
    assert checked.problems[0].line == text.count("\n")
    error = await refused(client.apply_config(request, revision=before.revision))
    assert (error.status, error.code) == (422, "config.invalid")
    assert (await client.config()).files == before.files


async def test_a_broken_file_on_disk_is_repaired_from_the_face(rig, client, expect_log):
    expect_log("configuration file not used")
    good = await client.config()
    rig.folder.domains_toml.write_text("[domains\n")
    broken = await client.config()
    assert broken.files["domains.toml"] == "[domains\n"
    assert broken.revision == good.revision
    request = st.ConfigFiles(files={"domains.toml": good.files["domains.toml"] + "# repaired\n"})
    await client.apply_config(request, revision=good.revision)
    assert "# repaired" in rig.folder.domains_toml.read_text()
    await client.add_domain("b.example")  # changes can be made again


async def test_applying_without_a_revision_is_refused(rig):
    connector = aiohttp.UnixConnector(str(rig.folder.admin_socket))
    async with (
        aiohttp.ClientSession(connector=connector) as http,
        http.put("http://localhost/api/v1/config", json={"files": {}}) as reply,
    ):
        assert reply.status == 428


async def test_a_stranger_may_not_send_much(rig):
    async with aiohttp.ClientSession() as http:
        body = {"password": "x" * 20_000}
        async with http.post(rig.url + "/api/v1/session", json=body) as reply:
            assert reply.status == 413


async def test_settings_that_wait_for_a_restart_show_in_the_status(client):
    current = await client.config()
    text = current.files["server.toml"].replace("mail.example.org", "mx.example.org")
    request = st.ConfigFiles(files={"server.toml": text})
    assert (await client.check_config(request)).needs_restart
    applied = await client.apply_config(request, revision=current.revision)
    assert applied.needs_restart
    state = await client.status()
    assert "config.restart_needed" in {p.code for p in state.problems}


# --- status


async def test_the_verdict_follows_the_worst_problem(rig, client):
    assert (await client.status()).verdict == "attention"  # no account yet
    await client.add_account(t.AddAccount(address="anna@example.org"))
    state = await client.status()
    assert (state.verdict, state.headline) == ("ok", "Mail is received and sent.")
    rig.record(ProblemRaised(Problem(code="tls.expires", message="It expires.", subject="x")))
    state = await client.status()
    assert (state.verdict, state.headline) == ("problem", "It expires.")
    assert [p.code for p in await client.problems()] == ["tls.expires"]


def port(service: str, number: int, host: str = "127.0.0.1", listener: str = "local") -> t.Port:
    security = "tls" if service in {"imaps", "submissions", "https"} else "starttls"
    return t.Port(
        listener=listener,
        service=service,
        host=host,
        port=number,
        security="none" if service == "http" else security,
        purpose="",
    )


async def test_the_address_for_a_browser_is_the_nearest_that_has_the_administration(rig, client):
    rig.control.open_ports = [port("http", 80, "0.0.0.0", "public"), port("http", 8080)]
    assert (await client.status()).web_url == "http://localhost:8080/admin/"
    rig.control.open_ports = [port("http", 80, "0.0.0.0", "public")]
    assert (await client.status()).web_url == ""


async def test_mail_programs_are_told_the_best_way_first(rig, client):
    await client.add_account(t.AddAccount(address="anna@example.org", full_name="Anna"))
    rig.control.open_ports = [
        port("imap", 143, "0.0.0.0", "public"),
        port("imaps", 993, "0.0.0.0", "public"),
        port("imaps", 993, "::", "public"),
        port("submission", 587, "0.0.0.0", "public"),
    ]
    settings = await client.client_settings("anna")
    assert [(s.host, s.port, s.security, s.recommended) for s in settings.incoming] == [
        ("mail.example.org", 993, "tls", True),
        ("mail.example.org", 143, "starttls", False),
    ]
    assert settings.outgoing[0].user_name == "anna@example.org"
    assert settings.trust_note == ""
    rig.control.ca = rig.folder.root / "ca.pem"
    rig.control.ca.write_text("-----BEGIN CERTIFICATE-----\n")
    assert (await client.client_settings("anna")).ca_path == "/api/v1/tls/ca.pem"
    assert (await client.ca_certificate()).startswith("-----BEGIN")


async def test_a_test_message_without_an_open_port_says_what_to_set(client):
    await client.add_account(t.AddAccount(address="anna@example.org"))
    error = await refused(client.send_test_message("anna"))
    assert "smtp_port" in error.issues[0].fix


async def test_a_test_message_that_is_refused_tells_the_answer(rig, client, expect_log):
    expect_log("test message refused")
    await client.add_account(t.AddAccount(address="anna@example.org"))

    async def closes(reader, writer):
        writer.write(b"554 not today\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(closes, "127.0.0.1", 0)
    rig.control.open_ports = [port("smtp", server.sockets[0].getsockname()[1])]
    error = await refused(client.send_test_message("anna"))
    assert "not today" in str(error)
    server.close()
    assert connect._connectable("0.0.0.0") == "127.0.0.1"
    assert connect._connectable("::") == "::1"


# --- queue and activity


async def queued(rig, *recipients: str, asked: Asked = NOTHING_ASKED) -> None:
    await rig.services.accounts.add_account("anna@example.org", author="test")
    outbound = rig.services.outbound
    outbound.submitter._directory = Directory(rig.services.config.current)
    envelope = Envelope(
        sender=parse_address("anna@example.org"),
        recipients=tuple(parse_address(r) for r in recipients),
        asked=asked,
    )
    facts = SessionFacts(
        trace=TraceId("trace1"), cid=Cid("c1"), peer_address="192.0.2.1", account=AccountId("anna")
    )
    content = b"From: anna@example.org\r\nSubject: x\r\n\r\nHello\r\n"
    await outbound.submitter.submit(AccountId("anna"), envelope, content, facts)


async def test_the_queue_is_paged_sorted_and_filtered(rig, client):
    await queued(rig, "c@c.example", "a@a.example", "b@a.example")
    page = await client.queue(t.QueueQuery(sort="recipient", limit=2))
    assert [i.recipient for i in page.items] == ["a@a.example", "b@a.example"]
    assert (page.total, page.waiting) == (3, 3)
    page = await client.queue(t.QueueQuery(sort="recipient", limit=2, offset=2))
    assert [i.recipient for i in page.items] == ["c@c.example"]
    page = await client.queue(t.QueueQuery(domain="a.example", text="b@"))
    assert [i.recipient for i in page.items] == ["b@a.example"]
    assert (await client.queue(t.QueueQuery(state="held"))).items == []
    assert (await client.queue(t.QueueQuery(state="done"))).items == []


async def test_a_message_for_later_says_so_and_what_else_was_asked_for(rig, client):
    hold = Hold("until;2040-01-31T08:00:00Z", until=2_211_609_600.0)
    await queued(rig, "c@c.example", "anna@example.org", asked=Asked(hold=hold, require_tls=True))
    items = (await client.queue(t.QueueQuery(state="waiting", sort="recipient"))).items
    assert [i.recipient for i in items] == ["anna@example.org", "c@c.example"]
    for item in items:
        assert item.state == "waiting"
        assert item.note.endswith("will be sent on 31 January 2040, 08:00 UTC")
        assert item.send_at == item.next_attempt_at
    here, away = [await client.queue_item(i.id) for i in items]
    assert here.route == "It goes into a mailbox on this server."
    assert away.asked[0].startswith("It is not sent before 31 January 2040, 08:00 UTC")
    assert "REQUIRETLS" in away.asked[1]
    await client.drop([i.id for i in items])
    assert (await client.queue()).total == 0


async def test_queued_messages_are_held_released_and_dropped(rig, client):
    await queued(rig, "c@c.example", "a@a.example")
    ids = [item.id for item in (await client.queue()).items]
    assert (await client.hold(ids)).changed == 2
    assert (await client.queue()).held == 2
    acted = await client.release([ids[0], 999])
    assert (acted.changed, acted.missing) == (1, [999])
    assert (await client.kick(ids)).missing == [ids[1]]
    detail = await client.queue_item(ids[0])
    assert "direct delivery" in detail.route
    assert "Subject: x" in detail.headers
    assert (await client.drop(ids)).changed == 2
    assert (await refused(client.queue_item(ids[0]))).status == 404
    outcomes = [s.kind for s in (await client.trace("trace1")).steps]
    assert {"received", "queued", "held", "dropped"} <= set(outcomes)
    assert (await client.timeline())[0].direction == "out"


async def test_a_timeline_is_found_by_what_is_known_of_the_message(rig, client):
    details = {"sender": "bo@b.example", "recipient": "anna@example.org", "peer": "192.0.2.9"}
    now = rig.services.clock.time()
    rig.record(TimelineEntry(TraceId("t1"), now, "received", "It came", details))
    rig.record(TimelineEntry(TraceId("t1"), now, "delivered", "It lies in INBOX"))
    rig.record(TimelineEntry(TraceId("t2"), now, "rejected", "No such mailbox"))
    for text in ("BO@b.example", "192.0.2.9", "t1"):
        found = await client.timeline(t.TimelineQuery(text=text))
        assert [(f.trace, f.outcome, f.sender) for f in found] == [
            ("t1", "delivered", "bo@b.example")
        ]
    assert (await refused(client.trace("t3"))).status == 404
    counters = (await client.status()).counters
    assert (counters.received, counters.delivered, counters.rejected) == (1, 1, 1)


async def test_the_log_is_filtered_and_followed(rig, client):
    log = logs.get("backend.smtpd.test")
    for number in range(5):
        log.info("line written", number=number)
    logs.get("backend.other").info("line written", number=9)
    found = await client.log(t.LogQuery(logger="smtpd", text="NUMBER=3"))
    assert [line.fields["number"] for line in found.lines] == [3]
    async with asyncio.timeout(10):
        async with client.open_log(t.LogQuery(logger="smtpd", limit=2)) as lines:
            assert [(await anext(lines)).fields["number"] for _ in range(2)] == [3, 4]
            logging.getLogger("gatepost.smtpd.x").info("<b>not html</b>")
            assert (await anext(lines)).message == "<b>not html</b>"
    newest = await client.log(t.LogQuery(after=found.lines[0].seq, logger="smtpd"))
    assert newest.lines[0].fields["number"] == 4


# --- server


async def test_the_server_stops_and_restarts_after_the_reply(rig, client):
    assert "restarts" in (await client.restart()).text
    async with asyncio.timeout(5):
        await rig.control.stopped.wait()
    assert rig.control.restarting


async def test_a_check_runs_once_reports_and_can_be_stopped(rig, client):
    job = await client.verify()
    assert (job.state, job.kind) == ("running", "verify")
    assert (await refused(client.verify())).status == 409
    assert (await client.cancel_job(job.id)).state == "cancelled"
    rig.control.found = [Problem(code="store.size", message="A size is wrong.")]
    rig.control.go_on.set()
    async with asyncio.timeout(10), client.open_events(["jobs"]) as events:
        second = await client.verify()
        async for event in events:
            if event.data.job.state == "done":
                break
    assert [p.code for p in (await client.job(second.id)).problems] == ["store.size"]
    assert [j.id for j in await client.jobs()] == [second.id, job.id]


async def test_a_check_that_breaks_is_a_failed_job(rig, client, expect_log):
    expect_log("job failed")

    async def breaks(progress):
        raise RuntimeError("oh")

    rig.control.verify = breaks
    async with asyncio.timeout(10), client.open_events(["jobs"]) as events:
        await client.verify()
        assert (await anext(events)).data.job.state == "running"
        assert (await anext(events)).data.job.state == "failed"


# --- pages


async def test_pages_are_served_with_type_and_tag_and_nothing_beside_them(rig):
    async with aiohttp.ClientSession() as http:
        async with http.get(rig.url + "/admin/") as reply:
            assert reply.content_type == "text/html"
            tag = reply.headers["ETag"]
        async with http.get(rig.url + "/admin/", headers={"If-None-Match": tag}) as reply:
            assert (reply.status, await reply.read()) == (304, b"")
        async with http.get(rig.url + "/admin/app.mjs") as reply:
            assert reply.content_type == "text/javascript"
        async with http.get(rig.url + "/admin/icons/mail.svg") as reply:
            assert reply.content_type == "image/svg+xml"
        for path in (
            "/admin/%2e%2e/__init__.py",
            "/admin/none.js",
            "/admin/vendor/",
            "/admin//etc",
        ):
            async with http.get(rig.url + path) as reply:
                assert reply.status == 404, path
        async with http.get(rig.url + "/admin", allow_redirects=False) as reply:
            assert reply.headers["Location"] == "/admin/"


async def test_a_client_that_sends_rubbish_is_answered_or_closed(rig):
    host, port_text = rig.url.removeprefix("http://").split(":")
    for rubbish in (
        b"\x00\xff\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /admin/ HTTP/1.1\r\n\r\n",
    ):
        with socket.create_connection((host, int(port_text))) as sock:
            sock.settimeout(5)
            sock.sendall(rubbish)
            sock.shutdown(socket.SHUT_WR)
            reply = await asyncio.get_running_loop().run_in_executor(None, sock.recv, 100)
            assert reply == b"" or b" 4" in reply
    async with rig.local() as client:
        assert (await client.hello()).local


async def test_numbers_that_no_database_holds_are_faults_of_the_request(rig):
    connector = aiohttp.UnixConnector(path=str(rig.folder.admin_socket))
    async with aiohttp.ClientSession(connector=connector) as http:
        path = "http://localhost/api/v1/queue"
        async with http.post(path + "/kick", json={"ids": [10**30]}) as reply:
            assert reply.status == 422
        async with http.get(path, params={"offset": str(10**30)}) as reply:
            assert reply.status == 422


async def test_accounts_come_in_pages_searched_and_sorted(rig):
    async with rig.local() as client:
        for name in ("carla", "bert", "dora"):
            await client.add_account(
                t.AddAccount(address=f"{name}@example.org", full_name=f"{name.title()} X")
            )
        page = await client.accounts_page(t.AccountsQuery(limit=2, sort="-id"))
        assert [each.id for each in page.items] == ["dora", "carla"]
        rest = await client.accounts_page(t.AccountsQuery(limit=2, sort="-id", offset=2))
        assert rest.items[0].id == "bert"
        assert page.total == rest.total == len(await client.accounts())
        found = await client.accounts_page(t.AccountsQuery(search="X carla@"))
        assert [each.id for each in found.items] == ["carla"]
