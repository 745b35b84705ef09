"""Which DNS records a domain needs, what each is for in plain words, and the zone file with all of them. Pure."""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from backend.checkup.facts import Facts
from backend.checkup.spf import merge

Severity = Literal["required", "recommended", "optional"]
Area = Literal[
    "receive",
    "accepted",
    "setup",
    "protection",
    "server",
    "ports",
    "certificate",
    "mail",
    "domains",
]

TTL_S = 3600
MAX_STRING_OCTETS = 255  # RFC 1035 §3.3: one string of a TXT record

_SRV_PURPOSE = {
    "imaps": "Mail apps find by it where to read mail.",
    "imap": "Mail apps find by it where to read mail (with STARTTLS).",
    "submissions": "Mail apps find by it where to send mail.",
    "submission": "Mail apps find by it where to send mail (with STARTTLS).",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """`values`: each one record of that name and type, names without their final dot; empty when only you know them.

    `code` tells kinds apart (`spf`); `in_zone`: it belongs into the zone of the domain itself.
    """

    code: str
    area: Area
    title: str
    purpose: str
    severity: Severity
    name: str
    type: str
    values: tuple[str, ...]
    in_zone: bool = True
    note: str = ""


def expected_records(facts: Facts, *, existing_spf: Sequence[str] = ()) -> list[Record]:
    """In the order of importance. `existing_spf`: what is published now, which is completed, not overwritten."""
    domain, hostname = facts.domain, facts.hostname
    records = [*_addresses(facts)]
    records += [
        Record(
            code="mx",
            area="receive",
            title="Where mail for you goes",
            purpose="Tells other servers that this one takes the mail of your domain.",
            severity="required",
            name=domain,
            type="MX",
            values=(f"10 {hostname}",),
        ),
        Record(
            code="spf",
            area="accepted",
            title="Who may send for you",
            purpose="Lists the servers that may send mail of your domain; without it, others treat your mail as junk.",
            severity="required",
            name=domain,
            type="TXT",
            values=(merge(existing_spf, wanted_spf(facts)),),
        ),
        *(
            Record(
                code="dkim",
                area="accepted",
                title=f"Signature key {key.selector}",
                purpose="The key with which others check that your mail is from you and unchanged."
                if key.signs
                else "A key in reserve; published beforehand, it can take over at any time.",
                severity="required" if key.signs else "optional",
                name=f"{key.selector}._domainkey.{domain}",
                type="TXT",
                values=(key.text,),
            )
            for key in facts.dkim
        ),
        Record(
            code="dmarc",
            area="accepted",
            title="What others do with forgeries",
            purpose="Tells others what to do with mail that claims to be from you and is not, and where to report it.",
            severity="recommended",
            name=f"_dmarc.{domain}",
            type="TXT",
            values=(f"v=DMARC1; p={_dmarc_policy(facts)}; rua=mailto:postmaster@{domain}",),
        ),
        *_reverse(facts),
        *_setup(facts),
        *_protection(facts),
    ]
    return records


def wanted_spf(facts: Facts) -> list[str]:
    """The terms that our ways out need (behaviour T7)."""
    words = ["mx"]
    for each in facts.exits:
        for address in each.addresses:
            words.append(f"ip{ipaddress.ip_address(address).version}:{address}")
    return [*dict.fromkeys(words), *(f"include:{name}" for name in facts.includes)]


def _dmarc_policy(facts: Facts) -> str:
    # Without signatures, mail that is forwarded fails DMARC; a strict policy would lose it.
    return "reject" if any(key.signs for key in facts.dkim) else "none"


def _addresses(facts: Facts) -> Iterable[Record]:
    v4 = tuple(each for each in facts.addresses if ":" not in each)
    v6 = tuple(each for each in facts.addresses if ":" in each)
    for kind, values in (("A", v4), ("AAAA", v6)):
        if values or (kind == "A" and not v6):
            yield Record(
                code="address",
                area="receive",
                title="Where your server is" if kind == "A" else "Where your server is (IPv6)",
                purpose="Leads from the name of your server to its address.",
                severity="required",
                name=facts.hostname,
                type=kind,
                values=values,
                in_zone=facts.is_own_host,
                note="" if values else "the public address of this server",
            )


def _reverse(facts: Facts) -> Iterable[Record]:
    for address in facts.addresses:
        yield reverse_record(address, facts.hostname)
    for each in facts.exits:
        for address in each.addresses:
            yield reverse_record(address, each.hostname, transport=each.transport)


def reverse_record(address: str, hostname: str, *, transport: str = "") -> Record:
    return Record(
        code="socks_ptr" if transport else "ptr",
        area="accepted",
        title=f"The name of {address}",
        purpose="Many servers take mail only from addresses whose name leads back to them.",
        severity="required",
        name=ipaddress.ip_address(address).reverse_pointer,
        type="PTR",
        values=(hostname,),
        in_zone=False,
        note=f"for the SOCKS transport “{transport}”" if transport else "",
    )


def _setup(facts: Facts) -> Iterable[Record]:
    for service, port in facts.services:
        yield Record(
            code="srv",
            area="setup",
            title=f"How mail apps find {service}",
            purpose=_SRV_PURPOSE[service],
            severity="optional",
            name=f"_{service}._tcp.{facts.domain}",
            type="SRV",
            values=(f"0 1 {port} {facts.hostname}",),
        )
    if facts.has_web:
        yield Record(
            code="autoconfig",
            area="setup",
            title="Settings for mail apps",
            purpose="Thunderbird and others fetch all settings from there by themselves.",
            severity="optional",
            name=f"autoconfig.{facts.domain}",
            type="CNAME",
            values=(facts.hostname,),
        )


def _protection(facts: Facts) -> Iterable[Record]:
    if facts.mta_sts_id:
        yield Record(
            code="mta_sts",
            area="protection",
            title="Encrypted delivery to you",
            purpose="Tells others that they should deliver to you with verified encryption only.",
            severity="recommended",
            name=f"_mta-sts.{facts.domain}",
            type="TXT",
            values=(f"v=STSv1; id={facts.mta_sts_id}",),
        )
        yield Record(
            code="mta_sts_host",
            area="protection",
            title="Where that rule is fetched",
            purpose="The web address at which others read the rule for encrypted delivery.",
            severity="recommended",
            name=f"mta-sts.{facts.domain}",
            type="CNAME",
            values=(facts.hostname,),
        )
    yield Record(
        code="tlsrpt",
        area="protection",
        title="Reports about encryption",
        purpose="Asks others to tell you when they could not deliver to you over TLS.",
        severity="optional",
        name=f"_smtp._tls.{facts.domain}",
        type="TXT",
        values=(f"v=TLSRPTv1; rua=mailto:postmaster@{facts.domain}",),
    )
    if facts.tls.tlsa:
        yield Record(
            code="tlsa",
            area="protection",
            title="Your certificate in the DNS",
            purpose="Lets others verify your certificate (DANE); it has an effect only where the zone is signed with DNSSEC.",
            severity="optional",
            name=f"_25._tcp.{facts.hostname}",
            type="TLSA",
            values=(facts.tls.tlsa,),
            in_zone=facts.is_own_host,
        )
    if facts.tls.issuer:
        yield Record(
            code="caa",
            area="protection",
            title="Who may issue certificates for you",
            purpose="Keeps other certificate authorities from issuing certificates for your domain.",
            severity="optional",
            name=facts.domain,
            type="CAA",
            values=(f'0 issue "{facts.tls.issuer}"',),
        )


def format_zone(domain: str, records: Sequence[Record]) -> str:
    """For pasting into a zone file. What belongs elsewhere, or is not known, comes as a comment."""
    lines = [f"; DNS records for {domain}"]
    for record in records:
        lines += ["", f"; {record.purpose}"]
        if not record.values:
            lines.append(f"; {record.name}. {TTL_S} IN {record.type} <{record.note}>")
        for value in record.values:
            line = zone_line(record.name, record.type, value)
            if not record.in_zone:
                who = "by whoever gives you the address" if record.type == "PTR" else "in its zone"
                line = f"; to be set {who}: {line}"
            lines.append(line)
    return "\n".join(lines) + "\n"


def zone_line(name: str, kind: str, value: str) -> str:
    """One record as it stands in a zone file."""
    return f"{name}. {TTL_S} IN {kind} {_rdata(kind, value)}"


def _rdata(kind: str, value: str) -> str:
    if kind == "TXT":
        return " ".join(f'"{part}"' for part in split_text(value))
    if kind in {"MX", "SRV", "CNAME", "PTR"}:
        return value if value.endswith(".") else f"{value}."
    return value


def split_text(text: str) -> list[str]:
    """Into strings that fit a TXT record, quotes and backslashes escaped."""
    octets = text.encode()
    parts = [octets[at : at + MAX_STRING_OCTETS] for at in range(0, len(octets), MAX_STRING_OCTETS)]
    shown = [part.decode("latin-1").replace("\\", "\\\\").replace('"', '\\"') for part in parts]
    return [
        "".join(char if " " <= char <= "~" else f"\\{ord(char):03d}" for char in part)
        for part in shown or [""]
    ]
