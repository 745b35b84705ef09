"""The queue in the window on a real server: what is chosen, done, undone, and told about one message."""

import pytest
from PySide6.QtWidgets import QMenu, QPushButton

from backend.api import types as t
from backend.api.delivery import AddTransport, TransportSettings
from backend.api.queue import HoldRuleSettings
from tests.support.office import office
from tests.support.queued import enqueue, put_off
from tests.support.window import press
from ui.pages import queue as queue_page
from ui.pages.queue import QueuePage


@pytest.fixture
def in_queue(run_async, qtbot, tmp_path):
    """`in_queue(scenario, *to)`: the scenario gets the office, the page with these messages, and their numbers."""

    def run(scenario, *to):
        async def whole():
            async with office(tmp_path) as place:
                place.window.resize(1366, 768)
                ids = await enqueue(place.server, *to) if to else []
                page = await place.visit("/queue")
                assert isinstance(page, QueuePage)
                await scenario(place, page, ids)

        run_async(whole())

    return run


def states(page):
    return {item.recipient: item.state for item in page.model.rows()}


def choose(page, recipient):
    number = next(i for i, item in enumerate(page.model.rows()) if item.recipient == recipient)
    page.table.select(number)


def menu_entry(page, name, entry):
    button = next(b for b in page.findChildren(QPushButton) if b.accessibleName() == name)
    menu = button.menu()
    assert isinstance(menu, QMenu)
    menu.aboutToShow.emit()
    return next(action for action in menu.actions() if action.text() == entry)


def test_an_empty_queue_says_what_comes_here(in_queue):
    async def scenario(_place, page, _ids):
        assert page.state == "empty"
        assert page.empty.title() == "Nothing is waiting."

    in_queue(scenario)


def test_hold_is_undone_and_the_selection_stays(in_queue):
    async def scenario(place, page, _ids):
        choose(page, "b@x.test")
        press(page, "Hold the selected")
        await place.until(lambda: states(page)["b@x.test"] == "held")
        assert [item.recipient for item in page.table.chosen()] == ["b@x.test"]
        assert place.window.toast.text() == "1 message put on hold."
        place.window.toast.take_back()
        await place.until(lambda: states(page)["b@x.test"] == "waiting")

    in_queue(scenario, "a@x.test", "b@x.test", "c@x.test")


def test_all_that_match_are_held_at_once(in_queue, monkeypatch):
    monkeypatch.setattr(queue_page, "PAGE_ROWS", 5)

    async def scenario(place, page, _ids):
        assert page.model.rowCount() < page.model.total == 30
        choose(page, "u0@x.test")
        press(page, "Select all 30 that match")
        assert page.selection.isVisible()
        press(page, "Hold the selected")
        await place.until(lambda: place.window.toast.text() == "30 messages put on hold.")
        assert (await place.client.queue()).held == 30
        await place.until(lambda: set(states(page).values()) == {"held"})
        place.window.toast.take_back()
        await place.until(lambda: set(states(page).values()) == {"waiting"})
        assert (await place.client.queue()).held == 0

    in_queue(scenario, *(f"u{n}@x.test" for n in range(30)))


def test_more_rows_come_when_one_scrolls(in_queue, monkeypatch):
    monkeypatch.setattr(queue_page, "PAGE_ROWS", 5)

    async def scenario(place, page, _ids):
        while page.model.rowCount() < 12:
            known = page.model.rowCount()
            page.model.fetchMore(page.table.rootIndex())
            await place.until(lambda known=known: page.model.rowCount() > known)
        assert len(states(page)) == 12

    in_queue(scenario, *(f"u{n}@x.test" for n in range(12)))


def test_a_drop_can_be_taken_back_and_otherwise_happens(in_queue):
    async def scenario(place, page, ids):
        choose(page, "a@x.test")
        page.act("drop")
        await place.until(lambda: "a@x.test" not in states(page))
        (kept,) = (await place.client.queue(t.QueueQuery(text="a@x.test"))).items
        assert kept.state == "held"  # nothing is sent while one may still change one's mind
        place.window.toast.take_back()
        await place.until(lambda: states(page).get("a@x.test") == "waiting")
        choose(page, "a@x.test")
        page.act("drop")
        await place.until(lambda: "a@x.test" not in states(page))
        place.window.toast.finish()
        await place.until(lambda: not page.doing.dropping)
        assert (await place.client.history_item(ids[0])).item.result == "dropped"

    in_queue(scenario, "a@x.test", "b@x.test")


def test_closing_the_window_drops_nothing_that_could_be_undone(in_queue):
    async def scenario(place, page, _ids):
        choose(page, "a@x.test")
        page.act("drop")
        await place.until(place.window.toast.text)
        place.window.toast.abandon()
        assert (await place.client.queue()).total == 1

    in_queue(scenario, "a@x.test")


def test_failing_asks_with_the_count(in_queue):
    async def scenario(place, page, _ids):
        page.table.selectAll()
        press(page, "Fail the selected with a notice")
        dialog = await place.dialog()
        assert dialog.windowTitle() == "Give up on 2 messages?"
        press(dialog, "Fail with notice")
        await place.until(lambda: place.window.toast.text().startswith("2 messages given up"))

    in_queue(scenario, "a@x.test", "b@x.test")


def test_transport_encryption_and_time_are_chosen_from_menus(in_queue):
    async def scenario(place, page, ids):
        relay = TransportSettings(kind="smtp", host="relay.example")
        await place.client.add_transport(AddTransport(name="relay", settings=relay))
        page.take(t.ConfigEvent(revision=1, author="me"))
        await place.until(lambda: page.doing.transports == ["relay"])

        async def item():
            return (await place.client.queue_item(ids[0])).item

        choose(page, "a@x.test")
        menu_entry(page, "Choose the transport", "By relay").trigger()
        await place.until(lambda: page.model.row(0).transport_chosen)
        assert (await item()).transport == "relay"
        place.window.toast.take_back()
        await place.until(lambda: not page.model.row(0).transport_chosen)

        menu_entry(page, "Choose the encryption", "Also without verified encryption…").trigger()
        dialog = await place.dialog()
        assert "read or change" in "".join(
            label.text() for label in dialog.findChildren(queue_page.Label)
        )
        press(dialog, "Allow it")
        await place.until(lambda: page.model.row(0).tls_choice == "insecure")

        menu_entry(page, "Postpone", "For a week").trigger()
        await place.until(lambda: place.window.toast.text() == "1 message postponed.")
        await place.until(
            lambda: (
                "in 7 days" in page.model.index(0, 4).data()
                or "in 6 days" in page.model.index(0, 4).data()
            )
        )

    in_queue(scenario, "a@x.test")


def test_a_burst_is_one_line_with_one_action(in_queue):
    async def scenario(place, page, ids):
        await put_off(place.server, ids[:4])
        page.mark_stale()
        await place.until(lambda: page._bursts.count() == 1)
        line = page._bursts.itemAt(0).widget()
        assert line.accessibleName().startswith("4 messages to gmail.test: Gmail: rate limited")
        assert "(421 4.7.28), next try " in line.accessibleName()
        press(page, "Show the messages to gmail.test")
        await place.until(lambda: len(states(page)) == 4)
        press(page, "Retry all to gmail.test now")
        await place.until(lambda: place.window.toast.text() == "4 messages will be tried now.")

    in_queue(scenario, *(f"u{n}@gmail.test" for n in range(4)), "other@x.test")


def test_the_drawer_tells_the_story_and_esc_closes_it(in_queue, tmp_path, monkeypatch):
    saved = tmp_path / "saved.eml"

    async def where(*_args):
        return str(saved)

    monkeypatch.setattr(queue_page, "choose_save_file", where)

    async def scenario(place, page, ids):
        await put_off(place.server, ids)
        place.window.go(f"/queue/{ids[0]}")
        await place.until(page.drawer.isVisible)
        step = page.drawer._attempts.timeline.steps()[0]
        assert step.title == "Gmail: rate limited (421 4.7.28)"
        assert "mx.gmail.test (192.0.2.7) · TLS 1.3 · 740 ms" in step.note
        await place.turn()
        press(page.drawer, "Show dialogue")
        assert any(
            "EHLO mail.example.org" in label.text() and label.isVisible()
            for label in page.drawer.findChildren(queue_page.Label)
        )
        press(page.drawer, "Save the message")
        await place.until(saved.exists)
        assert b"Subject: Lunch" in saved.read_bytes()
        await place.client.drop(ids)
        page.take(t.QueueEvent(id=ids[0], state="dropped"))
        await place.until(page.drawer.isHidden)

    in_queue(scenario, "anna@gmail.test")


def test_pausing_shows_a_banner_with_the_way_back(in_queue):
    async def scenario(place, page, _ids):
        press(page, "Pause sending")
        await place.until(page.paused.isVisible)
        assert "1 message will leave" in page.paused.body()
        assert not page.pause.isVisible()
        press(page.paused, "Resume sending")
        await place.until(page.pause.isVisible)
        await place.until(lambda: states(page) == {"a@x.test": "waiting"})

    in_queue(scenario, "a@x.test")


def test_filters_differ_from_emptiness(in_queue):
    async def scenario(place, page, _ids):
        press(page, "Show: Problem")
        await place.until(page.none_match.isVisible)
        press(page, "Clear the filter")
        await place.until(lambda: len(states(page)) == 2)
        page.filter.domain.setCurrentIndex(page.filter.domain.findData("y.test"))
        await place.until(lambda: list(states(page)) == ["b@y.test"])
        page.filter.clear()
        await place.client.add_hold_rule("to-y", HoldRuleSettings(to_domain=["y.test"]))
        place.window.go("/queue/rule/to-y")
        await place.until(lambda: states(page) == {"b@y.test": "held"})
        assert page.model.index(0, 4).data() == "on hold: rule to-y"
        press(page, page.filter.rule.accessibleName())
        await place.until(lambda: len(states(page)) == 2)

    in_queue(scenario, "a@x.test", "b@y.test")
