import pytest

from backend.core.status import SmtpStatus
from backend.outbound.address_order import may_depend_on_address, order_addresses, other_version

FOUR, FOUR_B, SIX, SIX_B = "192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"
BOTH = [SIX, SIX_B, FOUR, FOUR_B]


@pytest.mark.parametrize(
    ("earlier", "first"),
    [
        ([], SIX),
        ([SIX], FOUR),  # the other kind
        ([SIX, FOUR_B], SIX),  # the second attempt over IPv6: where the first one was
        ([SIX_B, FOUR], SIX_B),
        ([SIX_B, FOUR_B, SIX_B], FOUR_B),
        ([SIX_B, FOUR_B, SIX_B, FOUR_B], SIX),  # from the third on as the DNS has it
        (["192.0.2.99"], SIX),
    ],
)
def test_attempts_change_between_the_kinds_and_come_back_to_the_same_address(earlier, first):
    ordered = order_addresses(BOTH, earlier)
    assert ordered[0] == first
    assert sorted(ordered) == sorted(BOTH)


def test_a_host_with_one_kind_gets_its_second_attempt_at_the_same_address():
    assert order_addresses([FOUR, FOUR_B], [FOUR_B]) == [FOUR_B, FOUR]
    assert order_addresses([FOUR, FOUR_B], [FOUR_B, FOUR_B]) == [FOUR, FOUR_B]


def test_the_other_kind_is_known_only_where_there_is_one():
    assert other_version(BOTH, SIX) == 4
    assert other_version(BOTH, FOUR) == 6
    assert other_version([FOUR, FOUR_B], FOUR) is None


def test_only_refusals_by_policy_may_depend_on_the_address():
    assert may_depend_on_address(SmtpStatus(550, "5.7.1", "blocked"))
    assert not may_depend_on_address(SmtpStatus(550, "5.1.1", "no such user"))
    assert not may_depend_on_address(SmtpStatus(451, "4.7.1", "greylisted"))
    assert not may_depend_on_address(SmtpStatus(550, "", "blocked"))
