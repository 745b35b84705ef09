"""Host names, origins, sign-in, sessions, the owner's socket."""

import asyncio
import errno
import gzip
import os
import socket
import ssl
import stat

import aiohttp
import pytest
import yarl
from aiohttp import web

from backend.admin.app import build
from backend.admin.local_socket import open_local_socket
from backend.admin.password import AdminPassword
from backend.admin.sessions import Sessions
from backend.admin.throttle import Throttle
from backend.api import signins as si
from backend.api.client import ApiError, Client, NotReachableError
from backend.api.endpoint import SESSION_COOKIE_PLAIN, SESSION_COOKIE_TLS, socket_file
from backend.core.clock import FakeClock
from backend.core.errors import UserError
from backend.observe.http import make_runner
from backend.tls.contexts import TlsContexts
from tests.support.admin_server import admin_server


@pytest.fixture
async def rig(tmp_path):
    async with admin_server(tmp_path / "data") as server:
        yield server


@pytest.fixture
async def http():
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield session


async def test_a_foreign_host_name_is_refused_with_the_setting_that_allows_it(rig, http):
    headers = {"Host": "evil.example"}
    async with http.get(rig.url + "/api/v1/hello", headers=headers) as reply:
        issue = (await reply.json())["issues"][0]
        assert reply.status == 403
        assert "evil.example" in issue["message"]
        assert "allowed_hosts" in issue["fix"]
    async with http.get(rig.url + "/admin/", headers={**headers, "Accept": "text/html"}) as reply:
        assert reply.status == 403
        assert "allowed_hosts" in await reply.text()


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:80", "127.0.0.1:99", "[::1]:80", "mail.example.org", "x.localhost"],
)
async def test_own_names_and_addresses_are_answered(rig, http, host):
    async with http.get(rig.url + "/api/v1/hello", headers={"Host": host}) as reply:
        assert reply.status == 200


@pytest.mark.parametrize(
    "host", ["localhost.evil.example", "127.0.0.1.evil.example", "a b", "[::1"]
)
async def test_names_that_look_like_own_ones_are_refused(rig, http, host):
    async with http.get(rig.url + "/api/v1/hello", headers={"Host": host}) as reply:
        assert reply.status in {400, 403}


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_a_page_of_another_site_can_not_even_sign_in(rig, http, headers):
    async with http.post(
        rig.url + "/api/v1/session", json={"password": rig.password}, headers=headers
    ) as reply:
        assert reply.status == 403
        assert (await reply.json())["code"] == "access.origin"


async def test_the_cookie_is_hidden_from_scripts_and_from_other_sites(rig, http):
    async with http.post(rig.url + "/api/v1/session", json={"password": rig.password}) as reply:
        cookie = reply.headers["Set-Cookie"]
    assert cookie.startswith(f"{SESSION_COOKIE_PLAIN}=")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Max-Age" not in cookie  # not asked to keep


async def test_over_tls_the_cookie_is_bound_to_host_and_encryption(rig, http):
    tls = TlsContexts(rig.folder.tls, rig.services.config.current)
    await tls.open()
    runner = make_runner(build(rig.services, rig.access))
    await runner.setup()
    listening = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listening, ssl_context=tls.server_context()).start()
    url = f"https://localhost:{listening.getsockname()[1]}"
    async with http.post(
        url + "/admin/api/v1/session",
        json={"password": rig.password, "keep_signed_in": True},
        ssl=ssl.create_default_context(cafile=str(tls.ca_file)),
    ) as reply:
        cookie = reply.headers["Set-Cookie"]
    assert cookie.startswith(f"{SESSION_COOKIE_TLS}=")
    assert SESSION_COOKIE_TLS.startswith("__Host-")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Strict"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert "Max-Age" in cookie
    async with Client.of_url(url + "/admin", ca_file=tls.ca_file) as client:
        await client.sign_in(rig.password)
        assert (await client.add_domain("b.example")).name == "b.example"
    await runner.cleanup()


async def test_signing_out_ends_the_session_for_good(rig):
    async with rig.remote() as client:
        await client.sign_in(rig.password, keep_signed_in=True)
        assert (await client.me()).name == "admin"
        await client.sign_out()
        with pytest.raises(ApiError) as refused:
            await client.status()
        assert refused.value.status == 401


async def test_wrong_passwords_slow_the_next_tries_down_and_are_recorded(rig):
    async with rig.remote() as client:
        statuses = []
        for _ in range(6):
            with pytest.raises(ApiError) as refused:
                await client.sign_in("wrong")
            statuses.append(refused.value.status)
        assert statuses[:4] == [401] * 4
        assert 429 in statuses
        with pytest.raises(ApiError) as refused:
            await client.sign_in(rig.password)  # not even the right one
        assert refused.value.status == 429
    async with rig.local() as client:
        failed = await client.sign_ins(si.SignInQuery(failed=True))
        assert {(e.protocol, e.peer, e.succeeded) for e in failed} == {
            ("admin", "127.0.0.1", False)
        }


async def test_sessions_are_listed_and_revoked_and_a_new_password_ends_the_others(rig):
    async with rig.remote() as one, rig.remote() as two, rig.local() as owner:
        await one.sign_in(rig.password)
        await two.sign_in(rig.password)
        mine = [s for s in await one.sessions() if s.current]
        assert len(await owner.sessions()) == 2
        assert len(mine) == 1
        with pytest.raises(ApiError) as refused:
            await one.change_admin_password(current="wrong", new="a long new password")
        assert refused.value.status == 401
        await one.change_admin_password(current=rig.password, new="a long new password")
        with pytest.raises(ApiError):
            await two.status()
        assert (await one.status()).hostname == "mail.example.org"
        await owner.revoke_session(mine[0].id)
        with pytest.raises(ApiError):
            await one.status()


async def test_the_owner_sets_a_new_password_without_the_old_one(rig):
    async with rig.local() as owner, rig.remote() as client:
        made = (await owner.change_admin_password()).password
        assert made is not None
        assert made != rig.password
        with pytest.raises(ApiError):
            await client.sign_in(rig.password)
        assert (await client.sign_in(made)).csrf_token
    kept = (rig.folder.secrets / "admin-password").read_text()
    assert kept.startswith("$argon2id$")
    assert made not in kept


async def test_a_session_that_is_revoked_ends_its_streams(rig, monkeypatch):
    monkeypatch.setattr("backend.admin.handlers.streams.HEARTBEAT_S", 0.05)
    async with rig.remote() as client, rig.local() as owner:
        await client.sign_in(rig.password)
        async with client.open_events() as events:
            await owner.revoke_session((await client.sessions())[0].id)
            async with asyncio.timeout(5):
                assert [event async for event in events] == []


async def test_the_socket_is_for_the_owner_alone(rig):
    file = socket_file(rig.folder.root)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    async with rig.local() as client:
        assert (await client.hello()).local
        assert (await client.me()).name == "local owner"


async def test_a_second_server_on_the_same_folder_is_refused(rig):
    with pytest.raises(UserError, match="already"):
        open_local_socket(rig.folder.root)


async def test_a_socket_left_by_a_dead_server_is_replaced(tmp_path):
    open_local_socket(tmp_path).close()
    sock = open_local_socket(tmp_path)
    sock.close()


async def test_the_socket_of_a_very_deep_folder_is_reached(tmp_path):
    deep = tmp_path / ("d" * 60) / ("e" * 60) / "data"
    async with admin_server(deep) as rig, rig.local() as client:
        assert len(os.fsencode(socket_file(deep))) > 108
        assert (await client.hello()).local


async def test_a_folder_without_a_server_is_not_reachable(tmp_path):
    async with Client.of_folder(tmp_path) as client:
        with pytest.raises(NotReachableError):
            await client.hello()


async def test_every_reply_carries_the_security_headers(rig, http):
    for path in ("/api/v1/hello", "/admin/", "/admin/nothing.js", "/api/v1/status"):
        async with http.get(rig.url + path) as reply:
            assert "default-src 'none'" in reply.headers["Content-Security-Policy"], path
            assert "unsafe" not in reply.headers["Content-Security-Policy"]
            assert reply.headers["X-Content-Type-Options"] == "nosniff"
            assert reply.headers["Referrer-Policy"] == "no-referrer"
            assert reply.headers["X-Build"]


def test_sessions_outlive_a_restart_and_end_when_idle_or_old(tmp_path):
    clock = FakeClock()
    sessions = Sessions(tmp_path, clock)
    secret, _ = sessions.open(peer="192.0.2.1", user_agent="x", keep=True)
    assert secret not in (tmp_path / "admin-sessions.json").read_text()
    again = Sessions(tmp_path, clock)
    again.load()
    assert again.find(secret) is not None
    clock.advance(11 * 3600)
    assert again.find(secret) is not None  # this counts as use
    clock.advance(13 * 3600)
    assert again.find(secret) is None
    secret, _ = again.open(peer="192.0.2.1", user_agent="x", keep=True)
    for _ in range(31 * 3):
        clock.advance(8 * 3600)
        again.find(secret)
    assert again.find(secret) is None


def test_a_damaged_file_of_sessions_signs_everyone_out(tmp_path, expect_log):
    expect_log("can't be read")
    (tmp_path / "admin-sessions.json").write_text('[{"id": 1}]')
    sessions = Sessions(tmp_path, FakeClock())
    sessions.load()
    assert sessions.all() == []


def test_waiting_grows_with_failures_and_ends_with_success():
    clock = FakeClock()
    throttle = Throttle(clock)
    waits = []
    for _ in range(10):
        throttle.failed("192.0.2.1")
        waits.append(throttle.wait_s("192.0.2.1"))
    assert waits == [0, 0, 0, 1, 2, 4, 8, 16, 30, 30]
    assert throttle.wait_s("192.0.2.2") == 0
    clock.advance(30)
    assert throttle.wait_s("192.0.2.1") == 0
    throttle.succeeded("192.0.2.1")
    throttle.failed("192.0.2.1")
    assert throttle.wait_s("192.0.2.1") == 0


async def test_a_short_password_is_refused_and_a_made_one_is_strong(tmp_path):
    password = AdminPassword(tmp_path)
    with pytest.raises(UserError, match="at least 12"):
        await password.change("short")
    assert not await password.is_right("anything")
    made = await password.make()
    assert len(made) >= 20
    assert await password.is_right(made)
    assert not await password.is_right(made + "x")
    assert stat.S_IMODE((tmp_path / "admin-password").stat().st_mode) == 0o600


@pytest.mark.parametrize("path", ["/admin/%00", "/admin/icons/%00.svg", "/api/v1/accounts/%00"])
async def test_a_name_with_nul_is_no_fault_of_the_server(rig, http, path):
    async with http.get(yarl.URL(rig.url + path, encoded=True)) as reply:
        assert reply.status in {401, 404}


async def test_a_compressed_request_is_refused_before_it_unfolds(rig, http):
    bomb = gzip.compress(b'{"password": "' + b"a" * 9_000_000 + b'"}')
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    async with http.post(rig.url + "/api/v1/session", data=bomb, headers=headers) as reply:
        assert reply.status == 415
        assert (await reply.json())["code"] == "request.encoding"


async def test_one_can_sign_in_and_is_told_when_the_disk_is_full(
    rig, http, expect_log, monkeypatch
):
    expect_log("session can't be kept")
    expect_log("the disk is full")
    no_room = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def fail(*_, **__):
        raise no_room

    monkeypatch.setattr(os, "replace", fail)
    async with http.post(rig.url + "/api/v1/session", json={"password": rig.password}) as reply:
        assert reply.status == 200
        token = (await reply.json())["csrf_token"]
    headers = {"X-CSRF-Token": token}
    async with http.post(
        rig.url + "/api/v1/session/password", json={"current": rig.password}, headers=headers
    ) as reply:
        assert reply.status == 507
        assert "full" in (await reply.json())["issues"][0]["message"]


async def test_secrets_are_not_written_through_links_or_into_files_of_others(tmp_path):
    folder, elsewhere = tmp_path / "secrets", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.write_text("untouched")
    for name in ("admin-password", "admin-sessions"):
        for suffix in (".new", "", ".json"):
            (folder / f"{name}{suffix}").symlink_to(elsewhere)
    os.chmod(elsewhere, 0o666)
    await AdminPassword(folder).make()
    Sessions(folder, FakeClock()).open(peer="", user_agent="", keep=True)
    assert elsewhere.read_text() == "untouched"
    for file in ("admin-password", "admin-sessions.json"):
        assert stat.S_IMODE((folder / file).lstat().st_mode) == 0o600
