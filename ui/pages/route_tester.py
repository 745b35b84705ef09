"""The tester beside the routes: which way would this message take, by the rules as they are being edited, and why?"""

from collections.abc import Callable, Sequence

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
    QTimer,
)
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import (
    QFrame,
    QListView,
    QSlider,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from backend.api import delivery as w
from backend.api.client import ApiError
from backend.api.types import QueueItem
from ui import icons, palette
from ui.pages.page import Desk
from ui.presenters.faults import describe_error
from ui.widgets.dialogs import scrolling
from ui.widgets.forms import Choice, Field
from ui.widgets.surface import Banner
from ui.widgets.text import Label, clear, row

ASK_MS = 250
SLIDER_MAX = 8
MOST_QUEUED = 50
HINT = "Enter a recipient, or choose a message, to see which way it takes."
Index = QModelIndex | QPersistentModelIndex
NO_INDEX = QModelIndex()
STEP = Qt.ItemDataRole.UserRole + 1


def is_unfinished(text: str) -> bool:
    """Somebody is in the middle of typing an address."""
    return text.startswith("@") or text.endswith(("@", ".", "-"))


def chip_text(step: w.RouteStep) -> str:
    return f"{step.level.capitalize()} rule {step.position} → {step.transport}"


class StepModel(QAbstractListModel):
    """The rules that were looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: Sequence[w.RouteStep] = ()

    def show(self, steps: Sequence[w.RouteStep]) -> None:
        self.beginResetModel()
        self.steps = steps
        self.endResetModel()

    def rowCount(self, parent: Index = NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self.steps)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        step = self.steps[index.row()]
        if role == STEP:
            return step
        if role in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole}:
            verdict = "decides" if step.matched else "is passed over"
            return f"{chip_text(step)} {verdict}: {step.reason}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return step.reason
        return None


class StepDelegate(QStyledItemDelegate):
    """A chip and the reason under it; what is passed over is struck out."""

    def sizeHint(self, option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(200, option.fontMetrics.height() * 2 + 22)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        step = index.data(STEP)
        colors = palette.theme().colors
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line = option.fontMetrics.height()
        rect = QRectF(option.rect).adjusted(2, 3, -2, -3)
        font = painter.font()
        font.setBold(step.matched)
        font.setStrikeOut(not step.matched)
        painter.setFont(font)
        width = min(painter.fontMetrics().horizontalAdvance(chip_text(step)) + 40.0, rect.width())
        chip = QRectF(rect.x(), rect.y(), width, line + 8)
        painter.setPen(QPen(colors["accent" if step.matched else "line"], 2 if step.matched else 1))
        painter.setBrush(colors["accent_soft" if step.matched else "alt"])
        painter.drawRoundedRect(chip, chip.height() / 2, chip.height() / 2)
        icon = QRectF(chip.x() + 9, chip.center().y() - 8, 16, 16)
        icons.paint(
            "check" if step.matched else "x",
            painter,
            icon,
            colors.hex("accent" if step.matched else "muted"),
        )
        painter.setPen(colors["text" if step.matched else "muted"])
        inner = chip.adjusted(30, 0, -8, 0)
        elide = Qt.TextElideMode.ElideRight
        text = painter.fontMetrics().elidedText(chip_text(step), elide, int(inner.width()) + 1)
        painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter, text)
        font.setStrikeOut(False)
        font.setBold(False)
        font.setPointSizeF(font.pointSizeF() * 0.9)
        painter.setFont(font)
        painter.setPen(colors["muted"])
        below = QRectF(rect.x() + 30, chip.bottom() + 2, rect.width() - 30, line)
        shown = painter.fontMetrics().elidedText(step.reason, elide, int(below.width()))
        painter.drawText(below, Qt.AlignmentFlag.AlignVCenter, shown)
        painter.restore()


class RouteTester(QFrame):
    """`drafts` gives the lists that are not saved yet."""

    def __init__(self, desk: Desk, drafts: Callable[[], list[w.RouteList]]) -> None:
        super().__init__()
        self.setProperty("kind", "card")
        self._desk, self._drafts = desk, drafts
        self._turn = 0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(ASK_MS)
        self._timer.timeout.connect(self._start)
        self.from_field = Field(
            "From", placeholder="anna@example.org", help="Empty is a failure notice of this server."
        )
        self.to_field = Field("To", placeholder="friend@example.net")
        self.account = Choice("Account")
        self.account.set_entries([("", "whose address it is from")])
        self.queued = Choice("Or a message in the queue")
        self.queued.set_entries([("", "none")])
        self._attempt_caption = Label("Attempt 1", bold=True, wrap=False)
        self.attempt = QSlider(Qt.Orientation.Horizontal)
        self.attempt.setRange(1, SLIDER_MAX)
        self.attempt.setPageStep(1)
        self.attempt.setAccessibleName("Attempt")
        self.attempt.setTickPosition(QSlider.TickPosition.TicksBelow)
        self._attempt_caption.setBuddy(self.attempt)
        self.result = Banner()
        self.hint = Label(HINT, tone="muted")
        self.notice = Banner()
        self.forecast = Label("", "small", tone="muted")
        self._strip = row(gap="xs")
        self.model = StepModel()
        self.path = QListView()
        self.path.setModel(self.model)
        self.path.setItemDelegate(StepDelegate(self.path))
        self.path.setUniformItemSizes(True)
        self.path.setProperty("kind", "routes")
        self.path.setAccessibleName("Rules that were looked at, in order")
        self.path.setSelectionMode(QListView.SelectionMode.NoSelection)
        self.path.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.path.setMinimumHeight(160)
        self.path.hide()
        inner = QWidget()
        inner.setProperty("kind", "content")
        box = QVBoxLayout(inner)
        box.setContentsMargins(16, 14, 16, 14)
        box.setSpacing(palette.space("s"))
        self.draft_note = Label(
            "With your changes, which are not saved yet.", "small", tone="muted"
        )
        self.draft_note.hide()
        box.addWidget(Label("Which way does it take?", "lead", bold=True, wrap=False))
        for widget in (
            self.from_field,
            self.to_field,
            self.account,
            self._attempt_caption,
            self.attempt,
            self.queued,
        ):
            box.addWidget(widget)
        for part in (self.hint, self.notice, self.result, self.draft_note):
            box.addWidget(part)
        box.addLayout(self._strip)
        box.addWidget(self.forecast)
        box.addWidget(self.path, 1000)
        box.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(1, 1, 1, 1)
        outer.addWidget(scrolling(inner, name="Tester of the routes"))
        for field in (self.from_field, self.to_field):
            field.edited.connect(self.ask_soon)
        self.account.chosen.connect(self.ask_soon)
        self.queued.chosen.connect(self._queue_chosen)
        self.attempt.valueChanged.connect(self._attempt_moved)

    def show_choices(
        self, accounts: Sequence[tuple[str, str]], queued: Sequence[QueueItem]
    ) -> None:
        self.account.set_entries([("", "whose address it is from"), *accounts])
        shown = [(str(item.id), f"{item.recipient}, {item.attempts} attempts") for item in queued]
        self.queued.set_entries([("", "none"), *shown])

    def use_sender(self, sender: str) -> None:
        """What to begin with."""
        if not self.from_field.text():
            self.from_field.line.setText(sender)

    # ---- asking

    def ask_soon(self) -> None:
        """After a change of the question or of the rules."""
        self._timer.start()

    def _attempt_moved(self, value: int) -> None:
        self._attempt_caption.setText(f"Attempt {value}")
        self.ask_soon()

    def _queue_chosen(self) -> None:
        for widget in (self.from_field, self.to_field, self.account):
            widget.setEnabled(not self.queued.value())
        self.ask_soon()

    def _start(self) -> None:
        self._desk.scope.start(self.ask(), "try routes")

    async def ask(self) -> None:
        self._turn += 1
        turn, queued = self._turn, self.queued.value()
        if not queued and not self.to_field.text():
            self._clear()
            return
        if not queued and any(is_unfinished(f.text()) for f in (self.from_field, self.to_field)):
            return
        drafts = self._drafts()
        given = (
            {"queue_id": int(queued)}
            if queued
            else {
                "from": self.from_field.text(),
                "to": self.to_field.text(),
                "account": self.account.value(),
            }
        )
        question = w.RouteQuestion.model_validate(
            {**given, "attempts": [self.attempt.value() - 1], "draft_lists": drafts}
        )
        try:
            found = await self._desk.session.call(lambda client: client.evaluate_routes(question))
        except ApiError as error:
            if turn == self._turn:
                self._clear()
                self.hint.hide()
                self.result.show_message("warn", describe_error(error))
            return
        if turn == self._turn:
            self._show(found, is_draft=bool(drafts))

    def _clear(self) -> None:
        for widget in (self.result, self.notice, self.path, self.draft_note):
            widget.hide()
        self.hint.show()
        self.forecast.setText("")
        clear(self._strip)

    def _show(self, found: w.RouteEvaluation, *, is_draft: bool) -> None:
        answer = found.answers[0]
        self.hint.hide()
        self.attempt.setMaximum(max(2, found.spans[-1].last if found.spans else SLIDER_MAX))
        self.result.show_message("ok" if answer.known else "error", answer.headline)
        self.notice.setVisible(bool(found.notice))
        if found.notice:
            self.notice.show_message("warn", found.notice)
        self.draft_note.setVisible(is_draft)
        clear(self._strip)
        if not found.is_local:
            for span in found.spans:
                name = span.transport or "direct"
                many = span.last > span.first
                attempts = f"{span.first}–{span.last}" if many else str(span.first)
                is_now = span.first <= self.attempt.value() <= span.last
                chip = Label(f"{attempts} {name}", "small", bold=is_now, wrap=False)
                chip.setProperty("kind", "selection" if is_now else "well")
                chip.setContentsMargins(7, 2, 7, 2)
                self._strip.addWidget(chip, span.last - span.first + 1)
            self._strip.addStretch(1)
        self.forecast.setText("" if found.is_local else f"All attempts: {found.forecast}.")
        steps = [] if found.is_local else answer.steps
        self.model.show(steps)
        self.path.setVisible(bool(steps))
