"""How fast does the queue empty? Gatepost and Postfix, each with its own queue, to one `smtp-sink` on this machine.

Both get the messages by SMTP while the sink is down, so that each holds all of them and has tried each once. Then the
sink starts and the queue is told to try again: the time counts from the first message that arrives to the last.
Gatepost delivers directly and asks the DNS; Postfix has the addresses in a table.
"""

import asyncio
import re
import smtplib
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.bench import corpus
from tests.bench.clients import send_messages
from tests.bench.peers import wait_for_port
from tests.support.dns_server import DnsServer
from tests.support.server_process import Serve, free_ports, gatepost

PASSWORD = "bench-password-long"  # of a server that lives for this run
CONNECTIONS = 8
PATIENCE_S = 600.0

_SERVER = """
hostname = "mail.bench.test"

[listeners.test]
addresses = ["127.0.0.1"]
submissions_port = {submissions}

[outbound]
smtp_port = {sink}
resolvers = ["{resolver}"]
allow_loopback = true
"""
_DOMAINS = """
[domains."bench.test"]

[accounts.me]
domain = "bench.test"
max_outgoing_messages_per_day = 1000000
max_first_time_recipients_per_day = 1000000
destinations = {{ "me@bench.test" = {{}} }}
"""
_MAIN_CF = """
compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
mail_owner = postfix
setgid_group = postdrop
maillog_file = {dir}/log/maillog
maillog_file_prefixes = {dir}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = out.bench.test
mydestination =
mynetworks = 127.0.0.0/8
local_recipient_maps =
alias_maps =
smtpd_peername_lookup = no
smtp_host_lookup = native
smtp_tls_security_level = may
smtpd_client_connection_rate_limit = 0
smtpd_client_connection_count_limit = 0
in_flow_delay = 0
default_transport = error:nowhere else
transport_maps = inline:{{ {transports} }}
"""
_MASTER_CF = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
showq unix n - n - - showq
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


class Sink:
    """Postfix's `smtp-sink` on all addresses of loopback, with its running count of messages."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.count = 0
        self.first_at = self.last_at = 0.0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.count, self.first_at = 0, 0.0
        self._process = subprocess.Popen(
            ["smtp-sink", "-u", "nobody", "-c", f"0.0.0.0:{self.port}", "200"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        threading.Thread(target=self._follow, args=(self._process,), daemon=True).start()

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def wait_for(self, count: int) -> float:
        """Messages in a second, from the first to the last."""
        deadline = time.monotonic() + PATIENCE_S
        while self.count < count:
            if time.monotonic() > deadline:
                raise RuntimeError(f"only {self.count} of {count} messages came")
            time.sleep(0.002)
        return (self.count - 1) / (self.last_at - self.first_at)

    def _follow(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        rest = b""
        while chunk := process.stdout.raw.read(65536):  # type: ignore[attr-defined]  # a buffered pipe has it
            rest += chunk
            found = re.findall(rb"mesg=(\d+)", rest)
            rest = rest[-100:]
            if not found:
                continue
            now, count = time.perf_counter(), int(found[-1])
            if count and not self.first_at:
                self.first_at = now
            if count > self.count:
                self.count, self.last_at = count, now


def _recipients(domains: int, count: int) -> Sequence[str]:
    return [f"bo@d{n % domains}.test" for n in range(count)]


class Ours:
    """Gatepost on a new folder, and a DNS server for it."""

    def __init__(self, folder: Path, sink: Sink, domains: int) -> None:
        self.folder = folder
        self._port, dns_port = free_ports("127.0.0.1", 2)
        self._dns = DnsServer(ttl_s=3600)
        for n in range(domains):
            self._dns.add(f"d{n}.test", {"MX": [f"10 mx{n}.test."]})
            self._dns.add(f"mx{n}.test", {"A": [f"127.0.0.{n + 2}"]})
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        asyncio.run_coroutine_threadsafe(self._dns.start(dns_port), self._loop).result(10)
        (folder / "config").mkdir(parents=True)
        values = {"submissions": self._port, "sink": sink.port, "resolver": self._dns.endpoint}
        (folder / "config/server.toml").write_text(_SERVER.format(**values))
        (folder / "config/domains.toml").write_text(_DOMAINS.format())
        self.process = Serve(folder)
        self.process.start()
        gatepost(folder, "account", "password", "me", "--password", PASSWORD)

    def inject(self, recipients: Sequence[str]) -> None:
        _in_threads(recipients, self._inject)
        while gatepost(self.folder, "queue", "list", "--limit", "1")["total"] < len(recipients):
            time.sleep(0.2)
        while not self._tried():
            time.sleep(0.5)

    def _tried(self) -> bool:
        items = gatepost(self.folder, "queue", "list", "--limit", "500")["items"]
        # The next to be tried comes first: a message that was not tried yet is due now.
        return all(item["attempts"] for item in items if item["state"] == "waiting") and not any(
            item["state"] == "sending" for item in items
        )

    def _inject(self, recipients: Sequence[str]) -> None:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with smtplib.SMTP_SSL("127.0.0.1", self._port, context=context, timeout=120) as client:
            client.login("me@bench.test", PASSWORD)
            for n, recipient in enumerate(recipients):
                client.sendmail("me@bench.test", [recipient], _content(n))

    def kick(self) -> None:
        gatepost(self.folder, "queue", "kick", "--all")

    def stop(self) -> None:
        self.process.stop()
        asyncio.run_coroutine_threadsafe(self._dns.stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)


class Theirs:
    """Debian's Postfix with a configuration and a queue of its own."""

    def __init__(self, folder: Path, sink: Sink, domains: int) -> None:
        self.folder = folder
        (self._port,) = free_ports("127.0.0.1", 1)
        for name in ("conf", "queue", "data", "log"):
            (folder / name).mkdir(parents=True)
        subprocess.run(["chown", "postfix", str(folder / "data")], check=True)
        folder.chmod(0o755)
        transports = ", ".join(
            f"d{n}.test=smtp:[127.0.0.{n + 2}]:{sink.port}" for n in range(domains)
        )
        values = {"dir": folder, "port": self._port, "transports": transports}
        (folder / "conf/main.cf").write_text(_MAIN_CF.format(**values))
        (folder / "conf/master.cf").write_text(_MASTER_CF.format(**values))
        self._run("postfix", "start")
        wait_for_port(self._port)

    def inject(self, recipients: Sequence[str]) -> None:
        _in_threads(
            recipients,
            lambda share: [
                send_messages(self._port, recipient, [_content(n)] * share.count(recipient), 1)
                for n, recipient in enumerate(sorted(set(share)))
            ],
        )
        while len(list((self.folder / "queue/deferred").glob("*/*"))) < len(recipients):
            time.sleep(0.2)

    def kick(self) -> None:
        self._run("postqueue", "-f")

    def stop(self) -> None:
        self._run("postfix", "stop")

    def _run(self, program: str, word: str) -> None:
        subprocess.run(
            [program, "-c", str(self.folder / "conf"), word], check=True, capture_output=True
        )


def _content(number: int) -> bytes:
    return _FROM.sub(b"\r\nFrom: me@bench.test\r\n", b"\r\n" + corpus.message(number), count=1)[2:]


_FROM = re.compile(rb"\r\nFrom:[^\r]*\r\n(?:[ \t][^\r]*\r\n)*")


def _in_threads(recipients: Sequence[str], work: Callable[[Sequence[str]], object]) -> None:
    failures: list[BaseException] = []

    def run(share: Sequence[str]) -> None:
        try:
            work(share)
        except BaseException as error:  # handed to the thread that waits
            failures.append(error)

    threads = [
        threading.Thread(target=run, args=(recipients[i::CONNECTIONS],)) for i in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def measure(kind: type[Ours] | type[Theirs], folder: Path, domains: int, count: int) -> float:
    """Messages in a second out of the queue, to so many destinations."""
    sink = Sink(free_ports("0.0.0.0", 1)[0])  # every address of loopback is a destination
    side = kind(folder, sink, domains)
    try:
        side.inject(_recipients(domains, count))
        sink.start()
        wait_for_port(sink.port)
        side.kick()
        return sink.wait_for(count)
    finally:
        side.stop()
        sink.stop()
