"""What does this server say it can do? One table; what is offered depends on state, TLS and policy."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum, auto


class When(Enum):
    ALWAYS = auto()
    BEFORE_LOGIN = auto()
    AFTER_LOGIN = auto()


@dataclass(frozen=True, slots=True)
class Offer:
    """`ability`: what a session must be able to do for it, empty for what every session can."""

    name: str
    rfc: str
    when: When = When.AFTER_LOGIN
    ability: str = ""


OFFERS: tuple[Offer, ...] = (
    Offer("IMAP4rev2", "RFC 9051", When.ALWAYS),
    Offer("IMAP4rev1", "RFC 3501", When.ALWAYS),
    Offer("SASL-IR", "RFC 4959", When.ALWAYS),
    # RFC 7888 §6: LITERAL+ and LITERAL- must not be announced together; who wants the smaller one
    # (part of rev2) is served by the bigger one.
    Offer("LITERAL+", "RFC 7888", When.ALWAYS),
    Offer("ENABLE", "RFC 5161", When.ALWAYS),
    Offer("ID", "RFC 2971", When.ALWAYS),
    Offer("IDLE", "RFC 2177", When.ALWAYS),
    Offer("NAMESPACE", "RFC 2342"),
    Offer("CHILDREN", "RFC 3348"),
    Offer("LIST-EXTENDED", "RFC 5258"),
    Offer("LIST-STATUS", "RFC 5819"),
    Offer("SPECIAL-USE", "RFC 6154"),
    Offer("CREATE-SPECIAL-USE", "RFC 6154"),
    Offer("UNSELECT", "RFC 3691"),
    Offer("UIDPLUS", "RFC 4315"),
    Offer("MULTIAPPEND", "RFC 3502"),
    Offer("BINARY", "RFC 3516"),
    Offer("ESEARCH", "RFC 4731"),
    Offer("SEARCHRES", "RFC 5182"),
    Offer("WITHIN", "RFC 5032"),
    Offer("MOVE", "RFC 6851"),
    Offer("CONDSTORE", "RFC 7162"),
    Offer("STATUS=SIZE", "RFC 8438"),
    Offer("PREVIEW", "RFC 8970"),
    Offer("SAVEDATE", "RFC 8514"),
    Offer("OBJECTID", "RFC 8474"),
    Offer("UTF8=ACCEPT", "RFC 6855"),
)

# RFC 5161 §3.1: what ENABLE can switch on; all else it passes over in silence.
ENABLABLE = frozenset({"CONDSTORE", "IMAP4REV2", "UTF8=ACCEPT"})
SPELLING = {"CONDSTORE": "CONDSTORE", "IMAP4REV2": "IMAP4rev2", "UTF8=ACCEPT": "UTF8=ACCEPT"}


def offered(
    *,
    signed_in: bool,
    can_start_tls: bool,
    may_sign_in: bool,
    mechanisms: Collection[str],
    append_limit: int,
    abilities: Collection[str] = (),
) -> bytes:
    """The list, without `CAPABILITY`. `may_sign_in`: passwords may be sent over this connection as it is."""
    skipped = When.BEFORE_LOGIN if signed_in else When.AFTER_LOGIN
    names = [
        offer.name
        for offer in OFFERS
        if offer.when is not skipped and (not offer.ability or offer.ability in abilities)
    ]
    if signed_in:
        names.append(f"APPENDLIMIT={append_limit}")  # RFC 7889 §2
    else:
        # RFC 9051 §6.2.1: STARTTLS is not offered under TLS; §6.2.3: LOGINDISABLED where a password
        # would go in the clear.
        if can_start_tls:
            names.append("STARTTLS")
        if may_sign_in:
            names.extend(f"AUTH={mechanism}" for mechanism in mechanisms)
        else:
            names.append("LOGINDISABLED")
    return " ".join(names).encode("ascii")
