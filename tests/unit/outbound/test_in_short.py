"""What an answer means in a few words."""

import pytest

from backend.outbound.in_short import in_short


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("", ""),
        (
            "421 4.7.28 Our system has detected an unusual rate of unsolicited mail. gsmtp",
            "Gmail: rate limited (421 4.7.28)",
        ),
        (
            "450 4.2.0 <a@b.test>: Recipient address rejected: Greylisted",
            "asks to come back later (450 4.2.0)",
        ),
        ("550 5.1.1 User unknown", "no such address (550 5.1.1)"),
        ("552 5.2.2 sorry", "mailbox is full (552 5.2.2)"),
        (
            "550 5.7.1 Service unavailable, Client host [192.0.2.1] blocked using Spamhaus. outlook.com",
            "Microsoft: this server is on a blocklist (550 5.7.1)",
        ),
        ("550-5.7.26 Unauthenticated email is not accepted", "wants SPF or DKIM (550 5.7.26)"),
        ("451 4.4.1 mx.b.test: no answer within 30 s", "no answer (451 4.4.1)"),
        ("421 try again", "too busy (421)"),
        ("451 4.0.0 hm", "put off (451 4.0.0)"),
        ("554 no", "refused (554)"),
        ("250 2.0.0 Ok: queued", "taken (250 2.0.0)"),
        ("550", "refused (550)"),
        ("no server could be reached", "no server could be reached"),
    ],
)
def test_in_short(answer: str, words: str) -> None:
    assert in_short(answer) == words


def test_a_long_answer_is_not_read_to_its_end() -> None:
    assert in_short("550 5.0.0 " + "x" * 3000 + " spamhaus") == "refused (550 5.0.0)"
