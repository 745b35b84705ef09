"""What can be done with messages of the queue from the window: by their numbers, or with all that match a filter.

Whatever loses nothing is done at once and can be undone for ten seconds; a drop waits these ten seconds; giving up is asked for.
"""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from PySide6.QtWidgets import QMenu, QPushButton

from backend.api import queue as q
from backend.api import types as t
from backend.api.client import Client
from backend.api.queue_calls import Target
from backend.api.tls import TlsChoice
from ui.pages.page import Desk
from ui.presenters import queue as words
from ui.presenters import wording
from ui.widgets.dialogs import ask
from ui.widgets.text import button


@dataclass(frozen=True, slots=True)
class Chosen:
    """`count` is what the user was shown."""

    target: Target
    count: int

    @property
    def ids(self) -> list[int]:
        return [] if isinstance(self.target, t.QueueFilter) else list(self.target)

    @property
    def at_most(self) -> int | None:
        return self.count if isinstance(self.target, t.QueueFilter) else None


class QueueActions:
    """`chosen` is asked when something is to be done; None: nothing is chosen. `changed` is called afterwards.

    `dropping` holds what leaves in a moment: numbers, or a filter.
    """

    def __init__(
        self, desk: Desk, chosen: Callable[[], Chosen | None], changed: Callable[[], None]
    ) -> None:
        self.desk = desk
        self.transports: list[str] = []
        self.dropping: list[Chosen] = []
        self._chosen, self._changed = chosen, changed

    def is_dropping(self, item: t.QueueItem, shown: t.QueueFilter) -> bool:
        """Whether it is not to be seen any more, with this filter."""
        return any(
            item.id in each.ids if each.ids else each.target == shown for each in self.dropping
        )

    # ---- from buttons

    def act(self, action: str, chosen: Chosen | None = None) -> None:
        """kick, hold, release, fail or drop."""
        target = chosen or self._chosen()
        if target is not None:
            self._start(self._acting(action, target), action)

    def choose_transport(self, name: str | None) -> None:
        """None: what the routes say; empty: directly."""
        if (chosen := self._chosen()) is not None:
            act = partial(_transport, chosen, name)
            self._start(self._undoable("transport", act), "transport")

    def choose_tls(self, choice: TlsChoice) -> None:
        if (chosen := self._chosen()) is not None:
            self._start(self._choosing_tls(chosen, choice), "tls")

    def postpone(self, until: datetime) -> None:
        if (chosen := self._chosen()) is not None:
            self._start(self._undoable("postpone", partial(_postpone, chosen, until)), "postpone")

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self.desk.scope.start(work, f"queue {name}")

    # ---- doing

    async def _acting(self, action: str, chosen: Chosen) -> None:
        many = wording.count(chosen.count, "message")
        if action == "drop":
            await self._drop_later(chosen)
            return
        if action == "fail" and not await ask(
            self.desk.window,
            f"Give up on {many}?",
            "The senders get a failure notice, and the messages leave the queue.",
            yes="Fail with notice",
            no="Keep trying",
            danger=True,
        ):
            return
        await self._undoable(action, partial(_simple, action, chosen))

    async def _choosing_tls(self, chosen: Chosen, choice: TlsChoice) -> None:
        many = wording.count(chosen.count, "message")
        if choice == "insecure" and not await ask(
            self.desk.window,
            f"Send {many} without verified encryption?",
            words.TLS_WARNING,
            yes="Allow it",
            danger=True,
        ):
            return
        await self._undoable("tls", partial(_tls, chosen, choice))

    async def _undoable(
        self, action: str, act: Callable[[Client], Awaitable[q.QueueActed]]
    ) -> None:
        acted = await self.desk.session.call(act)
        text = words.done_text(action, acted)
        if acted.before and action != "kick":
            self.desk.toast(text, partial(self._undo, acted.before))
        else:
            self.desk.toast(text)
        self._changed()

    def _undo(self, before: Sequence[q.QueueBefore]) -> None:
        self._start(self._undoing(before), "undo")

    async def _undoing(self, before: Sequence[q.QueueBefore]) -> None:
        acted = await self.desk.session.call(lambda client: client.undo_queue(before))
        if acted.missing:
            self.desk.toast(words.done_text("undo", acted))
        self._changed()

    # ---- dropping

    async def _drop_later(self, chosen: Chosen) -> None:
        """They leave the table now and the queue in ten seconds. What is named is kept back so long, so that Undo is a real one;
        should the window close before, it stays on hold.
        """
        before: list[q.QueueBefore] = []
        if chosen.ids:
            held = await self.desk.session.call(lambda client: client.hold(chosen.ids))
            before = held.before
        self.dropping.append(chosen)
        self._changed()
        self.desk.toast(
            f"{wording.count(chosen.count, 'message')} will be dropped. Nobody is told.",
            partial(self._keep, chosen, before),
            partial(self._drop_now, chosen),
        )

    def _keep(self, chosen: Chosen, before: Sequence[q.QueueBefore]) -> None:
        self.dropping.remove(chosen)
        if before:
            self._undo(before)
        self._changed()

    def _drop_now(self, chosen: Chosen) -> None:
        self._start(self._dropping(chosen), "drop")

    async def _dropping(self, chosen: Chosen) -> None:
        try:
            await self.desk.session.call(partial(_simple, "drop", chosen))
        finally:
            self.dropping.remove(chosen)
            self._changed()

    # ---- buttons

    def menus(self) -> list[QPushButton]:
        """Transport, encryption, postponing: what is chosen from."""
        return [
            _menu_button("Transport", "Choose the transport", self._fill_transports),
            _menu_button("Encryption", "Choose the encryption", self._fill_tls),
            _menu_button("Postpone", "Postpone", self._fill_postpone),
        ]

    def one_menu(self) -> QPushButton:
        """The same in one menu, where there is little room."""

        def fill(menu: QMenu) -> None:
            for title, fill_part in (
                ("Transport", self._fill_transports),
                ("Encryption", self._fill_tls),
                ("Postpone", self._fill_postpone),
            ):
                fill_part(menu.addMenu(title))

        return _menu_button("More", "More to do with the selected", fill)

    def _fill_transports(self, menu: QMenu) -> None:
        _add(menu, "What the routes say", partial(self.choose_transport, None))
        _add(menu, "Directly to the recipient's server", partial(self.choose_transport, ""))
        if self.transports:
            menu.addSeparator()
        for name in self.transports:
            _add(menu, f"By {name}", partial(self.choose_transport, name))

    def _fill_tls(self, menu: QMenu) -> None:
        choices: list[TlsChoice] = ["default", "verified", "insecure"]
        for choice in choices:
            _add(menu, dict(words.TLS_CHOICES)[choice], partial(self.choose_tls, choice))

    def _fill_postpone(self, menu: QMenu) -> None:
        for title, until in words.postpone_choices(datetime.now(UTC)):
            _add(menu, title, partial(self.postpone, until))


async def _simple(action: str, chosen: Chosen, client: Client) -> q.QueueActed:
    calls = {
        "kick": client.kick,
        "hold": client.hold,
        "release": client.release,
        "fail": client.fail,
        "drop": client.drop,
    }
    return await calls[action](chosen.target, at_most=chosen.at_most)


async def _transport(chosen: Chosen, name: str | None, client: Client) -> q.QueueActed:
    return await client.choose_transport(chosen.target, name, at_most=chosen.at_most)


async def _tls(chosen: Chosen, choice: TlsChoice, client: Client) -> q.QueueActed:
    return await client.choose_tls(chosen.target, choice, at_most=chosen.at_most)


async def _postpone(chosen: Chosen, until: datetime, client: Client) -> q.QueueActed:
    return await client.postpone(chosen.target, until=until, at_most=chosen.at_most)


def _add(menu: QMenu, title: str, act: Callable[[], None]) -> None:
    menu.addAction(title.replace("&", "&&")).triggered.connect(lambda _checked: act())


def _menu_button(title: str, name: str, fill: Callable[[QMenu], None]) -> QPushButton:
    made = button(f"{title} ▾", lambda: None, name=name)
    menu = QMenu(made)

    def refill() -> None:
        menu.clear()
        fill(menu)

    refill()
    menu.aboutToShow.connect(refill)
    made.setMenu(menu)
    return made
