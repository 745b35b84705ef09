"""One writer, many readers, none of whom can hold up the others."""

import asyncio

from backend.runtime.hub import Hub, Resync


async def test_every_reader_gets_every_event_in_order() -> None:
    hub: Hub[int] = Hub()
    with hub.subscribe() as one, hub.subscribe(lambda n: n % 2 == 0) as two:
        for number in range(4):
            hub.publish(number)
        assert one.take() == [0, 1, 2, 3]
        assert two.take() == [0, 2]
    hub.publish(4)
    assert len(hub) == 0


async def test_who_falls_behind_is_told_to_read_everything_again() -> None:
    hub: Hub[int] = Hub()
    with hub.subscribe(limit=2) as slow:
        for number in range(5):
            hub.publish(number)
        (mark,) = slow.take()
        assert isinstance(mark, Resync)
        hub.publish(9)
        assert slow.take() == [9]


async def test_a_waiting_reader_is_woken() -> None:
    hub: Hub[int] = Hub()
    with hub.subscribe() as reader:
        asyncio.get_running_loop().call_soon(hub.publish, 7)
        async with asyncio.timeout(5):
            assert await reader.get() == 7
