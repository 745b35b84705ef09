import asyncio
import json

import pytest

from backend.core.address import parse_address
from backend.core.clock import FakeClock
from backend.core.errors import TemporaryError
from backend.mailauth.dkim import Outcome, verify
from backend.mailauth.keys import record_name, record_text
from backend.mailauth.signing import INLINE_OCTETS, DkimSigner
from backend.message.headers import split_header
from backend.runtime import threads
from tests.support.dkim import MESSAGE, key_store
from tests.support.outbound_rig import OutboundRig
from tests.support.settings import config_of

HEADER, BODY = split_header(MESSAGE)


class Rig:
    def __init__(self, folder, *, sign=("2023a",), **domain):
        self.keys = key_store(folder / "secrets")
        selectors = {"2023a": {}, "2023b": {}, "2023e": {"algorithm": "ed25519"}}
        dkim = {"sign": list(sign), "selectors": selectors}
        self.config = config_of(domains={"example.org": {"dkim": dkim, **domain}, "plain.test": {}})
        for name, selector in selectors.items():
            self.keys.make("example.org", name, selector.get("algorithm", "rsa2048"))
        self.records = {
            record_name("example.org", name): record_text(self.keys.load("example.org", name))
            for name in selectors
        }
        self.signer = DkimSigner(lambda: self.config, self.keys, FakeClock())

    async def sign(self, author="anna@example.org", header=HEADER, content=MESSAGE, body_at=None):
        return await self.signer.sign(
            parse_address(author), header, content, len(HEADER) if body_at is None else body_at
        )

    def check(self, result, header=HEADER, body=BODY):
        return verify(b"".join(result.fields) + header + body, self.records)


@pytest.fixture
def rig(tmp_path):
    return Rig(tmp_path)


async def test_a_message_is_signed_for_the_domain_of_its_author(rig):
    result = await rig.sign()
    assert (result.domain, result.selectors, result.failed) == ("example.org", ("2023a",), ())
    (checked,) = rig.check(result)
    assert (checked.outcome, checked.domain, checked.selector) == (
        Outcome.PASS,
        "example.org",
        "2023a",
    )


async def test_all_selectors_that_sign_do_so(tmp_path):
    rig = Rig(tmp_path, sign=("2023a", "2023e"))
    result = await rig.sign()
    assert [(c.outcome, c.selector) for c in rig.check(result)] == [
        (Outcome.PASS, "2023a"),
        (Outcome.PASS, "2023e"),
    ]


async def test_a_domain_that_signs_with_nothing_leaves_mail_as_it_is(rig):
    assert (await rig.sign("me@plain.test")).fields == ()


async def test_a_domain_that_is_not_here_is_a_temporary_fault(rig):
    with pytest.raises(TemporaryError) as error:
        await rig.sign("me@other.test")
    assert error.value.status.code == 451


async def test_the_identity_is_the_canonical_localpart(tmp_path):
    rig = Rig(tmp_path, catchall_separator="+")
    (field,) = (await rig.sign("Anna+Shop@example.org")).fields
    assert b"\ti=anna@example.org;" in field


async def test_a_lost_key_is_logged_and_the_others_sign(tmp_path, expect_log):
    expect_log("not signed with a selector.*there is no key of 2023b")
    rig = Rig(tmp_path, sign=("2023b", "2023a"))
    rig.keys.remove("example.org", "2023b")
    result = await rig.sign()
    assert (result.selectors, result.failed) == (("2023a",), ("2023b",))
    assert len(result.fields) == 1


async def test_a_message_that_can_not_be_signed_is_logged(rig, expect_log):
    expect_log("can't be signed")
    result = await rig.sign(header=b"To: nobody\r\n\r\n")
    assert (result.fields, result.failed) == ((), ("2023a",))


async def test_only_small_messages_are_signed_on_the_loop(rig, monkeypatch):
    calls = []
    real = threads.run_blocking

    async def counted(pool, *args):
        calls.append(pool)
        return await real(pool, *args)

    monkeypatch.setattr("backend.mailauth.signing.run_blocking", counted)
    await rig.sign()
    assert calls == []
    await rig.sign(content=HEADER + b"x" * INLINE_OCTETS)
    assert calls == [threads.Pool.CRYPTO]


async def test_a_large_file_is_signed_as_it_lies(rig, tmp_path):
    body = b"0123456789  abcdef \r\n" * 150_000
    file = tmp_path / "spool"
    file.write_bytes(b"Bcc: x@y\r\n" + HEADER + body)
    result = await rig.sign(content=file, body_at=len(HEADER) + 10)
    assert rig.check(result, body=body)[0].outcome is Outcome.PASS
    assert rig.check(result, body=body + b"x\r\n")[0].outcome is Outcome.FAIL


async def test_the_first_message_of_a_key_reads_it_on_a_thread(rig):
    rig.keys.__init__(rig.keys._secrets, FakeClock())  # nothing is cached
    results = await asyncio.gather(*(rig.sign() for _ in range(5)))
    assert all(rig.check(result)[0].outcome is Outcome.PASS for result in results)


# On the way of a submission


DOMAINS = {
    "domains": {
        "a.test": {"dkim": {"sign": ["one"], "selectors": {"one": {}}}},
        "two.test": {"dkim": {"sign": ["two"], "selectors": {"two": {}}}},
        "plain.test": {},
    },
    "accounts": {
        "anna": {
            "domain": "a.test",
            "destinations": {"anna@a.test": {}, "b@two.test": {}, "c@plain.test": {}},
        },
        "ben": {"domain": "a.test", "destinations": {"ben@a.test": {}}},
    },
}


@pytest.fixture
async def sender(tmp_path):
    keys = key_store(tmp_path / "secrets")
    for domain, selector in (("a.test", "one"), ("two.test", "two")):
        keys.make(domain, selector, "rsa2048")
    config = config_of({"hostname": "mail.a.test"}, **DOMAINS)
    signer = DkimSigner(lambda: config, keys, FakeClock())
    async with OutboundRig(
        tmp_path, 9, run=False, clock=FakeClock(), config=config, sign=signer.sign
    ) as rig:
        rig.keys = keys
        yield rig


def results(rig, message):
    records = {
        record_name(domain, selector): record_text(rig.keys.load(domain, selector))
        for domain, selector in (("a.test", "one"), ("two.test", "two"))
    }
    # The copy in a mailbox has its Return-Path before everything else.
    return verify(message.partition(b"\r\n")[2], records)


async def test_what_is_submitted_is_signed_as_it_is_sent(sender):
    await sender.submit("ben@a.test")
    (message,) = await sender.mail("ben")
    assert message.startswith(b"Return-Path: <anna@a.test>\r\nDKIM-Signature: v=1;")
    (checked,) = results(sender, message)
    assert (checked.outcome, checked.domain, checked.selector) == (Outcome.PASS, "a.test", "one")


async def test_the_author_counts_and_not_the_envelope(sender):
    content = b"From: B <b@two.test>\r\nSubject: x\r\n\r\nhello\r\n"
    await sender.submit("ben@a.test", sender="anna@a.test", content=content)
    (checked,) = results(sender, (await sender.mail("ben"))[0])
    assert (checked.outcome, checked.domain, checked.selector) == (Outcome.PASS, "two.test", "two")


@pytest.mark.parametrize("as_file", [True, False])
async def test_large_mail_is_signed_without_its_stripped_fields(sender, tmp_path, as_file):
    content = b"From: anna@a.test\r\nBcc: s@b.test\r\n\r\n" + b"0123456789abcdef\r\n" * 30_000
    if as_file:
        file = tmp_path / "spool"
        file.write_bytes(content)
    await sender.submit("ben@a.test", content=file if as_file else content)
    (message,) = await sender.mail("ben")
    assert b"\nBcc" not in message
    assert [r.outcome for r in results(sender, message)] == [Outcome.PASS]


async def test_the_timeline_names_the_selector(sender):
    await sender.submit("ben@a.test")
    assert [e.kind for e in sender.timeline] == ["received", "signed", "delivered"]
    assert sender.timeline[1].text == "Signed for a.test (DKIM) with one"
    sender.timeline.clear()
    await sender.submit("ben@a.test", content=b"From: c@plain.test\r\n\r\n")
    assert [e.kind for e in sender.timeline] == ["received", "delivered"]


async def test_mail_goes_without_a_signature_when_signing_fails(sender, expect_log):
    expect_log("not signed with a selector")
    sender.keys.remove("a.test", "one")
    assert (await sender.submit("ben@a.test")).code == 250
    assert b"DKIM-Signature" not in (await sender.mail("ben"))[0]
    assert sender.timeline[1].kind == "unsigned"
    assert "signing with one failed" in sender.timeline[1].text


async def test_mail_goes_when_the_signer_breaks(tmp_path, expect_log):
    async def broken(*_):
        raise RuntimeError("oops")

    expect_log("could not be signed")
    async with OutboundRig(tmp_path, 9, run=False, sign=broken) as rig:
        assert (await rig.submit("ben@a.test")).code == 250


async def test_an_author_without_a_configured_domain_is_put_off(tmp_path):
    signer = DkimSigner(lambda: config_of(domains={}), key_store(tmp_path / "s"), FakeClock())
    async with OutboundRig(tmp_path, 9, run=False, sign=signer.sign) as rig:
        with pytest.raises(TemporaryError, match=r"451 4\.3\.0"):
            await rig.submit("ben@a.test")
        assert not await rig.mail("ben")


async def test_no_key_is_in_a_log_line(sender, caplog):
    caplog.set_level("DEBUG", logger="gatepost")
    await sender.submit("ben@a.test")
    (file,) = (sender.folder / "secrets").rglob("one.json")
    private = json.loads(file.read_text())["private_key"].splitlines()[1]
    assert private not in "".join(f"{r.getMessage()} {r.__dict__}" for r in caplog.records)
