"""The forms of the server itself."""

from backend.admin.forms.described import described
from backend.admin.forms.parts import (
    section_form,
    server_form,
)

IDENTITY = server_form(
    "server-name",
    described(
        "Name of the server",
        "What other servers and mail apps know it by.",
        "server",
        "/system/server",
    ),
    ["hostname", "practice_mode"],
)
LISTENERS = server_form(
    "server-listeners",
    described("Ports", "Where the server listens.", "plug", "/system/ports"),
    ["listeners"],
)
TLS = section_form(
    "server-tls",
    described(
        "Certificates",
        "Where the certificate for encrypted connections comes from.",
        "lock",
        "/system/certificates",
    ),
    "tls",
)
LIMITS = section_form(
    "server-limits",
    described("Limits", "Bounds against overload and abuse.", "shield-check", "/system/limits"),
    "limits",
)
OUTBOUND = section_form(
    "server-outbound",
    described("Outgoing mail", "How mail reaches other servers.", "send", "/system/outgoing"),
    "outbound",
)
ADMIN = section_form(
    "server-admin",
    described(
        "Administration in a browser",
        "Who may reach it, and for how long.",
        "key",
        "/system/security",
    ),
    "admin",
)
LOG = section_form(
    "server-log",
    described("Log", "How much the server writes of what it does.", "terminal-2", "/system/log"),
    "log",
)
