"""The words behind sendmail, as cron, mail programs and libraries write them."""

import pytest

from app.sendmail.arguments import Arguments, parse_arguments
from app.sendmail.fault import SendmailError
from backend.core.envelope import Asked, Notify, Ret, Wish


@pytest.mark.parametrize(
    ("words", "recipients", "from_header"),
    [
        ("root", ("root",), False),
        ("-t", (), True),
        ("-i -t", (), True),
        ("-it", (), True),
        ("-ti", (), True),
        ("-oi -oem -t", (), True),
        ("-FCronDaemon -i -B8BITMIME -oem root", ("root",), False),  # Debian's cron
        ("-FAnacron -odi anna@example.org", ("anna@example.org",), False),  # anacron
        ("-t -i -f cron@example.org", (), True),  # PHP's mail()
        ("-f cron@example.org -- anna@example.org", ("anna@example.org",), False),
        ("-r cron@example.org -F Cron root", ("root",), False),
        ("-fcron@example.org root", ("root",), False),
        ("-i -- -odd@example.org", ("-odd@example.org",), False),
        ("-bm -v -n -U root", ("root",), False),
        ("-q30m -d0.1 -L tag root", ("root",), False),
        ("-O DeliveryMode=b -X /tmp/t root", ("root",), False),
        ("-oi -fx root@example.org second@example.org", ("root@example.org", "second@example.org"), False),
        ("-", ("-",), False),
        ("", (), False),
    ],
)  # fmt: skip
def test_recipients_are_told_from_options(words, recipients, from_header):
    assert parse_arguments(words.split()) == Arguments(recipients, from_header=from_header)


@pytest.mark.parametrize(
    "words", ["-N success,DELAY -R Hdrs -V my+id root", "-Nsuccess,delay -RHDRS -Vmy+id root"]
)
def test_reports_can_be_asked_for(words):
    found = parse_arguments(words.split())
    assert found.recipients == ("root",)
    assert found.asked == Asked(ret=Ret.HEADERS, envelope_id="my+id")
    assert found.wish == Wish(frozenset({Notify.SUCCESS, Notify.DELAY}))
    assert parse_arguments(["-Nnever", "root"]).wish.notify == {Notify.NEVER}


@pytest.mark.parametrize(
    "option",
    [
        ["-N", "never,delay"],
        ["-N", "x"],
        ["-R", "all"],
        ["-V", "a\r\nb"],
        ["-V", 101 * "x"],
        ["-N"],
    ],
)
def test_a_wish_that_can_not_be_understood_does_not_cost_the_message(option):
    found = parse_arguments([*option, "root"])
    assert (found.asked, found.wish) == (Asked(), Wish())


def test_an_address_can_not_become_an_option():
    found = parse_arguments(["root", "--config", "/tmp/theirs"])
    assert found == Arguments(("root", "--config", "/tmp/theirs"))


def test_the_settings_file_can_be_named():
    assert parse_arguments(["--config", "/x", "root"]).config == "/x"
    assert parse_arguments(["-i", "--config=/x", "root"]) == Arguments(("root",), config="/x")
    with pytest.raises(SendmailError, match="name of a file"):
        parse_arguments(["--config"])


def test_our_own_long_options_are_known_and_others_refused():
    assert parse_arguments(["--help"]).help
    assert parse_arguments(["-h"]).help
    assert parse_arguments(["-h", "3", "root"]) == Arguments(("root",))  # a hop count
    assert parse_arguments(["--describe-config"]).describe
    with pytest.raises(SendmailError, match="--no-such"):
        parse_arguments(["--no-such", "root"])
