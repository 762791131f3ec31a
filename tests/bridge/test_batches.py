"""Batches of any size become those of the engine: large ones are sliced, small ones put together where they wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from sheetbend import _native
from tests.bridge.plugins import NUMBERS, Given, eventually, given, numbers, read, reader

BATCH_ROWS = 8192


@pytest.mark.parametrize("form", ["batch", "stream"])
def test_a_large_batch_comes_in_slices_of_the_same_memory(form: str) -> None:
    rows = 10 * BATCH_ROWS + 5
    table = pa.table({"n": pa.array(range(rows)), "text": [f"row {row}" for row in range(rows)]})
    (whole,) = table.to_batches()
    came = list(reader(given(table if form == "stream" else [whole], schema=table.schema)))
    sizes = [batch.num_rows for batch in came]
    assert sum(sizes) == rows
    assert max(sizes) <= BATCH_ROWS
    assert max(sizes) - min(sizes) <= len(sizes), "the slices are even"
    at = 0
    for batch in came:
        assert batch.equals(whole.slice(at, batch.num_rows))
        for name in ("n", "text"):
            ours, theirs = batch.column(name).buffers()[-1], whole.column(name).buffers()[-1]
            assert theirs.address <= ours.address < theirs.address + theirs.size
        at += batch.num_rows


def test_wide_rows_come_in_slices_of_fewer() -> None:
    values = [b"x" * 100_000] * 200
    came = list(reader(given(pa.table({"b": values}), schema=pa.schema([("b", pa.binary())]))))
    assert sum(batch.num_rows for batch in came) == 200
    assert all(batch.nbytes < 3 * 2**20 for batch in came)


def test_small_batches_that_wait_are_put_together() -> None:
    sent = threading.Event()

    def rows(*_: Any) -> Iterator[pa.RecordBatch]:
        yield numbers(-1)
        for value in range(1000):
            yield numbers(*range(10 * value, 10 * value + 10))
        sent.set()

    batches = reader(Given(rows))
    first = batches.read_next_batch()
    assert sent.wait(10)
    came = [first, *batches]
    assert pa.Table.from_batches(came)["n"].to_pylist() == list(range(-1, 10_000))
    # Those that were taken ahead of the consumer, each with what was there at that time; the others waited for it.
    assert len(came) <= 10
    assert max(batch.num_rows for batch in came) <= BATCH_ROWS


def test_rows_that_are_ready_do_not_wait_for_others() -> None:
    taken = threading.Semaphore(0)

    def rows(*_: Any) -> Iterator[pa.RecordBatch]:
        for value in range(5):
            yield numbers(value)
            assert taken.acquire(timeout=10), "the row was kept back"

    for value, batch in enumerate(reader(Given(rows))):
        assert batch.column(0).to_pylist() == [value]
        taken.release()


def test_batches_that_are_not_small_are_not_copied() -> None:
    given_batches = [numbers(*range(BATCH_ROWS // 2)) for _ in range(8)]
    sent = threading.Event()

    def rows(*_: Any) -> Iterator[pa.RecordBatch]:
        yield numbers(0)
        yield from given_batches
        sent.set()

    batches = reader(Given(rows))
    batches.read_next_batch()
    assert sent.wait(10)
    addresses = [batch.column(0).buffers()[1].address for batch in batches]
    assert addresses == [batch.column(0).buffers()[1].address for batch in given_batches]


def test_small_batches_of_every_kind_are_put_together() -> None:
    one = pa.table(
        {
            "text": ["a", None],
            "list": [[1, None], None],
            "struct": [{"x": 1, "y": "b"}, None],
            "map": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())),
            "bool": [True, None],
            "dictionary": pa.array(["u", None]).dictionary_encode(),
            "null": pa.nulls(2),
        }
    )
    sent = threading.Event()

    def rows(*_: Any) -> Iterator[pa.Table]:
        yield one
        for _batch in range(100):
            yield one
        sent.set()

    batches = reader(Given(rows, schema=one.schema))
    first = batches.read_next_batch()
    assert sent.wait(10)
    table = pa.Table.from_batches([first, *batches])
    assert table.num_rows == 202
    assert table.to_pylist() == one.to_pylist() * 101


def test_small_batches_without_columns_are_counted() -> None:
    assert read(given([numbers(*range(10))] * 500), columns=[]).num_rows == 5000


def test_a_flood_of_tiny_batches_is_bounded() -> None:
    produced = 0

    def rows(*_: Any) -> Iterator[pa.RecordBatch]:
        nonlocal produced
        one = numbers(1)
        while produced < 100_000:
            produced += 1
            yield one

    with reader(Given(rows)) as batches:
        batches.read_next_batch()
        eventually(lambda: produced > 4000, "the channel is filled")
        time.sleep(0.3)
        # 4 MiB; a batch of one row weighs more than its row.
        assert produced < 20_000


def test_the_channel_says_how_often_it_was_full() -> None:
    batch = pa.record_batch([pa.array(range(BATCH_ROWS))], schema=NUMBERS)
    scan = _native.scan(given([batch] * 200), {})
    for _ in pa.RecordBatchReader.from_stream(scan):
        time.sleep(0.001)
    counted = scan.metrics()
    assert counted["output_rows"] == 200 * BATCH_ROWS
    # 13 MB pass through 4 MiB, which are filled up again when half of them are free.
    assert 4 <= counted["channel_full"] <= 10
    assert counted["channel_wait_time"] > 0


def test_a_native_stream_enters_the_interpreter_a_fixed_number_of_times() -> None:
    def entries(batches: int) -> int:
        scan: Any = _native.scan(given(pa.Table.from_batches([numbers(*range(10))] * batches)), {})
        assert pa.RecordBatchReader.from_stream(scan).read_all().num_rows == 10 * batches
        counted = scan.metrics()
        assert counted["plugin_batches"] == batches
        return int(counted["interpreter_entries"])

    assert entries(2000) == entries(2)
