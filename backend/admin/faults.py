"""Every refusal as application/problem+json: exceptions in, replies out. Unknown faults say nothing but a number to look up."""

import errno
import secrets
from collections.abc import Sequence

from aiohttp import web
from pydantic import ValidationError

from backend.admin import wire
from backend.admin.forms.service import FormConflictError, RefusedFormError
from backend.api import forms as f
from backend.api import types as t
from backend.core.errors import (
    ConfigError,
    ConflictError,
    NotFoundError,
    PeerError,
    RefusedError,
    TemporaryError,
    UserError,
)
from backend.observe import log as logs

log = logs.get(__name__)

PROBLEM_TYPE = "application/problem+json"

_TITLES = {
    400: "The request can't be understood.",
    401: "Sign in first.",
    403: "This is not allowed.",
    404: "There is no such thing.",
    405: "This can't be done here.",
    408: "The request came too slowly.",
    409: "It has changed in the meantime.",
    413: "The request is too large.",
    415: "Send JSON (Content-Type: application/json).",
    422: "That does not work yet.",
    428: "Say which revision you have changed (If-Match).",
    429: "Too fast.",
    500: "A fault in the server.",
    503: "Not possible at the moment.",
    504: "This took too long.",
    507: "There is no room.",
}


class DeniedError(Exception):
    """A refusal by the API itself."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        fix: str = "",
        path: str = "",
        headers: dict[str, str] | None = None,
        theirs: t.Configuration | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.theirs = theirs
        self.problem = t.Problem(code=code, message=message, fix=fix, path=path)


def error_reply(
    status: int,
    code: str,
    issues: Sequence[t.Problem],
    *,
    headers: dict[str, str] | None = None,
    theirs: t.Configuration | None = None,
    conflict: f.Conflict | None = None,
) -> web.Response:
    reply = t.ErrorReply(
        title=_TITLES.get(status, "That did not work."),
        code=code,
        issues=list(issues),
        rev=_revision(theirs, conflict),
        theirs=theirs,
        conflict=None if conflict is None else conflict.model_dump(mode="json"),
    )
    return web.Response(
        status=status,
        body=reply.model_dump_json().encode(),
        content_type=PROBLEM_TYPE,
        headers=headers,
    )


def _revision(theirs: t.Configuration | None, conflict: f.Conflict | None) -> int | None:
    if conflict is not None:
        return conflict.theirs.revision
    return theirs.revision if theirs is not None else None


def reply_to(error: Exception) -> web.Response:
    """The reply to whatever a handler raised."""
    match error:
        case DeniedError():
            return error_reply(
                error.status,
                error.problem.code,
                [error.problem],
                headers=error.headers,
                theirs=error.theirs,
            )
        case RefusedFormError():
            return error_reply(422, "form.invalid", error.issues)
        case FormConflictError():
            return error_reply(409, "form.conflict", [error.issue], conflict=error.conflict)
        case ValidationError():
            return error_reply(422, "request.invalid", validation_issues(error))
        case ConfigError():
            return error_reply(422, "config.invalid", [wire.problem(p) for p in error.problems])
        case NotFoundError():
            return error_reply(404, error.problem.code, [wire.problem(error.problem)])
        case ConflictError():
            return error_reply(409, error.problem.code, [wire.problem(error.problem)])
        case UserError():
            return error_reply(422, error.problem.code, [wire.problem(error.problem)])
        case RefusedError():
            return _plain(422, "refused", error.status.text)
        case TemporaryError():
            return _plain(503, "temporary", error.status.text)
        case PeerError():
            return _plain(422, "peer", str(error))
        case TimeoutError():
            return _plain(504, "timeout", "The server did not finish this in time.")
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            log.error("the disk is full", error=error)
            return _plain(
                507,
                "disk.full",
                "The disk of the server is full; nothing was changed.",
                fix="Make room on it and try again.",
            )
        case web.HTTPException():
            return _plain(error.status, "http", error.reason)
        case _:
            number = secrets.token_hex(4)
            log.error("request failed", error=error, number=number)
            return _plain(
                500,
                "fault",
                f"Something went wrong in the server; its log tells more under the number {number}.",
            )


def _plain(status: int, code: str, message: str, *, fix: str = "") -> web.Response:
    return error_reply(status, code, [t.Problem(code=code, message=message, fix=fix)])


def validation_issues(error: ValidationError) -> list[t.Problem]:
    """Each fault of a request with the JSON pointer of its field and a sentence of ours."""
    issues = []
    for fault in error.errors(include_url=False, include_input=False):
        pointer = "".join(
            f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in fault["loc"]
        )
        issues.append(
            t.Problem(
                code=f"field.{fault['type']}",
                path=pointer,
                message=_sentence(fault["type"], fault.get("ctx", {}), fault["msg"]),
            )
        )
    return issues


def _sentence(kind: str, context: dict[str, object], fallback: str) -> str:
    match kind:
        case "missing":
            return "This is needed."
        case "extra_forbidden":
            return "The server does not know this field."
        case "string_too_short":
            return f"At least {context.get('min_length')} characters are needed."
        case "string_too_long":
            return f"At most {context.get('max_length')} characters are possible."
        case "too_short":
            return f"At least {context.get('min_length')} are needed."
        case "too_long":
            return f"At most {context.get('max_length')} are possible."
        case "greater_than_equal":
            return f"The smallest possible value is {context.get('ge')}."
        case "less_than_equal":
            return f"The largest possible value is {context.get('le')}."
        case "int_parsing" | "int_type" | "int_from_float":
            return "A whole number is needed."
        case "bool_parsing" | "bool_type":
            return "Yes or no (true or false) is needed."
        case "string_type":
            return "Text is needed."
        case "literal_error":
            return f"Possible values: {context.get('expected')}."
        case "json_invalid":
            return "This is not valid JSON."
        case _:
            return f"{fallback}."
