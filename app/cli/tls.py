"""Encryption on the way to other mail servers."""

import click

from app.cli.link import ask, print_json
from app.cli.options import Folder, common, resolve
from app.cli.output import facts, moment, one_line, table


@click.group()
def tls() -> None:
    """Encryption on the way to other mail servers: what holds for a domain, and why."""


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
