"""Imported memory is given back where that may wait for the interpreter, and everything that is opened is closed."""

from __future__ import annotations

import ctypes
import gc
import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sheetbend import _native
from sheetbend.plugin import ReadContext
from tests.bridge.plugins import NUMBERS, Given, eventually, read, reader

ROWS = 8192


class Owner:
    """Memory that says when it is freed, and by which thread."""

    def __init__(self, freed: list[str]) -> None:
        self.memory = np.arange(ROWS)
        self._freed = freed

    def batch(self) -> pa.RecordBatch:
        buffer = pa.foreign_buffer(self.memory.ctypes.data, self.memory.nbytes, self)
        return pa.record_batch([pa.Array.from_buffers(pa.int64(), ROWS, [None, buffer])], schema=NUMBERS)

    def __del__(self) -> None:
        self._freed.append(thread_name())


def thread_name() -> str:
    with open(f"/proc/self/task/{threading.get_native_id()}/comm") as file:
        return file.read().strip()


@pytest.mark.parametrize("form", ["batches", "stream"])
def test_no_thread_of_the_runtime_frees_memory_of_python(form: str) -> None:
    freed: list[str] = []

    def rows(*_: Any) -> Iterator[pa.RecordBatch]:
        for _batch in range(50):
            yield Owner(freed).batch()

    def given(*_: Any) -> Any:
        return rows() if form == "batches" else pa.RecordBatchReader.from_batches(NUMBERS, rows())

    # Several partitions go through tasks of the runtime, and a projection to no columns drops the rows there.
    assert read(Given(given, specs=[{}] * 4), columns=[]).num_rows == 200 * ROWS
    assert sum(len(batch) for batch in reader(Given(given, specs=[{}] * 4), limit=60 * ROWS)) == 60 * ROWS
    eventually(lambda: len(freed) >= 260, "what was read is freed")
    assert "sheetbend" not in freed


def test_a_read_goes_on_while_the_interpreter_is_held() -> None:
    """Rows that are read already pass to their consumer, though nothing of Python can be freed meanwhile."""
    freed: list[str] = []

    def rows(*_: Any) -> Iterator[pa.RecordBatch]:
        for _batch in range(20):
            yield Owner(freed).batch()

    scan = _native.scan(Given(rows, specs=[{}] * 4), {})
    batches = pa.RecordBatchReader.from_stream(scan)
    seen = batches.read_next_batch().num_rows
    # `PyDLL` holds the interpreter: 0.5 s in which no other thread has it.
    ctypes.PyDLL(None).usleep(500_000)
    seen += sum(batch.num_rows for batch in batches)
    assert seen == 80 * ROWS
    eventually(lambda: len(freed) == 80, "all is freed")


def numpy_rows(spec: Any, options: Any, context: ReadContext) -> Iterator[pa.RecordBatch]:
    for value in range(int(options.get("batches", "25"))):
        yield pa.record_batch([pa.array(np.full(ROWS, value))], schema=NUMBERS)


@pytest.mark.timeout(120)
def test_sources_on_both_sides_with_a_stage_of_python_above() -> None:
    """Sources read sources: each side needs the interpreter while the other waits for it."""

    def joined(spec: Any, options: Any, context: ReadContext) -> Iterator[pa.RecordBatch]:
        sides = [reader(Given(numpy_rows, specs=[{}] * 4)) for _ in range(2)]
        for left, right in zip(*sides, strict=True):
            total = np.asarray(left.column(0)) + np.asarray(right.column(0))
            yield pa.record_batch([pa.array(total)], schema=NUMBERS)

    batches = 0
    for batch in reader(Given(joined, specs=[{}] * 8), target_partitions=64):
        batches += batch.num_rows // ROWS
        time.sleep(0.001)
    assert batches == 8 * 4 * 25


def threads() -> int:
    return len(os.listdir("/proc/self/task"))


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def objects() -> int:
    gc.collect()
    kinds = (ReadContext, Owner, pa.RecordBatch, pa.RecordBatchReader)
    return sum(issubclass(type(thing), kinds) for thing in gc.get_objects())


def one_of_each(number: int) -> None:
    def failing(*_: Any) -> Iterator[pa.RecordBatch]:
        yield pa.record_batch([pa.array([1])], schema=NUMBERS)
        raise ValueError("on the way")

    options = {"batches": "2"}
    match number % 4:
        case 0:
            assert read(Given(numpy_rows, specs=[{}] * 3), options).num_rows == 6 * ROWS
        case 1:
            assert read(Given(numpy_rows, specs=[{}] * 3), options, limit=10).num_rows == 10
        case 2:
            batches = reader(Given(numpy_rows, specs=[{}] * 3))
            batches.read_next_batch()
        case _:
            with pytest.raises(pa.ArrowException, match="on the way"):
                read(Given(failing))


@pytest.mark.parametrize("queries", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_queries_one_after_another_leave_nothing_behind(queries: int) -> None:
    def settled() -> bool:
        return not _native.reads_under_way()

    for number in range(20):
        one_of_each(number)
    eventually(settled, "the reads end")
    before = (threads(), descriptors(), objects())
    for number in range(queries):
        one_of_each(number)
    eventually(settled, "the reads end")
    # A pool of the runtime may have grown by a few; what leaks has grown by one a query.
    eventually(lambda: threads() <= before[0] + 8, "the threads end")
    eventually(lambda: descriptors() <= before[1] + 2, "the descriptors are closed")
    eventually(lambda: objects() <= before[2] + 2, "the objects are freed")


@pytest.mark.parametrize("seconds", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_an_endless_source_with_a_slow_consumer_keeps_its_bounds(seconds: int) -> None:
    made, freed = 0, list[str]()

    def rows(*_: Any) -> Iterator[pa.RecordBatch]:
        nonlocal made
        while True:
            made += 1
            yield Owner(freed).batch()

    end = time.monotonic() + seconds
    most = 0
    with reader(Given(rows)) as batches:
        while time.monotonic() < end:
            batches.read_next_batch()
            most = max(most, made - len(freed))
            time.sleep(0.002)
    assert made > 100 * seconds
    # 64 KiB each: 4 MiB of them wait, and a few are on their way.
    assert most < 100
    del batches
    eventually(lambda: len(freed) == made, "what was not read is freed too")
