"""What clients may know of a domain's DKIM keys, and ask of them. Private keys never pass here."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from backend.api.types import Reply, Request

DkimAlgorithm = Literal["rsa2048", "ed25519"]
RotationPhase = Literal["publish", "wait", "retire"]


class DkimRecord(Reply):
    """What is to be published. `strings`: `value` in the pieces of at most 255 characters that a TXT record is made of."""

    type: Literal["TXT"] = "TXT"
    name: str
    value: str
    strings: list[str]


class DkimSelector(Reply):
    name: str
    algorithm: DkimAlgorithm
    signs: bool
    made_at: datetime | None = None
    record: DkimRecord | None = None
    """None while the key can't be read."""
    in_dns: bool | None = None
    """None when nobody looked, or it could not be told."""


class DkimRotation(Reply):
    """`publish`: `new` is awaited in the DNS; `wait`: until everybody can see it; `retire`: it signs, and `old` goes at
    `due_at`.
    """

    phase: RotationPhase
    new: list[str]
    old: list[str]
    since: datetime
    due_at: datetime | None = None
    next: str
    """What happens next, and what there is to do; a sentence or two."""


class Dkim(Reply):
    domain: str
    sign: list[str]
    """Selectors that sign; empty: mail of the domain leaves unsigned."""
    selectors: list[DkimSelector]
    rotation: DkimRotation | None = None


class DkimQuery(Request):
    check: bool = False
    """Looks the records up in the DNS."""


class AddDkimSelector(Request):
    name: str = Field(default="", max_length=63)
    """Empty: the year and a letter."""
    algorithm: DkimAlgorithm = "rsa2048"
    sign: bool = False
    """Sign with it at once."""


class ChooseDkimSelectors(Request):
    selectors: list[str] = Field(max_length=8)


class RotateDkim(Request):
    skip_waiting: bool = False
    """Neither wait for the DNS nor for others to notice."""


class RemoveDkimQuery(Request):
    even_if_signing: bool = False
