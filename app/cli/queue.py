"""Messages on their way out."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from app.cli.history import history
from app.cli.holds import hold_rule, pause, resume
from app.cli.link import EXIT_REFUSED, ask, print_json
from app.cli.options import Folder, common, folder_option, resolve
from app.cli.output import facts, moment, one_line, size, table, until
from app.cli.suppressions import suppression

if TYPE_CHECKING:
    from backend.api.client import Client
    from backend.api.queue import QueueActed
    from backend.api.queue_calls import Target
    from backend.api.tls import TlsChoice

_STATES = ("waiting", "held", "sending", "failed")
_TLS: "dict[TlsChoice, str]" = {
    "default": "sent with the encryption that the recipient's domain asks for",
    "verified": "sent only with verified encryption from now on",
    "insecure": "sent without verified encryption if need be: somebody on the way may read it",
}


@click.group()
def queue() -> None:
    """Messages on their way out: list and act on them; what has left; whom no mail is sent to."""


for command in (history, hold_rule, suppression, pause, resume):
    queue.add_command(command)


@queue.command("list")
@click.option("--state", type=click.Choice(_STATES), help="Only those in this state.")
@click.option("--domain", default="", help="Only those to this domain.")
@click.option("--account", default="", help="Only those from this account.")
@click.option("--rule", default="", help="Only those that this hold rule keeps back.")
@click.option("--problem", is_flag=True, help="Only those that were put off, or have failed.")
@click.option("--later", is_flag=True, help="Only those that their sender wants to be sent later.")
@click.option("--text", default="", help="Only those with this in addresses, subject or answer.")
@click.option("--after", "cursor", default="", help="Go on where the last page ended.")
@click.option("--limit", type=click.IntRange(1, 500), default=100, show_default=True)
@common
def list_queue(folder: Folder, as_json: bool, **shown: object) -> None:
    """Show the queue, the next to be tried first."""
    from backend.api.types import QueueQuery

    query = QueueQuery.model_validate(shown)
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
                f"{item.attempts} of {item.max_attempts}",
                until(item.next_attempt_at) or "-",
                (item.transport or "direct") + (" (by hand)" if item.transport_chosen else ""),
                item.last_answer or item.note,
            )
            for item in page.items
        ],
        empty="Nothing waits in the queue.",
    )
    if page.next:
        click.echo(f"… of {page.total}; see --limit, or go on with --after {page.next}")
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
            ("Subject", item.subject),
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


F = TypeVar("F", bound=Callable[..., Any])


def filters(function: F) -> F:
    """All that match, instead of ids."""
    for option in reversed(
        (
            click.option("--all", "everything", is_flag=True, help="All for which it is possible."),
            click.option("--domain", default="", help="All to this domain."),
            click.option("--account", default="", help="All from this account."),
            click.option("--rule", default="", help="All that this hold rule keeps back."),
            click.option(
                "--text", default="", help="All with this in sender, recipient, subject or answer."
            ),
        )
    ):
        function = option(function)
    return function


def chosen(function: F) -> F:
    """Ids, or filters for all that match."""
    return click.argument("ids", type=int, nargs=-1)(filters(function))


@queue.command("message")
@click.argument("queue_id", type=int)
@folder_option
def show_message(folder: Folder, queue_id: int) -> None:
    """Print the whole message as it will leave, for a file or a pipe."""
    content = ask(resolve(folder), lambda client: client.queue_message(queue_id))
    click.echo(content, nl=False)


@queue.command("kick")
@chosen
@common
def kick(folder: Folder, as_json: bool, ids: tuple[int, ...], **filters: Any) -> None:
    """Try again now."""
    target = _target(ids, **filters)
    _act(folder, lambda client: client.kick(target), "will be tried now", as_json=as_json)


@queue.command("postpone")
@chosen
@click.option("--for", "span", default="", metavar="SPAN", help="Such as 30m, 2h or 1d.")
@click.option(
    "--until",
    type=click.DateTime(("%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d")),
    help="A moment in local time.",
)
@common
def postpone(
    folder: Folder,
    as_json: bool,
    ids: tuple[int, ...],
    span: str,
    until: datetime | None,
    **filters: Any,
) -> None:
    """Make no attempt before a given time."""
    if bool(span) == (until is not None):
        raise click.UsageError("Say --for or --until.")
    target, seconds = _target(ids, **filters), _seconds(span) if span else 0
    at = None if until is None else until.astimezone()
    _act(
        folder,
        lambda client: client.postpone(target, until=at, seconds=seconds),
        "put off",
        as_json=as_json,
    )


@queue.command("transport")
@click.argument("words", nargs=-1, metavar="[IDS]... [NAME]")
@click.option("--direct", is_flag=True, help="By direct delivery, whatever the routes say.")
@click.option("--by-routes", is_flag=True, help="Let the routes decide again.")
@filters
@common
def choose_transport(
    folder: Folder,
    as_json: bool,
    words: tuple[str, ...],
    direct: bool,
    by_routes: bool,
    **filters: Any,
) -> None:
    """Choose by which transport messages leave, and try again now."""
    if direct and by_routes:
        raise click.UsageError("Say --direct or --by-routes, not both.")
    named = "" if direct or by_routes else words[-1] if words else None
    if named is None:
        raise click.UsageError("Name a transport, or say --direct or --by-routes.")
    target = _target(_numbers(words if direct or by_routes else words[:-1]), **filters)
    way = "as the routes say" if by_routes else "by direct delivery" if direct else f"by {named}"
    _act(
        folder,
        lambda client: client.choose_transport(target, None if by_routes else named),
        f"to be sent {way} from now on",
        as_json=as_json,
    )


@queue.command("attempts")
@chosen
@click.option("--in-all", "count", type=click.IntRange(1, 12), required=True)
@common
def limit_attempts(
    folder: Folder, as_json: bool, ids: tuple[int, ...], count: int, **filters: Any
) -> None:
    """Choose how often messages are tried; 8 attempts take about 16 hours, each further one as long again."""
    target = _target(ids, **filters)
    _act(
        folder,
        lambda client: client.limit_attempts(target, count),
        f"tried {'once' if count == 1 else f'{count} times'} in all",
        as_json=as_json,
    )


@queue.command("tls")
@click.argument("words", nargs=-1, metavar=f"[IDS]... {{{'|'.join(_TLS)}}}")
@filters
@common
def choose_tls(folder: Folder, as_json: bool, words: tuple[str, ...], **filters: Any) -> None:
    """Choose what must hold for encryption, and try again now.

    default: what the recipient's domain asks for. verified: only with verified encryption. insecure: without it if need be,
    so that somebody on the way may read the message. Counts for direct delivery; a relay has settings of its own.
    """
    choice = next((name for name in _TLS if words and name == words[-1]), None)
    if choice is None:
        raise click.UsageError(f"Say one of {', '.join(_TLS)} at the end.")
    target = _target(_numbers(words[:-1]), **filters)
    _act(folder, lambda client: client.choose_tls(target, choice), _TLS[choice], as_json=as_json)


@queue.command("hold")
@chosen
@common
def hold(folder: Folder, as_json: bool, ids: tuple[int, ...], **filters: Any) -> None:
    """Keep back until released."""
    target = _target(ids, **filters)
    _act(folder, lambda client: client.hold(target), "held", as_json=as_json)


@queue.command("release")
@chosen
@common
def release(folder: Folder, as_json: bool, ids: tuple[int, ...], **filters: Any) -> None:
    """Let go what was held."""
    target = _target(ids, **filters)
    _act(folder, lambda client: client.release(target), "released", as_json=as_json)


@queue.command("fail")
@chosen
@click.option("--yes", is_flag=True, help="Don't ask.")
@common
def fail(folder: Folder, as_json: bool, ids: tuple[int, ...], yes: bool, **filters: Any) -> None:
    """Give up; the senders get a failure notice."""
    target, at_most = _asked(folder, _target(ids, **filters), "Give up", yes=yes or as_json)
    _act(
        folder,
        lambda client: client.fail(target, at_most=at_most),
        "given up; the senders are told",
        as_json=as_json,
    )


@queue.command("drop")
@chosen
@click.option("--yes", is_flag=True, help="Don't ask.")
@common
def drop(folder: Folder, as_json: bool, ids: tuple[int, ...], yes: bool, **filters: Any) -> None:
    """Remove without telling anyone."""
    target, at_most = _asked(folder, _target(ids, **filters), "Remove", yes=yes or as_json)
    _act(folder, lambda client: client.drop(target, at_most=at_most), "removed", as_json=as_json)


def _numbers(words: tuple[str, ...]) -> tuple[int, ...]:
    for word in words:
        if not word.isdecimal() or not word.isascii():
            raise click.UsageError(f"“{word}” is no id of a message (gatepost queue list).")
    return tuple(int(word) for word in words)


def _target(
    ids: tuple[int, ...], *, everything: bool, domain: str, account: str, rule: str, text: str
) -> "Target":
    from backend.api.types import QueueFilter

    narrowed = bool(domain or account or rule or text)
    if bool(ids) + (everything or narrowed) != 1:
        raise click.UsageError(
            "Name the messages by their ids (gatepost queue list), or say --all or a filter."
        )
    if ids:
        return list(ids)
    return QueueFilter(domain=domain, account=account, rule=rule, text=text)


def _asked(
    folder: Folder, target: "Target", action: str, *, yes: bool
) -> tuple["Target", int | None]:
    """A filter may take more than one thinks: its count is named first, and no more than that is taken."""
    from backend.api.types import QueueFilter, QueueQuery

    if yes or not isinstance(target, QueueFilter):
        return target, None
    query = QueueQuery(**target.model_dump(), limit=1)
    count = ask(resolve(folder), lambda client: client.queue(query)).total
    if count:
        noun = "message" if count == 1 else "messages"
        click.confirm(f"{action} {count} {noun}? This can't be undone", abort=True)
    return target, count


def _seconds(span: str) -> int:
    """`90m`, `2h`, `1d`; minutes where no unit is given."""
    number, unit = span.rstrip("smhd"), span[len(span.rstrip("smhd")) :]
    factor = {"": 60, "s": 1, "m": 60, "h": 3600, "d": 86_400}.get(unit)
    if factor is None or not number.isdecimal() or not number.isascii() or int(number) < 1:
        raise click.UsageError(f"“{span}” is no span of time such as 30m, 2h or 1d.")
    return int(number) * factor


def _act(
    folder: Folder,
    action: "Callable[[Client], Awaitable[QueueActed]]",
    done: str,
    *,
    as_json: bool,
) -> None:
    acted = ask(resolve(folder), action, as_json=as_json)
    if as_json:
        print_json(acted.model_dump(mode="json"))
    else:
        click.echo(f"{acted.changed} {'message' if acted.changed == 1 else 'messages'} {done}.")
        if acted.missing:
            shown = ", ".join(str(number) for number in acted.missing)
            click.echo(f"Not possible (any more) for: {shown}", err=True)
    if acted.missing:
        raise SystemExit(EXIT_REFUSED)
