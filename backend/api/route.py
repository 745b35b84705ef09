"""What a route of the admin API is, and short ways to write one down."""

from dataclasses import dataclass
from enum import Enum

from pydantic import BaseModel

from backend.api.types import Empty

PREFIX = "/api/v1"


class Needs(Enum):
    PUBLIC = "public"
    SIGNED_IN = "signed-in"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """`raw`: content type of a reply that is not JSON. `checks_revision`: takes `If-Match: "<revision>"`, answers 409."""

    name: str
    method: str
    path: str
    summary: str
    reply: type[BaseModel] = Empty
    request: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    needs: Needs = Needs.SIGNED_IN
    status: int = 200
    raw: str = ""
    checks_revision: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def get(
    name: str,
    path: str,
    reply: type[BaseModel],
    summary: str,
    *,
    query: type[BaseModel] | None = None,
    needs: Needs = Needs.SIGNED_IN,
    raw: str = "",
) -> Route:
    return Route(
        name=name,
        method="GET",
        path=PREFIX + path,
        reply=reply,
        summary=summary,
        query=query,
        needs=needs,
        raw=raw,
    )


def post(
    name: str,
    path: str,
    reply: type[BaseModel],
    summary: str,
    *,
    request: type[BaseModel] | None = None,
    needs: Needs = Needs.SIGNED_IN,
    status: int = 200,
    checks_revision: bool = False,
) -> Route:
    return Route(
        name=name,
        method="POST",
        path=PREFIX + path,
        reply=reply,
        summary=summary,
        request=request,
        needs=needs,
        status=status,
        checks_revision=checks_revision,
    )


def put(
    name: str, path: str, reply: type[BaseModel], summary: str, *, request: type[BaseModel]
) -> Route:
    """A whole that takes the place of another: says which revision it was made from."""
    return Route(
        name=name,
        method="PUT",
        path=PREFIX + path,
        reply=reply,
        summary=summary,
        request=request,
        checks_revision=True,
    )


def delete(name: str, path: str, summary: str) -> Route:
    return Route(name=name, method="DELETE", path=PREFIX + path, summary=summary)
