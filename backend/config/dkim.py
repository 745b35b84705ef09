"""Settings of a domain's DKIM signatures: its keys by selector, which of them sign, and a change of keys under way."""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from backend.config.fields import UI, Option, Settings, Shape

Algorithm = Literal["rsa2048", "ed25519"]
Phase = Literal["publish", "wait", "retire"]

MAX_SELECTORS = 32  # of one domain
MAX_SIGNING = 8  # signatures on one message

_SELECTOR = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


def checked_selector(text: str) -> str:
    """Raises:
    ValueError: with a sentence for people.
    """
    if _SELECTOR.fullmatch(text) is None:
        raise ValueError(
            f"“{text}” can't be a selector: lower-case letters, digits and hyphens, at most 63, such as 2026a"
        )
    return text


def moment_text(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime(_MOMENT)


def moment(text: str) -> float:
    """Seconds since 1970.

    Raises:
        ValueError: with a sentence for people.
    """
    try:
        return datetime.strptime(text, _MOMENT).replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise ValueError(f"“{text}” is not a time such as 2026-11-23T20:15:00Z") from None


def _checked_moment(text: str) -> str:
    return moment_text(moment(text))


SelectorName = Annotated[str, AfterValidator(checked_selector)]


class Selector(Settings):
    """A key with which the domain's mail can be signed; the key itself is kept with the secrets"""

    algorithm: Annotated[
        Algorithm,
        UI(
            "Algorithm",
            "“rsa2048” is understood by everyone; “ed25519” is shorter and newer, for use beside it.",
            example="rsa2048",
            level="advanced",
            shape=Shape(
                widget="radio",
                options=(
                    Option("rsa2048", "RSA, 2048 bits", "Everyone understands it."),
                    Option("ed25519", "Ed25519", "Shorter and newer, for use beside the other."),
                ),
                keywords="rsa ed25519 key",
            ),
        ),
    ] = "rsa2048"


class Rotation(Settings):
    """A change of keys under way; the server goes on with it by itself"""

    phase: Annotated[
        Phase,
        UI(
            "Step",
            "“publish”: the new records are awaited in the DNS; “wait”: until everybody can see them; “retire”: the new keys sign, the old records stay until mail under way has arrived.",
            example="publish",
            level="advanced",
        ),
    ]
    new: Annotated[
        list[SelectorName],
        Field(min_length=1, max_length=MAX_SIGNING),
        UI("New selectors", "What will sign.", example='["2027a"]', level="advanced"),
    ]
    old: Annotated[
        list[SelectorName],
        Field(max_length=MAX_SELECTORS),
        UI(
            "Old selectors",
            "What is removed at the end, with its keys.",
            example='["2026a"]',
            level="advanced",
        ),
    ] = Field(default_factory=list)
    since: Annotated[
        str,
        AfterValidator(_checked_moment),
        UI("Since", "When this step began, in UTC.", example="2026-11-23T20:15:00Z"),
    ]


class Dkim(Settings):
    """Proof that mail is really from the domain (DKIM)"""

    sign: Annotated[
        list[SelectorName],
        Field(max_length=MAX_SIGNING),
        UI(
            "Signing selectors",
            "Each message gets one signature from each of these; empty: mail leaves without a signature, and many will treat it as junk.",
            example='["2026a"]',
            shape=Shape(
                source="selectors",
                widget="chips",
                item="Selector",
                add="Add a selector",
                keywords="dkim signature",
            ),
        ),
    ] = Field(default_factory=list)
    selectors: Annotated[
        dict[SelectorName, Selector],
        Field(max_length=MAX_SELECTORS),
        UI(
            "Selectors",
            "The domain's keys by name; each needs its record in the DNS. A missing key is made.",
            example='[domains."example.org".dkim.selectors.2026a]',
            level="advanced",
        ),
    ] = Field(default_factory=dict)
    rotation: Annotated[
        Rotation | None,
        UI(
            "Change of keys",
            "Is written by gatepost domain dkim rotate.",
            example='[domains."example.org".dkim.rotation]',
            level="advanced",
        ),
    ] = None
