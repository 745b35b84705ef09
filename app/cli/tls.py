"""Encryption on the way to other mail servers."""

import click

from app.cli.link import ask, print_json
from app.cli.options import Folder, common, resolve
from app.cli.output import facts, moment, one_line, table


@click.group()
def tls() -> None:
    """Encryption on the way to other mail servers: what holds for a domain, what came of it, who is told."""


@tls.command("policy")
@click.argument("domain")
@common
def policy(folder: Folder, as_json: bool, domain: str) -> None:
    """Show what must hold for mail to a domain (DANE, MTA-STS), and why. Nothing is sent."""
    found = ask(resolve(folder), lambda client: client.tls_policy(domain), as_json=as_json)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    click.echo(one_line(found.headline))
    click.echo()
    sts = found.sts
    facts(
        [
            ("Mail servers", "signed with DNSSEC" if found.signed else "not signed with DNSSEC"),
            ("MTA-STS", f"{sts.mode}, for {', '.join(sts.mx) or 'none'}" if sts else "none"),
            ("Known until", moment(sts.expires_at) if sts else ""),
            ("MTA-STS fault", found.sts_fault),
        ]
    )
    if not found.hosts:
        return
    click.echo()
    table(
        ("PRIORITY", "SERVER", "MAIL GOES", "WHY"),
        [
            (str(host.preference), host.host, host.summary, host.fault or host.reason)
            for host in found.hosts
        ],
        empty="",
    )
    for host in found.hosts:
        for record in host.tlsa:
            click.echo(f"TLSA of {one_line(host.host)}: {one_line(record)}")


_POLICIES = {"sts": "MTA-STS", "tlsa": "DANE", "no-policy-found": "none"}


@tls.command("outcomes")
@click.argument("domain", default="")
@click.option("--limit", type=click.IntRange(1, 500), default=100, show_default=True)
@common
def outcomes(folder: Folder, as_json: bool, domain: str, limit: int) -> None:
    """Show how encrypted connections to other domains went in the last days."""
    from backend.api.tls_reports import TlsPageQuery

    query = TlsPageQuery(domain=domain, limit=limit)
    page = ask(resolve(folder), lambda client: client.tls_outcomes(query), as_json=as_json)
    if as_json:
        print_json(page.model_dump(mode="json"))
        return
    rows = []
    for each in page.items:
        policy = _POLICIES[each.policy_type]
        if each.policy_domain != each.domain:
            policy += f" of {each.policy_domain}"
        rows.append(
            (str(each.day), each.domain, policy, str(each.successes), str(each.failures), "")
        )
        for failure in each.details:
            place = f"{failure.receiving_host} {failure.receiving_ip}".strip()
            why = ": ".join(
                part for part in (failure.result, failure.info or failure.reason) if part
            )
            text = f"{why} ({place})" if place else why
            rows.append(("", "", "", "", str(failure.count), one_line(text)))
    table(
        ("DAY (UTC)", "DOMAIN", "POLICY", "FINE", "FAILED", "WHY"),
        rows,
        empty="Nothing was delivered directly to other servers in the last days.",
    )
    if page.total > len(page.items):
        click.echo(f"… and {page.total - len(page.items)} more; see --limit")


@tls.command("reports")
@click.argument("domain", default="")
@click.option("--all", "everything", is_flag=True, help="Also the domains that want no report.")
@click.option("--limit", type=click.IntRange(1, 500), default=100, show_default=True)
@common
def reports(folder: Folder, as_json: bool, domain: str, everything: bool, limit: int) -> None:
    """Show the daily reports (TLSRPT) to other domains: when, where to, and what came of them."""
    from backend.api.tls_reports import TlsReportQuery

    query = TlsReportQuery(domain=domain, limit=limit, unasked=everything)
    page = ask(resolve(folder), lambda client: client.tls_reports(query), as_json=as_json)
    if as_json:
        print_json(page.model_dump(mode="json"))
        return
    if not page.enabled:
        click.echo("Reports are switched off: tls_reports under [outbound] in server.toml.")
    table(
        ("DAY (UTC)", "DOMAIN", "TO", "STATE", "SINCE", "TRIES", "ANSWER"),
        [
            (
                str(each.day),
                each.domain,
                one_line(each.destination) or "-",
                each.state,
                moment(each.changed_at),
                str(each.attempts),
                one_line(each.answer),
            )
            for each in page.items
        ],
        empty="No domain has asked for a report in the last days.",
    )
    if page.total > len(page.items):
        click.echo(f"… and {page.total - len(page.items)} more; see --limit")
