"""Everything that ``read_partition`` may return."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from tests.bridge.plugins import NUMBERS, Given, eventually, given, numbers, read, reader

TABLE = pa.table({"n": pa.chunked_array([[1, 2], [3]], pa.int64())})


def generator() -> Iterator[pa.RecordBatch]:
    yield numbers(1, 2)
    yield numbers(3)


async def async_generator() -> AsyncIterator[pa.RecordBatch]:
    yield numbers(1, 2)
    await asyncio.sleep(0)
    yield numbers(3)


class AsyncIterable:
    """No iterator, but something that gives one."""

    def __aiter__(self) -> AsyncIterator[pa.RecordBatch]:
        return async_generator()


class OnlyArray:
    def __arrow_c_array__(self, requested_schema: object | None = None) -> Any:
        return numbers(1, 2, 3).__arrow_c_array__(requested_schema)


class OnlyStream:
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> Any:
        return TABLE.__arrow_c_stream__(requested_schema)


FORMS: dict[str, Callable[[], Any]] = {
    "record batch reader": lambda: pa.RecordBatchReader.from_batches(NUMBERS, generator()),
    "table": lambda: TABLE,
    "object with a stream": OnlyStream,
    "duckdb relation": lambda: duckdb.sql("SELECT unnest([1, 2, 3])::BIGINT AS n"),
    "record batch": lambda: numbers(1, 2, 3),
    "object with an array": OnlyArray,
    "list of batches": lambda: [numbers(1, 2), numbers(3)],
    "tuple of tables": lambda: (TABLE.slice(0, 1), TABLE.slice(1)),
    "generator": generator,
    "generator of tables": lambda: (TABLE.slice(i, 1) for i in range(3)),
    "generator of streams": lambda: (pa.RecordBatchReader.from_batches(NUMBERS, [batch]) for batch in generator()),
    "mixed": lambda: iter([numbers(1), TABLE.slice(1, 1), numbers(3)]),
    "async generator": async_generator,
    "async iterable": AsyncIterable,
    "generator that waits between": lambda: (batch for batch in [numbers(), numbers(1, 2), numbers(), numbers(3)]),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read(form: str) -> None:
    plugin = Given(lambda spec, options, context: FORMS[form]())
    assert read(plugin).to_pydict() == {"n": [1, 2, 3]}


def test_no_rows_in_any_form() -> None:
    for rows in ([], [numbers()], iter(()), pa.table({"n": pa.array([], pa.int64())})):
        assert read(given(rows)).num_rows == 0


def test_batches_of_no_rows_are_not_passed_on() -> None:
    batches = list(reader(given([numbers(), numbers(1), numbers()])))
    assert [batch.num_rows for batch in batches] == [1]


def test_two_parameters_are_enough() -> None:
    class Plain:
        def infer_schema(self, options: Any) -> pa.Schema:
            return NUMBERS

        def plan_partitions(self, options: Any) -> list[dict[str, int]]:
            return [{"at": 7}]

        def read_partition(self, partition_spec: dict[str, int], options: Any) -> Iterator[pa.RecordBatch]:
            yield numbers(partition_spec["at"])

    assert read(Plain).to_pydict() == {"n": [7]}
    assert read(Plain()).to_pydict() == {"n": [7]}


def test_a_third_parameter_with_a_default_of_its_own_is_not_the_context() -> None:
    class Sized(Given):
        def read_partition(self, partition_spec: Any, options: Any, size: int = 3) -> Any:
            return [numbers(*range(size))]

    assert read(Sized(lambda *_: None)).num_rows == 3


def test_the_context_says_which_partition() -> None:
    schema = pa.schema([("partition", pa.int64()), ("at", pa.int64())])

    def rows(spec: Any, options: Any, context: Any) -> list[pa.RecordBatch]:
        assert context.batch_size == 8192
        assert not context.cancelled
        assert context.deadline is None
        return [pa.record_batch({"partition": [context.partition], "at": [spec["at"]]})]

    plugin = Given(rows, schema=schema, specs=[{"at": at} for at in range(40)])
    table = read(plugin)
    assert sorted(table["partition"].to_pylist()) == list(range(40))
    assert table["partition"].equals(table["at"])


def test_a_thread_keeps_its_thread_locals_between_batches() -> None:
    import threading

    local = threading.local()

    def rows(spec: Any, options: Any, context: Any) -> Iterator[pa.RecordBatch]:
        for value in range(5):
            local.seen = [*getattr(local, "seen", []), value]
            yield numbers(len(local.seen))

    assert read(Given(rows)).to_pydict() == {"n": [1, 2, 3, 4, 5]}


def test_an_async_iterator_is_closed_at_the_end() -> None:
    log: list[str] = []

    async def rows() -> AsyncIterator[pa.RecordBatch]:
        helper = asyncio.create_task(asyncio.sleep(3600))
        helper.add_done_callback(lambda task: log.append(f"helper cancelled: {task.cancelled()}"))
        try:
            for value in range(1000):
                await asyncio.sleep(0)
                yield numbers(value)
        finally:
            await asyncio.sleep(0)
            log.append("finally")

    assert read(Given(lambda *_: rows()), limit=3).num_rows == 3
    eventually(lambda: len(log) == 2, "the iterator is closed and its task cancelled")
    assert log == ["finally", "helper cancelled: True"]


def test_rows_without_columns_are_counted() -> None:
    assert read(given([numbers(1, 2), numbers(3)]), columns=[]).num_rows == 3


def test_an_empty_schema() -> None:
    empty = pa.schema([])
    rows = pa.RecordBatch.from_struct_array(pa.array([{}, {}], pa.struct([])))
    assert read(given([rows], schema=empty)).num_rows == 2
