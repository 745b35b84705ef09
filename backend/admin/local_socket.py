"""The owner's door: a Unix socket in a folder of mode 0700, and who stands on its other side."""

import os
import socket
import struct
import sys
from pathlib import Path

from backend.api.endpoint import SocketPath, socket_file
from backend.core.errors import UserError
from backend.core.problems import Problem

BACKLOG = 64
_SOL_LOCAL, _LOCAL_PEERCRED = 0, 1  # macOS: sys/un.h


def open_local_socket(data_folder: Path) -> socket.socket:
    """A listening socket at DIR/run/admin.sock, for aiohttp's SockSite.

    Raises:
        UserError: a server runs on this data folder already.
    """
    file = socket_file(data_folder)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.parent.chmod(0o700)
    path = SocketPath(data_folder)
    try:
        if file.exists():
            if _answers(path.text):
                raise UserError(
                    Problem(
                        code="server.running",
                        message=f"A server runs on the data folder {data_folder} already.",
                        fix="Use that one, or stop it first.",
                    )
                )
            file.unlink()  # left behind by a server that died
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            # The folder lets nobody else in, so there is no moment in which the socket stands open.
            sock.bind(path.text)
            os.chmod(file, 0o600)
            sock.listen(BACKLOG)
            sock.setblocking(False)
        except OSError:
            sock.close()
            raise
        return sock
    finally:
        path.close()


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(path)
        except OSError:
            return False
        return True


def is_owner(sock: socket.socket) -> bool:
    """Whether the process at the other end is ours or root's."""
    if sys.platform == "darwin":
        credentials = sock.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, 76)
        uid = struct.unpack_from("=II", credentials)[1]
    else:
        credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        uid = struct.unpack("3i", credentials)[1]
    return uid in (os.getuid(), 0)
