"""DNS records and checks of the server in the window, on a real admin API with a real DNS server."""

from contextlib import asynccontextmanager

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit
from shiboken6 import isValid

from backend.core.events import ConfigApplied
from tests.gui.test_every_control import nameless
from tests.support import dns_zone
from tests.support.dns_server import DnsServer
from tests.support.office import office
from tests.support.window import press
from ui.widgets.copyfield import CopyField
from ui.widgets.diff_text import DiffText
from ui.widgets.text import Label

DNS = "/domains/example.org/dns"


@asynccontextmanager
async def at_dns(folder, zone):
    async with (
        DnsServer(zone, authority=True) as dns,
        office(folder, **dns_zone.settings_for(dns)) as desk,
    ):
        page = await desk.visit(DNS)
        await checked(desk, page)
        yield desk, page, dns


def panel_of(page):
    """Of a tab, what stands in it."""
    return getattr(page.panel, "checks", page.panel)


async def checked(desk, page):
    await desk.until(lambda: panel_of(page).value and panel_of(page).value.checked_at)
    await desk.until(lambda: not panel_of(page)._busy)
    await desk.turn()


def line(page, code):
    (found,) = [each for each in panel_of(page).rows() if each.check.code == code]
    return found


def texts(widget):
    return [label.text() for label in widget.findChildren(Label) if label.isVisible()]


def groups(page):
    return {each.title: each.progress for each in panel_of(page).value.groups}


def test_a_domain_that_is_set_up(run_async, qtbot, tmp_path):
    async def scenario():
        async with at_dns(tmp_path, dns_zone.GOOD) as (desk, page, _):
            verdict = panel_of(page).verdict.text()
            assert verdict == "Mail can be received and sent: all records that matter are right."
            assert groups(page)["Needed to receive"] == "2 of 2"
            assert {each.check.state for each in panel_of(page).rows()} == {"ok"}
            assert panel_of(page).chip.text() == "DNS at Cloudflare"
            assert "by asking your DNS servers directly" in panel_of(page).age.text()
            assert desk.window.path == DNS
            assert nameless(desk.window) == []

    run_async(scenario())


def test_a_row_opens_by_key_and_shows_the_difference_and_the_fields(run_async, qtbot, tmp_path):
    async def scenario():
        async with at_dns(tmp_path, dns_zone.MIXED) as (desk, page, _):
            row = line(page, "dkim")
            assert row.head.accessibleName().startswith("Signature key 2026a: different, TXT")
            assert not row.is_open
            row.head.setFocus()
            QTest.keyClick(row.head, Qt.Key.Key_Space)
            await desk.turn()
            assert row.is_open
            now, should = [diff.accessibleName() for diff in row.findChildren(DiffText)]
            assert now.startswith("− v=DKIM1")
            assert should.startswith("+ v=DKIM1")
            fields = {each._field.accessibleName(): each for each in row.findChildren(CopyField)}
            assert fields["Name"].value() == "2026a._domainkey"
            fields["Content"].copy()
            assert QApplication.clipboard().text() == dns_zone.KEY.text
            assert any("424 characters" in text for text in texts(row))
            assert any("dash.cloudflare.com" in text for text in texts(row))
            assert nameless(desk.window) == []
            QTest.keyClick(row.head, Qt.Key.Key_Space)
            assert not row.is_open

    run_async(scenario())


def test_a_change_is_told_and_open_rows_stay_open(run_async, qtbot, tmp_path):
    async def scenario():
        async with at_dns(tmp_path, dns_zone.MIXED) as (desk, page, dns):
            row = line(page, "spf")
            row.toggle()
            dns.add("example.org", {"TXT": ['"v=spf1 mx ~all"']})
            press(page, "Check again")
            await desk.until(lambda: not panel_of(page).news.isHidden())
            assert panel_of(page).news.title() == "“Who may send for you” now matches. 2 to go."
            assert line(page, "spf") is row
            assert row.is_open
            assert row.check.state == "ok"
            assert groups(page)["Needed so others accept your mail"] == "2 of 4"

    run_async(scenario())


def test_while_somebody_looks_it_is_checked_again_ever_more_seldom(run_async, qtbot, tmp_path):
    async def scenario():
        async with at_dns(tmp_path, dns_zone.GOOD) as (desk, page, _):
            timer = panel_of(page)._timer
            for seconds in (30, 120, 600, 600):
                assert timer.isActive()
                assert timer.interval() == seconds * 1000
                timer.timeout.emit()
                assert panel_of(page)._busy
                await checked(desk, page)
            press(page, "Check again")
            await checked(desk, page)
            assert timer.interval() == 30_000
            await desk.visit("/server")
            assert not timer.isActive()
            await desk.visit(DNS)
            await desk.until(timer.isActive)

    run_async(scenario())


def test_other_settings_are_checked_for_at_once(run_async, qtbot, tmp_path):
    async def scenario():
        async with at_dns(tmp_path, dns_zone.GOOD) as (desk, page, dns):
            panel = panel_of(page)
            first = panel.value.checked_at
            desk.server.record(ConfigApplied(revision=7, author="somebody"))
            await desk.until(lambda: panel_of(page).value.checked_at > first)
            await checked(desk, page)
            await desk.visit("/server")
            dns.queries.clear()
            desk.server.record(ConfigApplied(revision=8, author="somebody"))
            await desk.until(lambda: panel.value.checked_at is None)
            assert not dns.queries
            await desk.visit(DNS)
            await checked(desk, page)
            assert dns.queries

    run_async(scenario())


def test_a_check_whose_page_is_gone_harms_nobody(run_async, qtbot, tmp_path):
    async def scenario():
        async with at_dns(tmp_path, dns_zone.GOOD) as (desk, page, dns):
            dns.silent.add("example.org")  # so that it takes its time
            await desk.client.add_domain("second.test")
            old = panel_of(page)
            old.check_now()
            assert old._busy
            await desk.visit("/domains/second.test/dns")
            await desk.until(lambda: not isValid(old))
            await desk.until(lambda: not old._busy)
            await checked(desk, page)
            assert desk.window.error_banner.isHidden()

    run_async(scenario())


def test_a_row_is_hidden_with_a_note_and_shown_again(run_async, qtbot, tmp_path):
    async def scenario():
        async with at_dns(tmp_path, dns_zone.MIXED) as (desk, page, _):
            row = line(page, "dmarc")
            row.toggle()
            await desk.turn()
            (note,) = [each for each in row.findChildren(QLineEdit) if not each.isReadOnly()]
            QTest.keyClicks(note, "comes next week")
            QTest.keyClick(note, Qt.Key.Key_Return)
            await desk.until(lambda: row.check.acknowledged)
            assert row.isHidden()
            assert "forgeries" not in panel_of(page).verdict.text()
            press(page, "1 hidden: Needed so others accept your mail")
            await desk.turn()
            assert row.isVisible()
            assert any("comes next week" in text for text in texts(row))
            press(page, "Show again: What others do with forgeries")
            await desk.until(lambda: not row.check.acknowledged)
            assert row.isVisible()

    run_async(scenario())


def test_nothing_published_and_nothing_to_be_told(run_async, qtbot, tmp_path):
    async def scenario():
        async with at_dns(tmp_path, dns_zone.BARE) as (desk, page, dns):
            assert panel_of(page).verdict.text().startswith("Mail can't be received yet")
            assert groups(page)["Needed to receive"] == "0 of 2"
            dns.silent |= {"example.org", "mail.example.org"}
            press(page, "Check again")
            await desk.until(lambda: line(page, "mx").check.state == "unknown")
            assert line(page, "mx").check.word == "could not tell"

    run_async(scenario())


def test_in_practice_mode_nothing_is_asked(run_async, qtbot, tmp_path):
    async def scenario():
        async with (
            DnsServer({}) as dns,
            office(tmp_path, **dns_zone.settings_for(dns), practice_mode=True) as desk,
        ):
            page = await desk.visit(DNS)
            assert "Practice mode needs no DNS" in panel_of(page).verdict.text()
            assert panel_of(page).buttons.isHidden()
            assert not dns.queries

    run_async(scenario())


def test_another_domain_shows_nothing_of_the_one_before(run_async, qtbot, tmp_path):
    async def scenario():
        async with at_dns(tmp_path, dns_zone.GOOD) as (desk, page, _):
            await desk.client.add_domain("second.test")
            other = await desk.visit("/domains/second.test/dns")
            assert other is page
            await desk.until(
                lambda: (
                    panel_of(page).value
                    and panel_of(page).value.domain == "second.test"
                    and panel_of(page).value.checked_at
                )
            )
            assert page.heading.text() == "second.test"
            assert line(page, "mx").check.name == "second.test"

    run_async(scenario())


def test_the_server_is_checked_and_one_check_runs_alone(run_async, qtbot, tmp_path):
    async def scenario():
        async with (
            DnsServer(dns_zone.GOOD, authority=True) as dns,
            office(tmp_path, **dns_zone.settings_for(dns)) as desk,
        ):
            page = await desk.visit("/health")
            await checked(desk, page)
            assert groups(page)["Certificate"] == "2 of 2"
            row = line(page, "folder")
            assert row.check.state == "ok"
            row.toggle()
            await desk.turn()
            secrets = desk.server.folder.secrets
            secrets.chmod(0o755)
            press(page, "Check this again: Data folder")
            await desk.until(lambda: row.check.state == "warn")
            assert row.is_open
            assert any(str(secrets) in text for text in texts(row))
            assert nameless(desk.window) == []

    run_async(scenario())
