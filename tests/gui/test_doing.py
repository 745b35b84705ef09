"""What people do in the window, from the click to what the server was told."""

import asyncio

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from backend.api import types as t
from tests.gui.test_pages import fill
from tests.support.fake_admin import a_log_line, a_step, an_account
from tests.support.window import Rig, press
from ui.pages.account import AccountPage
from ui.pages.accounts import AccountsPage
from ui.pages.activity import ActivityPage
from ui.pages.domains import DomainsPage
from ui.pages.log import LogPage
from ui.pages.queue import QueuePage

# ---- domains


def test_a_domain_is_added_with_its_faults_told_at_the_field(rig: Rig) -> None:
    async def scenario() -> None:
        page = await rig.show("/domains")
        assert isinstance(page, DomainsPage)
        press(page, "Add domain")
        dialog = await rig.dialog()
        press(dialog, "Add domain")
        await rig.until(dialog.name.fault)
        dialog.name.line.setText("gmail.com")
        assert dialog.name.fault() == ""
        press(dialog, "Add domain")
        await rig.until(lambda: "belongs to" in dialog.name.fault())
        dialog.name.line.setText("example.org")
        press(dialog, "Add domain")
        await rig.until(lambda: page.state == "full")
        assert "example.org" in rig.admin.domains
        assert rig.window.toast.text() == "example.org was added."

    rig.run(scenario())


def test_what_the_server_refuses_stands_at_the_field_and_nothing_typed_is_lost(rig: Rig) -> None:
    async def scenario() -> None:
        fill(rig.admin)
        page = await rig.show("/domains")
        press(page, "Add domain")
        dialog = await rig.dialog()
        dialog.name.line.setText("example.org")
        dialog.note.line.setText("the family")
        press(dialog, "Add domain")
        await rig.until(lambda: "there already" in dialog.name.fault())
        assert dialog.note.text() == "the family"

    rig.run(scenario())


def test_a_domain_with_people_in_it_is_not_removed(rig: Rig) -> None:
    async def scenario() -> None:
        fill(rig.admin)
        page = await rig.show("/domains")
        assert isinstance(page, DomainsPage)
        page.table.select(0)
        press(page, "Remove the selected domain")
        press(await rig.dialog(), "Show accounts")
        await rig.until(lambda: rig.window.path == "/accounts")
        assert "example.org" in rig.admin.domains

    rig.run(scenario())


def test_a_domain_is_removed_after_its_name_was_typed(rig: Rig) -> None:
    async def scenario() -> None:
        rig.admin.domains["old.org"] = t.Domain(name="old.org", unicode="old.org")
        page = await rig.show("/domains")
        assert isinstance(page, DomainsPage)
        page.table.select(0)
        page.remove()
        dialog = await rig.dialog()
        QTest.keyClicks(dialog.focusWidget(), "old.org")
        press(dialog, "Remove domain")
        await rig.until(lambda: not rig.admin.domains)
        await rig.until(lambda: page.state == "empty")

    rig.run(scenario())


# ---- accounts


def test_an_account_gets_a_password_that_is_shown_once(rig: Rig) -> None:
    async def scenario() -> None:
        rig.admin.domains["example.org"] = t.Domain(name="example.org", unicode="example.org")
        page = await rig.show("/accounts")
        assert isinstance(page, AccountsPage)
        press(page, "Add account")
        dialog = await rig.dialog()
        dialog.full_name.line.setText("Anna")
        dialog.local_part.line.setText("anna")
        press(dialog, "Add account")
        await rig.until(lambda: rig.admin.accounts)
        shown = await rig.until(
            lambda: next(
                (
                    w
                    for w in QGuiApplication.topLevelWindows()
                    if w.isVisible() and "ready" in w.title()
                ),
                None,
            )
        )
        assert shown
        dialog = await rig.dialog()
        press(dialog, "Copy password")
        assert QGuiApplication.clipboard().text() == "made-up-password-42"
        press(dialog, "Done")
        await rig.until(lambda: rig.window.path == "/accounts/anna/connect")

    rig.run(scenario())


def test_without_a_domain_the_way_to_one_is_offered(rig: Rig) -> None:
    async def scenario() -> None:
        page = await rig.show("/accounts")
        assert isinstance(page, AccountsPage)
        page.add()
        press(await rig.dialog(), "Add domain")
        await rig.until(lambda: rig.window.path == "/domains/new")

    rig.run(scenario())


def test_a_password_is_set_and_a_short_one_refused(rig: Rig) -> None:
    async def scenario() -> None:
        fill(rig.admin)
        page = await rig.show("/accounts/anna")
        press(page, "Set a new password")
        dialog = await rig.dialog()
        dialog.password.line.setText("short")
        press(dialog, "Set password")
        await rig.until(dialog.password.fault)
        dialog.password.line.setText("a long and good one")
        press(dialog, "Set password")
        await rig.until(lambda: rig.admin.passwords.get("anna") == "a long and good one")
        remembered = {"anna@example.org": "a long and good one"}
        await rig.until(lambda: rig.control.practice_passwords == remembered)

    rig.run(scenario())


def test_an_account_goes_only_after_its_name_was_typed(rig: Rig) -> None:
    async def scenario() -> None:
        fill(rig.admin)
        page = await rig.show("/accounts/anna")
        press(page, "Remove account")
        dialog = await rig.dialog()
        yes = (
            next(b for b in dialog.findChildren(type(dialog.focusWidget()).__mro__[1]) if b)
            if False
            else None
        )
        assert yes is None
        line = dialog.focusWidget()
        QTest.keyClicks(line, "ann")
        QTest.keyClick(line, Qt.Key.Key_Return)
        await asyncio.sleep(0.05)
        assert "anna" in rig.admin.accounts
        QTest.keyClicks(line, "a")
        press(dialog, "Remove account")
        await rig.until(lambda: "anna" not in rig.admin.accounts)
        await rig.until(lambda: rig.window.path == "/accounts")

    rig.run(scenario())


def test_a_removed_address_comes_back_with_undo(rig: Rig) -> None:
    async def scenario() -> None:
        rig.admin.accounts["anna"] = an_account("anna", "", "anna@example.org", "shop@example.org")
        page = await rig.show("/accounts/anna")
        press(page, "Remove the address shop@example.org")
        await rig.until(lambda: len(rig.admin.accounts["anna"].addresses) == 1)
        await rig.until(rig.window.toast.text)
        rig.window.toast.take_back()
        await rig.until(lambda: len(rig.admin.accounts["anna"].addresses) == 2)

    rig.run(scenario())


def test_a_catch_all_is_added(rig: Rig) -> None:
    async def scenario() -> None:
        fill(rig.admin)
        rig.admin.accounts["anna"] = an_account("anna", "", "anna@example.org")
        page = await rig.show("/accounts/anna")
        press(page, "Add address")
        dialog = await rig.dialog()
        dialog.kind.select("all")
        assert not dialog.local_part.isEnabled()
        press(dialog, "Add address")
        await rig.until(lambda: len(rig.admin.accounts["anna"].addresses) == 2)
        assert rig.admin.accounts["anna"].addresses[1].address == "@example.org"

    rig.run(scenario())


def test_limits_are_changed_and_nonsense_is_refused(rig: Rig) -> None:
    async def scenario() -> None:
        fill(rig.admin)
        page = await rig.show("/accounts/anna")
        press(page, "Change the account")
        dialog = await rig.dialog()
        dialog.daily.line.setText("many")
        press(dialog, "Save")
        await rig.until(dialog.daily.fault)
        dialog.daily.line.setText("50")
        press(dialog, "Save")
        await rig.until(lambda: rig.admin.accounts["anna"].max_outgoing_messages_per_day == 50)

    rig.run(scenario())


def test_an_account_is_disabled_and_enabled(rig: Rig) -> None:
    async def scenario() -> None:
        fill(rig.admin)
        page = await rig.show("/accounts/anna")
        press(page, "Disable the account")
        await rig.until(lambda: rig.admin.accounts["anna"].disabled)
        await rig.until(lambda: "It is disabled" in page._disable_text.text())  # type: ignore[attr-defined]
        press(page, "Enable the account")
        await rig.until(lambda: not rig.admin.accounts["anna"].disabled)

    rig.run(scenario())


def test_settings_for_a_mail_app_are_copied(rig: Rig) -> None:
    async def scenario() -> None:
        fill(rig.admin)
        page = await rig.show("/accounts/anna/connect")
        assert isinstance(page, AccountPage)
        assert page.connect_panel.isVisible()
        press(page, "Copy port")
        assert QGuiApplication.clipboard().text() == "2993"
        press(page, "Steps for: Thunderbird")
        press(page, "Copy all settings")
        text = QGuiApplication.clipboard().text()
        assert "Incoming mail (IMAP) (recommended)" in text
        assert "127.0.0.1" in text

    rig.run(scenario())


def test_selected_rows_are_copied_as_a_table(rig: Rig) -> None:
    async def scenario() -> None:
        fill(rig.admin)
        page = await rig.show("/queue")
        assert isinstance(page, QueuePage)
        page.table.select(0)
        QTest.keyClick(page.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
        head, line = QGuiApplication.clipboard().text().split("\n")
        assert head.startswith("To\tFrom\tSubject\tSize\tState")
        assert line.startswith("person1@example.org\tme@gatepost.test\t(no subject)")

    rig.run(scenario())


# ---- activity and log


def test_send_yourself_a_message_and_watch_it_arrive(rig: Rig) -> None:
    async def scenario() -> None:
        rig.admin.accounts["me"] = an_account("me")
        page = await rig.show("/activity")
        assert isinstance(page, ActivityPage)
        press(page, "Send yourself a message")
        await rig.until(lambda: len(page.panel.timeline.steps()) == 3)
        assert page.panel.verdict.title().startswith("It is in the mailbox")

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
        await rig.until(lambda: page.panel.trace)
        assert rig.admin.traces[page.panel.trace].summary.recipients == ["anna@gatepost.test"]

    rig.run(scenario())


def test_steps_appear_while_one_looks(rig: Rig) -> None:
    async def scenario() -> None:
        fill(rig.admin)
        page = await rig.show("/activity")
        assert isinstance(page, ActivityPage)
        page.open("x1")
        await rig.until(lambda: len(page.panel.timeline.steps()) == 1)
        rig.admin.push(t.TimelineEvent(trace="x1", step=a_step("sent", "250 ok", 5)))
        await rig.until(lambda: len(page.panel.timeline.steps()) == 2)
        rig.admin.push(t.TimelineEvent(trace="other", step=a_step("sent", "250 ok", 6)))
        await asyncio.sleep(0.05)
        assert len(page.panel.timeline.steps()) == 2

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
