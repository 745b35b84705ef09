"""What is remembered of checks: news, acknowledgements, confirmed faults, and all of it after a restart."""

from dataclasses import replace

import pytest

from backend.checkup.checks import Check, keys
from backend.checkup.dns import Report
from backend.checkup.kept import SERVER, KeptResults, take_in
from backend.checkup.steady import CONFIRM_OVER_S, Steady
from backend.core.clock import FakeClock
from backend.core.errors import NotFoundError

MX = Check(
    code="mx",
    area="receive",
    title="Where mail for you goes",
    purpose="",
    severity="required",
    name="a.test",
    type="MX",
    result="ok",
    summary="",
)
SPF = replace(MX, code="spf", type="TXT", title="Who may send for you", area="accepted")
KEY = "mx MX a.test"


def report(*checks, at=1000.0, domain="a.test"):
    return Report(
        domain=domain, practice_mode=False, checked_at=at, headline="", checks=checks, notes=()
    )


def bad(check, *found):
    return replace(check, result="different" if found else "missing", found=found)


def test_news_names_what_matches_now_and_what_is_left():
    before = take_in(None, report(bad(MX), bad(SPF)))
    assert before.news == ""
    after = take_in(before, report(MX, bad(SPF), at=2000))
    assert after.news == "“Where mail for you goes” now matches. 1 to go."
    last = take_in(after, report(MX, SPF, at=3000))
    assert last.news == "“Who may send for you” now matches. Nothing is left to do."
    assert take_in(last, report(MX, SPF, at=4000)).news == ""


def test_a_row_tells_since_when_it_is_so():
    before = take_in(None, report(bad(MX), at=1000))
    same = take_in(before, report(bad(MX), at=2000))
    assert same.rows[KEY].since == 1000
    assert take_in(same, report(MX, at=3000)).rows[KEY].since == 3000


def test_a_fault_counts_when_it_was_seen_three_times_over_half_an_hour():
    steady = Steady()
    for at in (0, 60, 120, 180):
        steady = steady.see(True, at)
        assert not steady.is_bad
    assert steady.is_wavering
    steady = steady.see(True, CONFIRM_OVER_S)
    assert steady.is_bad
    assert not steady.is_wavering
    assert steady.see(True, CONFIRM_OVER_S + 1) == steady
    assert not steady.see(False, CONFIRM_OVER_S + 2).is_bad


def test_two_times_over_a_day_are_not_enough_and_one_good_time_begins_anew():
    assert not Steady().see(True, 0).see(True, 86_400).is_bad
    again = Steady().see(True, 0).see(True, 1000).see(False, 1500).see(True, 2000)
    assert (again.is_bad, again.times) == (False, 1)


def test_who_could_not_look_has_seen_nothing():
    kept = take_in(None, report(bad(MX), at=0))
    kept = take_in(kept, report(bad(MX), at=1000))
    kept = take_in(kept, report(replace(MX, result="unknown"), at=2000))
    assert kept.rows[KEY].steady.times == 2
    kept = take_in(kept, report(bad(MX), at=3000))
    assert [check.code for check in kept.confirmed_faults] == ["mx"]


def test_what_is_not_required_is_never_a_fault():
    spf = replace(bad(SPF), severity="optional")
    kept = None
    for at in (0, 1000, 2000, 3000):
        kept = take_in(kept, report(spf, at=at))
    assert not kept.confirmed_faults


def test_two_lines_of_one_record_have_names_of_their_own():
    assert keys([MX, MX, SPF]) == [KEY, f"{KEY} #2", "spf TXT a.test"]


async def test_an_acknowledgement_holds_until_the_finding_is_another_one(tmp_path):
    results = KeptResults(tmp_path / "checks", FakeClock())
    await results.put("a.test", report(bad(MX, "10 old.test", "20 other.test"), SPF))
    await results.acknowledge("a.test", KEY, "we move on Monday", "admin")
    assert [check.code for check in results.get("a.test").open_checks] == ["spf"]
    # The same records in another order are the same finding.
    kept = await results.put("a.test", report(bad(MX, "20 other.test", "10 old.test"), SPF))
    assert kept.rows[KEY].acknowledged.note == "we move on Monday"
    # Could not look: nothing has changed.
    await results.put("a.test", report(replace(MX, result="unknown"), SPF))
    assert results.get("a.test").rows[KEY].acknowledged
    kept = await results.put("a.test", report(bad(MX, "10 third.test"), SPF))
    assert kept.rows[KEY].acknowledged is None


async def test_a_confirmed_fault_that_is_acknowledged_is_not_told(tmp_path):
    results = KeptResults(tmp_path / "checks", FakeClock())
    for at in (0, 1000, 2000):
        await results.put("a.test", report(bad(MX), at=at))
    assert results.get("a.test").confirmed_faults
    await results.acknowledge("a.test", KEY, "", "admin")
    assert not results.get("a.test").confirmed_faults
    await results.revoke("a.test", KEY)
    assert results.get("a.test").confirmed_faults


async def test_everything_is_there_after_a_restart(tmp_path):
    results = KeptResults(tmp_path / "checks", FakeClock())
    await results.put("a.test", report(bad(MX)))
    await results.put("b" * 60 + ".test", report(MX, domain="b" * 60 + ".test"))
    long = ".".join(["c" * 60] * 4)
    await results.put(long, report(MX, domain=long))
    await results.put(SERVER, report(MX, domain=SERVER))
    await results.acknowledge("a.test", KEY, "later", "admin")
    again = KeptResults(tmp_path / "checks", FakeClock())
    await again.load()
    assert sorted(again.subjects()) == sorted(results.subjects())
    for subject in again.subjects():
        assert again.get(subject) == results.get(subject)


async def test_a_broken_file_is_passed_over(tmp_path):
    folder = tmp_path / "checks"
    folder.mkdir()
    (folder / "a.test.json").write_text("{")
    results = KeptResults(folder, FakeClock())
    await results.load()
    assert results.subjects() == []
    await results.put("a.test", report(MX))
    await results.forget("a.test")
    assert not list(folder.iterdir())


async def test_a_line_that_is_gone_can_not_be_acknowledged(tmp_path):
    results = KeptResults(tmp_path / "checks", FakeClock())
    with pytest.raises(NotFoundError):
        await results.acknowledge("a.test", KEY, "", "admin")
