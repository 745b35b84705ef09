from backend.config.secrets import SecretStore
from backend.core.clock import FakeClock
from backend.outbound.transport_passwords import TransportPasswords
from tests.support.settings import config_of

RELAY = {"submissions": {"host": "h.test", "auth": {"username": "me"}}}
PROXY = {"socks": {"address": "127.0.0.1:1080", "username": "me"}}


async def test_passwords_follow_what_the_file_says_at_the_start(tmp_path):
    secrets = SecretStore(tmp_path / "secrets")
    secrets.open()
    passwords = TransportPasswords(secrets, FakeClock())
    both, none = config_of(transports={"relay": RELAY, "proxy": PROXY}), config_of()
    secrets.set("transports/relay", {"password": "x"})
    secrets.set("transports/proxy", {"password": "y"})
    await passwords.prepare(both, none)  # and then the server was killed
    await passwords.follow_file(both)
    assert secrets.list() == ["transports/proxy", "transports/relay"]
    await passwords.follow_file(none)
    await passwords.follow_file(both)
    assert secrets.list("transports/") == [], "for whom they were nobody knows any more"


async def test_a_change_that_fails_leaves_them_where_they_were(tmp_path):
    secrets = SecretStore(tmp_path / "secrets")
    secrets.open()
    passwords = TransportPasswords(secrets, FakeClock())
    one, other = config_of(transports={"relay": RELAY}), config_of(transports={"proxy": PROXY})
    secrets.set("transports/relay", {"password": "x"})
    undo = await passwords.prepare(one, other)
    assert secrets.list() == ["removed/transports/relay"]
    await undo()
    assert secrets.list() == ["transports/relay"]
    assert await passwords.prepare(one, one) is None
