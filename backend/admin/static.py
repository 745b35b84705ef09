"""The browser's pages from resources/web: kept in memory, asked for again with an entity tag."""

import hashlib
import mimetypes
from dataclasses import dataclass

from aiohttp import web

import resources
from backend.runtime.threads import Pool, run_blocking

MAX_FILE_BYTES = 5_000_000  # a security limit
MAX_CACHED = 500  # files, a security limit

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class _File:
    stamp: int
    tag: str
    content: bytes
    type: str


class StaticFiles:
    """`/` is index.html; the pages' own paths live behind `#`. `icons/` are those that the window shows, too."""

    def __init__(self) -> None:
        self._files: dict[str, _File] = {}

    async def answer(self, request: web.Request) -> web.Response:
        name = request.match_info.get("name", "") or "index.html"
        if name.startswith("icons/") or name == "tokens.json":
            place = name
        else:
            place = f"web/{name}"
        try:
            file = await run_blocking(Pool.FILES, self._load, place)
        except (OSError, ValueError):  # ValueError: a name with NUL
            raise web.HTTPNotFound from None
        headers = {
            "ETag": f'"{file.tag}"',
            # Asked again each time, answered with 304: an upgrade shows at once.
            "Cache-Control": "no-cache",
            "Content-Type": file.type,
        }
        if any(tag.value in {file.tag, "*"} for tag in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        response = web.Response(body=file.content, headers=headers)
        if len(file.content) > 1000 and not file.type.startswith(("image/png", "font/")):
            response.enable_compression()
        return response

    def _load(self, place: str) -> _File:
        path = resources.path(place)
        status = path.stat()
        if not path.is_file() or status.st_size > MAX_FILE_BYTES:
            raise FileNotFoundError(place)
        known = self._files.get(place)
        if known is not None and known.stamp == status.st_mtime_ns:
            return known
        content = path.read_bytes()
        kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
        file = _File(
            stamp=status.st_mtime_ns,
            tag=hashlib.sha256(content).hexdigest()[:24],
            content=content,
            type=kind or "application/octet-stream",
        )
        if len(self._files) < MAX_CACHED:
            self._files[place] = file
        return file
