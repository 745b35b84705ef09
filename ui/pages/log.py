"""The log as it is written: filtered here, paused at will, copied and saved."""

import asyncio
from functools import partial

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QLineEdit

from backend.api import types as t
from ui import icons, palette
from ui.pages.page import Desk, Page
from ui.presenters import log_lines as words
from ui.presenters import wording
from ui.session import NotConnectedError
from ui.widgets.dialogs import choose_save_file
from ui.widgets.forms import Choice
from ui.widgets.surface import Banner, EmptyState
from ui.widgets.tables import Column, RowsModel, Table
from ui.widgets.text import Label, button, column, row, set_button_text

FIRST_LINES = 2000
BATCH_MS = 80
FILTER_MS = 200
AGAIN_S = 1.0


class LogPage(Page):
    TITLE = "Live log"
    SUBTITLE = "What the server writes down, as it happens. Passwords and the text of messages are never in it."
    SCROLLS = False

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.buffer = words.LogBuffer()
        self.paused = False
        self._reader: asyncio.Task[None] | None = None
        self._fresh: list[t.LogLine] = []
        self._follows = True
        self._batch = QTimer(self)
        self._batch.setSingleShot(True)
        self._batch.setInterval(BATCH_MS)
        self._batch.timeout.connect(self._flush)
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(FILTER_MS)
        self._typing.timeout.connect(self._filter)

        self.level = Choice("Level")
        self.level.set_entries(list(words.LEVELS))
        self.level.select("info")
        self.level.chosen.connect(self._filter)
        self.level.setMinimumWidth(210)
        self.part = Choice("Part of the server")
        self.part.set_entries([("", "All")])
        self.part.chosen.connect(self._filter)
        self.part.setMinimumWidth(150)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Words, or /regular expression/")
        self.search.setAccessibleName("Filter by text")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(lambda _text: self._typing.start())
        caption = Label("Text", bold=True, wrap=False)
        caption.setBuddy(self.search)
        self.pause = button("Pause", self.toggle_pause, icon="player-pause")
        copy = button("Copy", self.copy, icon="copy", name="Copy the selected lines, or all")
        save = button("Save…", self.save, icon="device-floppy", name="Save the shown lines")
        wipe = button("Clear", self.wipe, icon="trash", name="Clear the view")
        self.session = button(
            "Only this session",
            self.only_session,
            icon="filter",
            help="All lines of the connection or delivery to which the selected line belongs.",
        )
        self.session.setEnabled(False)
        for one in (self.session, self.pause, copy, save, wipe):
            self.toolbar.addWidget(one)
        self.body.addLayout(
            row(
                self.level,
                self.part,
                column(caption, self.search, gap="xs"),
                gap="m",
                grow=2,
            )
        )
        self.note = Banner()
        self.body.addWidget(self.note)

        columns: list[Column[t.LogLine]] = [
            Column(
                title="Time", text=lambda i: words.present(i).time, muted=True, mono=True, width=10
            ),
            Column(
                title="Level",
                text=lambda i: i.level,
                tone=lambda i: words.TONES[i.level],
                plain=True,
                mono=True,
                width=9,
            ),
            Column(
                title="Part", spare=True, text=lambda i: i.logger, muted=True, mono=True, width=22
            ),
            Column(
                title="Message",
                text=lambda i: words.present(i).text,
                tone=lambda i: words.TONES[i.level],
                plain=True,
                mono=True,
            ),
        ]
        self.model: RowsModel[t.LogLine] = RowsModel(columns, key=lambda line: line.seq)
        self.table = Table(self.model, "Log lines", multiple=True)
        self.table.setProperty("kind", "log")
        self.table.picked.connect(self._picked)
        self.table.verticalHeader().setDefaultSectionSize(self.table.fontMetrics().height() + 6)
        self.table.verticalScrollBar().valueChanged.connect(self._scrolled)
        self.body.addWidget(self.table, 1)
        self._status = Label("", "small", tone="muted", wrap=False)
        self._latest = button("Jump to the newest line", self._jump, kind="link")
        self._latest.hide()
        self.body.addLayout(row(self._status, None, self._latest))
        self.body.setSpacing(palette.space("m"))

    def build_empty(self) -> EmptyState:
        return EmptyState(
            "terminal-2", "Nothing was written yet.", "Lines appear here as the server works."
        )

    # ---- reading

    async def fetch(self) -> bool:
        query = t.LogQuery(limit=FIRST_LINES, after=self.buffer.last_seq)
        log = await self.desk.session.call(lambda client: client.log(query))
        if log.last_seq < self.buffer.last_seq:  # the server was started anew
            self.buffer.restart()
            log = await self.desk.session.call(
                lambda client: client.log(t.LogQuery(limit=FIRST_LINES))
            )
        self._add(log.lines)
        self._start_reader()
        return True

    def _start_reader(self) -> None:
        if self._reader is None and not self.paused and self.isVisible():
            self._reader = self.desk.scope.start(self._read(), "log stream")
            if self._reader is not None:
                self._reader.add_done_callback(self._reader_ended)

    def _reader_ended(self, task: "asyncio.Task[None]") -> None:
        if self._reader is task:
            self._reader = None

    def _stop_reader(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.cancel()

    async def _read(self) -> None:
        while True:
            query = t.LogQuery(after=self.buffer.last_seq, limit=FIRST_LINES)
            try:
                async with self.desk.session.open_log(query) as lines:
                    async for line in lines:
                        self._fresh.append(line)
                        if not self._batch.isActive():
                            self._batch.start()
            except NotConnectedError:
                return  # the page is read again when the link is back
            await asyncio.sleep(AGAIN_S)

    def _flush(self) -> None:
        fresh, self._fresh = self._fresh, []
        self._add(fresh)

    def _add(self, lines: list[t.LogLine]) -> None:
        shown = self.buffer.add(lines)
        self.model.extend(shown, words.KEPT_LINES)
        if self._follows:
            self.table.scrollToBottom()
        self._say()

    def _say(self) -> None:
        parts = self.buffer.parts()
        if len(parts) + 1 != self.part.box.count():
            self.part.set_entries([("", "All"), *((part, part) for part in parts)])
        shown, kept = self.model.rowCount(), len(self.buffer)
        text = wording.count(shown, "line")
        if shown != kept:
            text += f" of {wording.number(kept)}"
        self._status.setText(text + (", paused" if self.paused else ""))

    def showEvent(self, event: QShowEvent) -> None:
        self.stale = True
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        self._stop_reader()
        super().hideEvent(event)

    def open(self, rest: str) -> None:
        """The lines of one session, by the id that they all carry."""
        if rest:
            self.level.select("debug")
            self.search.setText(rest)

    # ---- filter

    def _filter(self) -> None:
        self.buffer.level = self.level.value() or "info"
        self.buffer.part = self.part.value()
        if self.buffer.set_text(self.search.text()):
            self.note.hide()
        else:
            self.note.show_message(
                "warn", "This is no regular expression.", "It is searched for as plain words."
            )
        self.model.reset(self.buffer.shown())
        if self._follows:
            self.table.scrollToBottom()
        self._say()

    def _scrolled(self, value: int) -> None:
        self._follows = value >= self.table.verticalScrollBar().maximum() - 4
        self._latest.setVisible(not self._follows)

    def _jump(self) -> None:
        self._follows = True
        self.table.scrollToBottom()

    # ---- doing

    def toggle_pause(self) -> None:
        self.paused = not self.paused
        verb = "Go on" if self.paused else "Pause"
        set_button_text(self.pause, verb)
        self.pause.setIcon(icons.icon("player-play" if self.paused else "player-pause"))
        self.pause.setAccessibleName(verb)
        if self.paused:
            self._stop_reader()
        else:
            self.mark_stale()
        self._say()

    def _picked(self) -> None:
        chosen = self.table.chosen()
        self.session.setEnabled(len(chosen) == 1 and bool(words.session_of(chosen[0])))

    def only_session(self) -> None:
        chosen: list[t.LogLine] = self.table.chosen()
        if chosen and (session := words.session_of(chosen[0])):
            self.search.setText(session)
            self.level.select("debug")
            self.part.select("")
            self._filter()

    def _chosen_text(self) -> str:
        lines: list[t.LogLine] = self.table.chosen() or self.model.rows()
        return "\n".join(words.as_text(line) for line in lines)

    def copy(self) -> None:
        text = self._chosen_text()
        QApplication.clipboard().setText(text)
        self.desk.toast(f"{wording.count(len(text.splitlines()), 'line')} copied.")

    def wipe(self) -> None:
        self.buffer.clear()
        self.model.reset([])
        self._say()

    def save(self) -> None:
        self.do(self._saving(), "save log")

    async def _saving(self) -> None:
        path = await choose_save_file(self.desk.window, "Save the log", "gatepost-log.txt")
        if not path:
            return
        text = "\n".join(words.as_text(line) for line in self.model.rows())
        await asyncio.get_running_loop().run_in_executor(None, partial(_write, path, text))
        self.desk.toast("The log was saved.")


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text + "\n")
