"""Tasks end when they are told to, finish what must be finished, and come back after a failure."""

import asyncio

import pytest

from backend.runtime import tasks


async def test_a_task_that_lost_its_first_cancellation_is_told_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks, "CANCEL_AGAIN_S", 0.01)
    told = 0

    async def deaf() -> None:
        nonlocal told
        while told < 2:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                told += 1
        raise asyncio.CancelledError

    task = tasks.spawn(deaf(), "deaf")
    await asyncio.sleep(0)
    await tasks.stop(task)
    assert told == 2
    assert task.cancelled()


async def test_what_must_be_finished_is_finished_before_the_cancellation_is_delivered() -> None:
    go_on, finished = asyncio.Event(), False

    async def write() -> None:
        nonlocal finished
        await go_on.wait()
        finished = True

    waiter = tasks.spawn(tasks.finish(write()), "waiter")
    await asyncio.sleep(0)
    waiter.cancel()
    await asyncio.sleep(0)
    assert not waiter.done()
    go_on.set()
    await asyncio.wait([waiter])
    assert finished
    assert waiter.cancelled()


async def test_a_failure_that_nobody_awaits_is_logged(expect_log) -> None:
    expect_log("task failed: lonely")

    async def fails() -> None:
        raise ValueError("x")

    await asyncio.wait([tasks.spawn(fails(), "lonely")])


async def test_a_job_is_started_again_after_a_failure(
    monkeypatch: pytest.MonkeyPatch, expect_log
) -> None:
    expect_log("job failed, starting again: job")
    monkeypatch.setattr(tasks, "FIRST_BACKOFF_S", 0.001)
    runs = 0

    async def job() -> None:
        nonlocal runs
        runs += 1
        if runs < 3:
            raise ValueError("x")

    await tasks.supervise(job, "job")
    assert runs == 3
