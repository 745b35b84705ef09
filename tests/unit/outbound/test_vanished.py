"""Which answers say that an address is gone for good."""

import pytest

from backend.core.status import SmtpStatus
from backend.outbound.vanished import is_gone


@pytest.mark.parametrize(
    ("code", "enhanced", "text"),
    [
        (550, "5.1.1", "The email account that you tried to reach does not exist."),
        (
            550,
            "5.1.1",
            "<bo@b.test>: Recipient address rejected: User unknown in virtual mailbox table",
        ),
        (550, "5.1.2", "host unknown"),
        (501, "5.1.3", "bad address syntax"),
        (551, "5.1.6", "moved"),
        (556, "5.1.10", "null MX"),
        (550, "5.2.1", "mailbox disabled"),
        (550, "", "No such user here"),
        (553, "", "sorry, no mailbox here by that name (#5.1.1)"),
        (550, "5.0.0", "User unknown"),
        (550, "", "Requested action not taken: mailbox bo@b.test unknown user"),
    ],
)
def test_gone_for_good(code, enhanced, text):
    assert is_gone(SmtpStatus(code, enhanced, text))


@pytest.mark.parametrize(
    ("code", "enhanced", "text"),
    [
        (450, "4.1.1", "user unknown"),  # temporary
        (250, "2.1.5", "ok"),
        (550, "5.7.1", "user unknown"),  # policy, whatever it says
        (552, "5.2.2", "mailbox full"),
        (550, "5.1.1", "blocked: your IP has a poor reputation"),
        (550, "5.1.1", "recipient rejected due to policy"),
        (550, "5.1.7", "bad sender address"),
        (550, "5.1.8", "sender's domain does not exist"),
        (550, "5.0.0", "the administrator of this mail server gave up on it"),
        (554, "", "no such user"),  # at the end of the data, of the whole message
        (550, "", "Relaying denied"),
        (550, "", "Message contains a virus"),
        (550, "5.4.4", "the domain b.test does not exist"),
    ],
)
def test_may_come_back(code, enhanced, text):
    assert not is_gone(SmtpStatus(code, enhanced, text))
