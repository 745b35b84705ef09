"""One window for each user and data folder: a second start hands its wish to the first and ends."""

import getpass
import hashlib
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

CONNECT_MS = 500
MAX_WISH_BYTES = 2_000  # what another start may send, a security limit


def name_of(folder: Path) -> str:
    """The same for every start of the same user with the same folder."""
    text = f"{getpass.getuser()}:{folder.resolve()}"
    return "gatepost-" + hashlib.sha256(text.encode()).hexdigest()[:20]


class Instance(QObject):
    """Owns the name while it lives.

    Signals:
        asked: another start wants this window to show a path (it may be empty).
    """

    asked = Signal(str)

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._accept)

    def claim(self, path: str = "") -> bool:
        """True: this is the one window. False: another has it and was told to show `path`."""
        if _tell(self._name, path):
            return False
        # Nobody answers: a socket file of a window that crashed may be left.
        QLocalServer.removeServer(self._name)
        return self._server.listen(self._name)

    def release(self) -> None:
        self._server.close()

    def _accept(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            socket.readyRead.connect(lambda socket=socket: self._read(socket))
            socket.disconnected.connect(socket.deleteLater)

    def _read(self, socket: QLocalSocket) -> None:
        if not socket.canReadLine() and socket.bytesAvailable() < MAX_WISH_BYTES:
            return
        text = bytes(socket.readLine(MAX_WISH_BYTES).data()).decode(errors="replace").strip()
        verb, _, path = text.partition(" ")
        socket.write(b"ok\n")
        socket.disconnectFromServer()
        if verb == "open":
            self.asked.emit(path)


def _tell(name: str, path: str) -> bool:
    socket = QLocalSocket()
    socket.connectToServer(name)
    if not socket.waitForConnected(CONNECT_MS):
        return False
    socket.write(f"open {path}\n".encode())
    told = socket.waitForBytesWritten(CONNECT_MS)
    socket.waitForReadyRead(CONNECT_MS)
    socket.disconnectFromServer()
    return told
