"""What a mail program must be told, in the order in which programs ask for it."""

from dataclasses import dataclass

from backend.api import connect as c

SECURITY = {
    "tls": "SSL/TLS",
    "starttls": "STARTTLS",
    "none": "None (only on this computer)",
}
PROTOCOLS = {"imap": "Incoming mail (IMAP)", "smtp": "Outgoing mail (SMTP)"}


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
