"""Async iterators: one event loop for all of them, one task for each."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import AsyncIterator

import pyarrow as pa
import pytest

from sheetbend._bridge import async_rows
from sheetbend.plugin import ReadContext
from tests.bridge.plugins import Given, eventually, failure, numbers, read, reader


def test_partitions_go_on_together_on_one_loop() -> None:
    here: set[int] = set()
    loops: set[int] = set()
    threads: set[int] = set()
    all_here: dict[str, asyncio.Event] = {}

    async def rows(partition: int) -> AsyncIterator[pa.RecordBatch]:
        event = all_here.setdefault("event", asyncio.Event())
        loops.add(id(asyncio.get_running_loop()))
        threads.add(threading.get_ident())
        here.add(partition)
        if len(here) == 16:
            event.set()
        # None ends before all have begun.
        await asyncio.wait_for(event.wait(), 20)
        yield numbers(partition)

    plugin = Given(lambda spec, options, context: rows(context.partition), specs=[{}] * 16)
    assert sorted(read(plugin, target_partitions=16)["n"].to_pylist()) == list(range(16))
    assert len(loops) == len(threads) == 1
    here.clear()
    all_here.clear()
    assert read(plugin, target_partitions=16).num_rows == 16
    assert len(loops) == len(threads) == 1, "the next query has the same"


def test_an_iterator_stays_in_one_task() -> None:
    """Task groups, timeouts and the cancel scopes of other libraries may not be left in another task."""
    tasks: set[int] = set()

    async def rows() -> AsyncIterator[pa.RecordBatch]:
        try:
            for value in range(3):
                tasks.add(id(asyncio.current_task()))
                await asyncio.sleep(0)
                yield numbers(value)
        finally:
            tasks.add(id(asyncio.current_task()))

    assert read(Given(lambda *_: rows())).num_rows == 3
    assert len(tasks) == 1


def test_a_plugin_that_waits_leaves_the_interpreter_to_others() -> None:
    started = threading.Event()

    async def rows() -> AsyncIterator[pa.RecordBatch]:
        started.set()
        await asyncio.sleep(0.5)
        yield numbers(1)

    thread = threading.Thread(target=lambda: read(Given(lambda *_: rows())))
    thread.start()
    assert started.wait(10)
    count, end = 0, time.monotonic() + 0.3
    while time.monotonic() < end:
        count += 1
    thread.join()
    assert count > 10_000


def test_a_cancel_waits_for_what_finally_awaits() -> None:
    log: list[str] = []
    sleeping = threading.Event()

    async def rows() -> AsyncIterator[pa.RecordBatch]:
        try:
            yield numbers(1)
            sleeping.set()
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            log.append("cancelled")
            raise
        finally:
            await asyncio.sleep(0.05)
            log.append("finally")

    batches = reader(Given(lambda *_: rows()))
    batches.read_next_batch()
    assert sleeping.wait(10)
    del batches
    eventually(lambda: log == ["cancelled", "finally"], "finally has run to its end")


class Endless:
    """Not a generator: an iterator with an `aclose` of its own."""

    def __init__(self, log: list[str], close_seconds: float) -> None:
        self._log = log
        self._close_seconds = close_seconds

    def __aiter__(self) -> Endless:
        return self

    async def __anext__(self) -> pa.RecordBatch:
        return numbers(1, 2, 3)

    async def aclose(self) -> None:
        try:
            await asyncio.sleep(self._close_seconds)
            self._log.append("closed")
        except asyncio.CancelledError:
            self._log.append("given up")
            raise


def test_a_limit_closes_an_iterator_that_is_no_generator() -> None:
    log: list[str] = []
    assert read(Given(lambda *_: Endless(log, 0.01)), limit=1).num_rows == 1
    eventually(lambda: log == ["closed"], "aclose has run")


def test_an_iterator_that_does_not_close_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(async_rows, "CLOSE_SECONDS", 0.2)
    log: list[str] = []
    assert read(Given(lambda *_: Endless(log, 3600)), limit=1).num_rows == 1
    eventually(lambda: log == ["given up"], "aclose is cancelled")


def test_one_that_takes_no_cancel_is_left_behind(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(async_rows, "CLOSE_SECONDS", 0.1)
    let_go = threading.Event()

    class Stubborn(Endless):
        async def aclose(self) -> None:
            while not let_go.is_set():
                try:
                    await asyncio.sleep(0.01)
                except asyncio.CancelledError:
                    continue

    with caplog.at_level(logging.WARNING, logger="sheetbend"):
        assert read(Given(lambda *_: Stubborn([], 0)), limit=1).num_rows == 1
        eventually(lambda: "an async reader goes on" in caplog.text, "it is told of")
    let_go.set()


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), ValueError("boom")], ids=repr)
def test_an_error_comes_with_its_traceback_and_the_loop_goes_on(error: BaseException) -> None:
    async def helper() -> None:
        await asyncio.sleep(0)
        raise error

    async def rows() -> AsyncIterator[pa.RecordBatch]:
        yield numbers(1)
        await helper()

    message = failure(Given(lambda *_: rows()))
    assert f"failed: {type(error).__name__}" in message
    assert "in helper" in message
    assert "_bridge" not in message
    assert the_loop_runs()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("error", [SystemExit(3), ValueError("boom")], ids=repr)
def test_a_task_that_a_reader_leaves_behind_harms_nobody(error: BaseException) -> None:
    async def helper() -> None:
        raise error

    async def rows() -> AsyncIterator[pa.RecordBatch]:
        task = asyncio.create_task(helper())
        yield numbers(1)
        await asyncio.sleep(0.01)
        yield numbers(2)
        del task

    assert read(Given(lambda *_: rows())).num_rows == 2
    assert the_loop_runs()


def test_tasks_of_one_partition_are_its_own() -> None:
    log: list[str] = []
    other_may_end = threading.Event()

    async def helper(name: str) -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            log.append(name)

    async def rows(name: str) -> AsyncIterator[pa.RecordBatch]:
        task = asyncio.create_task(helper(name))
        await asyncio.sleep(0)
        yield numbers(1)
        if name == "waits":
            await asyncio.to_thread(other_may_end.wait, 20)
        del task

    waiting = threading.Thread(target=lambda: read(Given(lambda *_: rows("waits"))))
    waiting.start()
    assert read(Given(lambda *_: rows("ends"))).num_rows == 1
    assert log == ["ends"]
    other_may_end.set()
    waiting.join()
    assert log == ["ends", "waits"]


def the_loop_runs() -> bool:
    async def rows() -> AsyncIterator[pa.RecordBatch]:
        await asyncio.sleep(0)
        yield numbers(1)

    return bool(read(Given(lambda *_: rows())).num_rows == 1)


def test_a_cancel_before_the_first_step() -> None:
    """The loop is busy, so that a reader waits for its first row when nobody wants it any more."""
    held, go_on = threading.Event(), threading.Event()

    async def hold() -> AsyncIterator[pa.RecordBatch]:
        held.set()
        go_on.wait(20)
        yield numbers(0)

    async def rows() -> AsyncIterator[pa.RecordBatch]:
        yield numbers(1)

    context = ReadContext(batch_size=8192, partition=0)
    other = ReadContext(batch_size=8192, partition=0)
    ended = threading.Event()

    def follow() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            list(async_rows.drive(rows(), context))
        ended.set()

    holding = threading.Thread(target=lambda: list(async_rows.drive(hold(), other)))
    holding.start()
    assert held.wait(20)
    following = threading.Thread(target=follow, daemon=True)
    following.start()
    # Until it waits for a row.
    time.sleep(0.2)
    context.cancel()
    go_on.set()
    holding.join(20)
    assert ended.wait(5), "it waits for ever"
