"""“Try it on this computer first”: from nothing to the first message in the mailbox, step by step."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QVBoxLayout, QWidget

from backend.api import types as t
from ui import palette
from ui.control import LocalServer, StartError
from ui.pages.page import Desk
from ui.pages.short import ShortPage
from ui.presenters import accounts as account_words
from ui.presenters.faults import describe_error
from ui.presenters.trying import TONES, StepState, TryFlow
from ui.widgets.charts import Spinner
from ui.widgets.surface import Banner, Card
from ui.widgets.text import IconLabel, Label, button, clear, column, row

MESSAGE_TIMEOUT_S = 20.0
ACCOUNT_TIMEOUT_S = 10.0
PORTS_TIMEOUT_S = 10.0
LAST_LOOK_S = 0.9
POLL_S = 0.2


class TryPage(ShortPage):
    """Starts practice mode and shows each step until the first message has arrived."""

    def __init__(self, desk: Desk, back: Callable[[], None], folder: Callable[[], Path]) -> None:
        super().__init__(
            "Trying Gatepost on this computer",
            "A complete mail server on ports of its own, with an account to practise with. Nothing leaves this computer.",
            back,
        )
        self._desk, self._folder = desk, folder
        self.flow = TryFlow()
        self._rows = QVBoxLayout()
        self._rows.setSpacing(palette.space("m"))
        card = Card(padding="xl")
        card.body.addLayout(self._rows)
        self.problem = Banner()
        self.again = button("Try again", self.begin, kind="primary", icon="refresh")
        self.again.hide()
        self.footer.addWidget(self.again)
        self.body.addWidget(card)
        self.body.addWidget(self.problem)
        self._arrived: set[str] = set()
        desk.session.happened.connect(self._take)
        self._draw()

    def begin(self) -> None:
        self.flow.restart()
        self.problem.hide()
        self.again.hide()
        self.back.setEnabled(False)
        self._draw()
        self._desk.scope.start(self._run(), "try it")

    async def _run(self) -> None:
        try:
            await self._steps()
        except Exception as error:  # the border of the flow: the reason is shown with a way on
            if isinstance(error, asyncio.CancelledError):
                raise
            self.flow.fail(describe_error(error))
            tail = self._desk.session.control.tail(self._folder(), 6)
            self.problem.show_message("error", self.flow.fault, "\n".join(tail))
            self.again.show()
            self.again.setFocus()
            self._draw()
        else:
            await asyncio.sleep(LAST_LOOK_S)
            self._desk.go("/")
        finally:
            self.back.setEnabled(True)

    async def _steps(self) -> None:
        session, folder = self._desk.session, self._folder()
        self._begin("start")
        session.open(LocalServer(folder))
        if session.control.is_alive(folder):
            self._finish("start", "It is running already.")
            self._begin("answer")
            await self._until_connected()
        else:
            starting = asyncio.get_running_loop().create_task(session.start_server(practice=True))
            try:
                await asyncio.sleep(0)
                self._finish("start", str(folder))
                self._begin("answer")
                await starting
            finally:
                starting.cancel()
        ports = await self._until_listening()
        self._finish("answer", f"{ports} ports are open.")
        self._begin("account")
        account = await self._account()
        address = account_words.main_address(account)
        self._finish("account", address)
        self._begin("message")
        sent = await session.call(lambda client: client.send_test_message(account.id))
        await self._until_delivered(sent.trace)
        self._finish("message", "It is in the mailbox.")

    async def _until_connected(self) -> None:
        deadline = time.monotonic() + MESSAGE_TIMEOUT_S
        while not self._desk.session.is_connected:
            if time.monotonic() > deadline:
                raise StartError("The server runs but does not answer.")
            await asyncio.sleep(POLL_S)

    async def _until_listening(self) -> int:
        """The administration answers before the mail ports are open."""
        deadline = time.monotonic() + PORTS_TIMEOUT_S
        while True:
            status = await self._desk.session.call(lambda client: client.status())
            if status.ports:
                return len(status.ports)
            if time.monotonic() > deadline:
                raise StartError("The server runs, but it opened no port. Its log says why.")
            await asyncio.sleep(POLL_S)

    async def _account(self) -> t.Account:
        """A practice server makes one by itself, shortly after it answers; another one gets it from here."""
        session = self._desk.session
        deadline = time.monotonic() + ACCOUNT_TIMEOUT_S
        status = await session.call(lambda client: client.status())
        while True:
            accounts = await session.call(lambda client: client.accounts())
            if accounts:
                return accounts[0]
            if not status.practice_mode or time.monotonic() > deadline:
                break
            await asyncio.sleep(POLL_S)
        domains = await session.call(lambda client: client.domains())
        name = domains[0].name if domains else "gatepost.test"
        if not domains:
            await session.call(lambda client: client.add_domain(name))
        request = t.AddAccount(address=f"me@{name}", full_name="Me")
        return (await session.call(lambda client: client.add_account(request))).account

    async def _until_delivered(self, trace: str) -> None:
        """The event tells; the timeline is asked too, in case the event was faster than this listener."""
        session = self._desk.session
        deadline = time.monotonic() + MESSAGE_TIMEOUT_S
        while trace not in self._arrived:
            found = await session.call(lambda client: client.timeline(t.TimelineQuery(text=trace)))
            if any(item.trace == trace and item.outcome == "delivered" for item in found):
                return
            if time.monotonic() > deadline:
                raise StartError(
                    "The message has not arrived yet. The page Activity shows how far it came."
                )
            await asyncio.sleep(POLL_S)

    def _take(self, event: object) -> None:
        if isinstance(event, t.TimelineEvent) and event.step.kind == "delivered":
            self._arrived.add(event.trace)

    def _begin(self, key: str) -> None:
        self.flow.begin(key)
        self._draw()

    def _finish(self, key: str, result: str) -> None:
        self.flow.finish(key, result)
        self._draw()

    def _draw(self) -> None:
        clear(self._rows)
        for step in self.flow.steps:
            tone, icon = TONES[step.state]
            running = step.state is StepState.RUNNING
            mark: QWidget = Spinner(22) if running else IconLabel(icon, tone, 22)
            waiting = step.state is StepState.WAITING
            title = Label(step.title, bold=not waiting, tone="muted" if waiting else "")
            result = Label(step.result, "small", tone="muted", selectable=True)
            result.setVisible(bool(step.result))
            line = QWidget()
            line.setLayout(row(mark, column(title, result, gap="xs"), gap="m", grow=1))
            line.setAccessibleName(f"{step.title}: {step.state.value}. {step.result}")
            self._rows.addWidget(line)
