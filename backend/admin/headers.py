"""The headers that every reply of the administration carries."""

from aiohttp import web

from backend.admin.build import build_id
from backend.api.endpoint import BUILD_HEADER

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


async def add_headers(_: web.Request, response: web.StreamResponse) -> None:
    """An `on_response_prepare` signal.

    No Strict-Transport-Security: it would hold for every port of the name, the plain one on this computer included.
    """
    headers = response.headers
    headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    headers[BUILD_HEADER] = build_id()
    headers.setdefault("Cache-Control", "no-store")
    headers["Server"] = "Gatepost"
