"""What has left the queue."""

from typing import TYPE_CHECKING

import click

from app.cli.link import ask, print_json
from app.cli.options import Folder, common, resolve
from app.cli.output import facts, moment, size, table

if TYPE_CHECKING:
    from backend.api.queue import HistoryItem

_RESULTS = ("delivered", "failed", "dropped", "returned")
_WORDS = {
    "delivered": "delivered",
    "failed": "failed",
    "dropped": "removed",
    "returned": "came back later",
}


@click.command("history")
@click.argument("queue_id", type=int, required=False)
@click.option("--result", type=click.Choice(_RESULTS), help="Only those that ended so.")
@click.option("--account", default="", help="Only those from this account.")
@click.option("--from", "sender", default="", help="Only those from this address.")
@click.option("--to", "recipient", default="", help="Only those to this address.")
@click.option("--domain", default="", help="Only those to this domain.")
@click.option("--text", default="", help="Only those with this in addresses, subject or answer.")
@click.option("--since", type=click.DateTime(), help="Only what left from then on (local time).")
@click.option("--limit", type=click.IntRange(1, 500), default=100, show_default=True)
@click.option("--after", "cursor", default="", help="Go on where the last page ended.")
@common
def history(folder: Folder, as_json: bool, queue_id: int | None, **shown: object) -> None:
    """Show what has left the queue, newest first; with an id, one message with its attempts."""
    from backend.api.queue import HistoryQuery

    if queue_id is not None:
        _show(folder, queue_id, as_json=as_json)
        return
    query = HistoryQuery.model_validate(shown)
    page = ask(resolve(folder), lambda client: client.history(query), as_json=as_json)
    if as_json:
        print_json(page.model_dump(mode="json"))
        return
    table(
        ("ID", "LEFT", "FROM", "TO", "SUBJECT", "RESULT", "TRIES", "BY", "ANSWER"),
        [
            (
                str(item.id),
                moment(item.left_at),
                item.sender or "<>",
                item.recipient,
                item.subject[:40],
                _result(item),
                str(item.attempts),
                item.transport or "direct",
                item.last_answer,
            )
            for item in page.items
        ],
        empty="Nothing that has left is remembered."
        if page.days
        else "No history is kept: “history_days” under [outbound] in server.toml is 0.",
    )
    if page.next:
        more = "more than " if page.total >= page.counted else ""
        click.echo(f"… of {more}{page.total}; go on with --after {page.next}")


def _show(folder: Folder, queue_id: int, *, as_json: bool) -> None:
    detail = ask(resolve(folder), lambda client: client.history_item(queue_id), as_json=as_json)
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
            ("Message-ID", item.message_id),
            ("Trace", item.trace),
            ("Accepted", moment(item.created_at)),
            ("Left", moment(item.left_at)),
            ("Result", _result(item)),
            ("Last answer", item.last_answer),
            ("Said by", item.server),
            *([("Note", _doubt(item))] if item.unconfirmed else []),
        ]
    )
    click.echo()
    table(
        ("TIME", "BY", "SERVER", "ADDRESS", "TLS", "ANSWER"),
        [
            (moment(a.at), a.transport or "direct", a.host, a.ip, a.tls or "none", a.answer)
            for a in detail.attempts
        ],
        empty="No attempt was made.",
    )
    if detail.reports:
        click.echo()
        table(
            ("REPORTED", "BY", "WHAT", "STATUS", "TEXT"),
            [
                (
                    moment(each.at),
                    each.reporter,
                    each.kind if each.certain else f"{each.kind}, it seems",
                    each.status,
                    each.text,
                )
                for each in detail.reports
            ],
            empty="",
        )


def _doubt(item: "HistoryItem") -> str:
    times = "once" if item.unconfirmed == 1 else f"{item.unconfirmed} times"
    what = "more than once" if item.result in ("delivered", "returned") else "all the same"
    return f"sent {times} without an answer, so it may have arrived {what}"


def _result(item: "HistoryItem") -> str:
    word = _WORDS[item.result]
    return f"{word} by {item.acted_by}" if item.acted_by else word
