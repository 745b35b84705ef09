"""Domains, accounts and aliases in the window, with the real API behind it."""

import asyncio

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QCheckBox

from backend.api import aliases as a
from backend.api.types import AddAccount, Port
from tests.support.office import fill, office
from tests.support.window import press
from ui.pages.form_editor import FormEditor
from ui.pages.tabbed import TabbedPage


@pytest.fixture
def in_office(run_async, tmp_path):
    """`in_office(scenario)`: anna@example.org is there."""

    def run(scenario, **options):
        async def whole():
            async with office(tmp_path, **options) as place:
                person = AddAccount(address="anna@example.org", full_name="Anna Meier")
                await place.client.add_account(person)
                await scenario(place)
                FormEditor._drafts.clear()

        run_async(whole())

    return run


async def eventually(ask):
    """Waits until the server says so."""
    while not await ask():
        await asyncio.sleep(0.02)


async def press_soon(place, parent, name):
    """As soon as the button shows."""
    await place.until(
        lambda: any(
            one.accessibleName() == name and one.isVisible()
            for one in parent.findChildren(QAbstractButton)
        )
    )
    press(parent, name)


def tabs(page):
    return [page.tabs.tabText(i) for i in range(page.tabs.count())]


def test_the_tabs_of_a_thing_are_pages_with_paths(in_office):
    async def scenario(place):
        page = await place.visit("/domains/example.org")
        assert isinstance(page, TabbedPage)
        assert page.heading.text() == "example.org"
        assert tabs(page)[0] == "Summary"
        for number in range(page.tabs.count()):
            before = place.window.path
            page.tabs.setFocus()
            QTest.keyClick(page.tabs, Qt.Key.Key_Right if number else Qt.Key.Key_Home)
            assert number == 0 or place.window.path != before
            current = place.window.current
            await place.until(lambda page=current: page.state == "full" and not page._loading)
            if current is not page:
                break  # the next ones are pages of their own
        other = await place.visit("/accounts/anna/limits")
        assert other.heading.text() == "Anna Meier"
        assert other.tabs.tabText(other.tabs.currentIndex()) == "Limits"

    in_office(scenario)


def test_what_is_gone_says_so_and_other_things_are_shown_anew(in_office):
    async def scenario(place):
        page = await place.visit("/domains/nothing.example")
        assert page.state == "error"
        assert "There is no domain nothing.example here." in page.error.body()
        again = await place.visit("/domains/example.org")
        assert (again, again.state) == (page, "full")

    in_office(scenario)


def test_lists_lead_to_the_wizards_that_add_and_remove(in_office):
    async def scenario(place):
        async def wizard(name):
            await place.until(lambda: place.window.path.startswith("/flow/"))
            flow = place.window.current
            await place.until(lambda: flow.step is not None and flow.step.name == name)

        page = await place.visit("/domains")
        press(page, "Add a domain")
        await wizard("Add a domain")
        page = await place.visit("/accounts")
        page.list.table.select(0)
        await press_soon(place, page, "Remove anna")
        await wizard("Remove an account")

    in_office(scenario)


def test_keys_for_signatures_are_made_chosen_and_removed(in_office):
    async def scenario(place):
        page = await place.visit("/domains/example.org/dkim")
        press(page, "Make a key")
        dialog = await place.dialog()
        fill(dialog, "Name", "autumn")
        dialog.algorithm.select("ed25519")
        press(dialog, "Make the key")

        def box():
            found = [
                w for w in page.findChildren(QCheckBox) if w.accessibleName() == "autumn signs"
            ]
            return next((w for w in found if w.isVisible()), None)

        await place.until(box)
        box().click()

        async def signs():
            return (await place.client.dkim("example.org")).sign == ["autumn"]

        await eventually(signs)
        await place.until(lambda: "signs from now on" in place.window.toast.text())
        place.window.toast.take_back()
        await place.until(lambda: box() is not None and not box().isChecked())
        press(page, "Remove the key autumn")
        press(await place.dialog(), "Remove the key")
        await place.until(lambda: box() is None)
        assert (await place.client.dkim("example.org")).selectors == []

    in_office(scenario)


def test_an_address_gets_a_mailbox_goes_and_comes_back(in_office):
    async def scenario(place):
        async def addresses():
            account = await place.client.account("anna")
            return {each.address: each.mailbox for each in account.addresses}

        page = await place.visit("/accounts/anna/addresses")
        press(page, "Add address")
        dialog = await place.dialog()
        fill(dialog, "Address", "shop")
        fill(dialog, "Mailbox", "Shop")
        press(dialog, "Add address")
        await place.until(lambda: "was added" in place.window.toast.text())
        assert await addresses() == {"anna@example.org": "INBOX", "shop@example.org": "Shop"}
        await place.turn()
        await place.until(lambda: not page._loading)
        press(page, "Choose the mailbox for shop@example.org")
        dialog = await place.dialog()
        fill(dialog, "Mailbox", "Orders")
        press(dialog, "Save")
        await place.until(lambda: "mailbox chosen" in place.window.toast.text())
        await place.turn()
        await place.until(lambda: not page._loading)
        press(page, "Remove the address shop@example.org")
        await place.until(lambda: "was removed" in place.window.toast.text())
        assert await addresses() == {"anna@example.org": "INBOX"}
        place.window.toast.take_back()

        async def is_back():
            return (await addresses()).get("shop@example.org") == "Orders"

        await eventually(is_back)

    in_office(scenario)


def test_signing_in_is_switched_off_and_on_again(in_office):
    async def scenario(place):
        page = await place.visit("/accounts/anna/sign-in")
        press(page, "Switch off: signing in to the account")
        await place.until(lambda: page.pill.text() == "switched off")
        assert (await place.client.account("anna")).disabled
        place.window.toast.take_back()
        await place.until(lambda: page.pill.text() == "in use")

    in_office(scenario)


def test_a_password_is_set_and_a_short_one_refused(in_office):
    async def scenario(place):
        page = await place.visit("/accounts/anna/sign-in")
        press(page, "Set a new password")
        dialog = await place.dialog()
        dialog.password.line.setText("short")
        press(dialog, "Set password")
        await place.until(dialog.password.fault)
        dialog.password.line.setText("")
        press(dialog, "Set password")
        await place.until(lambda: dialog.made)
        shown = await place.dialog()
        press(shown, "Copy password")
        assert QGuiApplication.clipboard().text() == dialog.made

    in_office(scenario)


def test_limits_are_a_form_beside_what_was_sent(in_office):
    async def scenario(place):
        page = await place.visit("/accounts/anna/limits")
        fill(page, "Messages a day", "50")
        press(page, "Save")
        await place.until(lambda: page.panel.editor.is_dirty is False)
        await place.until(lambda: not page._loading)
        account = await place.client.account("anna")
        assert account.max_outgoing_messages_per_day == 50

    in_office(scenario)


def test_an_alias_is_opened_changed_and_removed(in_office):
    async def scenario(place):
        member = a.AddAlias(address="family@example.org", members=["anna@example.org"])
        await place.client.add_alias(member)
        page = await place.visit("/aliases")
        page.list.table.select(0)
        await press_soon(place, page, "Open family@example.org")
        one = place.window.current
        await place.until(lambda: one.state == "full" and one.editor.state is not None)
        await place.turn()
        fill(one, "Description", "All of us")
        press(one, "Save")
        await place.until(lambda: not one.editor.is_dirty)
        assert (await place.client.alias("family@example.org")).description == "All of us"

    in_office(scenario)


def test_without_an_alias_the_list_offers_to_add_one(in_office):
    async def scenario(place):
        page = await place.visit("/domains/example.org/aliases")
        await place.until(lambda: page.panel.empty is not None and page.panel.empty.isVisible())
        assert page.panel.empty.title() == "No alias yet"

    in_office(scenario)


def test_the_addresses_of_a_domain_lead_to_where_they_are_changed(in_office):
    async def scenario(place):
        member = a.AddAlias(address="family@example.org", members=["anna@example.org"])
        await place.client.add_alias(member)
        page = await place.visit("/domains/example.org/addresses")
        panel = page.panel
        await place.until(lambda: panel.list.total == 2)
        panel.list.table.opened.emit(1)
        assert place.window.path == "/aliases/family@example.org"
        await place.visit("/domains/example.org/addresses")
        panel.list.table.opened.emit(0)
        assert place.window.path == "/accounts/anna/addresses"

    in_office(scenario)


def test_a_phone_gets_a_code_and_who_asks_shows(in_office):
    async def scenario(place):
        page = await place.visit("/accounts/anna/connect")
        panel = page.panel
        assert "it shows here" in panel._asked.text()
        press(panel, "Make a code")
        await place.until(place.window.error_banner.isVisible)  # no port for HTTP is open
        place.server.control.open_ports = [
            Port(
                listener="public",
                service=service,
                host="127.0.0.1",
                port=port,
                security="tls",
                purpose="",
            )
            for service, port in (("https", 443), ("imaps", 993), ("submissions", 465))
        ]
        press(panel, "Make a code")
        await place.until(panel.qr.isVisible)
        assert "Only this computer reaches the link" in panel._code_note.text()
        press(panel, "Steps for: Outlook")
        assert not panel._code.isVisible()
        services = place.server.services
        services.setup.note("example.org", "autoconfig", services.clock.time())
        panel._look_again()
        await place.until(lambda: "A mail app has asked" in panel._asked.text())
        press(panel, "Do mail apps find the settings?")
        await place.until(panel.found.isVisible)
        assert "Not every mail app finds the settings" in panel.found.title()
        press(panel, "Copy port")
        assert QGuiApplication.clipboard().text() == "993"

    in_office(scenario)
