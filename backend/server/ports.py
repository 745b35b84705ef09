"""Which ports a practice server takes."""

import socket

from backend.core.errors import UserError
from backend.core.problems import Problem

# The well-known numbers, added to a base.
OFFSETS = {
    "smtp_port": 25,
    "submission_port": 587,
    "submissions_port": 465,
    "imap_port": 143,
    "imaps_port": 993,
    "http_port": 80,
    "https_port": 443,
}
FIRST_BASE, LAST_BASE, STEP = 11_000, 30_000, 1_000  # below the range that outgoing connections use
# Browsers refuse these for HTTP, since other protocols live there (the Fetch standard's list of bad ports, from 1024 up).
BAD_FOR_BROWSERS = frozenset(
    {1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6679, 6697, 10080}
    | set(range(6665, 6670))
)


def practice_ports(base: int | None, host: str = "127.0.0.1") -> dict[str, int]:
    """Setting of a listener → port: `base` plus the well-known number; without a base, the first where all are free.

    Raises:
        UserError: a port is taken (with `base`), or all are.
    """
    if base is not None:
        ports = ports_from(base)
        taken = [port for port in ports.values() if not 0 < port < 65536 or not is_free(port, host)]
        if taken:
            raise UserError(
                Problem(
                    code="ports.taken",
                    message=f"With --port-base {base}, port {taken[0]} can't be used: another program has it, or it is no port.",
                    fix="Choose another --port-base, or leave it out to let Gatepost choose.",
                )
            )
        return ports
    for candidate in range(FIRST_BASE, LAST_BASE, STEP):
        ports = ports_from(candidate)
        if all(is_free(port, host) for port in ports.values()):
            return ports
    raise UserError(
        Problem(
            code="ports.taken",
            message="No free ports were found on this computer.",
            fix="Stop other practice servers, or name a base with --port-base.",
        )
    )


def ports_from(base: int) -> dict[str, int]:
    """Setting of a listener → port."""
    ports = {name: base + offset for name, offset in OFFSETS.items()}
    for name in ("http_port", "https_port"):
        while ports[name] in BAD_FOR_BROWSERS:
            ports[name] += 1
    return ports


def is_free(port: int, host: str) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
