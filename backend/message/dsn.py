"""What a sender is told of a message that was not delivered, or not yet (RFC 3464, RFC 6522; behaviour T14). Pure.

`outbound.failure` gathers the facts; the report goes straight into the sender's own mailbox here, never to a stranger.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from enum import StrEnum

from backend.core.address import Address
from backend.core.status import SmtpStatus

MAX_HEADER_OCTETS = 64 * 1024  # of the original, returned with the report; a security limit
MAX_ANSWER_CHARS = 2000  # of what the other server said; a security limit
MAX_ORIGINAL_CHARS = 900  # within the longest line that mail may have; a security limit
WRAP_COLUMN = 76


class Action(StrEnum):
    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"


_SUBJECTS = {
    Action.FAILED: "mail delivery failed",
    Action.DELAYED: "mail delivery delayed",
    Action.DELIVERED: "mail delivered",
    Action.RELAYED: "mail passed on",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedRecipient:
    """`answer`: the last word on it. `remote_mta`: the host, only when `answer` was said by it in SMTP."""

    address: Address
    answer: SmtpStatus
    remote_mta: str = ""
    last_attempt_at: float | None = None
    original: tuple[str, str] | None = None
    """Type and address to which the sender wrote first, if that was said (RFC 3461 §4.2)."""
    may_have_arrived: bool = False
    """An attempt ended without an answer to the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One report for one message. Times are seconds since 1970.

    `retry_at`: when the next attempts are, for a delay. `header`: the original's header block as it was submitted.
    """

    action: Action
    hostname: str
    sender: Address
    recipients: Sequence[ReportedRecipient]
    arrived_at: float
    created_at: float
    retry_at: Sequence[float] = ()
    header: bytes = b""
    message_id: str = ""
    """Of the original, with its angle brackets; the report refers to it."""
    attempts: int = 0
    unique: str = ""
    """Tells this report from any other: the same for a repetition, so that its Message-ID is the same too."""
    envelope_id: str = ""
    """The sender's own name for the transaction (RFC 3461 §4.4)."""
    future_release: str = ""
    """How a later time was asked for (RFC 4865 §5)."""
    content: bytes = b""
    """The whole original, where it is to be returned; else empty."""


def build_dsn(report: Report) -> bytes:
    """A whole message with CRLF line ends, ready to be stored."""
    # RFC 6533 §3: addresses beyond ASCII need the international form of the report.
    international = any(not _is_ascii(r.address) for r in report.recipients)
    fields = _fields(report, international=international)
    text = _text(report)
    returned = report.content or report.header[:MAX_HEADER_OCTETS].rstrip(b"\r\n") + b"\r\n"
    unique = report.unique or f"{report.created_at!r} {report.sender}"
    own_id = hashlib.sha256(
        b"\0".join((report.hostname.encode(), unique.encode(), fields, returned))
    ).hexdigest()[:32]
    boundary = f"=_{own_id}"
    status_type = "message/global-delivery-status" if international else "message/delivery-status"
    if report.header.isascii():
        returned_type = "message/rfc822" if report.content else "text/rfc822-headers"
    else:
        returned_type = "message/global" if report.content else "message/global-headers"
    head = [
        f"From: Mail delivery <postmaster@{report.hostname}>",
        f"To: <{report.sender}>",
        f"Subject: {_SUBJECTS[report.action]}",
        f"Date: {_date(report.created_at)}",
        f"Message-ID: <{own_id}@{report.hostname}>",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        # RFC 6533 §3 keeps the report type; the types of the parts tell the difference.
        'Content-Type: multipart/report; report-type="delivery-status";',
        f' boundary="{boundary}"',
    ]
    if _MESSAGE_ID.fullmatch(report.message_id):
        head[5:5] = [f"In-Reply-To: {report.message_id}", f"References: {report.message_id}"]
    return b"".join(
        (
            "\r\n".join(head).encode(),
            f"\r\n\r\n--{boundary}\r\n".encode(),
            b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n",
            text,
            f"\r\n--{boundary}\r\n".encode(),
            f"Content-Type: {status_type}\r\n{_encoding(fields)}\r\n".encode(),
            fields,
            f"\r\n--{boundary}\r\n".encode(),
            f"Content-Type: {returned_type}\r\n{_encoding(returned)}\r\n".encode(),
            returned,
            f"\r\n--{boundary}--\r\n".encode(),
        )
    )


_MESSAGE_ID = re.compile(r"<[\x21-\x7e]{1,500}>")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
# RFC 3463 §2, for the Status field.
_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}", re.ASCII)


def _encoding(content: bytes) -> str:
    return "" if content.isascii() else "Content-Transfer-Encoding: 8bit\r\n"


def _fields(report: Report, *, international: bool) -> bytes:
    # RFC 3464 §2.2: per-message fields first, then a group for each recipient, each after an empty line.
    lines = [f"Original-Envelope-Id: {_clean(report.envelope_id)}"] if report.envelope_id else []
    lines += [
        f"Reporting-MTA: dns; {report.hostname}",
        f"Arrival-Date: {_date(report.arrived_at)}",
    ]
    if report.future_release:
        lines.append(f"Future-Release-Request: {_clean(report.future_release)}")
    for recipient in report.recipients:
        address_type = "utf-8" if not _is_ascii(recipient.address) else "rfc822"
        lines.append("")
        if recipient.original is not None:
            lines.append(f"Original-Recipient: {_original(*recipient.original)}")
        lines += [
            f"Final-Recipient: {address_type}; {recipient.address}",
            f"Action: {report.action}",
            f"Status: {_status(recipient.answer, report.action)}",
        ]
        if recipient.remote_mta:
            # RFC 3464 §2.3.5 and §2.3.6: the host that said it, and what it said.
            lines.append(f"Remote-MTA: dns; {_clean(recipient.remote_mta)}")
            lines += _folded(f"Diagnostic-Code: smtp; {_answer(recipient.answer)}")
        elif report.action is not Action.DELIVERED:
            lines += _folded(f"Diagnostic-Code: x-gatepost; {_answer(recipient.answer)}")
        if recipient.last_attempt_at is not None:
            lines.append(f"Last-Attempt-Date: {_date(recipient.last_attempt_at)}")
        if report.action is Action.DELAYED and report.retry_at:
            lines.append(f"Will-Retry-Until: {_date(report.retry_at[-1])}")
    content = "\r\n".join(lines) + "\r\n"
    if international:
        return content.encode()
    return content.encode("ascii", "replace")


_DOUBT = "But once it was sent whole and no answer came: it may have arrived all the same. Ask before you send it again."


def _text(report: Report) -> bytes:
    one = len(report.recipients) == 1
    if report.action is Action.FAILED:
        lead = "Your message could not be delivered to:"
        tail = "It will not be tried again." if one else "For them it will not be tried again."
        if report.attempts > 1:
            tail = f"{report.attempts} attempts were made. {tail}"
    elif report.action is Action.DELIVERED:
        lead = "Your message was delivered to:"
        tail = "You get this notice because you asked for it."
    elif report.action is Action.RELAYED:
        lead = "Your message was passed on to another server, for:"
        tail = "You asked for a notice of delivery. The other server does not send such notices, so this is all that can be said; if it fails there, you will probably be told."
    else:
        lead = "Your message could not be delivered yet to:"
        tail = "You need not do anything: it stays with this server and will be tried again"
        if report.retry_at:
            waits = [_duration(at - report.created_at) for at in report.retry_at]
            tail += f" in {_joined(waits)}, for the last time on {_date(report.retry_at[-1])}."
        else:
            tail += "."
        tail += " If that fails too, you will get another notice."
    lines = [lead, ""]
    for recipient in report.recipients:
        lines.append(f"    {recipient.address}")
        answer = _CONTROLS.sub(" ", recipient.answer.text)[:MAX_ANSWER_CHARS]
        if recipient.remote_mta:
            code = " ".join(filter(None, (str(recipient.answer.code), recipient.answer.enhanced)))
            lines += _wrapped(f"The server {_clean(recipient.remote_mta)} said: {code} {answer}", 8)
        else:
            lines += _wrapped(f"{answer[:1].upper()}{answer[1:]}", 8)
        if recipient.may_have_arrived and report.action in {Action.FAILED, Action.DELAYED}:
            lines += _wrapped(_DOUBT, 8)
        lines.append("")
    lines += _wrapped(tail, 0)
    what = "message" if report.content else "header of your message"
    lines += ["", f"{'Your' if report.content else 'The'} {what} follows below.", ""]
    return "\r\n".join(lines).encode()


def _status(answer: SmtpStatus, action: Action) -> str:
    if action in {Action.DELIVERED, Action.RELAYED}:
        is_known = _ENHANCED.fullmatch(answer.enhanced) and answer.enhanced[0] == "2"
        return answer.enhanced if is_known else "2.0.0"
    if _ENHANCED.fullmatch(answer.enhanced) and answer.enhanced[0] in "45":
        return answer.enhanced
    if answer.is_temporary or action is Action.DELAYED:
        return "4.0.0"
    return "5.0.0"


def _answer(answer: SmtpStatus) -> str:
    code = str(answer.code) if answer.code else ""
    return _CONTROLS.sub(" ", " ".join(filter(None, (code, answer.enhanced, answer.text))))[
        :MAX_ANSWER_CHARS
    ]


def _original(kind: str, address: str) -> str:
    # RFC 6533 §3: the form of a utf-8 address that every report can hold.
    shown = "".join(c if c.isascii() else f"\\x{{{ord(c):02X}}}" for c in address)
    return f"{_clean(kind)};{_CONTROLS.sub(' ', shown)[:MAX_ORIGINAL_CHARS]}"


def _clean(text: str) -> str:
    return _CONTROLS.sub(" ", text)[:255]


def _is_ascii(address: Address) -> bool:
    return str(address).isascii()


def _date(at: float) -> str:
    return format_datetime(datetime.fromtimestamp(int(at), UTC))


def _duration(seconds: float) -> str:
    minutes = max(round(seconds / 60), 1)
    if minutes < 90:
        return "1 minute" if minutes == 1 else f"{minutes} minutes"
    hours = round(minutes / 60)
    return f"{hours} hours"


def _joined(parts: Sequence[str]) -> str:
    if len(parts) == 1:
        return parts[0]
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _folded(line: str) -> list[str]:
    """A long field over several lines."""
    first, *rest = _wrapped(line, 0)
    return [first, *(f" {piece}" for piece in rest)]


def _wrapped(text: str, indent: int) -> list[str]:
    margin, lines, current = " " * indent, [], ""
    for word in text.split():
        for piece in [word[i : i + 500] for i in range(0, len(word), 500)]:
            if current and len(margin) + len(current) + 1 + len(piece) > WRAP_COLUMN:
                lines.append(margin + current)
                current = piece
            else:
                current = f"{current} {piece}" if current else piece
    lines.append(margin + current)
    return lines
