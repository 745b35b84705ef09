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


def stored(secrets, name="relay"):
    secret = secrets.get(f"transports/{name}")
    return None if secret is None else secret["password"]


async def test_a_password_stays_behind_when_the_server_is_another_one(tmp_path):
    secrets = SecretStore(tmp_path / "secrets")
    secrets.open()
    passwords = TransportPasswords(secrets, FakeClock())
    one = config_of(transports={"relay": RELAY})
    two = config_of(
        transports={"relay": {"submissions": {"host": "h2.test", "auth": {"username": "me"}}}}
    )
    other_port = config_of(
        transports={"relay": {"submission": RELAY["submissions"] | {"port": 2587}}}
    )
    secrets.set("transports/relay", {"password": "one"})
    assert await passwords.prepare(one, other_port) is None
    undo = await passwords.prepare(one, two)
    assert stored(secrets) is None
    await undo()
    assert stored(secrets) == "one", "the change failed"
    await passwords.prepare(one, two)
    secrets.set("transports/relay", {"password": "two"})
    undo = await passwords.prepare(two, one)
    assert stored(secrets) == "one", "going back finds the one that was for it"
    await undo()
    assert stored(secrets) == "two"


async def test_a_server_that_was_changed_in_the_file_while_stopped_gets_no_password(
    tmp_path, expect_log
):
    secrets = SecretStore(tmp_path / "secrets")
    secrets.open()
    passwords = TransportPasswords(secrets, FakeClock())
    secrets.set("transports/relay", {"password": "one"})
    one = config_of(transports={"relay": RELAY})
    two = config_of(
        transports={"relay": {"submissions": {"host": "h2.test", "auth": {"username": "me"}}}}
    )
    await passwords.follow_file(one)
    await passwords.follow_file(one)
    assert stored(secrets) == "one"
    expect_log("transport has another server than its password was for")
    await passwords.follow_file(two)
    assert stored(secrets) is None
    await passwords.follow_file(one)
    assert stored(secrets) == "one"
