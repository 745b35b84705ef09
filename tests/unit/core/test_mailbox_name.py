"""One rule for names of mailboxes, in the settings as in IMAP."""

import pytest

from backend.config.fields import checked_mailbox
from backend.core.mailbox_name import normal_mailbox_name

BAD = ("", "a%b", "a*", "a\\b", "a//b", "/a", "a/", "a\x00", "a\x85b", "x" * 201, "a/" * 20 + "a")


@pytest.mark.parametrize("name", [*BAD, "ü" * 150])
def test_what_the_store_refuses_is_refused_in_the_settings_too(name):
    for check in (normal_mailbox_name, checked_mailbox):
        with pytest.raises(ValueError):
            check(name)


def test_other_names_are_brought_into_one_form():
    for check in (normal_mailbox_name, checked_mailbox):
        assert check("inbox/Lists") == "INBOX/Lists"
        assert check("Mu\u0308ll") == "M\u00fcll"
        assert check("../..") == "../.."  # only a name: no mailbox is a folder on disk
