"""What HTTP ports say to anyone."""

from xml.etree import ElementTree as ET

import pytest
from aiohttp.test_utils import TestClient, TestServer

from backend.web.autoconfig import MailPort, format_autoconfig
from backend.web.site import AUTOCONFIG_PATHS, MTA_STS_PATH, Site
from tests.support.admin_server import admin_server

PORTS = [
    MailPort("imap", "mail.example.org", 143, "starttls"),
    MailPort("smtp", "mail.example.org", 25, "starttls"),
    MailPort("submission", "mail.example.org", 587, "starttls"),
    MailPort("imaps", "mail.example.org", 993, "tls"),
]
SITE = Site(domains=lambda: {"example.org"}, ports=lambda: PORTS)


@pytest.fixture
async def client():
    async with TestClient(TestServer(SITE.build())) as one:
        yield one


def test_programs_find_the_best_server_first():
    root = ET.fromstring(format_autoconfig("example.org", PORTS))
    incoming = [(s.findtext("port"), s.findtext("socketType")) for s in root.iter("incomingServer")]
    outgoing = [(s.findtext("port"), s.findtext("socketType")) for s in root.iter("outgoingServer")]
    assert incoming == [("993", "SSL"), ("143", "STARTTLS")]
    assert outgoing == [("587", "STARTTLS")]
    assert {s.findtext("username") for s in root.iter("incomingServer")} == {"%EMAILADDRESS%"}


async def test_both_paths_answer_by_address_and_by_host(client):
    for path in AUTOCONFIG_PATHS:
        reply = await client.get(path, params={"emailaddress": "anna@Example.org"})
        assert (reply.status, reply.content_type) == (200, "text/xml")
        assert b"<domain>example.org</domain>" in await reply.read()
        reply = await client.get(path, headers={"Host": "autoconfig.example.org"})
        assert reply.status == 200


@pytest.mark.parametrize("address", ["x@other.example", "x@<script>", "@", "x@" + "a" * 300])
async def test_nothing_is_said_of_other_domains(client, address):
    reply = await client.get(AUTOCONFIG_PATHS[0], params={"emailaddress": address})
    assert reply.status == 404
    assert "script" not in await reply.text()


async def test_everything_else_is_not_there(client):
    for path in ("/admin/", "/admin/api/v1/hello", "/api/v1/hello", "/x", "/.well-known/"):
        assert (await client.get(path)).status == 404, path
    page = await client.get("/")
    assert "mail server" in await page.text()
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


async def test_beside_the_administration_lookups_answer_under_any_name(tmp_path):
    from backend.admin.app import build

    async with admin_server(tmp_path / "data") as rig:
        app = build(rig.services, rig.access, add_public=SITE.add_to)
        async with TestClient(TestServer(app)) as client:
            reply = await client.get(
                AUTOCONFIG_PATHS[1], headers={"Host": "autoconfig.example.org"}
            )
            assert reply.status == 200
            reply = await client.get("/admin/", headers={"Host": "autoconfig.example.org"})
            assert reply.status == 403
            reply = await client.get("/", allow_redirects=False)
            assert reply.headers["Location"] == "/admin/"


async def test_the_policy_for_encrypted_delivery_is_read_under_its_own_name_only():
    site = Site(
        domains=lambda: {"example.org"},
        ports=lambda: PORTS,
        mta_sts={"example.org": "version: STSv1\r\n"}.get,
    )
    async with TestClient(TestServer(site.build())) as client:
        for host in ("mta-sts.example.org", "MTA-STS.Example.org.:8443"):
            reply = await client.get(MTA_STS_PATH, headers={"Host": host})
            assert (reply.status, reply.content_type) == (200, "text/plain")
            assert await reply.text() == "version: STSv1\r\n"
        for host in ("example.org", "mta-sts.other.test", "mta-sts.", "autoconfig.example.org"):
            reply = await client.get(MTA_STS_PATH, headers={"Host": host})
            assert reply.status == 404
