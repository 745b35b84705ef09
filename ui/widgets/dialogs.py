"""Dialogs that are awaited: `if await ask(...)`. They are opened, never run in a loop of their own.

WORKAROUND(qasync#59): a nested event loop inside a coroutine breaks every other task, so nothing here calls one.
"""

import asyncio
from collections.abc import Awaitable, Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSpacerItem,
    QVBoxLayout,
    QWidget,
)

from ui import palette
from ui.scope import Scope
from ui.widgets.surface import Banner
from ui.widgets.text import Label, button


async def wait_for(dialog: QDialog) -> bool:
    """Opens a dialog and waits until it is closed; true when it was accepted."""
    closed: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def finished(result: int) -> None:
        if not closed.done():
            closed.set_result(result)

    dialog.finished.connect(finished)
    quits = QGuiApplication.quitOnLastWindowClosed()
    QGuiApplication.setQuitOnLastWindowClosed(False)
    dialog.open()
    try:
        return await closed == QDialog.DialogCode.Accepted.value
    finally:
        QGuiApplication.setQuitOnLastWindowClosed(quits)
        dialog.close()
        dialog.deleteLater()


class Sheet(QDialog):
    """A dialog with a title, content that scrolls if it must, and buttons at the bottom."""

    def __init__(self, parent: QWidget | None, title: str, *, width: int = 480) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 20, 24, 20)
        outer.setSpacing(palette.space("m"))
        heading = Label(title, "title")
        outer.addWidget(heading)
        self.problem = Banner()
        outer.addWidget(self.problem)
        self.content = QVBoxLayout()
        self.content.setSpacing(palette.space("m"))
        outer.addLayout(self.content)
        outer.addSpacing(palette.space("s"))
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(palette.space("s"))
        self._buttons.addStretch(1)
        outer.addLayout(self._buttons)
        # As wide as asked and as high as its text needs, also when a fault appears.
        outer.addSpacerItem(
            QSpacerItem(width - 48, 0, QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        )
        outer.setSizeConstraint(QLayout.SizeConstraint.SetFixedSize)

    def add(self, *widgets: QWidget) -> None:
        for widget in widgets:
            self.content.addWidget(widget)

    def add_button(
        self, text: str, on_click: Callable[[], object], *, kind: str = "", default: bool = False
    ) -> QPushButton:
        made = button(text, on_click, kind=kind)
        made.setDefault(default)
        self._buttons.addWidget(made)
        return made


class TaskSheet(Sheet):
    """A dialog whose main button does something that takes time: it stays open until that worked, and shows why it did not."""

    def __init__(
        self,
        parent: QWidget | None,
        title: str,
        action: str,
        work: Callable[[], Awaitable[bool]],
        *,
        kind: str = "primary",
        cancel: str = "Cancel",
        describe: Callable[[Exception], str] = str,
        width: int = 480,
    ) -> None:
        super().__init__(parent, title, width=width)
        self._work = work
        self._describe = describe
        self._scope = Scope(self._failed)
        self.cancel_button = self.add_button(cancel, self.reject)
        self.action_button = self.add_button(action, self.submit, kind=kind, default=True)
        self.finished.connect(lambda _result: self._scope.close())

    def submit(self) -> None:
        if self.action_button.isEnabled():
            self.action_button.setEnabled(False)
            self._scope.start(self._run(), "dialog action")

    async def _run(self) -> None:
        try:
            self.problem.hide()
            if await self._work():
                self.accept()
        finally:
            self.action_button.setEnabled(True)

    def _failed(self, error: Exception) -> None:
        self.problem.show_message("error", self._describe(error))


async def ask(
    parent: QWidget | None,
    title: str,
    body: str,
    *,
    yes: str,
    no: str = "Cancel",
    danger: bool = False,
    typed: str = "",
) -> bool:
    """A question with verbs as answers. The safe answer is the default; `typed` must be written out before `yes` works."""
    sheet = Sheet(parent, title)
    sheet.add(Label(body, selectable=True))
    keep = sheet.add_button(no, sheet.reject, default=danger and not typed)
    accept = sheet.add_button(
        yes, sheet.accept, kind="danger-solid" if danger else "primary", default=not danger
    )
    if typed:
        caption = Label(f"Type {typed} to confirm", bold=True)
        line = QLineEdit()
        line.setAccessibleName(f"Type {typed} to confirm")
        caption.setBuddy(line)
        accept.setEnabled(False)
        line.textChanged.connect(lambda text: accept.setEnabled(text.strip() == typed))
        line.returnPressed.connect(accept.click)
        sheet.add(caption, line)
        line.setFocus()
    elif danger:
        keep.setFocus()
    else:
        accept.setFocus()
    return await wait_for(sheet)


async def tell(
    parent: QWidget | None, title: str, body: str, *, ok: str = "OK", other: str = ""
) -> bool:
    """Says something once; true for `ok`, false for `other` or a closed window."""
    sheet = Sheet(parent, title)
    sheet.add(Label(body, selectable=True))
    if other:
        sheet.add_button(other, sheet.reject)
    sheet.add_button(ok, sheet.accept, kind="primary", default=True)
    return await wait_for(sheet)


async def show_report(parent: QWidget | None, title: str, body: str, report: str) -> None:
    """A long text that can be selected, copied and saved."""
    sheet = Sheet(parent, title, width=680)
    text = QPlainTextEdit(report)
    text.setReadOnly(True)
    text.setFont(palette.mono_font(0.9))
    text.setProperty("kind", "field")
    text.setAccessibleName("Report")
    text.setMinimumHeight(280)
    sheet.add(Label(body), text)
    sheet.add_button("Copy", lambda: QGuiApplication.clipboard().setText(report))
    sheet.add_button("Close", sheet.accept, kind="primary", default=True)
    await wait_for(sheet)


async def choose_folder(parent: QWidget | None, title: str, start: str) -> str:
    """The chosen folder, or nothing."""
    dialog = QFileDialog(parent, title, start)
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    accepted = await wait_for(dialog)
    return dialog.selectedFiles()[0] if accepted else ""


async def choose_save_file(parent: QWidget | None, title: str, name: str) -> str:
    """Where to save, or nothing."""
    dialog = QFileDialog(parent, title, name)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.selectFile(name)
    accepted = await wait_for(dialog)
    return dialog.selectedFiles()[0] if accepted else ""


def scrolling(inner: QWidget, *, name: str = "") -> QScrollArea:
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setAccessibleName(name)
    area.setWidget(inner)
    return area
