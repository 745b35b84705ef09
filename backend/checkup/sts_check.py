"""Can others fetch the MTA-STS policy of our domain, and is it the one that the settings say?"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from backend.checkup.checks import Check, Fix, check_of
from backend.checkup.facts import Facts
from backend.checkup.records import Record
from backend.outbound.sts_fetch import FetchError
from backend.tls.sts import StsPolicy

FetchPolicy = Callable[[str], Awaitable[StsPolicy]]
"""As other servers do it. Raises FetchError."""


async def check_policy(facts: Facts, fetch: FetchPolicy) -> list[Check]:
    """Empty for a domain without a policy of ours."""
    wanted = facts.mta_sts
    if wanted is None:
        return []
    record = Record(
        code="mta_sts_policy",
        area="protection",
        title="The rule for encrypted delivery",
        purpose="What others read there before they deliver to you.",
        severity="recommended",
        name=f"mta-sts.{facts.domain}",
        type="web",
        values=wanted.lines,
        in_zone=False,
    )
    try:
        found = await fetch(facts.domain)
    except FetchError as error:
        check = check_of(record, "missing", f"Others can't fetch it: {error}.")
        fix = Fix(
            f"Port 443 of https://{record.name} has to reach a listener of this server (or a web server that passes it on), with a certificate for that name from an authority that everybody trusts."
        )
        return [replace(check, fix=fix)]
    if found != wanted:
        check = check_of(
            record,
            "different",
            "Another rule is published than the one in the settings of this server.",
            found=found.lines,
        )
        fix = Fix(
            f"Let {record.name} lead to this server alone, or take over there what stands here."
        )
        return [replace(check, fix=fix)]
    return [check_of(record, "ok", "Others can fetch it.", found=found.lines)]
