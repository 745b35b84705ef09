"""A domain whose DNS a page of the administration looks at: what its settings say, and zones in several states."""

from typing import Any

from backend.checkup.facts import DkimRecord
from backend.dns.resolver import DnsResolver
from tests.support.dns_server import DnsServer

IP = "203.0.113.9"
PUBLIC_KEY = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA"
    + "u5oIUrFDWZK7F4thFxpZa2or6jBEX3cSL6b2TJdPkO5i" * 8
    + "wIDAQAB"
)
KEY = DkimRecord("2026a", f"v=DKIM1; h=sha256; p={PUBLIC_KEY}")
NS = "ada.ns.cloudflare.com"

Records = dict[str, dict[str, list[str]]]

BARE: Records = {
    "example.org": {"SOA": [f"{NS}. me.example.org. 1 3600 600 86400 60"], "NS": [f"{NS}."]},
    NS: {"A": ["127.0.0.1"]},
    "113.0.203.in-addr.arpa": {
        "SOA": [f"{NS}. me.example.org. 1 3600 600 86400 60"],
        "NS": [f"{NS}."],
    },
}


def in_pieces(text: str) -> str:
    return " ".join(f'"{text[at : at + 255]}"' for at in range(0, len(text), 255))


GOOD: Records = {
    **BARE,
    "example.org": {
        **BARE["example.org"],
        "MX": ["10 mail.example.org."],
        "TXT": ['"v=spf1 mx ~all"'],
    },
    "mail.example.org": {"A": [IP]},
    "2026a._domainkey.example.org": {"TXT": [in_pieces(KEY.text)]},
    "_dmarc.example.org": {"TXT": ['"v=DMARC1; p=reject; rua=mailto:postmaster@example.org"']},
    "_smtp._tls.example.org": {"TXT": ['"v=TLSRPTv1; rua=mailto:postmaster@example.org"']},
    "_imaps._tcp.example.org": {"SRV": ["0 1 993 mail.example.org."]},
    "_submissions._tcp.example.org": {"SRV": ["0 1 465 mail.example.org."]},
    "9.113.0.203.in-addr.arpa": {"PTR": ["mail.example.org."]},
}

MIXED: Records = {
    **GOOD,
    "example.org": {
        **BARE["example.org"],
        "MX": ["10 mail.example.org."],
        "TXT": [
            '"v=spf1 include:_spf.google.com ip4:198.51.100.7 -all"',
            '"google-site-verification=abc"',
        ],
    },
    "_spf.google.com": {"TXT": ['"v=spf1 ip4:198.51.100.0/24 ~all"']},
    "2026a._domainkey.example.org": {
        "TXT": [in_pieces(KEY.text.replace("WZK7F4thFx", "XXXXXXXXXX", 1))]
    },
    "_dmarc.example.org": {},
    "_smtp._tls.example.org": {},
    "_imaps._tcp.example.org": {},
}


def settings_for(zone: DnsServer) -> dict[str, Any]:
    """Arguments for `admin_server` and `office`."""
    return {
        "resolver": DnsResolver([zone.endpoint], query_timeout_s=0.2, lookup_timeout_s=1.0),
        "dns_port": zone.port,
        "dkim_records": (KEY,),
        "outbound": {"allow_loopback": True},
        "listeners": {
            "public": {
                "addresses": ["0.0.0.0"],
                "public_addresses": [IP],
                "smtp_port": 25,
                "imaps_port": 993,
                "submissions_port": 465,
            }
        },
    }
