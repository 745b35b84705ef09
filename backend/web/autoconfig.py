"""Settings for mail programs that look them up by themselves, in Mozilla's format (`config-v1.1.xml`). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree as ET

Security = Literal["none", "starttls", "tls"]

_SOCKET_TYPE: dict[Security, str] = {"none": "plain", "starttls": "STARTTLS", "tls": "SSL"}
# The best first: programs take the first that they can use.
_INCOMING = ("imaps", "imap")
_OUTGOING = ("submissions", "submission")


@dataclass(frozen=True, slots=True)
class MailPort:
    """`service`: imaps, imap, submissions, submission; others are left out. `host` as programs reach it."""

    service: str
    host: str
    port: int
    security: Security


def format_autoconfig(domain: str, ports: Sequence[MailPort]) -> bytes:
    """The document for addresses in `domain`."""
    root = ET.Element("clientConfig", version="1.1")
    provider = ET.SubElement(root, "emailProvider", id=domain)
    _add(provider, "domain", domain)
    _add(provider, "displayName", domain)
    _add(provider, "displayShortName", domain)
    for wanted, element, kind in (
        (_INCOMING, "incomingServer", "imap"),
        (_OUTGOING, "outgoingServer", "smtp"),
    ):
        for service in wanted:
            for port in ports:
                if port.service == service:
                    _add_server(provider, element, kind, port)
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def _add_server(provider: ET.Element, element: str, kind: str, port: MailPort) -> None:
    server = ET.SubElement(provider, element, type=kind)
    _add(server, "hostname", port.host)
    _add(server, "port", str(port.port))
    _add(server, "socketType", _SOCKET_TYPE[port.security])
    _add(server, "authentication", "password-cleartext")  # inside TLS
    _add(server, "username", "%EMAILADDRESS%")


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = text
