"""What goes over the admin API about aliases."""

from typing import Annotated

from pydantic import Field

from backend.api.types import Reply, Request

MAX_MEMBERS = 1000  # as in the settings

AddressText = Annotated[str, Field(max_length=320)]


class AliasMember(Reply):
    address: str
    account: str
    """Whose address it is."""


class Alias(Reply):
    address: str
    localpart: str
    domain: str
    description: str
    members: list[AliasMember]
    post_public: bool
    list_members: bool
    send_as: bool


class Aliases(Reply):
    items: list[Alias]


class AddAlias(Request):
    address: AddressText
    members: list[AddressText] = Field(max_length=MAX_MEMBERS)
    description: str = Field(default="", max_length=500)
    post_public: bool = True
    list_members: bool = True
    send_as: bool = False


class ChangeAlias(Request):
    """What is left out stays as it is."""

    members: list[AddressText] | None = Field(default=None, max_length=MAX_MEMBERS)
    description: str | None = Field(default=None, max_length=500)
    post_public: bool | None = None
    list_members: bool | None = None
    send_as: bool | None = None


class AliasQuery(Request):
    domain: str = Field(default="", max_length=255)
