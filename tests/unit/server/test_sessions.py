"""Which sessions of mail apps end when an account changes, in a server composed as in earnest."""

import asyncio
import base64

import pytest

from backend.config.model import Config
from backend.core.clock import SystemClock
from backend.server.compose import Appliance
from tests.support.imap_server import Client
from tests.support.settings import new_folder
from tests.support.smtp_talk import Talk

ANNA = "anna@example.org"
PASSWORD = "correct horse battery"
PLAIN = base64.b64encode(f"\0{ANNA}\0{PASSWORD}".encode()).decode()


@pytest.fixture
async def appliance(tmp_path):
    # In practice mode passwords may be sent on loopback without TLS.
    data = new_folder(tmp_path / "data", server={"practice_mode": True})
    appliance = Appliance(data, SystemClock())
    try:
        await appliance.open()
        for name in (ANNA, "bob@example.org"):
            await appliance.accounts.add_account(name, author="test", password=PASSWORD)
        yield appliance
    finally:
        await appliance.close()


async def listen(factory) -> asyncio.Server:
    return await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)


@pytest.fixture
async def sessions(appliance):
    """A submission and an IMAP session of anna."""
    submission = await listen(appliance.submission.protocol_factory)
    imap = await listen(appliance.imap.protocol_factory(implicit_tls=False))
    talk = await Talk.to(submission.sockets[0].getsockname()[1], greet=False)
    assert (await talk.reply()).startswith("220")
    assert (await talk.say("EHLO me.test")).startswith("250")
    assert (await talk.say(f"AUTH PLAIN {PLAIN}")).startswith("235")
    streams = await asyncio.open_connection("127.0.0.1", imap.sockets[0].getsockname()[1])
    client = Client(*streams)
    await client.line()
    await client.ok(f'LOGIN {ANNA} "{PASSWORD}"')
    yield talk, client
    await talk.close()
    await client.close()
    submission.close()
    imap.close()


async def new_password(appliance):
    await appliance.accounts.set_password("anna", "another horse battery")


async def switched_off(appliance):
    await appliance.accounts.update_account("anna", {"disabled": True}, author="test")


async def removed(appliance):
    await appliance.accounts.remove_account("anna", author="test")


async def removed_in_the_file(appliance):
    def change(config: Config) -> Config:
        accounts = {k: v for k, v in config.domains.accounts.items() if k != "anna"}
        domains = config.domains.model_copy(update={"accounts": accounts})
        return Config(config.server, domains, config.revision)

    await appliance.config.edit(change, author="test")


@pytest.mark.parametrize("happens", [new_password, switched_off, removed, removed_in_the_file])
async def test_sessions_end_with_what_they_were_signed_in_by(appliance, sessions, happens):
    talk, client = sessions
    await happens(appliance)
    assert (await talk.reply()).startswith("421 4.7.0 Your account has changed")
    assert (await client.line()).startswith(b"* BYE Your account has changed")


async def test_a_change_of_another_account_ends_no_session(appliance, sessions):
    talk, client = sessions
    await appliance.accounts.set_password("bob", "another horse battery")
    await appliance.accounts.update_account("anna", {"full_name": "Anna"}, author="test")
    await appliance.accounts.remove_account("bob", author="test")
    assert (await talk.say("NOOP")).startswith("250")
    await client.ok("NOOP")
