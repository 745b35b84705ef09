"""Long work on the server, at the top right of every page: what runs, how far it is, and how it ended, until somebody has seen that."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QFrame, QProgressBar, QPushButton, QVBoxLayout, QWidget

from backend.api import types as t
from ui import icons, palette
from ui.presenters import jobs as words
from ui.scope import Scope
from ui.session import Session
from ui.widgets.text import IconLabel, Label, button, clear, column, row, set_button_text

WIDTH = 360


class _Item(QWidget):
    """One piece of work."""

    def __init__(
        self, job: t.Job, go: Callable[[str], None], act: Callable[[str, str], None]
    ) -> None:
        super().__init__()
        self.job_id = job.id
        self._state = job.state
        title = button(job.title or job.kind, partial(go, job.path or "/"), kind="link")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(job.title)
        self._facts = Label("", "small", tone="muted")
        box = column(row(title, None), gap="s")
        if job.state == "running":
            box.addWidget(self._bar)
            box.addWidget(self._facts)
            self._warning = Label(job.cancelling, "small")
            self._ask = button("Stop…", self._asked, icon="player-stop", name=f"Stop: {job.title}")
            self._stop = button("Stop", partial(act, job.id, "cancel"), kind="danger")
            self._stop.setAccessibleName(f"Stop now: {job.title}")
            box.addWidget(self._warning)
            box.addLayout(row(self._ask, self._stop, None))
            self._warning.hide()
            self._stop.hide()
        else:
            self._bar.setParent(self)
            self._bar.hide()
            end = words.end(job)
            box.addLayout(row(IconLabel(end.icon, end.tone), Label(end.text, bold=True), grow=1))
            box.addWidget(self._facts)
            for problem in job.problems[: words.SHOWN_PROBLEMS]:
                box.addWidget(Label(problem.message, "small", selectable=True))
            seen = button("Seen", partial(act, job.id, "see"), icon="check")
            seen.setAccessibleName(f"Seen: {job.title}")
            box.addLayout(row(seen, None))
        self.setLayout(box)
        self.renew(job)

    def fits(self, job: t.Job) -> bool:
        """The same work in the same state: only its figures move."""
        return job.id == self.job_id and job.state == self._state == "running"

    def renew(self, job: t.Job) -> None:
        self._bar.setRange(0, 1000 if job.total else 0)
        if job.total:
            self._bar.setValue(round(1000 * job.done / job.total))
        text = words.facts(job)
        self._facts.setText(text)
        self._facts.setVisible(bool(text))

    def _asked(self) -> None:
        self._warning.show()
        self._stop.show()
        self._ask.hide()
        self._stop.setFocus()


class JobTray(QObject):
    """`button` belongs into the frame above the pages; the list opens over them."""

    def __init__(
        self, session: Session, scope: Scope, go: Callable[[str], None], shell: QWidget
    ) -> None:
        super().__init__(shell)
        self._session, self._scope, self._go, self._shell = session, scope, go, shell
        self._jobs: dict[str, t.Job] = {}
        self._heard = 0
        self.button: QPushButton = button("Long work", self._toggle, icon="clock")
        self.button.setParent(shell)
        self.button.hide()
        self.panel = QFrame(shell)
        self.panel.setProperty("kind", "card")
        self.panel.setAccessibleName("Long work")
        self.panel.setFixedWidth(WIDTH)
        self.panel.hide()
        self._rows = QVBoxLayout(self.panel)
        margin = palette.space("l")
        self._rows.setContentsMargins(margin, margin, margin, margin)
        self._rows.setSpacing(palette.space("l"))
        shell.installEventFilter(self)
        self.panel.installEventFilter(self)

    def jobs(self) -> list[t.Job]:
        """What is shown, the newest first."""
        shown = [job for job in self._jobs.values() if job.state == "running" or not job.seen]
        return sorted(shown, key=lambda job: job.started_at, reverse=True)

    async def read(self) -> None:
        while True:
            heard = self._heard
            found = await self._session.call(lambda client: client.jobs())
            if heard == self._heard:  # else what came meanwhile would be taken back
                break
        self._jobs = {job.id: job for job in found}
        self._draw()

    def take(self, job: t.Job) -> None:
        self._heard += 1
        self._jobs[job.id] = job
        self._draw()

    def _toggle(self) -> None:
        self.panel.setVisible(self.panel.isHidden())
        if self.panel.isVisible():
            self._place()

    def _draw(self) -> None:
        jobs = self.jobs()
        self.button.setVisible(bool(jobs))
        if not jobs:
            self.panel.hide()
        else:
            text = words.headline(jobs)
            running = any(job.state == "running" for job in jobs)
            self.button.setIcon(icons.icon("clock" if running else "check"))
            set_button_text(self.button, text)
            self.button.setAccessibleName(f"Long work: {text}")
        items = [
            found
            for at in range(self._rows.count())
            if (entry := self._rows.itemAt(at)) and isinstance(found := entry.widget(), _Item)
        ]
        if len(items) == len(jobs) and all(
            item.fits(job) for item, job in zip(items, jobs, strict=True)
        ):
            for item, job in zip(items, jobs, strict=True):
                item.renew(job)
        else:
            clear(self._rows)
            for job in jobs:
                self._rows.addWidget(_Item(job, self._leave_to, self._act))
        if self.panel.isVisible():
            self._place()

    def _leave_to(self, path: str) -> None:
        self.panel.hide()
        self._go(path)

    def _act(self, job_id: str, what: str) -> None:
        self._scope.start(self._acting(job_id, what), "long work")

    async def _acting(self, job_id: str, what: str) -> None:
        job = await self._session.call(
            lambda client: client.cancel_job(job_id) if what == "cancel" else client.see_job(job_id)
        )
        self.take(job)

    def _place(self) -> None:
        self.panel.adjustSize()
        corner = self.button.mapTo(self._shell, self.button.rect().bottomRight())
        self.panel.move(corner.x() - self.panel.width(), corner.y() + palette.space("s"))
        self.panel.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._shell and event.type() == QEvent.Type.Resize:
            self.panel.hide()
        escape = getattr(event, "key", lambda: None)() == Qt.Key.Key_Escape
        if watched is self.panel and event.type() == QEvent.Type.KeyPress and escape:
            self.panel.hide()
            self.button.setFocus()
            return True
        return super().eventFilter(watched, event)
