"""How calls of the admin API go over the wire: the connection, one route's request and reply, streams, errors.

`backend.api.client` has a method for each route.
"""

import contextlib
import io
import ssl
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote

import aiohttp
from pydantic import BaseModel, ValidationError

from backend.api import forms as f
from backend.api import types as t
from backend.api.endpoint import CSRF_HEADER, SocketPath
from backend.api.routes import BY_NAME

R = TypeVar("R", bound=BaseModel)

CALL_TIMEOUT_S = 60.0
CONNECT_TIMEOUT_S = 5.0
SILENCE_TIMEOUT_S = 45.0  # the server sends something every 15 s
MAX_EVENT_BYTES = 4_000_000  # one event of a stream, a security limit


class ApiError(Exception):
    """The server refused; `issues` are for people, `theirs` is the configuration that holds now (409 of a save)."""

    def __init__(self, status: int, reply: t.ErrorReply) -> None:
        super().__init__("; ".join(p.message for p in reply.issues) or reply.title)
        self.status = status
        self.title = reply.title
        self.code = reply.code
        self.issues = reply.issues
        self.rev = reply.rev
        self.theirs = reply.theirs
        self.conflict = f.Conflict.model_validate(reply.conflict) if reply.conflict else None
        """Both sides, when a form was to be saved that has changed (409)."""


class NotReachableError(Exception):
    """No server answers, or the connection broke."""


class Calls:
    """One connection pool to one server. Close it, or use it in `async with`."""

    def __init__(
        self,
        url: str,
        *,
        socket: SocketPath | None = None,
        tls: ssl.SSLContext | bool = True,
    ) -> None:
        self.url = url.rstrip("/")
        self.csrf_token = ""
        self.language = ""
        """Of the texts of forms and pages, as in Accept-Language; empty: English."""
        self._socket = socket
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    @classmethod
    def of_folder(cls, folder: Path) -> Self:
        """The server of a data folder, as its owner.

        Raises:
            NotReachableError: the folder has no server and never had one.
        """
        try:
            socket = SocketPath(folder)
        except OSError as error:
            raise NotReachableError(f"No server has run in {folder}.") from error
        return cls("http://localhost", socket=socket)

    @classmethod
    def of_url(cls, url: str, *, ca_file: Path | None = None) -> Self:
        """A server by its address, such as `https://mail.example.org/admin`; sign in before anything else."""
        tls: ssl.SSLContext | bool = True
        if ca_file is not None:
            tls = ssl.create_default_context(cafile=str(ca_file))
        return cls(url, tls=tls)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None
        if self._socket is not None:
            self._socket.close()

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector: aiohttp.BaseConnector
            if self._socket is not None:
                connector = aiohttp.UnixConnector(self._socket.text)
            else:
                connector = aiohttp.TCPConnector(ssl=self._tls)
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.CookieJar(unsafe=True),  # servers are reached by IP address too
                timeout=aiohttp.ClientTimeout(total=CALL_TIMEOUT_S, sock_connect=CONNECT_TIMEOUT_S),
                read_bufsize=MAX_EVENT_BYTES,
            )
        return self._session

    async def _call(
        self,
        name: str,
        reply: type[R],
        *,
        path: Mapping[str, str | int] | None = None,
        query: BaseModel | None = None,
        body: BaseModel | None = None,
        revision: int | None = None,
    ) -> R:
        content = await self._raw(name, path=path, query=query, body=body, revision=revision)
        if not content:
            return reply()
        return reply.model_validate_json(content)

    async def _raw(
        self,
        name: str,
        *,
        path: Mapping[str, str | int] | None = None,
        query: BaseModel | None = None,
        body: BaseModel | None = None,
        revision: int | None = None,
    ) -> bytes:
        route = BY_NAME[name]
        return await self._send(
            route.method,
            _fill(route.path, path or {}),
            query=_query(query),
            body=None if body is None else body.model_dump_json().encode(),
            revision=revision,
        )

    async def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str],
        body: bytes | None,
        revision: int | None = None,
    ) -> bytes:
        headers = self._headers(method)
        if revision is not None:
            headers["If-Match"] = f'"{revision}"'
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            async with self._open_session().request(
                method,
                self.url + path,
                params=query,
                data=None if body is None else io.BytesIO(body),
                headers=headers,
            ) as response:
                content = await response.read()
                if response.status >= 400:
                    raise _error(response.status, content)
                return content
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise NotReachableError(f"The server does not answer: {error}") from error

    @contextlib.asynccontextmanager
    async def _stream(
        self, name: str, query: BaseModel | None, last_id: str
    ) -> AsyncIterator[AsyncIterator[tuple[str, str]]]:
        route = BY_NAME[name]
        headers = self._headers(route.method)
        if last_id:
            headers["Last-Event-ID"] = last_id
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=CONNECT_TIMEOUT_S, sock_read=SILENCE_TIMEOUT_S
        )
        try:
            response = await self._open_session().get(
                self.url + route.path, params=_query(query), headers=headers, timeout=timeout
            )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise NotReachableError(f"The server does not answer: {error}") from error
        try:
            if response.status != 200:
                raise _error(response.status, await response.read())
            yield _records(response)
        finally:
            response.close()

    def _headers(self, method: str) -> dict[str, str]:
        headers = {"Accept-Language": self.language} if self.language else {}
        if method != "GET" and self.csrf_token:
            headers[CSRF_HEADER] = self.csrf_token
        return headers


def _fill(path: str, values: Mapping[str, str | int]) -> str:
    for key, value in values.items():
        path = path.replace("{" + key + "}", quote(str(value), safe="@"))
    return path


def _query(query: BaseModel | None) -> dict[str, str]:
    if query is None:
        return {}
    values = query.model_dump(mode="json", exclude_defaults=True)
    return {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in values.items()
    }


def _error(status: int, content: bytes) -> ApiError:
    try:
        reply = t.ErrorReply.model_validate_json(content)
    except ValidationError:
        reply = t.ErrorReply(title=f"The server answered with status {status}.", code="http")
    return ApiError(status, reply)


async def _records(response: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, str]]:
    """(id, data) of each server-sent event; comments are dropped."""
    event_id, data = "", ""
    try:
        async for raw in response.content:
            line = raw.decode().rstrip("\r\n")
            if not line:
                if data:
                    yield event_id, data
                data = ""
            elif line.startswith("id:"):
                event_id = line[3:].strip()
            elif line.startswith("data:"):
                data += line[5:].strip()
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        raise NotReachableError(f"The connection to the server broke: {error}") from error
