"""The DNS of a domain: which records it needs, and whether they are there; and whether the server itself is well."""

from backend.admin import checks
from backend.admin.call import Call, Handler
from backend.api import dns as d
from backend.api import types as t
from backend.checkup.records import Record, zone_line


async def dns_records(call: Call) -> d.DnsRecords:
    proposal = await call.services.dns_checkup.records(call.path("domain"))
    return d.DnsRecords(
        domain=proposal.domain,
        practice_mode=proposal.practice_mode,
        items=[_record(record) for record in proposal.records],
        zone=proposal.zone,
        notes=list(proposal.notes),
    )


async def check_dns(call: Call) -> d.DnsCheck:
    return checks.describe_dns(await call.services.checkups.check_domain(call.path("domain")))


async def dns_check(call: Call) -> d.DnsCheck:
    checkups = call.services.checkups
    domain = checkups.dns.domain(call.path("domain"))
    practice = call.services.config.current.server.practice_mode
    kept = None if practice else checkups.last(domain)
    return checks.describe_dns(kept or checks.nothing_yet(domain, practice=practice))


async def health(call: Call) -> d.Health:
    practice = call.services.config.current.server.practice_mode
    kept = call.services.checkups.last_of_server()
    return checks.describe_health(kept or checks.nothing_yet("", practice=practice))


async def check_health(call: Call) -> d.Health:
    only = call.body(d.HealthQuery).only
    return checks.describe_health(await call.services.checkups.check_server(only))


async def acknowledge_check(call: Call) -> t.Empty:
    body = call.body(d.AcknowledgeCheck)
    await call.services.checkups.acknowledge(body.subject, body.id, body.note.strip(), call.author)
    return t.Empty()


async def unacknowledge_check(call: Call) -> t.Empty:
    body = call.body(d.AcknowledgedCheck)
    await call.services.checkups.revoke(body.subject, body.id)
    return t.Empty()


def _record(record: Record) -> d.DnsRecord:
    return d.DnsRecord(
        code=record.code,
        area=record.area,
        title=record.title,
        purpose=record.purpose,
        severity=record.severity,
        name=record.name,
        type=record.type,
        values=list(record.values),
        lines=[zone_line(record.name, record.type, value) for value in record.values],
        in_zone=record.in_zone,
        note=record.note,
    )


HANDLERS: dict[str, Handler] = {
    "dns_records": dns_records,
    "check_dns": check_dns,
    "dns_check": dns_check,
    "health": health,
    "check_health": check_health,
    "acknowledge_check": acknowledge_check,
    "unacknowledge_check": unacknowledge_check,
}
