"""Wizards in the window, on a real admin API: each to its end, back again, by keyboard alone, left and gone on with."""

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QPushButton, QWidget

from backend.api import types as t
from tests.gui.test_every_control import nameless
from tests.support.office import Office, office
from ui.pages.flow import FlowPage


class Clerk:
    """Somebody at a wizard. `press` and `type` go to whatever has the focus."""

    def __init__(self, made: Office) -> None:
        self.office = made

    @property
    def page(self) -> FlowPage:
        page = self.office.window.current
        assert isinstance(page, FlowPage)
        return page

    async def begin(self, path: str) -> None:
        self.office.window.activateWindow()
        await self.office.until(self.office.window.isActiveWindow)
        self.office.window.go(path)
        await self.office.until(
            lambda: isinstance(self.office.window.current, FlowPage) and not self.page.TYPE
        )
        await self.settle()

    async def at(self, title: str) -> None:
        await self.office.until(
            lambda: (
                isinstance(self.office.window.current, FlowPage)
                and self.page.heading.text() == title
                and not self.page._busy
                and not self.page._loading
            )
        )
        await self.office.turn()
        if self.page.step.kind != "page":
            assert nameless(self.page) == []

    async def settle(self) -> None:
        await self.office.until(
            lambda: self.page.step is not None and not self.page._busy and not self.page._loading
        )
        await self.office.turn()

    async def click(self, name: str) -> None:
        found = [
            one
            for one in self.page.findChildren(QPushButton)
            if (one.text() == name or one.accessibleName() == name) and one.isVisible()
        ]
        assert found, (
            f"no button {name!r}: {[b.text() for b in self.page.findChildren(QPushButton)]}"
        )
        found[0].click()
        await self.office.turn()
        await self.settle()

    def fill(self, name: str, text: str) -> None:
        found = [
            one
            for one in self.page.findChildren(QLineEdit)
            if one.accessibleName() == name and one.isVisible()
        ]
        assert found, f"no field {name!r}"
        found[0].setText(text)
        found[0].textEdited.emit(text)

    def focused(self) -> QWidget:
        widget = self.office.window.focusWidget()
        assert widget is not None
        return widget

    def names(self) -> str:
        widget = self.focused()
        text = widget.text() if isinstance(widget, QPushButton) else ""
        return f"{text} {widget.accessibleName()}"

    def tab_to(self, name: str) -> None:
        for _ in range(60):
            if name in self.names() or (
                hasattr(self.focused(), "text") and self.focused().text() == name
            ):
                return
            QTest.keyClick(self.focused(), Qt.Key.Key_Tab)
        raise AssertionError(f"no way by keyboard to {name}")

    async def enter(self) -> None:
        QTest.keyClick(self.focused(), Qt.Key.Key_Return)
        await self.office.turn()


def in_office(scenario):
    def test(run_async, qtbot, tmp_path):
        async def go():
            async with office(tmp_path) as made:
                await scenario(made, Clerk(made))

        run_async(go())

    test.__name__ = scenario.__name__
    return test


async def anna(made: Office) -> None:
    await made.client.add_account(
        t.AddAccount(address="anna@example.org", password="correct horse 9")
    )


@in_office
async def test_a_domain_by_keyboard_alone(made, clerk):
    await clerk.begin("/domains/new")
    await clerk.at("Which domain?")
    clerk.tab_to("Domain")
    QTest.keyClicks(clerk.focused(), "gmail.com")
    await clerk.enter()
    await clerk.settle()
    assert "belongs to Google" in clerk.page._state.faults["/name"]
    clerk.fill("Domain", "")
    clerk.tab_to("Domain")
    QTest.keyClicks(clerk.focused(), "new.example")
    await clerk.enter()
    await clerk.at("What the Internet knows of it")
    await made.until(lambda: not clerk.page.step.running)
    await clerk.settle()
    clerk.tab_to("Next")
    await clerk.enter()
    await clerk.at("Who gets mail to the postmaster?")
    clerk.tab_to("Back")
    await clerk.enter()
    await clerk.at("What the Internet knows of it")
    clerk.tab_to("Next")
    await clerk.enter()
    await clerk.at("Who gets mail to the postmaster?")
    clerk.tab_to("Next")
    await clerk.enter()
    await clerk.settle()
    assert "/local_part" in clerk.page._state.faults or clerk.page.step.step == "options"
    if clerk.page.step.step == "postmaster":
        clerk.tab_to("Address")
        QTest.keyClicks(clerk.focused(), "anna")
        await clerk.enter()
    await clerk.at("How shall its mail be treated?")
    clerk.tab_to("Next")
    await clerk.enter()
    await clerk.at("Add the domain")
    clerk.tab_to("Add the domain")
    await clerk.enter()
    await clerk.at("DNS records")
    clerk.tab_to("Next")
    await clerk.enter()
    await clerk.at("The domain is ready")
    assert "new.example" in made.server.services.config.current.domains.domains


@in_office
async def test_an_account_forwards_backwards_and_from_the_review(made, clerk):
    await clerk.begin("/accounts/new")
    clerk.fill("Name", "Anna")
    await clerk.click("Next")
    assert clerk.page._state.faults.keys() == {"/local_part"}
    clerk.fill("Address", "anna")
    await clerk.click("Next")
    await clerk.at("More addresses?")
    text = clerk.page.findChild(QPlainTextEdit)
    text.setPlainText("office@example.org")
    await clerk.click("Back")
    await clerk.at("Who is it?")
    await clerk.click("Next")
    await clerk.at("More addresses?")
    assert clerk.page.findChild(QPlainTextEdit).toPlainText() == "office@example.org"
    await clerk.click("Next")
    await clerk.at("Which password?")
    await clerk.click("Next")
    await clerk.at("Add the account")
    await clerk.click("Change Name")
    await clerk.at("Who is it?")
    clerk.fill("Name", "Anna Example")
    await clerk.click("Next")
    await clerk.at("Add the account")
    await clerk.click("Add the account")
    await clerk.at("The account is ready")
    account = made.server.services.config.current.domains.accounts["anna"]
    assert account.full_name == "Anna Example"
    assert list(account.destinations) == ["anna@example.org", "office@example.org"]
    assert len(clerk.page.step.secrets[0].value) > 20


@in_office
async def test_a_transport_and_a_route_by_keyboard_alone(made, clerk):
    await clerk.begin("/transports/new")
    await clerk.at("How shall mail leave?")
    clerk.tab_to("Relay with sign-in (TLS)")
    for _ in range(5):
        QTest.keyClick(clerk.focused(), Qt.Key.Key_Down)
    assert clerk.page._values() == {"choice": "fail"}
    await clerk.enter()
    await clerk.at("Its settings")
    clerk.tab_to("Name")
    QTest.keyClicks(clerk.focused(), "nowhere")
    await clerk.enter()
    await clerk.settle()
    assert "Nobody has tried yet" in clerk.page.problem.title()
    clerk.tab_to("Test it")
    await clerk.enter()
    await clerk.settle()
    assert clerk.page.step.report.ok
    clerk.tab_to("Next")
    await clerk.enter()
    await clerk.at("What is it used for?")
    clerk.tab_to("Next")
    await clerk.enter()
    await clerk.at("Add the transport")
    clerk.tab_to("Add the transport")
    await clerk.enter()
    await clerk.at("The transport is ready")
    await clerk.begin("/routes/new")
    for title in ("Whose mail?", "Which of it?", "Through which transport?", "At which place?"):
        await clerk.at(title)
        clerk.tab_to("Next")
        await clerk.enter()
    await clerk.at("Add the route")
    clerk.tab_to("Add the route")
    await clerk.enter()
    await clerk.at("The route is ready")
    assert len(made.server.services.config.current.domains.routes) == 2


@in_office
async def test_an_alias_and_what_is_wrong_with_its_members(made, clerk):
    await anna(made)
    await clerk.begin("/aliases/new")
    clerk.fill("Address", "family")
    await clerk.click("Next")
    await clerk.at("Who gets the mail?")
    clerk.page.findChild(QPlainTextEdit).setPlainText("nobody@example.org")
    await clerk.click("Next")
    assert "Nobody here has this address" in clerk.page._state.faults["/members"]
    clerk.page.findChild(QPlainTextEdit).setPlainText("Anna <anna@example.org>")
    await clerk.click("Next")
    await clerk.click("Next")
    await clerk.click("Add the alias")
    await clerk.at("The alias is ready")


@in_office
async def test_a_wizard_is_left_and_gone_on_with_from_the_overview(made, clerk):
    await clerk.begin("/domains/new")
    clerk.fill("Domain", "later.example")
    found = [
        b for b in clerk.page.findChildren(QPushButton) if b.text() == "Save and continue later"
    ]
    found[0].click()
    overview = made.window.pages["overview"]
    await made.until(lambda: made.window.current is overview and overview._left.isVisible())
    link = next(b for b in overview._left.findChildren(QPushButton) if "later.example" in b.text())
    link.click()
    await clerk.at("Which domain?")
    assert clerk.page._state.values["name"] == "later.example"
    domains = await made.visit("/domains")
    assert domains.left.isVisible()
    made.window.go(f"/flow/{(await made.client.flows())[0].id}")
    await clerk.at("Which domain?")
    found = [b for b in clerk.page.findChildren(QPushButton) if b.text() == "Give up"]
    found[0].click()
    await made.until(lambda: made.window.current is overview)
    assert await made.client.flows() == []


@in_office
async def test_removing_asks_for_the_name(made, clerk):
    await anna(made)
    await clerk.begin("/domains/example.org/remove")
    await made.until(lambda: not clerk.page.step.running)
    await clerk.settle()
    await clerk.click("Next")
    assert "Accounts still have addresses" in clerk.page.problem.body()
    await clerk.begin("/accounts/anna/remove")
    await made.until(lambda: not clerk.page.step.running)
    await clerk.settle()
    await clerk.click("Next")
    await clerk.at("Remove the account")
    await clerk.click("Remove the account")
    assert "Type the name" in clerk.page.problem.body()
    clerk.page.typed.setText("anna")
    await clerk.click("Remove the account")
    await clerk.at("The account is removed")


@in_office
async def test_keys_are_changed(made, clerk):
    await made.client.add_dkim_selector("example.org", sign=True)
    await clerk.begin("/domains/example.org/dkim/rotate")
    await clerk.click("Make the new keys")
    await clerk.at("Publish the new keys")
    await made.until(lambda: not clerk.page.step.running)
    await clerk.settle()
    await clerk.click("Go on")
    assert "can't be seen yet" in clerk.page.problem.body()
    await made.client.rotate_dkim("example.org", skip_waiting=True)
    await clerk.click("Go on")
    if clerk.page.step.step == "wait":
        await made.until(lambda: not clerk.page.step.running)
        await clerk.settle()
        await clerk.click("Sign with the new keys now")
    await clerk.at("Let the old keys go")
    await made.until(lambda: not clerk.page.step.running)
    await clerk.settle()
    await clerk.click("Go on")
    assert "too early" in clerk.page.problem.body()
    await clerk.click("Remove the old keys now")
    await clerk.at("The keys are changed")


@in_office
async def test_an_address_needs_a_domain_first(made, clerk):
    await made.client.remove_domain("example.org")
    made.window.go("/accounts/new")
    page = made.window.current
    await made.until(lambda: "there is none yet" in page.problem.title())


@in_office
async def test_a_transport_that_was_not_tried_is_gone_on_with_all_the_same(made, clerk):
    await clerk.begin("/transports/new")
    await clerk.click("Next")
    clerk.fill("Server", "127.0.0.1")
    clerk.fill("User name", "me")
    await clerk.click("Next")
    assert "/auth/password" in clerk.page._state.faults
    clerk.fill("Password", "Geheim-17")
    clerk.fill("Name", "here")
    await clerk.click("Next")
    assert "Nobody has tried yet" in clerk.page.problem.title()
    await clerk.click("Go on all the same")
    await clerk.at("What is it used for?")
    await clerk.click("Back")
    await clerk.at("Its settings")
    assert clerk.page._state.values["auth"]["password"] == {"set": True}
