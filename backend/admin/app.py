"""`backend.api.routes` as an aiohttp application: who may call, what was sent, which handler, which reply.

Used twice: on the data folder's Unix socket, and on the web listeners that allow it.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware
from pydantic import BaseModel

from backend.admin.access import Access, Caller
from backend.admin.call import Call, Handler
from backend.admin.faults import DeniedError, error_reply, reply_to
from backend.admin.handlers.table import all_handlers
from backend.admin.headers import add_headers
from backend.admin.services import Services
from backend.admin.static import StaticFiles
from backend.api import types as t
from backend.api.route import Needs, Route
from backend.api.routes import EVENT_STREAM, ROUTES
from backend.runtime.tasks import finish

MAX_BODY_BYTES = 10_000_000  # one request, a security limit
MAX_STRANGERS_BODY_BYTES = 16_384  # from who is not signed in, a security limit
BODY_TIMEOUT_S = 30.0
HANDLER_TIMEOUT_S = 60.0

PAGES = "/admin"

_AioHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build(
    services: Services,
    access: Access,
    *,
    add_public: Callable[[web.Application], None] | None = None,
) -> web.Application:
    """All routes at `/api` and `/admin/api`, the browser's pages at `/admin/`.

    `add_public` adds what the web listener serves beside them, to anyone and under any host name.
    """
    app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[_guard(access)])
    handlers = all_handlers()
    different = {route.name for route in ROUTES} ^ set(handlers)
    if different:
        raise RuntimeError(f"routes and handlers differ: {sorted(different)}")
    for route in ROUTES:
        entry = _entry(route, handlers[route.name], services, access)
        for prefix in ("", PAGES):
            app.router.add_route(route.method, prefix + route.path, entry)
    files = StaticFiles()
    for prefix in ("", PAGES):
        app.router.add_route("*", prefix + "/api/{rest:.*}", _no_such_route)
    app.router.add_get(PAGES, _to_pages)
    app.router.add_get(PAGES + "/{name:.*}", files.answer)
    if add_public is not None:
        add_public(app)
    app.on_response_prepare.append(add_headers)
    return app


async def _no_such_route(request: web.Request) -> web.StreamResponse:
    if any(request.method != route.method and _fits(route, request.path) for route in ROUTES):
        raise DeniedError(405, "route.method", f"{request.method} is not possible here.")
    raise DeniedError(404, "route.unknown", "The API has no such route.")


def _fits(route: Route, path: str) -> bool:
    pattern = "[^/]+".join(re.escape(part) for part in re.split(r"{\w+}", route.path))
    return re.fullmatch(pattern, path.removeprefix(PAGES)) is not None


async def _to_pages(_: web.Request) -> web.StreamResponse:
    raise web.HTTPMovedPermanently(PAGES + "/")


def _guard(access: Access) -> Middleware:
    """Around everything, pages and unknown paths included: Host and origin, and errors as problem+json."""

    @web.middleware
    async def guard(request: web.Request, handler: _AioHandler) -> web.StreamResponse:
        if not request.path.startswith(("/api/", f"{PAGES}/")):
            return await handler(request)  # what is public has its own rules
        try:
            access.check_host(request)
            access.check_origin(request)
            return await handler(request)
        except web.HTTPException as error:
            return _http_error(request, error)
        except DeniedError as error:
            if error.problem.code == "access.host" and "html" in request.headers.get("Accept", ""):
                text = f"{error.problem.message}\n\n{error.problem.fix}\n"
                return web.Response(status=error.status, text=text)
            return reply_to(error)
        except Exception as error:  # the request's border: a stranger hears nothing of our fault
            return reply_to(error)

    return guard


def _http_error(request: web.Request, error: web.HTTPException) -> web.StreamResponse:
    if error.status < 400:
        return error
    message = {
        404: f"There is nothing at {request.path}.",
        405: f"{request.method} is not possible at {request.path}.",
        413: "The request has more bytes than are taken here.",
    }.get(error.status, error.reason)
    problem = t.Problem(code="http", message=message)
    return error_reply(error.status, "http", [problem])


def _entry(route: Route, handler: Handler, services: Services, access: Access) -> _AioHandler:
    async def entry(request: web.Request) -> web.StreamResponse:
        try:
            caller = _caller(route, request, access)
            call = await _parse(route, request, caller, services, access)
            if route.raw == EVENT_STREAM:
                result = await handler(call)
            else:
                # What was begun is finished, even if the client hangs up.
                async with asyncio.timeout(HANDLER_TIMEOUT_S):
                    result = await finish(handler(call))
            reply = result if isinstance(result, web.StreamResponse) else _json(route, result)
        except web.HTTPException:
            raise
        except Exception as error:  # the request handler's border: every failure becomes a reply
            reply = reply_to(error)
        services.activity.metrics.count(
            "gatepost_api_requests_total", route=route.name, status=str(reply.status)
        )
        return reply

    return entry


def _caller(route: Route, request: web.Request, access: Access) -> Caller | None:
    caller = access.identify(request)
    if route.needs is Needs.PUBLIC:
        return caller
    if caller is None:
        raise DeniedError(
            401,
            "access.sign_in",
            "Nobody is signed in.",
            fix="Sign in with the administrator's password (POST /api/v1/session).",
        )
    access.check_token(request, caller)
    return caller


async def _parse(
    route: Route,
    request: web.Request,
    caller: Caller | None,
    services: Services,
    access: Access,
) -> Call:
    body: BaseModel | None = None
    query: BaseModel | None = None
    if route.request is not None:
        if request.content_type != "application/json":
            raise DeniedError(415, "request.type", "The request's content type is not JSON.")
        # SECURITY: a few kilobytes could be made to unfold into millions; nobody needs to compress a request.
        if "Content-Encoding" in request.headers:
            raise DeniedError(415, "request.encoding", "Compressed requests are not taken here.")
        size = request.content_length
        if caller is None and (size is None or size > MAX_STRANGERS_BODY_BYTES):
            raise web.HTTPRequestEntityTooLarge(MAX_STRANGERS_BODY_BYTES, size or 0)
        async with asyncio.timeout(BODY_TIMEOUT_S):
            content = await request.read()
        body = route.request.model_validate_json(content)
    if route.query is not None:
        query = route.query.model_validate(dict(request.query))
    return Call(
        request=request,
        route=route,
        services=services,
        access=access,
        caller=caller,
        parsed_body=body,
        parsed_query=query,
        revision=_revision(request) if route.checks_revision else 0,
    )


def _revision(request: web.Request) -> int:
    found = re.fullmatch(r'"?(\d{1,15})"?', request.headers.get("If-Match", "").strip())
    if found is None:
        raise DeniedError(
            428,
            "config.if_match",
            "The request does not say which revision of the configuration it changes.",
            fix='Send the header If-Match: "<revision>" with the revision that GET /api/v1/config gave.',
        )
    return int(found[1])


def _json(route: Route, result: BaseModel) -> web.Response:
    return web.Response(
        status=route.status,
        body=result.model_dump_json().encode(),
        content_type="application/json",
    )
