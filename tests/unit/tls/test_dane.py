"""TLSA records against chains of certificates (RFC 7671, RFC 7672 §3)."""

import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from backend.dns.answers import Tlsa
from backend.tls.authority import ensure_certificate
from backend.tls.dane import DaneError, as_text, check, usable
from backend.tls.published import read_published
from tests.support.certificates import make

NOW = dt.datetime.now(dt.UTC)
ROOT = make("Test root", is_ca=True)
MIDDLE = make("Test middle", is_ca=True, issuer=ROOT)
LEAF = make("mx.b.test", "*.wild.test", issuer=MIDDLE)
OTHER = make("Other root", is_ca=True)


def tlsa(text):
    usage, selector, matching, data = text.split()
    return Tlsa(
        usage=int(usage), selector=int(selector), matching=int(matching), data=bytes.fromhex(data)
    )


def vouched(*records, chain=None, names=("mx.b.test",), now=NOW):
    check([tlsa(record) for record in records], chain or LEAF.chain, names, now)


@pytest.mark.parametrize("usage", [2, 3])
@pytest.mark.parametrize("selector", [0, 1])
@pytest.mark.parametrize("matching", [0, 1, 2])
def test_each_kind_of_record_vouches_for_what_it_names(usage, selector, matching):
    named = LEAF if usage == 3 else ROOT
    vouched(named.tlsa(usage, selector, matching))
    with pytest.raises(DaneError) as caught:
        vouched(OTHER.tlsa(usage, selector, matching))
    assert caught.value.reason == "tlsa-mismatch"


def test_one_record_that_fits_is_enough():
    vouched(OTHER.tlsa(3), OTHER.tlsa(2), LEAF.tlsa(3))


def test_the_servers_own_certificate_counts_whatever_its_name_and_dates():
    old = make("elsewhere.test", days=(-60, -30))
    vouched(old.tlsa(3), chain=old.chain)


def test_an_authority_in_the_middle_may_be_the_anchor():
    vouched(MIDDLE.tlsa(2), chain=[LEAF.der, MIDDLE.der])


def test_the_server_may_be_its_own_anchor():
    alone = make("mx.b.test")
    vouched(alone.tlsa(2), chain=alone.chain)


def test_the_chain_may_come_in_any_order_with_others_in_between():
    vouched(ROOT.tlsa(2), chain=[LEAF.der, OTHER.der, ROOT.der, MIDDLE.der])


def test_an_anchor_that_the_server_does_not_show_is_no_anchor_unless_it_stands_in_the_dns():
    with pytest.raises(DaneError):
        vouched(ROOT.tlsa(2), chain=[LEAF.der, MIDDLE.der])
    vouched(ROOT.tlsa(2, 0, 0), chain=[LEAF.der, MIDDLE.der])


def test_an_anchor_that_is_shown_but_did_not_sign_vouches_for_nothing():
    stranger = make("mx.b.test")
    with pytest.raises(DaneError):
        vouched(ROOT.tlsa(2), chain=[stranger.der, ROOT.der])


def test_below_an_anchor_the_name_must_fit():
    vouched(ROOT.tlsa(2), names=("other.test", "mx.b.test"))
    vouched(ROOT.tlsa(2), names=("a.wild.test",))
    for name in ("other.test", "wild.test", "a.b.wild.test"):
        with pytest.raises(DaneError) as caught:
            vouched(ROOT.tlsa(2), names=(name,))
        assert caught.value.reason == "certificate-host-mismatch"


def test_below_an_anchor_the_dates_must_fit():
    for later in (NOW + dt.timedelta(days=31), NOW - dt.timedelta(days=2)):
        with pytest.raises(DaneError) as caught:
            vouched(ROOT.tlsa(2), now=later)
        assert caught.value.reason == "certificate-expired"


def test_only_an_authority_may_sign():
    fake = make("mx.b.test", issuer=make("leaf.test", issuer=ROOT))
    with pytest.raises(DaneError) as caught:
        vouched(ROOT.tlsa(2), chain=fake.chain)
    assert caught.value.reason == "certificate-invalid"


def test_an_authority_may_not_have_more_below_it_than_it_was_allowed():
    root = make("Short root", is_ca=True, path_length=0)
    leaf = make("mx.b.test", issuer=make("Middle", is_ca=True, issuer=root))
    with pytest.raises(DaneError) as caught:
        vouched(root.tlsa(2), chain=leaf.chain)
    assert caught.value.reason == "certificate-invalid"


@pytest.mark.parametrize("chain", [[b"nonsense"], [LEAF.der[:50]]])
def test_what_is_no_certificate_is_refused(chain):
    with pytest.raises(DaneError):
        vouched(LEAF.tlsa(3), chain=chain)


def test_a_server_without_a_certificate_is_refused():
    with pytest.raises(DaneError):
        check([tlsa(LEAF.tlsa(3))], [], ("mx.b.test",), NOW)


@pytest.mark.parametrize(
    "text",
    [
        LEAF.tlsa(0),
        LEAF.tlsa(1),
        LEAF.tlsa(4),
        LEAF.tlsa(3).replace("3 1", "3 2"),
        f"3 1 3 {'00' * 32}",
        f"3 1 1 {'00' * 31}",
        f"3 1 2 {'00' * 32}",
    ],
)
def test_records_of_other_kinds_are_not_usable(text):
    assert usable([tlsa(text)]) == ()


def test_usable_records_stay_as_they_are():
    records = [tlsa(LEAF.tlsa(3)), tlsa(LEAF.tlsa(0)), tlsa(ROOT.tlsa(2, 0, 2))]
    assert usable(records) == (records[0], records[2])
    assert as_text(records[0]) == LEAF.tlsa(3)


@pytest.mark.parametrize("own_authority", [True, False])
def test_what_we_publish_for_ourselves_vouches_for_us(tmp_path, own_authority):
    files = ensure_certificate(tmp_path, ["mail.a.test"], NOW)
    published = read_published(files.certificate, own_authority=own_authority)
    shown = x509.load_pem_x509_certificates(files.certificate.read_bytes())
    chain = [each.public_bytes(Encoding.DER) for each in shown]
    vouched(published.tlsa, chain=chain, names=("mail.a.test",))
    with pytest.raises(DaneError):
        vouched(published.tlsa)
