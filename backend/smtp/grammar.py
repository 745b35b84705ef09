"""The client's commands: verb, paths and parameters, parsed into values (RFC 5321 §4.1.1, §4.1.2).

The shell calls `parse_command` on each line and then the parser of the verb. Whatever comes in, these functions return
a value or raise `CommandError`, whose status is the reply. Leniencies are marked INTEROP, each with its reason.
"""

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass

from backend.core.address import (
    MAX_PATH_OCTETS,
    Address,
    AddressError,
    Domain,
    parse_domain,
    parse_localpart,
)
from backend.core.envelope import BodyType, Hold, Notify, Ret
from backend.smtp.extensions import Extension
from backend.smtp.parameters import MAIL_PARAMETERS, CommandError, parse_notify, parse_orcpt

ALL_EXTENSIONS = frozenset(Extension)

MAX_PARAMETERS = 20  # in one command, a security limit


@dataclass(frozen=True, slots=True)
class Command:
    """`verb` in upper case; `argument` without spaces around it, empty when there is none."""

    verb: str
    argument: str


@dataclass(frozen=True, slots=True)
class Path:
    """One address between angle brackets. `address` is None for `<>`; `route` holds the hosts of a source route."""

    address: Address | None
    route: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MailCommand:
    """MAIL FROM. `sender` None is the null reverse-path; the rest is what its parameters say, None where not given."""

    sender: Address | None
    size_bytes: int | None = None
    body: BodyType | None = None
    smtputf8: bool = False
    ret: Ret | None = None
    envelope_id: str | None = None
    submitter: str | None = None
    """The AUTH parameter (RFC 4954 §5): who submitted the message first, empty for `<>`. Never trusted."""
    priority: int | None = None
    hold: Hold | None = None
    require_tls: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RcptCommand:
    """RCPT TO. A recipient `<Postmaster>` without a domain has the empty Domain."""

    recipient: Address
    route: tuple[str, ...] = ()
    notify: frozenset[Notify] = frozenset()
    original_recipient: tuple[str, str] | None = None
    """ORCPT: address type in lower case, and the address."""

    @property
    def is_bare_postmaster(self) -> bool:
        return not self.recipient.literal and not self.recipient.domain.ascii


@dataclass(frozen=True, slots=True)
class Greeting:
    """The name of EHLO or HELO as the client gave it; `is_valid` says whether it is a domain or an address literal."""

    name: str
    is_valid: bool


# RFC 5321 §4.1.1: command = verb [SP argument] CRLF; verbs are letters, RFC 5321 §2.4: in any case.
_VERB = re.compile(rb"[ \t]*([A-Za-z]{1,20})(?:[ \t]+(.*))?", re.DOTALL)


def parse_command(line: bytes) -> Command:
    """`line` without its CRLF.

    Raises:
        CommandError: no command, or octets that no command may hold.
    """
    match = _VERB.fullmatch(line)
    if match is None or b"\x00" in line:
        raise CommandError(500, "5.5.2", "That is not a command")
    argument = match[2] or b""
    if argument.isascii():
        text = argument.decode("ascii")
    else:
        try:
            text = argument.decode("utf-8")
        except UnicodeDecodeError as error:
            raise CommandError(
                501, "5.5.2", "The command holds octets that are neither ASCII nor UTF-8"
            ) from error
    return Command(match[1].decode("ascii").upper(), text.strip(" \t"))


# RFC 5321 §4.1.3: address-literal = "[" ( IPv4-address-literal / IPv6-address-literal / General-address-literal ) "]"
_LITERAL = re.compile(r"\[(?:IPv6:)?([0-9A-Fa-f.:]+)\]", re.IGNORECASE)
_PRINTABLE = re.compile(r"[\x21-\x7e\u00a0-\U0010ffff]+")


def parse_greeting(argument: str) -> Greeting:
    """The argument of EHLO or HELO (RFC 5321 §4.1.1.1).

    Raises:
        CommandError: there is none, or it can't be a name.
    """
    # INTEROP(many clients): words after the name are ignored, and a name that is no domain is accepted, as RFC 5321
    # §4.1.4 demands; it is marked, for the checks to judge.
    name = argument.split(" ", 1)[0]
    if not name or len(name) > 255 or _PRINTABLE.fullmatch(name) is None:
        raise CommandError(501, "5.5.4", "Say your host name after EHLO or HELO")
    return Greeting(name, _is_host(name))


def _is_host(name: str) -> bool:
    try:
        if name.startswith("["):
            match = _LITERAL.fullmatch(name)
            if match is None:
                return False
            ipaddress.ip_address(match[1])
        else:
            parse_domain(name)
    except ValueError:
        return False
    return True


# RFC 5321 §4.1.2:
#   Reverse-path = Path / "<>"          Forward-path = Path
#   Path         = "<" [ A-d-l ":" ] Mailbox ">"
#   A-d-l        = At-domain *( "," At-domain )      At-domain = "@" Domain
#   Mailbox      = Local-part "@" ( Domain / address-literal )
#   Local-part   = Dot-string / Quoted-string
#   Quoted-string = DQUOTE *QcontentSMTP DQUOTE      QcontentSMTP = qtextSMTP / "\" %d32-126
# RFC 6531 §3.3 adds UTF-8 to atext and qtextSMTP, and U-labels to Domain.
_PATH = re.compile(
    r"<(?:(?P<route>@[^:<>\"\s]*):)?"
    r"(?P<local>\"(?:[^\"\\]|\\.)*\"|[^\"<>@\s\\]+)"
    r"(?:@(?P<domain>\[[^\[\]<>\s]*\]|[^\s<>@\[\]\"]+))?>",
    re.ASCII,  # white space is ASCII's alone; RFC 6531 lets all else into a local part
)
# INTEROP(printers, cameras, old scripts): an address without angle brackets, up to the first space.
_BARE_PATH = re.compile(
    r"(?P<local>\"(?:[^\"\\]|\\.)*\"|[^\"<>@\s\\]+)@(?P<domain>\[[^\[\]<>\s]*\]|[^\s<>@\[\]\"]+)",
    re.ASCII,
)
_BARE_POSTMASTER = "postmaster"


def parse_mail(
    argument: str, offered: Collection[Extension] = ALL_EXTENSIONS, *, max_size_bytes: int = 0
) -> MailCommand:
    """`FROM:<sender> [parameters]`; parameters of extensions outside `offered` are refused, `max_size_bytes` 0 is no limit.

    Raises:
        CommandError: with the reply.
    """
    path, rest = _path(argument, "FROM:", "MAIL FROM:<address>", null_allowed=True)
    values: dict[str, object] = {}
    for keyword, value in _parameters(rest):
        known = MAIL_PARAMETERS.get(keyword)
        if known is None or known[0] not in offered:
            raise CommandError(555, "5.5.4", f"The MAIL parameter {keyword[:40]} is not supported")
        _, name, parse = known
        if name in values:
            raise CommandError(
                501,
                "5.5.4",
                f"The MAIL parameter {keyword} was given twice, or one that excludes it",
            )
        values[name] = parse(value)
    # the table gives each name the type of its field
    command = MailCommand(sender=path.address, **values)  # type: ignore[arg-type]
    if not command.smtputf8 and path.address is not None:
        _refuse_unicode(path.address)
    # RFC 1870 §6.1: a declared size over the limit is refused at once.
    if max_size_bytes and (command.size_bytes or 0) > max_size_bytes:
        raise CommandError(
            552, "5.3.4", f"The message is larger than this server accepts ({max_size_bytes} bytes)"
        )
    return command


def parse_rcpt(
    argument: str,
    offered: Collection[Extension] = ALL_EXTENSIONS,
    *,
    smtputf8: bool = False,
) -> RcptCommand:
    """`TO:<recipient> [parameters]`; `smtputf8` says whether MAIL had that parameter.

    Raises:
        CommandError: with the reply.
    """
    path, rest = _path(argument, "TO:", "RCPT TO:<address>", null_allowed=False)
    notify: frozenset[Notify] = frozenset()
    original: tuple[str, str] | None = None
    seen: set[str] = set()
    for keyword, value in _parameters(rest):
        if keyword not in {"NOTIFY", "ORCPT"} or Extension.DSN not in offered:
            raise CommandError(555, "5.5.4", f"The RCPT parameter {keyword[:40]} is not supported")
        if keyword in seen:
            raise CommandError(501, "5.5.4", f"The RCPT parameter {keyword} was given twice")
        seen.add(keyword)
        if keyword == "NOTIFY":
            notify = parse_notify(value)
        else:
            original = parse_orcpt(value)
    assert path.address is not None
    if not smtputf8:
        _refuse_unicode(path.address)
    return RcptCommand(
        recipient=path.address, route=path.route, notify=notify, original_recipient=original
    )


def _refuse_unicode(address: Address) -> None:
    # RFC 6531 §3.5: 553 with 5.6.7 when an internationalized address comes without SMTPUTF8. Domains are A-labels by now.
    if not address.is_ascii:
        raise CommandError(
            553, "5.6.7", "An address beyond ASCII needs the SMTPUTF8 parameter in MAIL"
        )


def _path(argument: str, keyword: str, usage: str, *, null_allowed: bool) -> tuple[Path, str]:
    if argument[: len(keyword)].upper() != keyword:
        raise CommandError(501, "5.5.4", f"Write it as {usage}")
    # INTEROP(Outlook Express and many devices): a space after the colon.
    text = argument[len(keyword) :].lstrip(" ")
    enhanced = "5.1.7" if null_allowed else "5.1.3"
    if text.startswith("<>"):
        if not null_allowed:
            raise CommandError(501, enhanced, "The recipient is empty")
        path, end = Path(None), 2
    else:
        match = _PATH.match(text) or _BARE_PATH.match(text)
        if match is None:
            raise CommandError(501, enhanced, f"That is not an address; write it as {usage}")
        path, end = _mailbox(match, enhanced), match.end()
        if path.address is None or (null_allowed and match["domain"] is None):
            raise CommandError(501, enhanced, "The address has no domain")
    if text[end : end + 1] not in {"", " "}:
        raise CommandError(501, "5.5.4", f"There is something after the address; write {usage}")
    return path, text[end:]


def _mailbox(match: re.Match[str], enhanced: str) -> Path:
    # RFC 5321 §4.5.3.1.3: 256 octets with punctuation and separators.
    if len(match[0].encode()) > MAX_PATH_OCTETS + len(match.groupdict().get("route") or ""):
        raise CommandError(501, enhanced, "The address is longer than 256 characters")
    # RFC 5321 appendix C: a source route is accepted and ignored; the mailbox after it decides, so it relays nothing.
    route_text = match.groupdict().get("route")
    route = tuple(host.lstrip("@") for host in route_text.split(",")) if route_text else ()
    local, domain = match["local"], match["domain"]
    try:
        for host in route:
            parse_domain(host)
        if domain is None:
            # RFC 5321 §4.5.1: <Postmaster> without a domain is this host's.
            if local.lower() != _BARE_POSTMASTER or route:
                return Path(None)
            return Path(Address(local, Domain("")))
        localpart = parse_localpart(local)
        if domain.startswith("["):
            return Path(Address(localpart, Domain(""), literal=_address_literal(domain)), route)
        return Path(Address(localpart, parse_domain(domain)), route)
    except AddressError as error:
        raise CommandError(501, enhanced, str(error)) from error


def _address_literal(text: str) -> str:
    match = _LITERAL.fullmatch(text)
    try:
        if match is None:
            raise AddressError(f"“{text}” is not an address literal")
        if text[1:6].lower() == "ipv6:":
            return f"[IPv6:{ipaddress.IPv6Address(match[1])}]"
        return f"[{ipaddress.IPv4Address(match[1])}]"
    except ipaddress.AddressValueError as error:
        raise AddressError(f"“{text}” is not an address literal") from error


# RFC 5321 §4.1.2: esmtp-param = esmtp-keyword ["=" esmtp-value]
#   esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")     esmtp-value = 1*(%d33-60 / %d62-126), RFC 6531: and UTF-8
# INTEROP(several clients): an equals sign inside the value (ENVID, AUTH) is let through.
_PARAMETER = re.compile(
    r"(?P<keyword>[A-Za-z0-9][A-Za-z0-9-]{0,63})(?:=(?P<value>[\x21-\x7e\u00a0-\U0010ffff]+))?"
)


def _parameters(text: str) -> list[tuple[str, str | None]]:
    words = [word for word in text.split(" ") if word]
    if len(words) > MAX_PARAMETERS:
        raise CommandError(501, "5.5.4", "Too many parameters")
    result = []
    for word in words:
        match = _PARAMETER.fullmatch(word)
        if match is None:
            raise CommandError(501, "5.5.4", "A parameter can't be understood; write KEYWORD=value")
        result.append((match["keyword"].upper(), match["value"]))
    return result


def format_path(address: Address | None) -> str:
    """`<>` or `<localpart@domain>`, quoted as it must be."""
    return "<>" if address is None else f"<{address}>"
