"""Do all our ways out pass the SPF record that is published? (behaviour T7)

Not by looking at its text alone: the record is evaluated for each address, with everything it includes.
"""

from collections.abc import Sequence

from backend.checkup.checks import Check, check_of, unknown
from backend.checkup.compare import ADD, found_of
from backend.checkup.facts import Facts
from backend.checkup.records import Record, wanted_spf
from backend.checkup.spf import NeedLookup, SpfError, Verdict, evaluate, is_spf, merge, parse_spf
from backend.checkup.survey import Survey
from backend.dns.answers import Answer, LookupFailed

MAX_ROUNDS = 60  # questions that one evaluation may lead to, a security limit


async def check_spf(
    record: Record, facts: Facts, addresses: Sequence[str], survey: Survey
) -> list[Check]:
    """`addresses`: those of the server itself. First the record, then a line for each address of a SOCKS proxy."""
    answer = survey.get(record.name, "TXT")
    if isinstance(answer, LookupFailed):
        return [unknown(record, answer)]
    published = tuple(sorted(text for text in found_of(answer) if is_spf(text)))
    verdicts: dict[str, Verdict] = {}
    if len(published) == 1:
        own = dict.fromkeys((*addresses, *(ip for each in facts.exits for ip in each.addresses)))
        for address in own:
            verdicts[address] = await _evaluate(published[0], address, facts.domain, survey)
    checks = [_check_record(record, facts, published, addresses, verdicts)]
    for each in facts.exits:
        for address in each.addresses:
            verdict = verdicts.get(address, Verdict("none", "there is not exactly one SPF record"))
            checks.append(_check_exit(record, each.transport, address, verdict))
    return checks


async def _evaluate(text: str, address: str, domain: str, survey: Survey) -> Verdict:
    def lookup(name: str, kind: str) -> Answer[str]:
        if (name, kind) not in survey.answers:
            raise NeedLookup(name, kind)
        return survey.answers[name, kind]

    for _ in range(MAX_ROUNDS):
        try:
            return evaluate(text, address, domain, lookup)
        except NeedLookup as need:
            await survey.fetch([(need.name, need.kind)])
            if (need.name, need.kind) not in survey.answers:
                break
    return Verdict("temperror", "it leads to too many DNS lookups")


def _check_record(
    record: Record,
    facts: Facts,
    published: tuple[str, ...],
    addresses: Sequence[str],
    verdicts: dict[str, Verdict],
) -> Check:
    wanted = wanted_spf(facts)
    expected = (merge(published, wanted),)
    if not published:
        return check_of(
            record,
            "missing",
            f"{record.name} has no SPF record.",
            expected=expected,
            fix=ADD.format(name=record.name),
        )
    if len(published) > 1:
        return check_of(
            record,
            "different",
            f"You have {len(published)} SPF records; that makes all of them invalid.",
            expected=expected,
            found=published,
            fix="Replace them by this one.",
        )
    fix = "Replace it by this; what was there already is kept."
    try:
        present = {term.key for term in parse_spf(published[0])}
    except SpfError as error:
        return check_of(
            record,
            "different",
            f"Others can't read the SPF record: {error}.",
            expected=expected,
            found=published,
            fix="Replace it by this.",
        )
    faults = [_fault(each, verdicts[each]) for each in addresses if each in verdicts]
    faults += [
        f"{word.partition(':')[2]} is not in it, through which mail leaves."
        for word in wanted
        if word.startswith("include:") and word.lower() not in present
    ]
    exits = [ip for each in facts.exits for ip in each.addresses]
    faults += [_fault(each, verdicts[each]) for each in exits if each in verdicts]
    if not addresses and "mx:" not in present:
        faults.append("The server that takes your mail (mx) is not in it.")
    certain = [fault for fault in faults if fault and not fault.startswith("Could not tell")]
    if certain:
        return check_of(
            record, "different", " ".join(certain), expected=expected, found=published, fix=fix
        )
    if faults := [fault for fault in faults if fault]:
        return check_of(record, "unknown", faults[0], expected=expected, found=published)
    return check_of(
        record, "ok", "All ways out of this server are in it.", expected=published, found=published
    )


def _fault(address: str, verdict: Verdict) -> str:
    if verdict.result == "pass":
        return ""
    if verdict.result in {"temperror", "unknown"}:
        return f"Could not tell whether {address} may send: {verdict.mechanism}."
    return (
        f"IP “{address}” does not pass the SPF evaluation: its status is not “pass” but "
        f"“{verdict.result}” ({verdict.mechanism or 'nothing matches'})."
    )


def _check_exit(record: Record, transport: str, address: str, verdict: Verdict) -> Check:
    row = Record(
        code="socks_spf",
        area="accepted",
        title=f"{address} may send for you",
        purpose=f"Mail through the SOCKS transport “{transport}” leaves from this address.",
        severity="required",
        name=record.name,
        type="TXT",
        values=(),
    )
    fault = _fault(address, verdict)
    if not fault:
        return check_of(row, "ok", f"The SPF record lets it pass ({verdict.mechanism}).")
    if verdict.result in {"temperror", "unknown"}:
        return check_of(row, "unknown", fault)
    return check_of(row, "different", fault, fix="Publish the SPF record that is proposed above.")
