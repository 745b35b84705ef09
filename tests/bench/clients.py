"""Bare IMAP and SMTP clients: as little work as possible on this side, the same for every server."""

import re
import socket
import threading
import time
from collections.abc import Sequence


class ImapClient:
    def __init__(self, port: int, user: str, password: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 600)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._tags = 0
        self._rest = b""
        self._until(b"\r\n")
        self.run(b'LOGIN "%s" "%s"' % (user.encode(), password.encode()))

    def _until(self, end: bytes) -> bytes:
        while end not in self._rest:
            self._rest += self._socket.recv(65536)
        line, _, self._rest = self._rest.partition(end)
        return line

    def run(self, command: bytes) -> bytes:
        """One command; everything up to and with its tagged reply.

        Raises:
            RuntimeError: the reply is not OK.
        """
        self._tags += 1
        tag = b"b%d" % self._tags
        self._socket.sendall(tag + b" " + command + b"\r\n")
        return self._reply(tag)

    def _reply(self, tag: bytes) -> bytes:
        # The tagged line comes last; only the tail of each read is looked at, so that reading stays cheap.
        chunks = [self._rest]
        self._rest = b""
        tail = chunks[0]
        done = re.compile(rb"(?:^|\r\n)" + tag + rb" ([A-Z]+)[^\r\n]*\r\n$")
        while (match := done.search(tail[-2000:])) is None:
            chunk = self._socket.recv(1 << 20)
            if not chunk:
                raise RuntimeError("the server closed the connection")
            chunks.append(chunk)
            tail = chunk if len(chunk) > 2000 else (tail + chunk)[-4000:]
        reply = b"".join(chunks)
        if match[1] != b"OK":
            raise RuntimeError(reply[-300:].decode(errors="replace"))
        return reply

    def append(self, mailbox: bytes, messages: Sequence[bytes], window: int = 1) -> None:
        """APPENDs with non-synchronising literals, `window` of them under way at a time."""
        waiting: list[bytes] = []
        for message in messages:
            self._tags += 1
            tag = b"b%d" % self._tags
            self._socket.sendall(
                tag + b" APPEND " + mailbox + b" {%d+}\r\n" % len(message) + message + b"\r\n"
            )
            waiting.append(tag)
            if len(waiting) >= window:
                self._tagged_ok(waiting.pop(0))
        for tag in waiting:
            self._tagged_ok(tag)

    def _tagged_ok(self, tag: bytes) -> None:
        while not (line := self._until(b"\r\n")).startswith(tag):
            pass
        if not line.startswith(tag + b" OK"):
            raise RuntimeError(line.decode(errors="replace"))

    def message_count(self, mailbox: bytes = b"INBOX") -> int:
        match = re.search(rb"MESSAGES (\d+)", self.run(b"STATUS " + mailbox + b" (MESSAGES)"))
        assert match is not None
        return int(match[1])

    def start_idle(self) -> None:
        self._tags += 1
        self._socket.sendall(b"b%d IDLE\r\n" % self._tags)
        self._until(b"\r\n")

    def wait_for_line(self, pattern: bytes) -> None:
        while pattern not in self._until(b"\r\n"):
            pass

    def close(self) -> None:
        self._socket.close()


def send_messages(port: int, recipient: str, messages: Sequence[bytes], connections: int) -> float:
    """Seconds until all messages are accepted, spread over so many connections."""
    failures: list[BaseException] = []
    shares = [messages[i::connections] for i in range(connections)]
    threads = [
        threading.Thread(target=_send_share, args=(port, recipient, share, failures))
        for share in shares
    ]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return time.perf_counter() - started


def _send_share(
    port: int, recipient: str, messages: Sequence[bytes], failures: list[BaseException]
) -> None:
    try:
        with socket.create_connection(("127.0.0.1", port), 120) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            replies = connection.makefile("rb")
            _expect(replies, b"220")
            connection.sendall(b"EHLO bench.example\r\n")
            _expect(replies, b"250")
            head = (
                b"MAIL FROM:<sender@example.net>\r\nRCPT TO:<%s>\r\nDATA\r\n" % recipient.encode()
            )
            for message in messages:
                connection.sendall(head)
                for code in (b"250", b"250", b"354"):
                    _expect(replies, code)
                connection.sendall(message.replace(b"\r\n.", b"\r\n..") + b".\r\n")
                _expect(replies, b"250")
            connection.sendall(b"QUIT\r\n")
    except BaseException as error:  # handed to the thread that waits
        failures.append(error)


def _expect(replies: "socket.SocketIO | object", code: bytes) -> None:
    while True:
        line = replies.readline()  # type: ignore[attr-defined]  # a buffered reader; its type has no public name
        if not line.startswith(code):
            raise RuntimeError(line.decode(errors="replace"))
        if line[3:4] != b"-":
            return
