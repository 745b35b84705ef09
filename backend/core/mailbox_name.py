"""What may a mailbox be called? One rule for IMAP's commands and for the destinations in the settings."""

import re
import unicodedata

SEPARATOR = "/"
INBOX = "INBOX"
MAX_NAME_OCTETS = 500  # a security limit
MAX_PART_OCTETS = 200  # a security limit
MAX_DEPTH = 20  # a security limit
# Controls, and what IMAP clients take for wildcards or can't show.
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff%*\\]|[\ud800-\udfff]")


def normal_mailbox_name(name: str) -> str:
    """A name as it is stored: NFC, `INBOX` in capitals also as the first part of others.

    Raises:
        ValueError: it can't be a mailbox's name; the text says why.
    """
    name = unicodedata.normalize("NFC", name)
    if _FORBIDDEN.search(name):
        raise ValueError("A mailbox name can't hold control characters, %, * or \\.")
    parts = name.split(SEPARATOR)
    if not all(part.strip() for part in parts):
        raise ValueError(f"Each part of a mailbox name between {SEPARATOR} needs text.")
    if (
        len(name.encode()) > MAX_NAME_OCTETS
        or any(len(part.encode()) > MAX_PART_OCTETS for part in parts)
        or len(parts) > MAX_DEPTH
    ):
        raise ValueError("The mailbox name is too long or nested too deep.")
    # RFC 9051 §5.1: INBOX in any case is the same name.
    if parts[0].upper() == INBOX:
        parts[0] = INBOX
    return SEPARATOR.join(parts)
