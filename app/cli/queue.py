"""Messages on their way out."""

from typing import TYPE_CHECKING

import click

from app.cli.link import EXIT_REFUSED, ask, print_json
from app.cli.options import Folder, common, resolve
from app.cli.output import facts, moment, one_line, size, table, until

if TYPE_CHECKING:
    from backend.api.client import Client
    from backend.api.tls import TlsChoice
    from backend.api.types import QueueActed, QueueQuery

_STATES = ("waiting", "held", "sending", "failed")
_TLS: "dict[TlsChoice, str]" = {
    "default": "The recipient's domain decides what must hold for encryption.",
    "verified": "The message leaves only with verified encryption from now on.",
    "insecure": "The message may leave without verified encryption from now on: somebody on the way may read it.",
}


@click.group()
def queue() -> None:
    """Messages on their way out: list, show, kick, transport, tls, hold, release, fail, drop."""


@queue.command("list")
@click.option("--state", type=click.Choice(_STATES), help="Only those in this state.")
@click.option("--domain", default="", help="Only those to this domain.")
@click.option("--account", default="", help="Only those from this account.")
@click.option(
    "--text", default="", help="Only those with this in sender, recipient or last answer."
)
@click.option("--limit", type=click.IntRange(1, 500), default=100, show_default=True)
@common
def list_queue(
    folder: Folder,
    as_json: bool,
    state: str | None,
    domain: str,
    account: str,
    text: str,
    limit: int,
) -> None:
    """Show the queue, the next to be tried first."""
    from backend.api.types import QueueQuery

    query = QueueQuery.model_validate(
        {"state": state, "domain": domain, "account": account, "text": text, "limit": limit}
    )
    page = ask(resolve(folder), lambda client: client.queue(query), as_json=as_json)
    if as_json:
        print_json(page.model_dump(mode="json"))
        return
    table(
        ("ID", "FROM", "TO", "SIZE", "STATE", "TRIES", "NEXT", "BY", "NOTE"),
        [
            (
                str(item.id),
                item.sender or "<>",
                item.recipient,
                size(item.size_bytes),
                item.state,
                str(item.attempts),
                until(item.next_attempt_at) or "-",
                (item.transport or "direct") + (" (by hand)" if item.transport_chosen else ""),
                item.last_answer or item.note,
            )
            for item in page.items
        ],
        empty="Nothing waits in the queue.",
    )
    if page.total > len(page.items):
        click.echo(f"… and {page.total - len(page.items)} more; see --limit")
    if page.unconfirmed:
        click.echo(
            f"{page.unconfirmed} times so far a message was sent and no answer came"
            " (the server was killed, or the connection broke); it may have arrived twice."
        )


@queue.command("show")
@click.argument("queue_id", type=int)
@common
def show_item(folder: Folder, as_json: bool, queue_id: int) -> None:
    """Show one message with its attempts and the way it takes."""
    detail = ask(resolve(folder), lambda client: client.queue_item(queue_id), as_json=as_json)
    if as_json:
        print_json(detail.model_dump(mode="json"))
        return
    item = detail.item
    facts(
        [
            ("From", item.sender or "<>"),
            ("To", item.recipient),
            ("Account", item.account),
            ("Size", size(item.size_bytes)),
            ("State", item.state),
            ("Note", item.note),
            ("Accepted", moment(item.created_at)),
            ("Next attempt", moment(item.next_attempt_at)),
            ("Last answer", item.last_answer),
            ("Route", detail.route),
            *(("Asked for", sentence) for sentence in detail.asked),
            ("Encryption", "" if item.tls_choice == "default" else _TLS[item.tls_choice]),
        ]
    )
    click.echo()
    table(
        ("TIME", "BY", "SERVER", "ADDRESS", "TLS", "ANSWER"),
        [
            (moment(a.at), a.transport or "direct", a.host, a.ip, a.tls or "none", a.answer)
            for a in detail.attempts
        ],
        empty="No attempt was made yet.",
    )
    policies = dict.fromkeys((a.host, a.policy) for a in detail.attempts if a.policy)
    if policies:
        click.echo()
        for host, policy in policies:
            click.echo(one_line(f"Encryption to {host}: {policy}"))


@queue.command("kick")
@click.argument("ids", type=int, nargs=-1)
@click.option(
    "--all", "everything", is_flag=True, help="All that wait, but for those to be sent later."
)
@common
def kick(folder: Folder, as_json: bool, ids: tuple[int, ...], everything: bool) -> None:
    """Try again now."""
    _act(
        folder, ids, "kick", "will be tried now", "waiting" if everything else None, as_json=as_json
    )


@queue.command("transport")
@click.argument("queue_id", type=int)
@click.argument("name", required=False)
@click.option("--direct", is_flag=True, help="By direct delivery, whatever the routes say.")
@click.option("--by-routes", is_flag=True, help="Let the routes decide again.")
@common
def choose_transport(
    folder: Folder, as_json: bool, queue_id: int, name: str | None, direct: bool, by_routes: bool
) -> None:
    """Choose by which transport a message leaves, and try again now."""
    if (name is not None) + direct + by_routes != 1:
        raise click.UsageError("Name a transport, or say --direct or --by-routes.")
    chosen = None if by_routes else "" if direct else name
    acted = ask(
        resolve(folder),
        lambda client: client.choose_transport([queue_id], chosen),
        as_json=as_json,
    )
    if as_json:
        print_json(acted.model_dump(mode="json"))
    elif acted.changed:
        way = "as the routes say" if by_routes else "by direct delivery" if direct else f"by {name}"
        click.echo(f"The message goes {way} from now on.")
    else:
        click.echo("There is no such message that waits or is held.", err=True)
    if acted.missing:
        raise SystemExit(EXIT_REFUSED)


@queue.command("tls")
@click.argument("queue_id", type=int)
@click.argument("choice", type=click.Choice(list(_TLS)))
@common
def choose_tls(folder: Folder, as_json: bool, queue_id: int, choice: "TlsChoice") -> None:
    """Choose what must hold for encryption, and try again now.

    default: what the recipient's domain asks for. verified: only with verified encryption. insecure: without it if need be,
    so that somebody on the way may read the message.
    """
    acted = ask(
        resolve(folder), lambda client: client.choose_tls([queue_id], choice), as_json=as_json
    )
    if as_json:
        print_json(acted.model_dump(mode="json"))
    elif acted.changed:
        click.echo(_TLS[choice])
    else:
        click.echo("There is no such message that waits or is held.", err=True)
    if acted.missing:
        raise SystemExit(EXIT_REFUSED)


@queue.command("hold")
@click.argument("ids", type=int, nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that wait.")
@common
def hold(folder: Folder, as_json: bool, ids: tuple[int, ...], everything: bool) -> None:
    """Keep back until released."""
    _act(folder, ids, "hold", "held", "waiting" if everything else None, as_json=as_json)


@queue.command("release")
@click.argument("ids", type=int, nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that are held.")
@common
def release(folder: Folder, as_json: bool, ids: tuple[int, ...], everything: bool) -> None:
    """Let go what was held."""
    _act(folder, ids, "release", "released", "held" if everything else None, as_json=as_json)


@queue.command("fail")
@click.argument("ids", type=int, nargs=-1, required=True)
@common
def fail(folder: Folder, as_json: bool, ids: tuple[int, ...]) -> None:
    """Give up; the senders get a failure notice."""
    _act(folder, ids, "fail", "given up; the senders are told", None, as_json=as_json)


@queue.command("drop")
@click.argument("ids", type=int, nargs=-1, required=True)
@common
def drop(folder: Folder, as_json: bool, ids: tuple[int, ...]) -> None:
    """Remove without telling anyone."""
    _act(folder, ids, "drop", "removed", None, as_json=as_json)


def _act(
    folder: Folder,
    ids: tuple[int, ...],
    action: str,
    done: str,
    all_in_state: str | None,
    *,
    as_json: bool,
) -> None:
    from backend.api.types import QueueActed, QueueQuery

    async def act(client: "Client") -> "QueueActed":
        wanted = list(ids)
        if all_in_state is not None:
            query = QueueQuery.model_validate({"state": all_in_state, "limit": 500})
            # What is to be sent later stays until then, unless it is named.
            wanted = await _all_ids(client, query, with_later=action != "kick")
            if not wanted:
                return QueueActed(changed=0)
        match action:
            case "kick":
                return await client.kick(wanted)
            case "hold":
                return await client.hold(wanted)
            case "release":
                return await client.release(wanted)
            case "fail":
                return await client.fail(wanted)
            case _:
                return await client.drop(wanted)

    if not ids and all_in_state is None:
        raise click.UsageError(
            "Name the messages by their ids (gatepost queue list), or say --all."
        )
    acted = ask(resolve(folder), act, as_json=as_json)
    if as_json:
        print_json(acted.model_dump(mode="json"))
    else:
        click.echo(f"{acted.changed} {'message' if acted.changed == 1 else 'messages'} {done}.")
        if acted.missing:
            shown = ", ".join(str(number) for number in acted.missing)
            click.echo(f"Not possible (any more) for: {shown}", err=True)
    if acted.missing:
        raise SystemExit(EXIT_REFUSED)


async def _all_ids(client: "Client", query: "QueueQuery", *, with_later: bool) -> list[int]:
    ids: list[int] = []
    seen = 0
    while True:
        page = await client.queue(query.model_copy(update={"offset": seen}))
        ids += [item.id for item in page.items if with_later or item.send_at is None]
        seen += len(page.items)
        if not page.items or seen >= page.total:
            return ids
