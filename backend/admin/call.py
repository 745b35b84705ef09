"""One call of a route as its handler sees it: checked, parsed, typed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel

from backend.admin.access import Access, Caller
from backend.admin.faults import DeniedError
from backend.admin.services import Services
from backend.api.route import Route

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """`caller` is None on public routes only when nobody is signed in."""

    request: web.Request
    route: Route
    services: Services
    access: Access
    caller: Caller | None
    parsed_body: BaseModel | None = None
    parsed_query: BaseModel | None = None
    revision: int = 0
    """Of `If-Match`, on routes that check it."""

    def body(self, kind: type[M]) -> M:
        assert isinstance(self.parsed_body, kind)
        return self.parsed_body

    def query(self, kind: type[M]) -> M:
        assert isinstance(self.parsed_query, kind)
        return self.parsed_query

    def path(self, name: str) -> str:
        return self.request.match_info[name]

    def number(self, name: str) -> int:
        """A number in the path.

        Raises:
            DeniedError: it is none.
        """
        text = self.request.match_info[name]
        if not text.isascii() or not text.isdecimal() or len(text) > 18:
            raise DeniedError(404, "path.number", f"“{text}” is not a number.")
        return int(text)

    @property
    def author(self) -> str:
        """Who changes the configuration, for its revisions."""
        if self.caller is None:
            return "unknown"
        return self.caller.name if self.caller.is_local else f"admin from {self.caller.peer}"


Handler = Callable[[Call], Awaitable[BaseModel | web.StreamResponse]]
