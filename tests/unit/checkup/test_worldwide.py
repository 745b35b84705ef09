"""Who sees a record already: asked of real resolvers on loopback."""

from dataclasses import replace

import pytest

from backend.checkup.checks import Check
from backend.checkup.worldwide import look_around
from backend.dns.resolver import DnsResolver
from tests.support.dns_server import DnsServer

MX = Check(
    code="mx",
    area="receive",
    title="",
    purpose="",
    severity="required",
    name="a.test",
    type="MX",
    result="ok",
    summary="",
    found=("10 mail.a.test",),
    direct=True,
)
NEW = {"a.test": {"MX": ["10 mail.a.test."], "TXT": ['"v=spf1 mx"', '"other"']}}
OLD = {"a.test": {"MX": ["10 old.a.test."]}}


@pytest.fixture
async def new():
    async with DnsServer(NEW) as server:
        yield server


@pytest.fixture
async def old():
    async with DnsServer(OLD) as server:
        yield server


def resolver(server):
    return DnsResolver([server.endpoint], query_timeout_s=0.2, lookup_timeout_s=0.4)


async def sentences(checks, **servers):
    found = await look_around(checks, {name: resolver(each) for name, each in servers.items()})
    return [check.worldwide for check in found]


async def test_everybody_sees_it(new):
    assert await sentences([MX], one=new, two=new) == ["Public resolvers see it too (one, two)."]


async def test_some_do_not_see_it_yet(new, old):
    (text,) = await sentences([MX], one=new, two=old)
    assert text.startswith("Not everybody sees it yet: two still has what was there before.")


async def test_other_records_of_the_name_do_no_harm(new):
    spf = replace(MX, type="TXT", found=("v=spf1 mx",))
    assert await sentences([spf], one=new) == ["Public resolvers see it too (one)."]


async def test_who_does_not_answer_counts_neither_way(new, old):
    old.silent.add("a.test")
    assert await sentences([MX], one=new, two=old) == ["Public resolvers see it too (one)."]
    assert await sentences([MX], two=old) == [""]


async def test_what_is_not_right_is_not_asked_for(new):
    wrong = [replace(MX, result="different"), replace(MX, direct=False), replace(MX, type="web")]
    assert await sentences(wrong, one=new) == ["", "", ""]
    assert not new.queries


async def test_a_resolver_that_hangs_holds_nobody_up():
    class Hangs:
        async def records(self, name, kind):
            import asyncio

            await asyncio.Event().wait()

    found = await look_around([MX], {"one": Hangs()}, time_limit_s=0.05)
    assert found == [MX]
