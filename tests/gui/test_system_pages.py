"""Settings as text, their changes, sign-ins and one message: in a window on a real server."""

from pathlib import Path

from PySide6.QtWidgets import QPushButton

from backend.api import types as t
from backend.core.events import SignedIn, TimelineEntry
from backend.core.ids import TraceId
from backend.observe import log as logs
from tests.support.office import office
from tests.support.window import press
from ui.pages.log import LogPage
from ui.pages.message import MessagePage
from ui.pages.revisions import RevisionsPage
from ui.pages.settings import SettingsPage
from ui.pages.signins import SignInsPage
from ui.presenters.drafts import Drafts


def failed(at: float, peer: str) -> SignedIn:
    return SignedIn(
        account="",
        address=f"guess{at:.0f}@example.org",
        protocol="imap",
        peer=peer,
        succeeded=False,
        mechanism="PLAIN",
        at=at,
        encrypted=True,
    )


def test_a_text_is_checked_compared_saved_and_taken_back(run_async, qtbot, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with office(tmp_path) as place:
            page = await place.visit("/settings")
            assert isinstance(page, SettingsPage)
            editor = page.editors["domains.toml"]
            before = editor.toPlainText()
            assert not page.save_button.isEnabled()

            # A fault is told with its line, and leads there.
            editor.setPlainText(before + '\n[domains."typed.example"]\ndescriptoin = "typed"\n')
            press(page, "Save")
            await place.until(page.faults.isVisible)
            faulty = len(before.splitlines()) + 3
            page.switch.choose("server.toml")
            press(page, f"domains.toml, line {faulty}")
            assert page.file == "domains.toml"
            assert editor.textCursor().selectedText() == 'descriptoin = "typed"'

            # What was typed stays while one looks elsewhere.
            await place.visit("/domains")
            page = await place.visit("/settings")
            assert "descriptoin" in editor.toPlainText()

            editor.setPlainText(editor.toPlainText().replace("descriptoin", "description"))
            assert not page.faults.isVisible()
            press(page, "Check")
            await place.until(page.verdict.isVisible)
            assert "typed.example" in page.verdict.body()
            assert '+ [domains."typed.example"]' in page.diff.toPlainText()

            press(page, "Save")
            press(await place.dialog(), "Save and apply")
            await place.until(lambda: place.window.toast.text() == "Saved, and in force.")
            assert {d.name for d in await place.client.domains()} == {
                "example.org",
                "typed.example",
            }
            place.window.toast.take_back()
            await place.until(
                lambda: place.window.toast.text() == "The settings are as they were before."
            )
            assert [d.name for d in await place.client.domains()] == ["example.org"]
            await place.until(lambda: editor.toPlainText() == before)

    run_async(scenario())


def test_a_change_made_elsewhere_is_said_and_nothing_typed_is_lost(
    run_async, qtbot, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with office(tmp_path) as place:
            page = await place.visit("/settings")
            assert isinstance(page, SettingsPage)
            editor = page.editors["domains.toml"]
            before = editor.toPlainText()
            editor.setPlainText(before + "# mine\n")
            await place.client.add_domain("meanwhile.example")
            await place.until(page.conflict.isVisible)
            assert editor.toPlainText() == before + "# mine\n"
            assert not page.save_button.isEnabled()
            press(page, "Compare")
            await place.until(page.diff.isVisible)
            assert '\u2212 [domains."meanwhile.example"]' in page.diff.toPlainText()
            assert page.save_button.isEnabled()
            press(page, "Discard")
            assert "meanwhile.example" in editor.toPlainText()

    run_async(scenario())


def test_a_change_of_the_other_file_does_not_stand_in_the_way() -> None:
    def config(revision: int, server: str, domains: str) -> t.Configuration:
        files = {"server.toml": server, "domains.toml": domains}
        return t.Configuration(revision=revision, files=files, data={})

    drafts = Drafts()
    drafts.put("domains.toml", "mine", config(3, "s", "d"))
    drafts.meet(config(4, "s2", "d"))
    assert (drafts.base, drafts.is_behind) == (4, False)
    drafts.meet(config(5, "s2", "d2"))
    assert (drafts.base, drafts.is_behind) == (4, True)
    assert drafts.request().files == {"domains.toml": "mine"}
    drafts.begin_from(config(5, "s2", "d2"))
    assert (drafts.base, drafts.is_behind) == (5, False)


def test_one_goes_back_to_an_older_change_and_undoes_that(run_async, qtbot, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with office(tmp_path) as place:
            await place.client.add_domain("b.example")
            await place.client.add_domain("c.example")
            page = await place.visit("/settings/revisions/2")
            assert isinstance(page, RevisionsPage)
            await place.until(lambda: page.title.text().startswith("2."))
            assert '+ [domains."b.example"]' in page.diff.toPlainText()
            press(page, "Go back to this")
            dialog = await place.dialog()
            assert "c.example" in dialog.findChild(type(page.diff)).toPlainText()
            press(dialog, "Go back")
            await place.until(lambda: place.window.toast.text() == "The old settings hold again.")
            names = {domain.name for domain in await place.client.domains()}
            assert names == {"example.org", "b.example"}
            await place.until(lambda: page.title.text().startswith("4."))
            place.window.toast.take_back()
            await place.until(lambda: page.model.rowCount() == 5)
            assert len(await place.client.domains()) == 3

    run_async(scenario())


def test_refused_sign_ins_are_grouped_and_lead_to_those_of_one_address(
    run_async, qtbot, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with office(tmp_path) as place:
            page = await place.visit("/signins")
            assert isinstance(page, SignInsPage)
            assert page.list.total == 0
            for at in range(1, 130):
                place.server.record(failed(float(at), "203.0.113.9"))
            place.server.record(failed(200.0, "192.0.2.1"))
            await place.visit("/domains")
            page = await place.visit("/signins")
            await place.until(lambda: page.list.total == 130)
            assert page.list.model.rowCount() == 100  # the rest comes when one scrolls
            press(page, "Refused, by address")
            await place.until(lambda: page.list.total == 2)
            assert page.list.table is not None
            page.list.table.opened.emit(0)
            await place.until(lambda: place.window.path == "/signins/203.0.113.9")
            await place.until(lambda: page.list.total == 129)
            assert page.only.title() == "Only sign-ins from 203.0.113.9"
            press(page, "Show all")
            await place.until(lambda: page.list.total == 130)

    run_async(scenario())


def test_a_message_has_a_page_whose_steps_come_as_they_happen(
    run_async, qtbot, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with office(tmp_path) as place:
            page = await place.visit("/activity/t9")
            assert isinstance(page, MessagePage)
            assert page.verdict.title() == "On its way…"
            details = {"sender": "a@example.net", "recipient": "anna@example.org"}
            for at, kind in ((1.0, "received"), (2.0, "delivered")):
                place.server.record(
                    TimelineEntry(
                        trace=TraceId("t9"),
                        at=at,
                        kind=kind,
                        text=f"It was {kind}.",
                        details=details,
                    )
                )
            await place.until(lambda: len(page.timeline.steps()) == 2)
            await place.until(lambda: "It was delivered" in page.verdict.title())

    run_async(scenario())


def test_browsers_that_are_signed_in_are_listed_and_signed_out(
    run_async, qtbot, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with office(tmp_path) as place, place.server.remote() as browser:
            await browser.sign_in(place.server.password)
            page = await place.visit("/server")
            name = "Sign out Python"
            found = [
                one.accessibleName()
                for one in page.findChildren(QPushButton)
                if one.accessibleName().startswith(name)
            ]
            assert len(found) == 1
            press(page, found[0])
            await place.until(lambda: place.window.toast.text() == "That session has ended.")
            assert await place.client.sessions() == []

    run_async(scenario())


def test_the_log_shows_one_part_or_one_session(run_async, qtbot, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with office(tmp_path) as place:
            page = await place.visit("/log")
            assert isinstance(page, LogPage)
            log = logs.get("backend.smtpd.listener")
            for cid in ("a1", "b2"):
                with logs.bound(cid=cid):
                    log.info("connection opened")
                    log.info("message accepted")
            await place.until(lambda: page.part.box.findData("smtpd") >= 0)
            page.part.select("smtpd")
            assert page.model.rowCount() == 4
            page.table.select(2)
            press(page, "Only this session")
            assert [line.fields["cid"] for line in page.model.rows()] == ["b2", "b2"]

    run_async(scenario())
