"""What the steps of wizards look like: a choice of cards, checks, a review, the end with its links; and wizards that were left."""

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtWidgets import QButtonGroup, QRadioButton, QVBoxLayout, QWidget

from backend.api import flows as w
from ui import palette
from ui.widgets.copyfield import CopyField
from ui.widgets.surface import Banner, Card, StatusPill, rule
from ui.widgets.text import IconLabel, Label, button, clear, column, row

RESULTS = {
    "ok": ("fine", "ok"),
    "warn": ("look at this", "warn"),
    "fail": ("not yet", "error"),
    "unknown": ("could not tell", "neutral"),
    "running": ("looking …", "neutral"),
    "skipped": ("left out", "neutral"),
}
MAX_LEFT = 5  # that are listed, the latest
EFFECTS = {
    "dns": "world",
    "restart": "refresh",
    "secret": "key",
    "note": "info-circle",
    "change": "check",
}


class _Column(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.lines = QVBoxLayout(self)
        self.lines.setContentsMargins(0, 0, 0, 0)
        self.lines.setSpacing(palette.space("m"))


class MenuView(_Column):
    def __init__(self, step: w.FlowStep) -> None:
        super().__init__()
        self._group = QButtonGroup(self)
        self._choices: list[tuple[str, QRadioButton]] = []
        for option in step.options:
            card = Card(padding="m")
            radio = QRadioButton(option.title)
            radio.setAccessibleName(option.title)
            radio.setAccessibleDescription(option.disabled or option.help)
            radio.setEnabled(not option.disabled)
            radio.setChecked(step.values.get("choice") == option.value)
            self._group.addButton(radio)
            self._choices.append((option.value, radio))
            pill: list[QWidget] = []
            if option.recommended:
                pill = [StatusPill(option.recommended, "info")]
            card.body.addLayout(row(radio, *pill, None))
            card.body.addWidget(Label(option.disabled or option.help, "small", tone="muted"))
            self.lines.addWidget(card)

    def chosen(self) -> str:
        return next((value for value, radio in self._choices if radio.isChecked()), "")

    def first_entry(self) -> QWidget | None:
        return next((radio for _, radio in self._choices if radio.isChecked()), None)


class ChecksView(_Column):
    def __init__(self, step: w.FlowStep) -> None:
        super().__init__()
        if step.verdict:
            results = {each.result for each in step.checks}
            order = ("fail", "error"), ("warn", "warn"), ("unknown", "info")
            tone = next((tone for result, tone in order if result in results), "ok")
            banner = Banner()
            self.lines.addWidget(banner)
            banner.show_message(tone, step.verdict)
        card = Card()
        for index, check in enumerate(step.checks):
            if index:
                card.body.addWidget(rule())
            word, tone = RESULTS[check.result]
            words = column(Label(check.title, bold=True), gap="xs")
            for text, kind in ((check.text, ""), (check.fix, "muted")):
                if text:
                    words.addWidget(
                        Label(text, tone=kind, selectable=True)
                        if kind
                        else Label(text, selectable=True)
                    )
            card.body.addLayout(row(words, StatusPill(word, tone), grow=0))
            if check.expected:
                card.body.addWidget(CopyField(check.title, check.expected))
        if step.checks:
            self.lines.addWidget(card)


class ReviewView(_Column):
    def __init__(self, step: w.FlowStep, go: Callable[[str], None]) -> None:
        super().__init__()
        card = Card()
        for index, item in enumerate(step.rows):
            if index:
                card.body.addWidget(rule())
            label = Label(item.label, tone="muted")
            label.setFixedWidth(170)
            line: list[QWidget] = [label, Label(item.value, selectable=True)]
            if item.step:
                name = f"Change {item.label}"
                line.append(button("Change", partial(go, item.step), kind="link", name=name))
            card.body.addLayout(row(*line, grow=1))
        self.lines.addWidget(card)
        if step.effects:
            effects = Card("What happens then")
            for effect in step.effects:
                mark = IconLabel(EFFECTS[effect.kind], "accent", 18)
                effects.body.addLayout(row(mark, Label(effect.text, selectable=True), grow=1))
            self.lines.addWidget(effects)


class DoneView(_Column):
    def __init__(self, step: w.FlowStep, go: Callable[[str], None]) -> None:
        super().__init__()
        for secret in step.secrets:
            card = Card()
            card.body.addWidget(CopyField(secret.label, secret.value, sensitive=True))
            card.body.addWidget(Label(secret.help, "small", tone="muted"))
            self.lines.addWidget(card)
        card = Card()
        for link in step.links:
            open_ = button(link.title, partial(go, link.page), kind="link")
            words = column(row(open_, None), gap="xs")
            if link.help:
                words.addWidget(Label(link.help, "small", tone="muted"))
            card.body.addLayout(
                row(IconLabel(link.icon or "chevron-right", "accent", 20), words, grow=1)
            )
        self.lines.addWidget(card)


def report_card(report: w.Report) -> QWidget:
    """What a test found: a sentence, its steps, what to do."""
    box = _Column()
    banner = Banner()
    box.lines.addWidget(banner)
    banner.show_message("ok" if report.ok else "error", report.message, report.fix)
    marks = {"ok": "✓", "fail": "✕"}
    lines = [f"{marks.get(each.result, '–')} {each.title}: {each.text}" for each in report.steps]
    if lines:
        box.lines.addWidget(Label("\n".join(lines), selectable=True))
    return box


class LeftFlows(Card):
    """Wizards that were left half-way; hidden while there is none."""

    def __init__(self, go: Callable[[str], None]) -> None:
        super().__init__("Go on with")
        self._go = go
        self._lines = QVBoxLayout()
        self.body.addLayout(self._lines)
        self.hide()

    def fill(self, heads: Sequence[w.FlowHead]) -> None:
        clear(self._lines)
        for head in heads[:MAX_LEFT]:
            title = f"{head.name}: {head.about}" if head.about else head.name
            open_ = button(title, partial(self._go, f"/flow/{head.id}"), kind="link")
            where = Label(f"You stopped at “{head.step_title}”.", "small", tone="muted")
            self._lines.addLayout(column(row(open_, None), where, gap="xs"))
        self.setVisible(bool(heads))
