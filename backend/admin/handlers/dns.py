"""The DNS of a domain: which records it needs, and whether they are there."""

from backend.admin import wire
from backend.admin.call import Call, Handler
from backend.api import dns as d
from backend.checkup.checks import Check, Fix
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
    report = await call.services.dns_checkup.check(call.path("domain"))
    return d.DnsCheck(
        domain=report.domain,
        practice_mode=report.practice_mode,
        checked_at=wire.at(report.checked_at),
        headline=report.headline,
        items=[_check(check) for check in report.checks],
        notes=list(report.notes),
    )


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


def _check(check: Check) -> d.Check:
    return d.Check(
        code=check.code,
        area=check.area,
        title=check.title,
        purpose=check.purpose,
        severity=check.severity,
        name=check.name,
        type=check.type,
        result=check.result,
        summary=check.summary,
        expected=list(check.expected),
        found=list(check.found),
        fix=_fix(check.fix) if check.fix is not None else None,
        direct=check.direct,
    )


def _fix(fix: Fix) -> d.CheckFix:
    values = [d.CopyValue(label=each.label, value=each.value) for each in fix.copy]
    return d.CheckFix(text=fix.text, values=values)


HANDLERS: dict[str, Handler] = {
    "dns_records": dns_records,
    "check_dns": check_dns,
}
