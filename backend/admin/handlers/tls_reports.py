"""What came of TLS in deliveries, and the reports about it."""

from datetime import date

from backend.admin import wire
from backend.admin.call import Call, Handler
from backend.api import tls_reports as r
from backend.core.address import AddressError, parse_domain
from backend.core.errors import UserError
from backend.core.problems import Problem
from backend.outbound import tls_report_rows
from backend.outbound.tls_ledger import CountedPolicy, date_of
from backend.outbound.tls_report_rows import ReportRow, State


async def tls_outcomes(call: Call) -> r.TlsOutcomeList:
    query = call.query(r.TlsPageQuery)
    ledger = call.services.outbound.tls_reports.ledger
    await ledger.write()
    page = await ledger.page(_domain(query.domain), offset=query.offset, limit=query.limit)
    return r.TlsOutcomeList(items=[_outcomes(each) for each in page.items], total=page.total)


async def tls_reports(call: Call) -> r.TlsReportList:
    query = call.query(r.TlsReportQuery)
    page = await tls_report_rows.page(
        call.services.outbound.queue.database,
        _domain(query.domain),
        asked_only=not query.unasked,
        offset=query.offset,
        limit=query.limit,
    )
    return r.TlsReportList(
        enabled=call.services.config.current.server.outbound.tls_reports,
        items=[_report(row) for row in page.items],
        total=page.total,
    )


def _domain(text: str) -> str:
    if not text:
        return ""
    try:
        return parse_domain(text).ascii
    except AddressError as error:
        raise UserError(
            Problem(code="domain.invalid", message=f"{error}.", path="/domain")
        ) from None


def _day(day: int) -> date:
    return date.fromisoformat(date_of(day))


def _outcomes(counted: CountedPolicy) -> r.TlsOutcomes:
    policy = counted.policy
    return r.TlsOutcomes(
        day=_day(counted.day),
        domain=counted.domain,
        policy_type=policy.type.value,
        policy_domain=policy.domain,
        policy_strings=list(policy.strings),
        mx_hosts=list(policy.mx_hosts),
        successes=counted.successes,
        failures=counted.failures,
        details=[
            r.TlsFailure(
                result=each.result,
                count=each.count,
                sending_ip=each.sending_ip,
                receiving_host=each.receiving_host,
                receiving_ip=each.receiving_ip,
                receiving_helo=each.receiving_helo,
                reason=each.reason,
                info=each.info,
            )
            for each in counted.details
        ],
    )


def _report(row: ReportRow) -> r.TlsReport:
    return r.TlsReport(
        day=_day(row.day),
        domain=row.domain,
        destination=row.destination,
        state=row.state.value,
        trace=row.trace,
        attempts=row.attempts,
        changed_at=wire.at(row.changed_at),
        next_attempt_at=wire.at(row.next_attempt_at) if row.state is State.WAITING else None,
        answer=row.answer,
    )


HANDLERS: dict[str, Handler] = {"tls_outcomes": tls_outcomes, "tls_reports": tls_reports}
