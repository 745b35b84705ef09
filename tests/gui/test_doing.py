"""What people do in the window, from the click to what the server was told."""

import asyncio

from PySide6.QtGui import QGuiApplication

from backend.api import types as t
from tests.gui.test_pages import fill
from tests.support.fake_admin import a_log_line, a_step, an_account
from tests.support.window import Rig, press
from ui.pages.activity import ActivityPage
from ui.pages.log import LogPage
from ui.pages.message import MessagePage
from ui.pages.queue import QueuePage

# ---- activity and log


def test_send_yourself_a_message_and_watch_it_arrive(rig: Rig) -> None:
    async def scenario() -> None:
        rig.admin.accounts["me"] = an_account("me")
        page = await rig.show("/activity")
        assert isinstance(page, ActivityPage)
        press(page, "Send yourself a message")
        await rig.until(lambda: isinstance(rig.window.current, MessagePage))
        shown = rig.window.current
        await rig.until(lambda: len(shown.timeline.steps()) == 3)

    rig.run(scenario())


def test_with_several_accounts_one_is_chosen(rig: Rig) -> None:
    async def scenario() -> None:
        rig.admin.accounts["me"] = an_account("me")
        rig.admin.accounts["anna"] = an_account("anna")
        page = await rig.show("/activity")
        assert isinstance(page, ActivityPage)
        page.send()
        dialog = await rig.dialog()
        dialog.account.select("anna")
        press(dialog, "Send")
        await rig.until(lambda: isinstance(rig.window.current, MessagePage))
        trace = rig.window.current.trace
        assert rig.admin.traces[trace].summary.recipients == ["anna@gatepost.test"]

    rig.run(scenario())


def test_steps_appear_while_one_looks(rig: Rig) -> None:
    async def scenario() -> None:
        fill(rig.admin)
        page = await rig.show("/activity/x1")
        assert isinstance(page, MessagePage)
        await rig.until(lambda: len(page.timeline.steps()) == 1)
        step = a_step("sent", "250 ok", 5)
        known = rig.admin.traces["x1"]
        rig.admin.traces["x1"] = known.model_copy(update={"steps": [*known.steps, step]})
        rig.admin.push(t.TimelineEvent(trace="x1", step=step))
        await rig.until(lambda: len(page.timeline.steps()) == 2)
        rig.admin.push(t.TimelineEvent(trace="other", step=a_step("sent", "250 ok", 6)))
        await asyncio.sleep(0.05)
        assert len(page.timeline.steps()) == 2

    rig.run(scenario())


def test_the_log_grows_filters_and_pauses(rig: Rig) -> None:
    async def scenario() -> None:
        fill(rig.admin)
        page = await rig.show("/log")
        assert isinstance(page, LogPage)
        await rig.until(lambda: page.model.rowCount() == 199)
        await rig.until(lambda: rig.admin.calls.count("log_stream") == 1)
        rig.admin.write_log(a_log_line(200, "error", "port can't be opened"))
        await rig.until(lambda: page.model.rowCount() == 200)
        page.level.select("error")
        assert page.model.rowCount() == 1
        press(page, "Pause")
        rig.admin.write_log(a_log_line(201, "error"))
        await asyncio.sleep(0.15)
        assert page.model.rowCount() == 1
        press(page, "Go on")
        await rig.until(lambda: page.model.rowCount() == 2)
        page.search.setText("port can't")
        await rig.until(lambda: page.model.rowCount() == 1)
        press(page, "Copy the selected lines, or all")
        assert "port can't be opened" in QGuiApplication.clipboard().text()
        press(page, "Clear the view")
        assert page.model.rowCount() == 0

    rig.run(scenario())


def test_a_failed_action_is_a_banner_and_no_silence(rig: Rig) -> None:
    async def scenario() -> None:
        fill(rig.admin)
        page = await rig.show("/queue")
        assert isinstance(page, QueuePage)
        page.table.select(0)
        rig.admin.broken = True
        press(page, "Retry the selected now")
        await rig.until(rig.window.error_banner.isVisible)
        assert "inside the server" in rig.window.error_banner.body()

    rig.run(scenario())
