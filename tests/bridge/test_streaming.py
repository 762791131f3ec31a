"""Rows flow while they are produced, in bounded memory, and nobody holds the interpreter while waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sheetbend import _native
from tests.bridge.plugins import NUMBERS, Given, eventually, numbers, read, reader

MEBIBYTE = 1 << 20


def numpy_batch(rows: int, value: int = 0) -> pa.RecordBatch:
    """A batch over memory of numpy, which takes the interpreter when it is freed."""
    return pa.record_batch([pa.array(np.full(rows, value, dtype=np.int64))], schema=NUMBERS)


def test_the_first_batch_comes_before_the_last_is_produced() -> None:
    go_on = threading.Event()

    def rows(*_: Any) -> Iterator[pa.RecordBatch]:
        yield numbers(1)
        assert go_on.wait(20)
        yield numbers(2)

    batches = reader(Given(rows))
    assert batches.read_next_batch().to_pydict() == {"n": [1]}
    go_on.set()
    assert batches.read_next_batch().to_pydict() == {"n": [2]}
    with pytest.raises(StopIteration):
        batches.read_next_batch()


def test_a_slow_consumer_bounds_what_is_produced() -> None:
    produced = 0

    def rows(*_: Any) -> Iterator[pa.RecordBatch]:
        nonlocal produced
        while produced < 100:
            produced += 1
            yield numpy_batch(MEBIBYTE // 8)

    def has_produced(least: int) -> bool:
        return produced >= least

    with reader(Given(rows)) as batches:
        for taken in range(1, 5):
            assert sum(batches.read_next_batch().num_rows for _ in range(16)) == MEBIBYTE // 8
            # It is filled again when half of it is free.
            eventually(partial(has_produced, taken + 3), "the channel is filled")
            time.sleep(0.05)
            # 4 MiB in the channel, one that waits for room.
            assert produced <= taken + 5


def test_a_batch_larger_than_the_channel_passes() -> None:
    def rows(*_: Any) -> Iterator[pa.RecordBatch]:
        for value in range(3):
            yield numpy_batch(3 * MEBIBYTE, value)

    assert read(Given(rows)).num_rows == 9 * MEBIBYTE


def test_a_slice_counts_its_own_bytes_only() -> None:
    whole = numpy_batch(4 * MEBIBYTE)
    produced = threading.Semaphore(0)

    def rows(*_: Any) -> Iterator[pa.RecordBatch]:
        for at in range(64):
            produced.release()
            yield whole.slice(at, 8)

    with reader(Given(rows)) as batches:
        batches.read_next_batch()
        for _ in range(64):
            assert produced.acquire(timeout=10)


@pytest.mark.timeout(60)
def test_many_partitions_of_numpy_batches_do_not_deadlock() -> None:
    """The pattern that stops a server whose reader holds the interpreter while the channel is full."""

    def rows(spec: Any, options: Any, context: Any) -> Iterator[pa.RecordBatch]:
        for _ in range(20):
            yield numpy_batch(MEBIBYTE // 8, spec["at"])

    def plugin() -> Given:
        return Given(rows, specs=[{"at": at} for at in range(64)])

    total = 0
    ours = reader(plugin(), target_partitions=64)
    theirs = reader(plugin(), target_partitions=64)
    for left, right in zip(ours, theirs, strict=False):
        kept = [np.array(side.column(0)) for side in (left, right)]
        total += sum(len(side) for side in kept)
        time.sleep(0.0005)
    assert total == 2 * 64 * 20 * (MEBIBYTE // 8)


@pytest.mark.timeout(60)
def test_a_plugin_may_read_through_the_engine_itself() -> None:
    """Consumer and producer in one process, both in need of the interpreter."""

    def inner(*_: Any) -> Iterator[pa.RecordBatch]:
        for value in range(200):
            yield numpy_batch(1000, value)

    outer = Given(lambda *_: _native.scan(Given(inner), {}))
    assert read(outer).num_rows == 200_000


def test_a_consumer_that_holds_the_interpreter_lets_it_go() -> None:
    """A consumer in C may call `get_next` with the interpreter held, as this one of ctypes does."""
    import ctypes

    def rows(*_: Any) -> Iterator[pa.RecordBatch]:
        time.sleep(0.05)
        yield numbers(1)

    class Stream(ctypes.Structure):
        _fields_ = (
            ("get_schema", ctypes.c_void_p),
            ("get_next", ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)),
            ("get_last_error", ctypes.c_void_p),
            ("release", ctypes.c_void_p),
            ("private_data", ctypes.c_void_p),
        )

    capsule = _native.scan(Given(rows), {}).__arrow_c_stream__()
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
    address = pointer(capsule, b"arrow_array_stream")
    array = ctypes.create_string_buffer(80)
    assert Stream.from_address(address).get_next(address, array) == 0
    assert int.from_bytes(array.raw[:8], "little") == 1


def test_the_interpreter_is_free_while_a_native_stream_is_pulled() -> None:
    """No entry a batch: a stream that another library produces is imported once."""
    batches = [numpy_batch(10, value) for value in range(2000)]
    scan = _native.scan(Given(lambda *_: pa.Table.from_batches(batches)), {})
    assert pa.RecordBatchReader.from_stream(scan).read_all().num_rows == 20_000
    counted = scan.metrics()
    assert counted["plugin_batches"] == 2000
    assert counted["interpreter_entries"] <= 4


def test_other_python_threads_run_while_rows_wait() -> None:
    """A ticker gets most of its ticks while a reader waits for a slow source and a consumer for the reader."""

    def ticks_while(work: Any) -> float:
        count, done = 0, threading.Event()

        def tick() -> None:
            nonlocal count
            while not done.wait(0.001):
                count += 1

        ticker = threading.Thread(target=tick)
        started = time.monotonic()
        ticker.start()
        work()
        elapsed = time.monotonic() - started
        done.set()
        ticker.join()
        return count / elapsed

    def rows(*_: Any) -> Iterator[pa.RecordBatch]:
        for value in range(50):
            time.sleep(0.01)
            yield numbers(value)

    free = ticks_while(lambda: time.sleep(0.5))
    reading = ticks_while(lambda: read(Given(rows, specs=[{}] * 4)))
    assert reading > free / 4


def test_metrics_count_what_was_read() -> None:
    scan = _native.scan(Given(lambda *_: [numbers(1, 2), numbers(3)], specs=[{}] * 3), {})
    pa.RecordBatchReader.from_stream(scan).read_all()
    counted = scan.metrics()
    assert counted["output_rows"] == 9
    assert counted["plugin_batches"] == 6
    assert counted["plugin_bytes"] == 9 * 8
    assert counted["interpreter_entries"] >= 6
    assert counted["plugin_time"] > 0
    assert "interpreter_wait_time" in counted
    analyzed = scan.explain(metrics=True)
    assert "plugin_batches=6" in analyzed
