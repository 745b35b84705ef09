"""What checks have found, as both faces draw it: groups with their progress, differences marked, fields ready to copy."""

from collections.abc import Sequence

from backend.admin import wire
from backend.api import dns as d
from backend.api import summaries as s
from backend.checkup.checks import Check, keys
from backend.checkup.diff import Line, compare_lines
from backend.checkup.dns import PRACTICE_NOTE, Report, headline
from backend.checkup.entries import ENTERED, entry, long_text_note
from backend.checkup.groups import AREAS, group, worst
from backend.checkup.kept import Acknowledgement, Kept, Row
from backend.checkup.providers import GENERIC, Provider, provider_of
from backend.checkup.service import server_headline
from backend.core.address import Domain


def nothing_yet(domain: str, *, practice: bool) -> Kept:
    """Before the first check."""
    text = PRACTICE_NOTE if practice and domain else "Not checked yet."
    return Kept(
        Report(
            domain=domain,
            practice_mode=practice,
            checked_at=0.0,
            headline=text,
            checks=(),
            notes=(),
        )
    )


def describe_dns(kept: Kept) -> d.DnsCheck:
    report = kept.report
    provider = provider_of(report.name_servers)
    return d.DnsCheck(
        domain=report.domain,
        unicode=Domain(report.domain).unicode,
        practice_mode=report.practice_mode,
        checked_at=wire.at(report.checked_at) if report.checked_at else None,
        headline=headline(kept.open_checks) if report.checks else report.headline,
        state=_state(kept),
        news=kept.news,
        groups=_groups(kept),
        items=_items(kept, provider),
        source=_source(report.checks),
        provider=d.Provider(id=provider.id, name=provider.name, steps=list(provider.steps)),
        name_servers=list(report.name_servers),
        notes=list(report.notes),
    )


def describe_health(kept: Kept) -> d.Health:
    report = kept.report
    return d.Health(
        practice_mode=report.practice_mode,
        checked_at=wire.at(report.checked_at) if report.checked_at else None,
        headline=server_headline(kept.open_checks) if report.checks else report.headline,
        state=_state(kept),
        news=kept.news,
        groups=_groups(kept),
        items=_items(kept, GENERIC),
    )


def summarise(kept: Kept | None) -> s.DnsSummary | None:
    """For lists; None when nothing is known."""
    if kept is None or not kept.report.checks:
        return None
    counted = [check for check in kept.open_checks if check.severity != "optional"]
    done = len([check for check in counted if check.state == "ok"])
    return s.DnsSummary(
        state=worst(check.state for check in counted),
        score=f"{done} of {len(counted)}",
        headline=headline(kept.open_checks),
        checked_at=wire.at(kept.report.checked_at),
    )


def _state(kept: Kept) -> s.CheckState:
    """Of the whole page: what is optional does not count."""
    states = [check.state for check in kept.open_checks if check.state != "optional"]
    return worst(states) if kept.report.checks else "unknown"


def _source(checks: Sequence[Check]) -> str:
    direct = len([check for check in checks if check.direct])
    if not direct:
        return "by asking the DNS resolver of this server" if checks else ""
    return "by asking your DNS servers directly"


def _groups(kept: Kept) -> list[d.CheckGroup]:
    shown = {each.area: each for each in group(kept.open_checks)}
    made = []
    for each in group(kept.report.checks):
        own = shown.get(each.area)
        done, total = (own.done, own.total) if own else (0, 0)
        title, purpose = AREAS[each.area]
        made.append(
            d.CheckGroup(
                area=each.area,
                title=title,
                purpose=purpose,
                done=done,
                total=total,
                progress=own.progress if own else "",
                state=own.state if own else "ok",
                hidden=each.total - total,
            )
        )
    return made


def _items(kept: Kept, provider: Provider) -> list[d.Check]:
    zone = next((c.zone for c in kept.report.checks if c.zone and c.name == kept.report.domain), "")
    zone = zone or kept.report.zone
    return [
        _describe(key, check, kept.row(key), zone, provider)
        for key, check in zip(keys(kept.report.checks), kept.report.checks, strict=True)
    ]


def _describe(key: str, check: Check, row: Row | None, zone: str, provider: Provider) -> d.Check:
    in_zone = check.type != "PTR" and check.zone == zone
    if not in_zone:
        provider = GENERIC  # whoever keeps that zone, it need not be the same
    # What is right needs no comparison: an A record may say the same in another spelling.
    if check.state == "ok" or check.type not in {*ENTERED, "web"}:
        should, now = _plain(check.expected), _plain(check.found)
    else:
        ours, theirs = compare_lines(check.expected, check.found)
        should, now = _spans(ours), _spans(theirs)
    fix = None
    if check.fix is not None:
        values = [d.CopyValue(label=each.label, value=each.value) for each in check.fix.copy]
        fix = d.CheckFix(text=check.fix.text, values=values, path=check.fix.path)
    return d.Check(
        id=key,
        code=check.code,
        area=check.area,
        title=check.title,
        purpose=check.purpose,
        severity=check.severity,
        name=check.name,
        type=check.type,
        result=check.result,
        state=check.state,
        word=check.word,
        summary=check.summary,
        expected=list(check.expected),
        found=list(check.found),
        should=should,
        now=now,
        fix=fix,
        entries=_entries(check, provider),
        where=_where(check, provider),
        in_zone=in_zone,
        direct=check.direct,
        how=check.how,
        worldwide=check.worldwide,
        since=wire.at(row.since) if row is not None else None,
        acknowledged=_acknowledged(row.acknowledged if row is not None else None),
    )


def _entries(check: Check, provider: Provider) -> list[d.Entry]:
    if check.type not in ENTERED:
        return []
    made = []
    for value in check.expected:
        fields = entry(check.type, check.name, value, zone=check.zone, provider=provider)
        made.append(
            d.Entry(
                fields=[d.CopyValue(label=each.label, value=each.value) for each in fields],
                note=long_text_note(check.type, value, provider),
            )
        )
    return made


def _where(check: Check, provider: Provider) -> str:
    if check.type == "PTR":
        return "To be set by whoever gives you the address, such as your provider"
    if provider.name:
        return f"To enter at {provider.name}"
    return f"To enter where the DNS of {check.zone or check.name} is kept"


def _plain(values: Sequence[str]) -> list[list[d.Span]]:
    return [[d.Span(mark="same", text=value)] for value in values]


def _spans(lines: Sequence[Line]) -> list[list[d.Span]]:
    return [[d.Span(mark=span.mark, text=span.text) for span in line] for line in lines]


def _acknowledged(found: Acknowledgement | None) -> d.Acknowledged | None:
    if found is None:
        return None
    return d.Acknowledged(note=found.note, by=found.by, at=wire.at(found.at))
