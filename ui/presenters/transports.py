"""What is said about a transport."""

from datetime import datetime

from backend.api import delivery as w
from ui.presenters import wording

IN_USE = "While routes use it, it can't be removed. Change or remove those first."
UNUSED = "no route, so no mail takes it"
PASSWORD_MISSING = "This transport signs in, but its password is missing."  # noqa: S105  # a sentence
PASSWORD_FIX = "Enter it below; until then, mail on this way waits."  # noqa: S105  # a sentence
MOST_PLACES = 10


def password(transport: w.Transport) -> str:
    if not transport.needs_password:
        return "none needed"
    return "stored" if transport.has_password else "missing"


def last_result(transport: w.Transport, now: datetime) -> str:
    last = transport.last_result
    if last is None:
        return "not used yet"
    word = "worked" if last.ok else "failed"
    what = "test" if last.tested else "delivery"
    return f"{what} {word} {wording.moment_ago(last.at, now)}: {last.text}"


def routes_page(place: w.RoutePlace) -> str:
    return f"/routes/{place.level}/{place.owner}" if place.owner else "/routes"
