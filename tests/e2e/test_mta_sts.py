"""The MTA-STS policy of an own domain, from the settings to what another server reads over HTTPS."""

import asyncio
import ssl

import aiohttp
import pytest

from backend.config.server import Listener
from backend.tls.authority import local_files
from backend.tls.sts import Mode, parse_policy
from backend.web.site import MTA_STS_PATH
from tests.support.server_process import Serve, free_ports, gatepost
from tests.support.settings import new_folder

pytestmark = pytest.mark.e2e

HOST = "mta-sts.a.test"


async def fetch(folder, port: int) -> tuple[int, str]:
    context = ssl.create_default_context(cafile=str(local_files(folder / "tls").ca))
    async with (
        aiohttp.ClientSession() as session,
        session.get(
            f"https://127.0.0.1:{port}{MTA_STS_PATH}",
            headers={"Host": HOST},
            ssl=context,
            server_hostname=HOST,
        ) as reply,
    ):
        return reply.status, await reply.text()


async def test_a_policy_is_chosen_published_and_withdrawn_while_the_server_runs(tmp_path):
    smtp, https = free_ports("127.0.0.1", 2)
    listener = Listener.model_validate(
        {"addresses": ["127.0.0.1"], "smtp_port": smtp, "https_port": https}
    )
    folder, domains = tmp_path / "data", tmp_path / "domains.toml"
    new_folder(folder, hostname="mail.a.test", domain="a.test", listeners={"public": listener})
    server = Serve(folder)
    await asyncio.to_thread(server.start)
    try:
        before = (folder / "config" / "domains.toml").read_text()
        domains.write_text(before + '\n[domains."a.test".mta_sts]\nmode = "testing"\n')
        await asyncio.to_thread(gatepost, folder, "config", "apply", str(domains))
        status, text = await fetch(folder, https)
        assert status == 200
        policy = parse_policy(text.encode())
        assert (policy.mode, policy.mx) == (Mode.TESTING, ("mail.a.test",))
        records = await asyncio.to_thread(gatepost, folder, "dns", "records", "a.test")
        found = {item["code"]: item["values"] for item in records["items"]}
        assert found["mta_sts"][0].startswith("v=STSv1; id=")
        assert found["mta_sts_host"] == ["mail.a.test"]
        domains.write_text(before)
        await asyncio.to_thread(gatepost, folder, "config", "apply", str(domains))
        assert (await fetch(folder, https))[0] == 404
    finally:
        await asyncio.to_thread(server.stop)
