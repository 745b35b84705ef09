import pytest

from backend.accounts import throttle
from backend.accounts.authenticate import authenticate, offered_mechanisms
from backend.accounts.directory import Directory
from backend.accounts.login import LoginRefused, Logins, Refusal, is_loopback
from backend.accounts.passwords import Passwords
from backend.config.secrets import SecretStore
from backend.core.clock import FakeClock
from backend.sasl.mechanisms import SERVER_MECHANISMS, client_exchange
from tests.support.settings import two_accounts

PASSWORD = "correct horse battery"
REMOTE = "192.0.2.7"


class Desk:
    """Logins with a clock that stands still and waits that take no time but are remembered."""

    def __init__(self, tmp_path):
        store = SecretStore(tmp_path / "secrets")
        store.open()
        self.passwords = Passwords(store)
        self.clock = FakeClock()
        self.waited: list[float] = []
        self.events = []
        self.config = two_accounts()

    def logins(self, **arguments) -> Logins:
        async def sleep(seconds):
            self.waited.append(seconds)

        return Logins(
            Directory(self.config),
            self.passwords,
            clock=self.clock,
            sleep=sleep,
            on_signed_in=self.events.append,
            **arguments,
        )


@pytest.fixture
async def desk(tmp_path):
    desk = Desk(tmp_path)
    await desk.passwords.open()
    await desk.passwords.set("anna", PASSWORD)
    return desk


async def check(logins, login="anna@example.org", password=PASSWORD, peer=REMOTE, tls=True):
    return await logins.check_password(login, password, protocol="imap", peer=peer, tls=tls)


async def refusal(awaitable) -> LoginRefused:
    with pytest.raises(LoginRefused) as caught:
        await awaitable
    return caught.value


async def test_the_right_password_signs_in_and_is_recorded(desk):
    assert await check(desk.logins()) == "anna"
    assert await check(desk.logins(), login="A.MEIER@example.org") == "anna"
    event = desk.events[0]
    assert (event.account, event.protocol, event.peer) == ("anna", "imap", REMOTE)
    assert event.succeeded and event.at == desk.clock.time()
    assert desk.waited == []


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("anna@example.org", "wrong"),
        ("nobody@example.org", PASSWORD),
        ("anna", PASSWORD),
        ("bob@example.org", ""),
        ("\u0007", PASSWORD),
        ("x" * 1000, PASSWORD),
    ],
)
async def test_all_that_is_wrong_is_answered_alike(desk, login, password):
    refused = await refusal(check(desk.logins(), login, password))
    assert refused.public == "Wrong address or password"
    assert refused.kind is Refusal.WRONG and not refused.temporary
    assert desk.waited == [throttle.FIRST_DELAY_S]
    assert not desk.events[-1].succeeded
    assert len(desk.events[-1].address) <= 320


async def test_nobody_signs_in_without_tls(desk):
    for peer in (REMOTE, "127.0.0.1"):
        refused = await refusal(check(desk.logins(), peer=peer, tls=False))
        assert refused.kind is Refusal.NEEDS_TLS
        assert (refused.kind.smtp_code, refused.kind.imap_code) == (538, "PRIVACYREQUIRED")
        assert offered_mechanisms(desk.logins(), peer=peer, tls=False) == ()
    assert desk.events == []


async def test_in_practice_programs_on_this_computer_need_no_tls_and_no_patience(desk):
    logins = desk.logins(practice_mode=True)
    for _ in range(50):
        await refusal(check(logins, password="wrong", peer="127.0.0.1", tls=False))
    assert await check(logins, peer="::1", tls=False) == "anna"
    assert desk.waited == []
    assert offered_mechanisms(logins, peer="127.0.0.1", tls=False) == SERVER_MECHANISMS
    refused = await refusal(check(logins, peer=REMOTE, tls=False))
    assert refused.kind is Refusal.NEEDS_TLS


async def test_a_peer_that_goes_on_failing_is_not_listened_to(desk):
    logins = desk.logins()
    for number in range(throttle.MAX_FAILURES_PAIR):
        await refusal(check(logins, password=f"wrong{number}"))
    refused = await refusal(check(logins))
    assert refused.kind is Refusal.TOO_MANY and refused.temporary
    assert "try again in 15 minutes" in refused.public
    assert await check(logins, peer="192.0.2.8") == "anna"
    desk.clock.advance(throttle.WINDOW_S)
    assert await check(logins) == "anna"
    assert len(desk.waited) == throttle.MAX_FAILURES_PAIR


async def test_an_account_that_is_switched_off_is_told_so_only_with_the_right_password(desk):
    off = desk.config.domains.accounts["anna"].model_copy(update={"disabled": True})
    desk.config.domains.accounts["anna"] = off
    logins = desk.logins()
    assert (await refusal(check(logins))).kind is Refusal.DISABLED
    assert (await refusal(check(logins, password="wrong"))).kind is Refusal.WRONG


def client_of(mechanism, login="anna@example.org", password=PASSWORD):
    client = client_exchange(mechanism, login, password, nonce="client-nonce")

    async def exchange(challenge: bytes) -> bytes | None:
        return client.step(challenge)

    return client, exchange


async def sasl(logins, mechanism, login="anna@example.org", password=PASSWORD, **arguments):
    client, exchange = client_of(mechanism, login, password)
    where = {"protocol": "submission", "peer": REMOTE, "tls": True, **arguments}
    account = await authenticate(mechanism, client.start(), exchange, logins, **where)
    assert client.is_complete
    return account


@pytest.mark.parametrize("mechanism", SERVER_MECHANISMS)
async def test_every_mechanism_signs_in_from_its_name_to_the_account(desk, mechanism):
    assert await sasl(desk.logins(), mechanism) == "anna"
    assert desk.events[-1].mechanism == mechanism
    refused = await refusal(sasl(desk.logins(), mechanism, password="wrong"))
    assert refused.kind is Refusal.WRONG
    refused = await refusal(sasl(desk.logins(), mechanism, login="nobody@example.org"))
    assert refused.kind is Refusal.WRONG
    assert desk.waited == [throttle.FIRST_DELAY_S] * 2


@pytest.mark.parametrize("mechanism", SERVER_MECHANISMS)
async def test_every_mechanism_is_throttled(desk, mechanism):
    logins = desk.logins()
    for number in range(throttle.MAX_FAILURES_PAIR):
        await refusal(sasl(logins, mechanism, password=f"wrong{number}"))
    assert (await refusal(sasl(logins, mechanism))).kind is Refusal.TOO_MANY
    logins.begin("bob@example.org", peer=REMOTE).__exit__()


async def test_the_initial_response_may_be_left_out(desk):
    answers = [b"\0anna@example.org\0" + PASSWORD.encode()]

    async def exchange(challenge):
        assert challenge == b""
        return answers.pop(0)

    where = {"protocol": "imap", "peer": REMOTE, "tls": True}
    assert await authenticate("plain", None, exchange, desk.logins(), **where) == "anna"


async def test_what_goes_wrong_before_a_password_is_no_failed_sign_in(desk):
    logins = desk.logins()

    async def cancels(_):
        return None

    async def never(_):
        raise AssertionError

    where = {"protocol": "imap", "peer": REMOTE, "tls": True}
    for mechanism, initial, exchange, kind in (
        ("LOGIN", None, cancels, Refusal.CANCELLED),
        ("GSSAPI", None, never, Refusal.UNSUPPORTED),
        ("PLAIN", b"nonsense", never, Refusal.MALFORMED),
        ("CRAM-MD5", b"early", never, Refusal.MALFORMED),
    ):
        refused = await refusal(authenticate(mechanism, initial, exchange, logins, **where))
        assert refused.kind is kind
    refused = await refusal(authenticate("PLAIN", b"", never, logins, **{**where, "tls": False}))
    assert refused.kind is Refusal.NEEDS_TLS
    assert desk.events == [] and desk.waited == []


async def test_a_cancelled_exchange_frees_its_place(desk):
    logins = desk.logins()
    client, _ = client_of("SCRAM-SHA-256")

    async def cancels(_):
        return None

    for _ in range(2 * throttle.MAX_PENDING_PEER):
        where = {"protocol": "imap", "peer": REMOTE, "tls": True}
        refused = await refusal(
            authenticate("SCRAM-SHA-256", client.start(), cancels, logins, **where)
        )
        assert refused.kind is Refusal.CANCELLED


async def test_one_signs_in_for_oneself_only(desk):
    async def never(_):
        raise AssertionError

    where = {"protocol": "imap", "peer": REMOTE, "tls": True}
    plain = b"%s\0anna@example.org\0" + PASSWORD.encode()
    logins = desk.logins()
    own = await authenticate("PLAIN", plain % b"a.meier@example.org", never, logins, **where)
    assert own == "anna"
    refused = await refusal(
        authenticate("PLAIN", plain % b"bob@example.org", never, logins, **where)
    )
    assert refused.kind is Refusal.NOT_AUTHORIZED
    assert not desk.events[-1].succeeded


def test_replies_for_every_refusal():
    for kind in Refusal:
        assert 400 <= kind.smtp_code < 600
        assert kind.enhanced[0] == str(kind.smtp_code)[0]
    assert Refusal.WRONG.imap_code == "AUTHENTICATIONFAILED"
    assert Refusal.DISABLED is not Refusal.WRONG


def test_loopback_is_this_computer():
    assert all(map(is_loopback, ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1", ""]))
    assert not any(map(is_loopback, ["192.168.1.1", "::", "0.0.0.0", "localhost", "fe80::1%lo"]))


@pytest.mark.parametrize("mechanism", SERVER_MECHANISMS)
async def test_a_damaged_password_file_is_our_fault_not_the_clients(
    desk, tmp_path, expect_log, mechanism
):
    expect_log("a stored password can't be read")
    desk.passwords = Passwords(SecretStore(tmp_path / "secrets"))
    await desk.passwords.open()
    (tmp_path / "secrets" / "accounts" / "anna" / "password.json").write_text("{")
    refused = await refusal(sasl(desk.logins(), mechanism))
    assert refused.kind is Refusal.FAULT and refused.temporary
    assert desk.events == []
