"""What a mail program must be told, in the order in which programs ask for it."""

from dataclasses import dataclass
from urllib.parse import quote

from backend.api import connect as c

SECURITY = {
    "tls": "SSL/TLS",
    "starttls": "STARTTLS",
    "none": "None (only on this computer)",
}
PROTOCOLS = {"imap": "Incoming mail (IMAP)", "smtp": "Outgoing mail (SMTP)"}

DEVICES: tuple[tuple[str, str], ...] = (
    ("any", "Any program"),
    ("thunderbird", "Thunderbird"),
    ("phone", "Phone or tablet"),
    ("outlook", "Outlook"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerRows:
    title: str
    recommended: bool
    rows: tuple[tuple[str, str], ...]
    note: str


def server_rows(server: c.MailServer) -> ServerRows:
    return ServerRows(
        title=PROTOCOLS[server.protocol],
        recommended=server.recommended,
        rows=(
            ("Server", server.host),
            ("Port", str(server.port)),
            ("Security", SECURITY[server.security]),
            ("User name", server.user_name),
            ("Authentication", server.authentication.capitalize()),
        ),
        note=server.note,
    )


def preferred(servers: list[c.MailServer]) -> tuple[c.MailServer | None, list[c.MailServer]]:
    """The one to use, and the others."""
    if not servers:
        return None, []
    best = next((server for server in servers if server.recommended), servers[0])
    return best, [server for server in servers if server is not best]


def steps(settings: c.ClientSettings, device: str) -> tuple[str, ...]:
    reminder = "Your password is the one shown when the account was made. It can be set anew under Accounts."
    address = settings.address
    trust = (settings.trust_note,) if settings.trust_note else ()
    match device:
        case "thunderbird":
            return (
                "Open Account Settings, then Account Actions → Add Mail Account.",
                f"Enter your name, {address} and your password, then Configure manually.",
                "Copy server, port, security and user name from this page. Choose “Normal password”.",
                *trust,
                reminder,
            )
        case "phone":
            return (
                "The phone must reach this computer: both in the same network, and a server name that is not “localhost”.",
                "In the mail app add an account of the kind “IMAP” or “Other”.",
                "Point the camera at the code to have the settings at hand, or copy them from this page.",
                *trust,
                reminder,
            )
        case "outlook":
            return (
                "Choose File → Add Account and enter " + address + ".",
                "Open “Advanced options”, tick “Let me set up my account manually”, choose IMAP.",
                "Copy the values of both servers from this page.",
                *trust,
                reminder,
            )
        case _:
            return (
                f"Choose “IMAP” as the kind of account and enter {address}.",
                "Copy the values of both servers from this page.",
                *trust,
                reminder,
            )


def qr_text(settings: c.ClientSettings) -> str:
    """What the code holds: the settings, never the password."""
    lines = [f"Mail settings for {settings.address}"]
    for server in (preferred(settings.incoming)[0], preferred(settings.outgoing)[0]):
        if server is not None:
            lines.append(
                f"{server.protocol.upper()}: {server.host}:{server.port} {SECURITY[server.security]}, user {server.user_name}"
            )
    return "\n".join(lines)


def mailto(address: str) -> str:
    return "mailto:" + quote(address, safe="@")


def as_text(settings: c.ClientSettings) -> str:
    """Everything for the clipboard, ready to send to the person."""
    parts = [f"E-mail address: {settings.address}"]
    if settings.full_name:
        parts.append(f"Name: {settings.full_name}")
    for server in [*settings.incoming, *settings.outgoing]:
        shown = server_rows(server)
        parts.append("")
        parts.append(shown.title + (" (recommended)" if shown.recommended else ""))
        parts += [f"  {label}: {value}" for label, value in shown.rows]
    return "\n".join(parts)
