"""Values of parameters: what is let in, and that it leaves as it came."""

import pytest

from backend.core.envelope import Asked, Hold, Notify, Ret, Wish
from backend.smtp.extensions import Extension, Offer, format_offer, parse_offer
from backend.smtp.grammar import parse_mail, parse_rcpt
from backend.smtp.parameters import CommandError, mail_parameters, rcpt_parameters

EVERYTHING = Offer(keywords=frozenset(Extension))
DSN = Offer(keywords=frozenset({Extension.DSN}))
NONE = Offer()


@pytest.mark.parametrize(
    "value",
    [
        "ENVID=a+0D+0AX:+20y",
        "ENVID=a+00",
        "ENVID=a+FF",
        "ENVID=+",
        "ENVID=+2b",
        "ENVID=é",
        "ENVID=" + 101 * "a",
        "ENVID",
        "RET=both",
        "HOLDFOR=1 HOLDUNTIL=2030-01-01T00:00:00Z",
    ],
)
def test_values_that_would_spoil_a_report_are_refused(value):
    with pytest.raises(CommandError) as refused:
        parse_mail(f"FROM:<a@b.c> {value}")
    assert (refused.value.status.code, refused.value.status.enhanced) == (501, "5.5.4")


@pytest.mark.parametrize(
    "value",
    [
        "ORCPT=rfc822;a+0Ab",
        "ORCPT=rfc822",
        "ORCPT=rfc822;",
        "ORCPT=;a@b.c",
        "ORCPT=rf c;a",
        "ORCPT=rfc822;" + 494 * "a",
        "ORCPT=rfc.822;a",
        "ORCPT=é;a",
        "NOTIFY=",
        "NOTIFY",
        "NOTIFY=NEVER,DELAY",
        "NOTIFY=SUCCESS,",
        r"ORCPT=utf-8;a+2Bb",
        r"ORCPT=utf-8;a\b",
    ],
)
def test_a_recipients_values_are_as_strict(value):
    with pytest.raises(CommandError) as refused:
        parse_rcpt(f"TO:<a@b.c> {value}")
    assert (refused.value.status.code, refused.value.status.enhanced) == (501, "5.5.4")


def test_the_longest_values_are_taken():
    assert len(parse_mail("FROM:<a@b.c> ENVID=" + 100 * "a").envelope_id) == 100
    assert len(parse_rcpt("TO:<a@b.c> ORCPT=rfc822;" + 493 * "a").original_recipient[1]) == 493


@pytest.mark.parametrize("value", ["1x", "-1", "", "1234567890", "+5", "٣"])
def test_a_wrong_number_of_seconds_is_refused(value):
    with pytest.raises(CommandError):
        parse_mail(f"FROM:<a@b.c> HOLDFOR={value}")


@pytest.mark.parametrize(
    "value",
    [
        "tomorrow",
        "2030-13-01T00:00:00Z",
        "2030-01-01T00:00:00",
        "2030-01-01T00:00:00+02:00",
        "2030-01-01",
        "0000-00-00T00:00:00Z",
        "2030-01-01T25:00:00Z",
    ],
)
def test_a_time_that_is_not_utc_is_refused(value):
    with pytest.raises(CommandError):
        parse_mail(f"FROM:<a@b.c> HOLDUNTIL={value}")


def test_a_hold_says_when_the_message_is_released():
    hold = parse_mail("FROM:<a@b.c> HOLDFOR=3600").hold
    assert hold == Hold("for;3600", seconds=3600)
    assert hold.release_at(1000.0) == 4600.0
    hold = parse_mail("FROM:<a@b.c> HOLDUNTIL=2030-01-31T08:00:00.5z").hold
    assert hold == Hold("until;2030-01-31T08:00:00.5z", until=1896076800.0)
    assert hold.release_at(1000.0) == 1896076800.0
    # Over already: at once.
    assert hold.release_at(2e9) == 2e9


def test_only_what_was_asked_is_passed_on_and_only_where_it_is_offered():
    asked = Asked(ret=Ret.FULL, envelope_id="a+b c", require_tls=True)
    assert mail_parameters(asked, EVERYTHING) == " RET=FULL ENVID=a+2Bb+20c REQUIRETLS"
    assert mail_parameters(asked, DSN) == " RET=FULL ENVID=a+2Bb+20c"
    assert mail_parameters(asked, NONE) == ""
    assert mail_parameters(Asked(), EVERYTHING) == ""
    wish = Wish(frozenset({Notify.DELAY, Notify.SUCCESS}), ("rfc822", "X+y@Z.test"))
    assert rcpt_parameters(wish, DSN) == " NOTIFY=SUCCESS,DELAY ORCPT=rfc822;X+2By@Z.test"
    assert rcpt_parameters(wish, NONE) == ""
    assert rcpt_parameters(Wish(), DSN) == ""


def test_an_international_original_address_is_written_as_the_server_can_read_it():
    wish = Wish(original=("utf-8", "jürgen@x.test"))
    assert rcpt_parameters(wish, DSN) == r" ORCPT=utf-8;j\x{FC}rgen@x.test"
    assert rcpt_parameters(wish, DSN, smtputf8=True) == " ORCPT=utf-8;jürgen@x.test"


def test_a_value_that_would_grow_too_long_is_left_out():
    assert mail_parameters(Asked(envelope_id=40 * "="), DSN) == ""
    assert rcpt_parameters(Wish(original=("rfc822", 400 * "=")), DSN) == ""


def test_the_limits_of_futurerelease_are_read_as_they_are_written():
    limits = "2592000 2030-01-31T08:00:00Z"
    offer = Offer(keywords=frozenset({Extension.FUTURERELEASE}), future_release=limits)
    assert format_offer(offer) == (f"FUTURERELEASE {limits}",)
    assert parse_offer([f"FUTURERELEASE {limits}"]) == offer
