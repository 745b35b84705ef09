"""What goes over the admin API about sign-ins: one after the other, and the refused ones by where they came from."""

from datetime import datetime

from pydantic import Field

from backend.api.types import MAX_NUMBER, MAX_PAGE, Reply, Request, SignInEntry


class SignIns(Reply):
    """`total`: how many match."""

    items: list[SignInEntry]
    """Newest first."""
    total: int = 0


class SignInQuery(Request):
    """`search` is found in the name, the address or the program."""

    limit: int = Field(default=100, ge=1, le=MAX_PAGE)
    offset: int = Field(default=0, ge=0, le=MAX_NUMBER)
    account: str = Field(default="", max_length=64)
    failed: bool = False
    """Only those that failed."""
    succeeded: bool | None = None
    protocol: str = Field(default="", max_length=20)
    peer: str = Field(default="", max_length=64)
    search: str = Field(default="", max_length=200)
    since: datetime | None = None


class SignInSource(Reply):
    """An address from which sign-ins failed. `names`: what was tried, up to twenty. `succeeded`: how often it went well from there."""

    peer: str
    count: int
    first_at: datetime
    last_at: datetime
    names: list[str]
    protocols: list[str]
    succeeded: int = 0


class SignInSources(Reply):
    items: list[SignInSource]
    """The worst first."""
    total: int = 0


class SignInSourceQuery(Request):
    """`search` is found in the address or in a name that was tried."""

    limit: int = Field(default=100, ge=1, le=MAX_PAGE)
    offset: int = Field(default=0, ge=0, le=MAX_NUMBER)
    search: str = Field(default="", max_length=200)
