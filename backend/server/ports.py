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
FIRST_BASE, LAST_BASE, STEP = 10_000, 30_000, 1_000  # below the range that outgoing connections use


def practice_ports(base: int | None, host: str = "127.0.0.1") -> dict[str, int]:
    """Setting of a listener → port: `base` plus the well-known number; without a base, the first where all are free.

    Raises:
        UserError: a port is taken (with `base`), or all are.
    """
    if base is not None:
        ports = {name: base + offset for name, offset in OFFSETS.items()}
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
        ports = {name: candidate + offset for name, offset in OFFSETS.items()}
        if all(is_free(port, host) for port in ports.values()):
            return ports
    raise UserError(
        Problem(
            code="ports.taken",
            message="No free ports were found on this computer.",
            fix="Stop other practice servers, or name a base with --port-base.",
        )
    )


def is_free(port: int, host: str) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
