"""The settings of sendmail: which server takes the mail, and who signs in there. One small TOML file of its own."""

import os
import stat
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from app.sendmail.fault import SendmailError
from backend.core.address import Address, AddressError, parse_address

DEFAULT_FILE = "/etc/gatepost-sendmail.toml"
VARIABLE = "GATEPOST_SENDMAIL_CONFIG"
MAX_FILE_BYTES = 65_536  # a security limit

MECHANISMS = (
    "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-256",
    "SCRAM-SHA-1",
    "CRAM-MD5",
    "PLAIN",
)
"""Strongest first (behaviour T12): here PLAIN is the last resort, whereas a transport uses it only where it is listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`file`: where they were read. An empty `auth_method`: the strongest that the server offers."""

    file: str
    host: str
    port: int
    tls: bool
    starttls: bool
    author: Address
    local_hostname: str = ""
    ca_file: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    auth_method: str = ""
    default_destination: Address | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    name: str
    kind: type
    help: str
    example: str
    required: bool = False


_ITEMS = (
    _Item(
        name="host",
        kind=str,
        help="The mail server that takes the messages; its certificate must bear this name.",
        example='"mail.example.org"',
        required=True,
    ),
    _Item(
        name="port",
        kind=int,
        help="Its port. 0 or left out: 465 with tls, else 587.",
        example="465",
    ),
    _Item(
        name="tls",
        kind=bool,
        help="TLS from the start. Left out: yes, unless starttls is set.",
        example="true",
    ),
    _Item(
        name="starttls",
        kind=bool,
        help="Start without TLS and change to it before signing in; without it nothing is sent.",
        example="false",
    ),
    _Item(
        name="ca_file",
        kind=str,
        help="PEM file with certificate authorities to trust beside those of this computer. A Gatepost that\n"
        "makes its own certificates has its authority in tls/ca.pem of its data folder.",
        example='"/etc/ssl/gatepost-ca.pem"',
    ),
    _Item(
        name="username",
        kind=str,
        help="Whom to sign in as. Empty: without signing in.",
        example='"cron@example.org"',
    ),
    _Item(name="password", kind=str, help="The password for that.", example='"secret"'),
    _Item(
        name="auth_method",
        kind=str,
        help="Use only this way to sign in: SCRAM-SHA-256-PLUS, SCRAM-SHA-1-PLUS (both bound to the\n"
        "certificate), SCRAM-SHA-256, SCRAM-SHA-1, CRAM-MD5 or PLAIN. Empty: the first of them that the\n"
        "server offers. Without TLS, PLAIN is used only to this computer itself.",
        example='"SCRAM-SHA-256"',
    ),
    _Item(
        name="from",
        kind=str,
        help="The sender of every message, on the envelope and in its From header: an address that the\n"
        "account may send from.",
        example='"cron@example.org"',
        required=True,
    ),
    _Item(
        name="default_destination",
        kind=str,
        help="Where mail goes that is for a local user such as “root” (a recipient without @). Empty: it is\n"
        "refused.",
        example='"me@example.org"',
    ),
    _Item(
        name="local_hostname",
        kind=str,
        help="The name by which this computer greets the server. Empty: its own.",
        example='"attic.example.org"',
    ),
)


def describe() -> str:
    """The file with an explanation for each setting; the optional ones are commented out."""
    lines = [
        "# Settings of gatepost-sendmail.",
        f"# Put them into {DEFAULT_FILE}; it holds a password, so:",
        f"#     chown root:mail {DEFAULT_FILE} && chmod 640 {DEFAULT_FILE}",
        "# and add the users who send mail to that group.",
    ]
    for item in _ITEMS:
        lines.append("")
        lines += [f"# {line}" for line in item.help.split("\n")]
        lines.append(f"{'' if item.required else '# '}{item.name} = {item.example}")
    return "\n".join(lines) + "\n"


def load_settings(named: str, environment: Mapping[str, str] = os.environ) -> Settings:
    """From the file that was named, else that of $GATEPOST_SENDMAIL_CONFIG, else the one in /etc.

    Raises:
        SendmailError: it is missing, readable for too many, or has faults; all faults are told at once.
    """
    file = named or environment.get(VARIABLE) or DEFAULT_FILE
    try:
        values = tomllib.loads(_read(file))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SendmailError(f"The settings in {file} can't be read: {error}.") from error
    return parse_settings(values, file)


def _read(file: str) -> str:
    try:
        # Judged and read through the same descriptor, so that the file can't be another one in between.
        with open(file, "rb") as stream:
            _check_rights(file, os.fstat(stream.fileno()))
            content = stream.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError as error:
        raise SendmailError(
            f"There are no settings in {file}.",
            "“gatepost-sendmail --describe-config” prints a file to start from.",
        ) from error
    except PermissionError as error:
        raise SendmailError(
            f"You may not read the settings in {file}.",
            "Add your user to the group that the file belongs to.",
        ) from error
    except OSError as error:
        raise SendmailError(f"The settings in {file} can't be read: {error.strerror}.") from error
    if len(content) > MAX_FILE_BYTES:
        raise SendmailError(f"{file} is too large for settings.")
    return content.decode()


def _check_rights(file: str, status: os.stat_result) -> None:
    if os.name != "posix":
        return
    if not stat.S_ISREG(status.st_mode):
        raise SendmailError(f"{file} is no file.")
    # SECURITY: it holds a password, and who may write it may redirect everybody's mail.
    if status.st_mode & (stat.S_IRWXO | stat.S_IWGRP):
        raise SendmailError(
            f"{file} holds a password, but too many users may read or change it.",
            f"Run: chmod 640 {file}",
        )
    if status.st_uid not in {0, os.geteuid()}:
        raise SendmailError(
            f"{file} belongs to another user.",
            f"Run: chown root {file}, or use a file of your own.",
        )


def parse_settings(values: Mapping[str, object], file: str) -> Settings:
    """Raises:
    SendmailError: with all faults.
    """
    known = {item.name: item for item in _ITEMS}
    faults = [f"There is no setting “{name}”." for name in values if name not in known]
    for name, item in known.items():
        value = values.get(name)
        if value is None:
            if item.required:
                faults.append(f"“{name}” is missing.")
        elif type(value) is not item.kind:
            faults.append(f"“{name}” must look like this: {name} = {item.example}")
        elif item.required and not value:
            faults.append(f"“{name}” is empty.")
    if faults:
        raise _faulty(file, faults)

    def text(name: str) -> str:
        return str(values.get(name, ""))

    def address(name: str) -> Address | None:
        try:
            return parse_address(text(name)) if text(name) else None
        except AddressError as error:
            faults.append(f"“{name}”: {error}.")
            return None

    starttls = values.get("starttls") is True
    tls = values.get("tls") is True or ("tls" not in values and not starttls)
    method = text("auth_method").upper()
    author, destination = address("from"), address("default_destination")
    port = values.get("port", 0)
    assert isinstance(port, int)  # looked at above
    rules: tuple[tuple[Callable[[], bool], str], ...] = (
        (lambda: tls and starttls, "“tls” and “starttls” exclude each other; set one of them."),
        (lambda: not 0 <= port <= 65_535, "“port” must lie between 0 and 65535."),
        (
            lambda: bool(method) and method not in MECHANISMS,
            f"“auth_method” must be one of {', '.join(MECHANISMS)}, or empty.",
        ),
        (
            lambda: bool(text("username")) != bool(text("password")),
            "“username” and “password” go together; one of them is missing.",
        ),
        (
            lambda: bool(method) and not text("username"),
            "“auth_method” needs a “username” and a “password”.",
        ),
    )
    faults += [fault for is_broken, fault in rules if is_broken()]
    if faults or author is None:
        raise _faulty(file, faults)
    return Settings(
        file=file,
        host=text("host"),
        port=port or (465 if tls else 587),
        tls=tls,
        starttls=starttls,
        author=author,
        local_hostname=text("local_hostname"),
        ca_file=text("ca_file"),
        username=text("username"),
        password=text("password"),
        auth_method=method,
        default_destination=destination,
    )


def _faulty(file: str, faults: list[str]) -> SendmailError:
    return SendmailError(f"The settings in {file} have faults: {' '.join(faults)}")
