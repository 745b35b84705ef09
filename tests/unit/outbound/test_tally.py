import pytest

from backend.config.routing import Route
from backend.core.clock import FakeClock
from backend.outbound.route import Level
from backend.outbound.tally import DAY_S, FILE, KEPT_DAYS, MAX_ROUTES_A_DAY, Tally

RULE = Route(transport="relay", to_domain=["x.test"])


@pytest.fixture
def clock():
    return FakeClock()


async def opened(path, clock):
    tally = Tally(path, clock)
    await tally.open()
    return tally


async def test_counts_and_results_survive_a_restart(tmp_path, clock):
    tally = await opened(tmp_path, clock)
    tally.count(Level.SERVER, "", RULE)
    tally.count(Level.SERVER, "", RULE)
    tally.note("relay", ok=False, text="x" * 1000)
    await tally.save()
    again = await opened(tmp_path, clock)
    assert again.hits(Level.SERVER, "", RULE) == 2
    assert again.hits(Level.DOMAIN, "example.org", RULE) == 0
    assert again.last_result("relay") == tally.last_result("relay")
    again.forget("relay")
    assert again.last_result("relay") is None


async def test_a_comment_changes_no_count_and_other_criteria_begin_anew(tmp_path, clock):
    tally = await opened(tmp_path, clock)
    tally.count(Level.SERVER, "", RULE)
    assert tally.hits(Level.SERVER, "", RULE.model_copy(update={"comment": "x"})) == 1
    assert tally.hits(Level.SERVER, "", RULE.model_copy(update={"minimum_attempts": 1})) == 0


async def test_what_is_older_than_a_month_counts_no_more(tmp_path, clock):
    tally = await opened(tmp_path, clock)
    tally.count(Level.SERVER, "", RULE)
    clock.advance(KEPT_DAYS * DAY_S)
    assert tally.hits(Level.SERVER, "", RULE) == 0
    tally.count(Level.SERVER, "", RULE)
    await tally.save()
    assert (tmp_path / FILE).read_text().count('"server//') == 1


async def test_the_number_of_routes_counted_a_day_is_bounded(tmp_path, clock):
    tally = await opened(tmp_path, clock)
    for number in range(MAX_ROUTES_A_DAY + 1):
        tally.count(Level.DOMAIN, str(number), RULE)
    assert tally.hits(Level.DOMAIN, str(MAX_ROUTES_A_DAY - 1), RULE) == 1
    assert tally.hits(Level.DOMAIN, str(MAX_ROUTES_A_DAY), RULE) == 0


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"hits": {"x": {}}, "results": {}}', "[" * 9999])
async def test_a_damaged_file_begins_anew(tmp_path, clock, text, expect_log):
    (tmp_path / FILE).write_text(text)
    expect_log("the counts of routes can't be read and begin anew")
    assert (await opened(tmp_path, clock)).hits(Level.SERVER, "", RULE) == 0
