"""The first page, the way of one message, and long work, in the window on a real admin API."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import QAbstractButton, QLineEdit

from backend.core.events import ProblemRaised, TimelineEntry
from backend.core.ids import TraceId
from backend.core.problems import Problem, Severity
from tests.support.office import office
from tests.support.window import press
from ui.pages.attention import AttentionCard
from ui.widgets.surface import Banner


@pytest.fixture
def in_office(run_async, qtbot, tmp_path: Path):
    def run(scenario) -> None:
        async def all_of_it() -> None:
            async with office(tmp_path) as place:
                await scenario(place)

        run_async(all_of_it())

    return run


async def push(place, parent, name: str) -> None:
    """Presses the button once it is there."""

    def there() -> bool:
        found = parent.findChildren(QAbstractButton)
        return any(one.accessibleName() == name and one.isVisible() for one in found)

    await place.until(there)
    press(parent, name)


def raise_(place, number: int, severity=Severity.WARNING) -> None:
    problem = Problem(
        code="tls.expires", subject=f"{number}", message=f"Matter {number}", severity=severity
    )
    place.server.record(ProblemRaised(problem))


def cards(page) -> list[AttentionCard]:
    return [card for card in page.findChildren(AttentionCard) if card.isVisible()]


def test_three_cards_and_the_rest_on_request(in_office) -> None:
    async def scenario(place) -> None:
        for number in range(4):
            raise_(place, number)
        page = await place.visit("/")
        await place.until(lambda: len(cards(page)) == 3)
        await push(place, page, "2 more things to look at")  # beside these there is no account yet
        await place.until(lambda: len(cards(page)) == 5)
        await push(place, cards(page)[0], f"Why? {cards(page)[0].title()}")
        assert not cards(page)[0]._why.isHidden()

    in_office(scenario)


def test_a_problem_is_left_as_it_is_and_comes_back_by_undo(in_office) -> None:
    async def scenario(place) -> None:
        raise_(place, 1, Severity.ERROR)
        page = await place.visit("/")
        await push(place, page, "Acknowledge: Matter 1")
        dialog = await place.dialog()
        dialog.findChild(QLineEdit).setText("Known")
        await push(place, dialog, "Acknowledge")
        await place.until(lambda: "Matter 1" not in [card.title() for card in cards(page)])
        assert (await place.client.overview()).acknowledged[0].note == "Known"
        place.window.toast.take_back()
        await place.until(lambda: "Matter 1" in [card.title() for card in cards(page)])

    in_office(scenario)


def test_sending_is_paused_and_resumed(in_office) -> None:
    async def scenario(place) -> None:
        page = await place.visit("/")
        await push(place, page, "Pause sending")
        await place.until(lambda: any("paused" in card.title() for card in cards(page)))
        card = next(card for card in cards(page) if "paused" in card.title())
        await push(place, card, "Resume sending")
        await place.until(lambda: not any("paused" in card.title() for card in cards(page)))
        assert not (await place.client.overview()).sending_paused

    in_office(scenario)


def test_a_next_step_is_put_away(in_office) -> None:
    async def scenario(place) -> None:
        page = await place.visit("/")
        await push(place, page, "Do not suggest any more: Add a first account")
        await place.until(page._steps.isHidden)

    in_office(scenario)


def tell(place, trace: str, kind: str, text: str, **details: str) -> None:
    at = place.server.services.clock.time()
    place.server.record(TimelineEntry(TraceId(trace), at, kind, text, details))


def test_a_message_says_what_became_of_it_and_leads_on(in_office) -> None:
    async def scenario(place) -> None:
        tell(place, "ab12-1", "rejected", "Refused: No such user", session="ab12")
        page = await place.visit("/activity/ab12-1")
        assert page.verdict.title().startswith("It was refused.")
        assert page._question.text() == "Why was this refused?"
        await push(place, page, "Log lines of this session")
        await place.until(lambda: place.window.info.id == "log")
        assert place.window.current.search.text() == "ab12"

    in_office(scenario)


def test_messages_are_found_and_older_ones_are_fetched(in_office, monkeypatch) -> None:
    monkeypatch.setattr("ui.pages.activity.LIMIT", 3)

    async def scenario(place) -> None:
        for number in range(5):
            tell(place, f"t{number}-1", "received", f"Mail {number}", peer=f"192.0.2.{number}")
        page = await place.visit("/activity")
        assert page.model.rowCount() == 3
        await push(place, page, "Older messages")
        await place.until(lambda: page.model.rowCount() == 5)
        assert page.older.isHidden()
        page.search.setText("192.0.2.4")
        await place.until(lambda: page.model.rowCount() == 1)
        assert page._understood.text() == "Searched for as IP address"
        page.search.setText("nothing like it")
        await place.until(page.none_match.isVisible)
        await push(place, page, "Clear the filter")
        await place.until(lambda: page.model.rowCount() == 3)

    in_office(scenario)


def test_long_work_is_shown_stopped_and_put_away(in_office) -> None:
    async def scenario(place) -> None:
        tray = place.window.tray
        assert tray.button.isHidden()
        await place.client.verify()
        await place.until(lambda: "50 %" in tray.button.text())
        tray.button.click()
        await push(place, tray.panel, "Stop: Checking the stored mail")
        await push(place, tray.panel, "Stop now: Checking the stored mail")
        await place.until(lambda: "1 task ended" in tray.button.text())
        await push(place, tray.panel, "Seen: Checking the stored mail")
        await place.until(tray.button.isHidden)
        assert tray.panel.isHidden()

    in_office(scenario)


def test_a_message_that_was_just_sent_is_on_its_way(in_office) -> None:
    async def scenario(place) -> None:
        page = await place.visit("/activity/new1-1")
        assert page.findChildren(Banner)[0].title() == "On its way…"
        tell(place, "new1-1", "received", "Mail came", direction="in")
        tell(place, "new1-1", "delivered", "It lies", account="anna", mailbox="INBOX")
        await place.until(lambda: page.verdict.title().startswith("It was delivered to anna's"))
        assert page._more_to_come.isHidden()

    in_office(scenario)
