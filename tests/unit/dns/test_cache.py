from backend.core.clock import FakeClock
from backend.dns.cache import (
    LONGEST_NEGATIVE_TTL_S,
    LONGEST_TTL_S,
    SHORTEST_TTL_S,
    AnswerCache,
)


def test_an_answer_is_kept_for_its_ttl():
    clock = FakeClock()
    cache: AnswerCache[str] = AnswerCache(clock)
    cache.put("a", "answer", 60)
    clock.advance(59)
    assert cache.find("a") == "answer"
    clock.advance(1)
    assert cache.find("a") is None
    assert len(cache) == 0


def test_a_ttl_of_zero_and_one_of_a_year_are_bounded():
    clock = FakeClock()
    cache: AnswerCache[str] = AnswerCache(clock)
    cache.put("zero", "x", 0)
    cache.put("year", "x", 365 * 86400)
    cache.put("none", "x", 365 * 86400, negative=True)
    clock.advance(SHORTEST_TTL_S - 1)
    assert cache.find("zero") == "x"
    clock.advance(LONGEST_NEGATIVE_TTL_S)
    assert cache.find("none") is None
    assert cache.find("year") == "x"
    clock.advance(LONGEST_TTL_S)
    assert cache.find("year") is None


def test_a_full_cache_drops_what_was_not_used_longest():
    cache: AnswerCache[int] = AnswerCache(FakeClock(), max_entries=2)
    cache.put("a", 1, 60)
    cache.put("b", 2, 60)
    assert cache.find("a") == 1
    cache.put("c", 3, 60)
    assert cache.find("b") is None
    assert (cache.find("a"), cache.find("c")) == (1, 3)


def test_clear_forgets_everything():
    cache: AnswerCache[int] = AnswerCache(FakeClock())
    cache.put("a", 1, 60)
    cache.clear()
    assert cache.find("a") is None
