"""A transport from its name to its removal, in the window on a real server."""

from PySide6.QtWidgets import QAbstractButton, QDialog

from backend.api.delivery import (
    AddMailRoute,
    AddTransport,
    RemoveMailRoute,
    RouteSettings,
    TransportSettings,
)
from tests.support.office import fill, office
from tests.support.window import press
from ui.widgets.text import Label


def texts(page) -> str:
    return "\n".join(label.text() for label in page.findChildren(Label) if label.isVisible())


def enabled(page, name):
    (found,) = [
        b
        for b in page.findChildren(QAbstractButton)
        if b.accessibleName() == name and b.isVisible()
    ]
    return found.isEnabled()


def test_a_transport_is_made_used_and_removed(run_async, qtbot, tmp_path):
    async def scenario():
        async with office(tmp_path, practice_mode=True) as place:
            await place.visit("/transports")
            assert place.window.current.empty.title() == "No transport yet"
            missing = await place.visit("/transports/relay")
            assert missing.state == "error"
            plain = TransportSettings(kind="submissions", host="smtp.x.test")
            await place.client.add_transport(AddTransport(name="relay", settings=plain))
            page = await place.visit("/transports/relay")
            fill(page, "Server", "smtp.relay.example")
            press(page, "Save")
            await place.until(lambda: "relay.example:465" in page.subtitle.text())
            await place.turn()
            assert page.subtitle.text() == "Relay smtp.relay.example:465 with TLS."
            assert "not used yet" in texts(page)
            assert "Ask whoever runs this server" in texts(page)
            press(page, "Test")
            await place.until(place.window.error_banner.isVisible)
            assert "practice mode" in place.window.error_banner.body()

            added = AddMailRoute(route=RouteSettings(transport="relay"))
            changed = await place.client.add_mail_route(added)
            page.mark_stale()  # the office has no stream of events
            await place.until(lambda: "While routes use it" in texts(page))
            assert not enabled(page, "Remove")
            press(page, "route 1 of the server")
            assert place.window.path == "/routes"
            place.window.go("/transports/relay")
            await place.client.remove_mail_route(
                RemoveMailRoute(position=1, revision=changed.revision)
            )
            page.mark_stale()
            await place.until(lambda: "no route, so no mail takes it" in texts(page))
            press(page, "Remove")
            press(await place.dialog(QDialog), "Remove the transport")
            await place.until(lambda: place.window.path == "/transports")
            assert await place.client.transports() == []

    run_async(scenario())


def test_what_is_missing_and_what_spf_needs_is_said(run_async, qtbot, tmp_path):
    async def scenario():
        async with office(tmp_path) as place:
            settings = TransportSettings(
                kind="submissions", host="smtp.x.test", username="me", spf_include="spf.x.test"
            )
            await place.client.add_transport(AddTransport(name="relay", settings=settings))
            page = await place.visit("/transports/relay")
            assert page.note.title() == "This transport signs in, but its password is missing."
            domain = (await place.client.domains())[0].name
            assert f"Add “include:spf.x.test” to the SPF record of {domain}." in texts(page)
            await place.client.set_transport_password("relay", "secret")
            page.mark_stale()
            await place.until(lambda: not page.note.isVisible())
            assert "stored" in texts(page)

    run_async(scenario())
