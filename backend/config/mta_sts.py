"""Settings of a domain's own MTA-STS policy (RFC 8461): what other servers are told of delivery to it."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from backend.config.fields import UI, Option, Settings, Shape
from backend.core.address import AddressError, parse_domain

DAY_S = 86_400

_ID = re.compile(r"[A-Za-z0-9]{0,32}")


def _checked_id(text: str) -> str:
    if _ID.fullmatch(text) is None:
        raise ValueError(
            f"“{text}” can't name a policy: letters and digits, at most 32, such as 20261123T201500"
        )
    return text


def _checked_pattern(text: str) -> str:
    name = text.strip()
    star = "*." if name.startswith("*.") else ""
    try:
        return star + parse_domain(name.removeprefix("*.")).ascii
    except AddressError as error:
        raise ValueError(str(error)) from None


class MtaSts(Settings):
    """Encrypted delivery to the domain (MTA-STS)"""

    mode: Annotated[
        Literal["off", "testing", "enforce", "none"],
        UI(
            "Rule",
            "What other servers are told about mail to this domain. They fetch the rule from https://mta-sts.… with a certificate for that name; “gatepost dns check” tells what is missing.",
            example="testing",
            level="advanced",
            shape=Shape(
                widget="radio",
                options=(
                    Option("off", "No rule", "Nothing is published."),
                    Option("testing", "Try it out", "Others deliver as ever, and report faults."),
                    Option("enforce", "Encrypted only", "Others deliver with verified TLS or not."),
                    Option("none", "Withdrawn", "For some weeks before it is switched off."),
                ),
                keywords="mta-sts tls encryption",
            ),
        ),
    ] = "off"
    max_age_s: Annotated[
        int,
        Field(ge=DAY_S, le=31_557_600),
        UI(
            "Others remember it for",
            "How long other servers keep the rule; a day to begin with, some weeks once it has proved itself.",
            unit="seconds",
            example="86400",
            level="advanced",
        ),
    ] = DAY_S
    mx: Annotated[
        list[Annotated[str, AfterValidator(_checked_pattern)]],
        Field(max_length=20),
        UI(
            "Mail servers",
            "The servers that take mail for the domain, as its MX records name them; “*.example.net” stands for one label. Empty: this server.",
            example='["mail.example.org"]',
            level="advanced",
        ),
    ] = Field(default_factory=list)
    policy_id: Annotated[
        str,
        AfterValidator(_checked_id),
        UI(
            "Name of this version",
            "Has to change with every change of the rule, here and in the DNS. Empty: it is made from the rule itself, so that it changes by itself.",
            example="20261123T201500",
            level="advanced",
        ),
    ] = ""
