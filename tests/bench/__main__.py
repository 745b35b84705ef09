"""Runs the rows of the table, Gatepost and its peers in turn, and prints medians and ratios.

python -m tests.bench                 everything
python -m tests.bench imap            only rows whose name holds the word
python -m tests.bench queue           only the outgoing queue
python -m tests.bench --messages 2000 a smaller mailbox
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench import corpus, outgoing
from tests.bench.clients import ImapClient, send_messages
from tests.bench.peers import IMAP_PORT, PASSWORD, SMTP_PORT, USER, Peers

RUNS = 5
QUEUE_RUNS = 3


@dataclass
class Side:
    """One server under test."""

    name: str
    smtp_port: int
    imap_port: int
    pid: int

    def imap(self) -> ImapClient:
        return ImapClient(self.imap_port, USER, PASSWORD)


@dataclass
class Row:
    name: str
    unit: str  # "s": less is better; "/s": more is better
    measure: Callable[[Side], float]
    runs: int = RUNS


def _timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def _smtp(connections: int, count: int) -> Callable[[Side], float]:
    messages = [corpus.message(n) for n in range(50_000, 50_000 + count)]

    def measure(side: Side) -> float:
        client = side.imap()
        before = client.message_count()
        started = time.perf_counter()
        send_messages(side.smtp_port, USER, messages, connections)
        while client.message_count() < before + count:
            time.sleep(0.002)
        seconds = time.perf_counter() - started
        client.close()
        return count / seconds

    return measure


def _command(command: bytes) -> Callable[[Side], float]:
    def measure(side: Side) -> float:
        client = side.imap()
        if not command.startswith(b"SELECT"):
            client.run(b"SELECT bench")
        seconds = _timed(lambda: client.run(command))
        client.close()
        return seconds

    return measure


def _store(count: int) -> Callable[[Side], float]:
    def measure(side: Side) -> float:
        client = side.imap()
        client.run(b"SELECT bench")
        seconds = _timed(lambda: client.run(b"STORE 1:%d +FLAGS.SILENT (\\Flagged)" % count))
        client.run(b"STORE 1:%d -FLAGS.SILENT (\\Flagged)" % count)
        client.close()
        return seconds

    return measure


def _copy(count: int) -> Callable[[Side], float]:
    def measure(side: Side) -> float:
        client = side.imap()
        name = b"copy%d" % time.monotonic_ns()
        client.run(b"CREATE " + name)
        client.run(b"SELECT bench")
        seconds = _timed(lambda: client.run(b"COPY 1:%d " % count + name))
        client.run(b"DELETE " + name)
        client.close()
        return seconds

    return measure


def _append(count: int) -> Callable[[Side], float]:
    messages = [corpus.message(n) for n in range(90_000, 90_000 + count)]

    def measure(side: Side) -> float:
        client = side.imap()
        seconds = _timed(lambda: client.append(b"INBOX", messages))
        client.close()
        return seconds

    return measure


def _idle(side: Side) -> float:
    """From the 250 to EXISTS."""
    client = side.imap()
    client.run(b"SELECT INBOX")
    client.start_idle()
    send_messages(side.smtp_port, USER, [corpus.message(77_777)], 1)
    seconds = _timed(lambda: client.wait_for_line(b"EXISTS"))
    client.close()
    return seconds


def rows(messages: int) -> list[Row]:
    few, many = min(5_000, messages), min(1_000, messages)
    return [
        Row("smtp 1 connection, messages/s until visible", "/s", _smtp(1, 500), 3),
        Row("smtp 10 connections, messages/s until visible", "/s", _smtp(10, 2_000), 3),
        Row("imap SELECT", "s", _command(b"SELECT bench")),
        Row("imap FETCH 1:* (UID FLAGS)", "s", _command(b"FETCH 1:* (UID FLAGS)")),
        Row("imap FETCH 1:* (ENVELOPE)", "s", _command(b"FETCH 1:* (ENVELOPE)")),
        Row("imap FETCH 1:* (BODYSTRUCTURE)", "s", _command(b"FETCH 1:* (BODYSTRUCTURE)")),
        Row(
            "imap FETCH 1:* header fields",
            "s",
            _command(b"FETCH 1:* (BODY.PEEK[HEADER.FIELDS (FROM SUBJECT DATE)])"),
        ),
        Row("imap FETCH 1:* (BODY.PEEK[])", "s", _command(b"FETCH 1:* (BODY.PEEK[])"), 3),
        Row("imap SEARCH SUBJECT", "s", _command(b"SEARCH SUBJECT garden")),
        Row(
            "imap SEARCH TEXT, rare word",
            "s",
            _command(b"SEARCH TEXT " + corpus.RARE_WORD.encode()),
            3,
        ),
        Row(f"imap STORE {few}", "s", _store(few)),
        Row(f"imap COPY {many}", "s", _copy(many)),
        Row("imap APPEND 500", "s", _append(500), 3),
        Row("idle, from 250 to EXISTS", "s", _idle, 3),
    ]


def _queue_row(destinations: int, count: int, folder: Path) -> tuple[str, float, float]:
    """How fast the queue empties: name, ours, Postfix's. The sides take turns, each with new folders."""
    figures: dict[type, list[float]] = {outgoing.Ours: [], outgoing.Theirs: []}
    for run in range(QUEUE_RUNS):
        for kind, rates in figures.items():
            place = folder / f"queue-{destinations}-{run}-{kind.__name__.lower()}"
            rates.append(outgoing.measure(kind, place, destinations, count))
    mine, peer = (statistics.median(rates) for rates in figures.values())
    return f"queue of {count} to {destinations} destinations, messages/s", mine, peer


def _start_gatepost(folder: Path) -> tuple[Side, subprocess.Popen[str]]:
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "app",
            "trial",
            "--dir",
            str(folder),
            "--json",
            "--account",
            f"{USER}:{PASSWORD}",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    return Side("gatepost", ready["smtp"][1], ready["imap"][1], ready["pid"]), process


def _fill(side: Side, messages: int) -> float:
    client = side.imap()
    client.run(b"CREATE bench")
    started = time.perf_counter()
    for first in range(0, messages, 500):
        batch = [corpus.message(n) for n in range(first, min(first + 500, messages))]
        client.append(b"bench", batch, window=20)
    seconds = time.perf_counter() - started
    client.close()
    return seconds


def _memory_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _idle_connection_kib(side: Side, count: int = 200) -> float:
    before = _memory_mib(side.pid)
    clients = [side.imap() for _ in range(count)]
    for client in clients:
        client.run(b"SELECT bench")
        client.start_idle()
    time.sleep(1)
    after = _memory_mib(side.pid)
    for client in clients:
        client.close()
    return (after - before) * 1024 / count


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.bench", description=__doc__)
    parser.add_argument("word", nargs="?", default="")
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--queued", type=int, default=5_000, help="messages in the outgoing queue")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        raise SystemExit("The peers change users: run this as root.")
    folder = Path(tempfile.mkdtemp(prefix="gatepost-bench-"))
    folder.chmod(0o755)  # the peers run as other users
    results: list[dict[str, object]] = []
    if arguments.word in "queue":
        print(f"{'':50} {'gatepost':>12} {'postfix':>12} {'times better':>13}")
        for destinations in (1, 10):
            name, mine, peer = _queue_row(destinations, arguments.queued, folder)
            _print_row(name, mine, peer, mine / peer, "/s")
            results.append(
                {"row": name, "gatepost": mine, "peer": peer, "times_better": mine / peer}
            )
    if arguments.word != "queue":
        _compare_mailboxes(arguments, folder, results)
    if arguments.json:
        print(json.dumps(results))
    shutil.rmtree(folder, ignore_errors=True)


def _compare_mailboxes(
    arguments: argparse.Namespace, folder: Path, results: list[dict[str, object]]
) -> None:
    peers = Peers(folder / "peers")
    ours, process = _start_gatepost(folder / "gatepost")
    try:
        peers.start()
        theirs = Side("dovecot", SMTP_PORT, IMAP_PORT, 0)
        print(f"memory after start: {_memory_mib(ours.pid):.0f} MiB", file=sys.stderr)
        for side in (ours, theirs):
            print(f"filling {side.name}: {_fill(side, arguments.messages):.1f} s", file=sys.stderr)
        print(f"{'':50} {'gatepost':>12} {'peer':>12} {'times better':>13}")
        for row in rows(arguments.messages):
            if arguments.word not in row.name:
                continue
            figures: dict[str, list[float]] = {ours.name: [], theirs.name: []}
            for _ in range(row.runs):
                for side in (ours, theirs):
                    figures[side.name].append(row.measure(side))
            mine, peer = (statistics.median(figures[side.name]) for side in (ours, theirs))
            ratio = mine / peer if row.unit == "/s" else peer / mine
            first = figures[theirs.name][0] / figures[ours.name][0] if row.unit == "s" else 0
            _print_row(row.name, mine, peer, ratio, row.unit, f"  (first: {first:.1f}x)")
            results.append({"row": row.name, "gatepost": mine, "peer": peer, "times_better": ratio})
        if arguments.word in "memory":
            print(f"{'memory with the mailbox open':50} {_memory_mib(ours.pid):>9.0f} MiB")
            print(
                f"{'an idle IMAP connection with it selected':50} {_idle_connection_kib(ours):>9.0f} KiB"
            )
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        peers.stop()


def _print_row(
    name: str, mine: float, peer: float, ratio: float, unit: str, more: str = ""
) -> None:
    print(
        f"{name:50} {_show(mine, unit):>12} {_show(peer, unit):>12} {ratio:>12.2f}x{more}",
        flush=True,
    )


def _show(value: float, unit: str) -> str:
    if unit == "/s":
        return f"{value:.0f}/s"
    return f"{value * 1000:.1f} ms"


if __name__ == "__main__":
    main()
