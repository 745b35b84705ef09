"""Who signed in, or tried to."""

import click

from app.cli.link import ask, print_json
from app.cli.options import Folder, common, resolve
from app.cli.output import moment, table


@click.command("sign-ins")
@click.option("--account", default="", help="Only those of this account.")
@click.option("--from", "peer", default="", metavar="ADDRESS", help="Only from this IP address.")
@click.option("--failed", is_flag=True, help="Only those that were refused.")
@click.option("--by-address", is_flag=True, help="Count the refused ones by where they came from.")
@click.option("--text", default="", help="Only those with this in name, address or program.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@common
def sign_ins(
    folder: Folder,
    as_json: bool,
    account: str,
    peer: str,
    failed: bool,
    by_address: bool,
    text: str,
    limit: int,
) -> None:
    """Show who signed in, or tried to, the newest first."""
    from backend.api import signins as si

    if by_address:
        wanted = si.SignInSourceQuery(limit=limit, search=text)
        sources = ask(
            resolve(folder), lambda client: client.sign_in_sources(wanted), as_json=as_json
        )
        if as_json:
            print_json({"items": [each.model_dump(mode="json") for each in sources]})
            return
        table(
            ("FROM", "REFUSED", "SIGNED IN", "LAST", "TRIED AS"),
            [
                (
                    each.peer or "this computer",
                    str(each.count),
                    str(each.succeeded),
                    moment(each.last_at),
                    ", ".join(each.names),
                )
                for each in sources
            ],
            empty="No sign-in was refused.",
        )
        return
    query = si.SignInQuery(limit=limit, account=account, peer=peer, failed=failed, search=text)
    found = ask(resolve(folder), lambda client: client.sign_ins(query), as_json=as_json)
    if as_json:
        print_json({"items": [each.model_dump(mode="json") for each in found]})
        return
    table(
        ("TIME", "NAME", "RESULT", "FROM", "WITH", "ENCRYPTED", "PROGRAM"),
        [
            (
                moment(each.at),
                each.address or each.account,
                "signed in" if each.succeeded else "refused",
                each.peer or "this computer",
                each.protocol,
                {True: "yes", False: "no", None: ""}[each.encrypted],
                each.client,
            )
            for each in found
        ],
        empty="Nobody has signed in yet.",
    )
