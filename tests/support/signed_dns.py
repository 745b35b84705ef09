"""Debian's nsd with signed zones behind Debian's unbound that validates them, on loopback.

    async with SignedDns(zone(...), ...) as dns:
        DnsResolver([dns.endpoint])

A zone is signed and anchored, plain, or bogus: signed with a key that is not the one that unbound trusts.
"""

import asyncio
import datetime as dt
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import dns.asyncquery
import dns.dnssec
import dns.exception
import dns.message
import dns.name
import dns.rdataset
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.server_process import free_ports
from tests.support.unbound import Unbound

_CONFIG = """
server:
    ip-address: 127.0.0.1@{port}
    username: ""
    chroot: ""
    zonesdir: "{folder}"
    database: ""
    pidfile: ""
    logfile: "{folder}/nsd.log"
    zonelistfile: "{folder}/zone.list"
    xfrdfile: "{folder}/xfrd.state"
    xfrdir: "{folder}"
    server-count: 1
    do-ip6: no
    hide-version: yes
remote-control:
    control-enable: no
"""
_ZONE = 'zone:\n    name: "{name}"\n    zonefile: "{name}.zone"\n'

Kind = Literal["signed", "plain", "bogus"]
Records = Mapping[str, Mapping[str, Sequence[str]]]


@dataclass(frozen=True)
class Zone:
    """`records` by full names without their final dot, written as in a zone file."""

    name: str
    records: Records
    kind: Kind = "signed"


class SignedDns:
    def __init__(self, *zones: Zone) -> None:
        self._zones = zones
        self._folder = Path(tempfile.mkdtemp(prefix="signed-dns-"))
        self._port = free_ports("127.0.0.1", 1)[0]
        self._stack = AsyncExitStack()
        self._unbound: Unbound | None = None

    @property
    def endpoint(self) -> str:
        assert self._unbound is not None
        return self._unbound.endpoint

    async def __aenter__(self) -> Self:
        self._stack.callback(shutil.rmtree, self._folder, ignore_errors=True)
        anchors = [anchor for zone in self._zones for anchor in self._write(zone)]
        config = self._folder / "nsd.conf"
        config.write_text(
            _CONFIG.format(port=self._port, folder=self._folder)
            + "".join(_ZONE.format(name=zone.name) for zone in self._zones)
        )
        process = await asyncio.create_subprocess_exec(
            "/usr/sbin/nsd", "-d", "-c", str(config), stderr=asyncio.subprocess.DEVNULL
        )
        self._stack.push_async_callback(_stop, process)
        await self._until_ready(self._zones[0].name)
        self._unbound = await self._stack.enter_async_context(Unbound(self._port, anchors))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def _write(self, zone: Zone) -> list[str]:
        """The anchors by which unbound trusts it."""
        lines = [f"@ 3600 IN SOA ns.{zone.name}. host.{zone.name}. 1 3600 600 86400 1"]
        lines += [f"@ 3600 IN NS ns.{zone.name}.", "ns 3600 IN A 127.0.0.1"]
        for name, kinds in zone.records.items():
            for kind, values in kinds.items():
                lines += [f"{name}. 3600 IN {kind} {value}" for value in values]
        made = dns.zone.from_text("\n".join(lines) + "\n", zone.name, relativize=False)
        anchors: list[str] = []
        if zone.kind != "plain":
            key = ec.generate_private_key(ec.SECP256R1())
            public = dns.dnssec.make_dnskey(
                key.public_key(), dns.dnssec.Algorithm.ECDSAP256SHA256, flags=257
            )
            now = dt.datetime.now(dt.UTC)
            dns.dnssec.sign_zone(
                made,
                keys=[(key, public)],
                inception=now - dt.timedelta(hours=1),
                expiration=now + dt.timedelta(days=7),
            )
            if zone.kind == "bogus":
                other = ec.generate_private_key(ec.SECP256R1()).public_key()
                public = dns.dnssec.make_dnskey(
                    other, dns.dnssec.Algorithm.ECDSAP256SHA256, flags=257
                )
            owner = dns.name.from_text(zone.name)
            anchors = [f"{owner} DS {dns.dnssec.make_ds(owner, public, 'SHA256')}"]
        (self._folder / f"{zone.name}.zone").write_text(made.to_text(relativize=False))
        return anchors

    async def _until_ready(self, name: str) -> None:
        query = dns.message.make_query(f"{name}.", "SOA")
        for _ in range(100):
            try:
                await dns.asyncquery.udp(query, "127.0.0.1", port=self._port, timeout=0.1)
            except (dns.exception.Timeout, OSError):
                await asyncio.sleep(0.05)
            else:
                return
        raise RuntimeError((self._folder / "nsd.log").read_text()[-2000:])


async def _stop(process: asyncio.subprocess.Process) -> None:
    process.terminate()
    await process.wait()
