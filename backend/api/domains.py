"""What goes over the admin API about one domain or account: what there is to do, and who has which address."""

from typing import Literal

from pydantic import Field

from backend.api.types import MAX_NUMBER, MAX_PAGE, Domain, Reply, Request

AddressKind = Literal["account", "alias", "catch_all"]


class NextStep(Reply):
    """Something to do. `optional` is no fault. `page`: where, a path in the faces; `verb` is what the link says."""

    id: str
    severity: Literal["required", "recommended", "optional"]
    title: str
    text: str
    verb: str
    page: str


class NextSteps(Reply):
    """The most urgent first; empty: nothing is missing."""

    items: list[NextStep] = Field(default_factory=list)


class DomainView(Reply):
    domain: Domain
    steps: list[NextStep] = Field(default_factory=list)
    """The most urgent first; empty: nothing is missing."""


class AddressEntry(Reply):
    """`owner`: the account's id, or the alias itself. `members`: of an alias, how many."""

    address: str
    kind: AddressKind
    owner: str
    title: str
    """Who or what that is, in words."""
    mailbox: str = ""
    members: int = 0
    page: str
    """Where it is changed, a path in the faces."""


class AddressEntries(Reply):
    items: list[AddressEntry]
    total: int = 0
    """How many there are on all pages."""


class AddressQuery(Request):
    """`search`: words of addresses and of whose they are. `sort`: a column, with `-` downwards. `limit` 0: all."""

    domain: str = Field(default="", max_length=255)
    """Empty: of all domains."""
    kind: Literal["", "account", "alias", "catch_all"] = ""
    search: str = Field(default="", max_length=200)
    sort: Literal["", "address", "-address", "title", "-title", "kind", "-kind"] = ""
    limit: int = Field(default=0, ge=0, le=MAX_PAGE)
    offset: int = Field(default=0, ge=0, le=MAX_NUMBER)
