"""Settings of an alias: one address whose mail goes to several people here."""

from typing import Annotated

from pydantic import AfterValidator, Field

from backend.config.fields import UI, AddressKey, Settings, Shape, Text
from backend.core.address import parse_address

MAX_MEMBERS = 1000  # mailboxes that one message is put into, a security limit


def _localpart(text: str) -> str:
    if "@" in text:
        raise ValueError("Enter only the part before the @, such as family")
    return parse_address(f"{text}@example.org").localpart


AliasName = Annotated[str, AfterValidator(_localpart)]


class Alias(Settings):
    """An address whose mail goes to several people here"""

    description: Annotated[
        Text, UI("Description", "A note for yourself.", example="Everybody at home")
    ] = ""
    members: Annotated[
        list[AddressKey],
        Field(max_length=MAX_MEMBERS),
        UI(
            "Members",
            "Addresses of accounts on this server; each gets what is written to the alias.",
            example='["anna@example.org", "ben@example.org"]',
            shape=Shape(widget="chips", item="Address", add="Add a member", keywords="people"),
        ),
    ] = Field(default_factory=list)
    post_public: Annotated[
        bool,
        UI(
            "Everybody may write to it",
            "Switched off, only members may, and only when they are signed in to this server.",
            example="true",
        ),
    ] = True
    list_members: Annotated[
        bool,
        UI(
            "Members see each other",
            "Whether members are shown who else gets the mail.",
            example="true",
        ),
    ] = True
    send_as: Annotated[
        bool,
        UI(
            "Members may send as it",
            "Whether a member may write mail with the alias as the sender's address.",
            example="false",
        ),
    ] = False
