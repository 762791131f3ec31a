"""A read that nobody waits for any more ends, closes what it opened and leaves no thread."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pyarrow as pa
import pytest

from sheetbend.plugin import ReadContext
from tests.bridge.plugins import NUMBERS, Given, eventually, failure, numbers, read, reader
from tests.support.server import ROOT


def forever(log: list[str]) -> Iterator[pa.RecordBatch]:
    try:
        while True:
            yield numbers(*range(1000))
    finally:
        log.append("finally")


def test_a_limit_closes_the_generator() -> None:
    log: list[str] = []
    assert read(Given(lambda *_: forever(log)), limit=1500).num_rows == 1500
    eventually(lambda: log == ["finally"], "finally has run")


def test_a_limit_stops_before_the_next_partition() -> None:
    started: list[int] = []

    def rows(spec: Any, options: Any, context: Any) -> list[pa.RecordBatch]:
        started.append(context.partition)
        return [numbers(1, 2, 3)]

    # Sixteen at a time, so each reads four one after the other.
    assert read(Given(rows, specs=[{}] * 64), limit=2, target_partitions=1).num_rows == 2
    eventually(lambda: len(started) <= 16, "at most the first of each is read")
    assert max(started) < 16


def test_a_consumer_that_goes_away_closes_the_generator() -> None:
    log: list[str] = []
    batches = reader(Given(lambda *_: forever(log)))
    batches.read_next_batch()
    del batches
    eventually(lambda: log == ["finally"], "finally has run")


def test_a_consumer_that_never_reads_starts_nothing() -> None:
    log: list[str] = []
    batches = reader(Given(lambda *_: log.append("read")))
    del batches
    assert not log


def test_on_cancel_interrupts_a_call_that_blocks() -> None:
    waiting, interrupted = threading.Event(), threading.Event()
    seen: list[bool] = []

    def rows(spec: Any, options: Any, context: Any) -> Iterator[pa.RecordBatch]:
        context.on_cancel(interrupted.set)
        yield numbers(1)
        waiting.set()
        assert interrupted.wait(20)
        seen.append(context.cancelled)

    batches = reader(Given(rows))
    batches.read_next_batch()
    assert waiting.wait(10)
    started = time.monotonic()
    del batches
    eventually(lambda: seen == [True], "the callback has run")
    assert time.monotonic() - started < 1


def test_a_wait_on_the_context_ends() -> None:
    waiting = threading.Event()
    answers: list[bool] = []

    def rows(spec: Any, options: Any, context: Any) -> Iterator[pa.RecordBatch]:
        yield numbers(1)
        waiting.set()
        answers.append(context.wait_cancelled(20))

    with reader(Given(rows)) as batches:
        batches.read_next_batch()
        assert waiting.wait(10)
    del batches
    eventually(lambda: answers == [True], "the wait has ended")


def test_a_cancel_runs_at_a_limit_too() -> None:
    cancelled = threading.Event()

    def rows(spec: Any, options: Any, context: Any) -> Iterator[pa.RecordBatch]:
        context.on_cancel(cancelled.set)
        while True:
            yield numbers(1, 2, 3)

    assert read(Given(rows), limit=1).num_rows == 1
    assert cancelled.wait(10)


def test_no_cancel_where_all_is_read() -> None:
    cancelled = threading.Event()

    def rows(spec: Any, options: Any, context: Any) -> Iterator[pa.RecordBatch]:
        context.on_cancel(cancelled.set)
        yield numbers(1)

    assert read(Given(rows)).num_rows == 1
    assert not cancelled.wait(0.1)


def test_an_error_in_one_partition_cancels_the_others() -> None:
    log: list[str] = []

    def rows(spec: Any, options: Any, context: Any) -> Iterator[pa.RecordBatch]:
        if context.partition == 3:
            raise ValueError("three")
        yield from forever(log)

    assert "three" in failure(Given(rows, specs=[{}] * 8))
    eventually(lambda: not log or len(log) <= 7, "the others are closed")


def test_a_sleeping_async_reader_is_interrupted() -> None:
    log: list[str] = []
    sleeping = threading.Event()

    async def rows() -> AsyncIterator[pa.RecordBatch]:
        try:
            yield numbers(1)
            sleeping.set()
            await asyncio.sleep(3600)
        finally:
            log.append("finally")

    batches = reader(Given(lambda *_: rows()))
    batches.read_next_batch()
    assert sleeping.wait(10)
    del batches
    eventually(lambda: log == ["finally"], "the coroutine is cancelled", timeout=2)


def test_a_python_reader_behind_a_stream_is_closed() -> None:
    log: list[str] = []
    rows = Given(lambda *_: pa.RecordBatchReader.from_batches(NUMBERS, forever(log)))
    assert read(rows, limit=10).num_rows == 10
    eventually(lambda: log == ["finally"], "finally has run")


def test_errors_while_ending_early_are_not_the_query_s() -> None:
    def rows(spec: Any, options: Any, context: Any) -> Iterator[pa.RecordBatch]:
        context.on_cancel(lambda: 1 / 0)
        try:
            while True:
                yield numbers(1)
        finally:
            raise RuntimeError("while closing")

    assert read(Given(rows), limit=2).num_rows == 2


def test_a_generator_that_goes_on_after_close_is_let_go() -> None:
    def rows(*_: Any) -> Iterator[pa.RecordBatch]:
        while True:
            try:
                yield numbers(1)
            except GeneratorExit:
                yield numbers(2)
                return

    assert read(Given(rows), limit=1).num_rows == 1


ENDING = """
import sys, threading, time
sys.path.insert(0, {root!r})
import pyarrow as pa
from tests.bridge.plugins import Given, numbers, reader

def rows(spec, options, context):
    while True:
        yield numbers(*range(1000))
        {between}

batches = reader(Given(rows, specs=[{{}}] * 8))
batches.read_next_batch()
{last}
print("ended")
"""


@pytest.mark.parametrize("between", ["pass", "time.sleep(0.01)", "context.wait_cancelled(60)"])
@pytest.mark.parametrize("last", ["", "del batches", "sys.exit(3)"])
def test_the_process_ends_while_rows_are_read(between: str, last: str, pytestconfig: pytest.Config) -> None:
    script = ENDING.format(root=str(pytestconfig.rootpath), between=between, last=last)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (3 if "exit" in last else 0, "")


def test_every_callback_runs_though_one_raises() -> None:
    context = ReadContext(batch_size=1, partition=0)
    called: list[str] = []

    def fail() -> None:
        called.append("fails")
        raise RuntimeError("first")

    context.on_cancel(fail)
    context.on_cancel(lambda: called.append("second"))
    with pytest.raises(RuntimeError, match="first"):
        context.cancel()
    assert called == ["fails", "second"]


HANGS = """
import threading
import pyarrow as pa
from tests.bridge.plugins import NUMBERS, Given, reader

def rows(spec, options, context):
    context.on_cancel(threading.Event().wait)
    yield pa.record_batch([pa.array([1])], schema=NUMBERS)
    threading.Event().wait()

batches = reader(Given(rows))
batches.read_next_batch()
"""


@pytest.mark.slow
def test_a_process_ends_though_a_plug_in_hangs_when_it_is_cancelled() -> None:
    command = [sys.executable, "-c", HANGS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert "still read" in done.stderr
