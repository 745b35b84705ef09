"""What a page is for, and the keys that work in the window (F1)."""

from PySide6.QtWidgets import QGridLayout, QWidget

from ui import palette
from ui.pages.page import Page
from ui.widgets.dialogs import Sheet, wait_for
from ui.widgets.text import Label

KEYS = (
    ("Ctrl+K", "Search for pages, people, domains and settings"),
    ("Ctrl+1 … Ctrl+9", "Go to a page of the rail"),
    ("F5", "Read the page anew, and try the connection again"),
    ("Enter", "Open the selected row of a list"),
    ("Del", "Remove what is selected; you are asked where something would be lost"),
    ("Ctrl+C", "Copy the selected rows as a table"),
    ("Esc", "Close what lies beside a list"),
    ("Ctrl+Q", "Close the window; the server goes on"),
)


async def show_help(window: QWidget, page: Page) -> None:
    sheet = Sheet(window, page.heading.text() or "Gatepost", width=520)
    if about := page.subtitle.text():
        sheet.add(Label(about, selectable=True))
    sheet.add(Label("Keys", "lead", bold=True))
    table = QWidget()
    grid = QGridLayout(table)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(palette.space("l"))
    grid.setColumnStretch(1, 1)
    for at, (keys, words) in enumerate(KEYS):
        name = Label(keys, wrap=False)
        name.setFont(palette.mono_font(0.95))
        grid.addWidget(name, at, 0)
        grid.addWidget(Label(words), at, 1)
    sheet.add(table)
    sheet.add_button("Close", sheet.accept, kind="primary", default=True)
    await wait_for(sheet)
