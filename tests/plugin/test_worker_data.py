"""Whatever a plug-in gives comes out of a worker as it comes out of a thread."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.bridge import plugins
from tests.plugin.faults import Given
from tests.plugin.test_isolation import process

DAY = datetime.datetime(2024, 2, 29, 12, 30, 15, 123456, tzinfo=datetime.timezone.utc)

COLUMNS: dict[str, Any] = {
    "null": pa.nulls(3),
    "bool": pa.array([True, None, False]),
    "int64": pa.array([1, None, -3]),
    "float64": pa.array([1.5, None, float("nan")]),
    "decimal": pa.array([decimal.Decimal("1.20"), None, decimal.Decimal("-9.99")], pa.decimal128(20, 2)),
    "string": pa.array(["a", None, "ü" * 40]),
    "large string": pa.array(["a", None, "c"], pa.large_string()),
    "string view": pa.array(["a", None, "c" * 40], pa.string_view()),
    "binary": pa.array([b"\0", None, b""]),
    "fixed": pa.array([b"ab", None, b"cd"], pa.binary(2)),
    "date": pa.array([DAY.date(), None, DAY.date()]),
    "timestamp": pa.array([DAY, None, DAY], pa.timestamp("us", "Europe/Berlin")),
    "list": pa.array([[1, None], None, []]),
    "struct": pa.array([{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}]),
    "map": pa.array([[("a", 1)], None, []], pa.map_(pa.string(), pa.int64())),
    "dictionary": pa.array(["a", None, "a"]).dictionary_encode(),
    "nested dictionary": pa.array([["a"], None, ["b", "a"]], pa.list_(pa.dictionary(pa.int8(), pa.string()))),
}


def both(*items: Any, schema: pa.Schema, **how: Any) -> tuple[pa.Table, pa.Table]:
    plugin = Given(*items, schema=schema)
    return plugins.read(plugin, **how), plugins.read(plugin, **how, **process())


@pytest.mark.parametrize("name", COLUMNS)
def test_a_type_comes_as_it_is(name: str) -> None:
    batch = pa.record_batch({"c": COLUMNS[name]})
    here, there = both(batch, batch.slice(1), schema=batch.schema)
    assert there.schema == here.schema
    # As texts: NaN is not equal to itself.
    assert str(there.to_pylist()) == str(here.to_pylist())


def large() -> pa.RecordBatch:
    rows = 300_001
    numbers = np.arange(rows)
    return pa.record_batch(
        {
            "n": numbers,
            "odd": pa.array(numbers, mask=numbers % 2 == 0),
            "text": pa.array([str(number) for number in range(rows)]),
            "view": pa.array([f"{number:030}" for number in range(rows)], pa.string_view()),
            "decimal": pa.array(numbers).cast(pa.decimal128(20, 0)),
            "list": pa.ListArray.from_arrays(np.arange(rows + 1, dtype=np.int32), numbers),
        }
    )


FORMS: dict[str, Callable[[pa.RecordBatch], Any]] = {
    "batch": lambda batch: batch,
    "table": lambda batch: pa.Table.from_batches([batch, batch.slice(5, 70_000)]),
    "slice": lambda batch: batch.slice(12_345, 200_000),
    "array": lambda batch: batch.to_struct_array(),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_large_batch_comes_in_parts(form: str) -> None:
    batch = large()
    here, there = both(FORMS[form](batch), schema=batch.schema)
    assert there.equals(here)
    assert there.num_rows == here.num_rows > 0


def test_a_row_that_is_larger_than_every_segment() -> None:
    batch = pa.record_batch({"text": ["x" * (50 << 20), None, "y" * (40 << 20)]})
    here, there = both(batch, batch, schema=batch.schema)
    assert there.equals(here)


def test_dictionaries_that_change() -> None:
    schema = pa.schema([("c", pa.dictionary(pa.int32(), pa.string()))])
    batches = [pa.record_batch([pa.array([text] * 50_000).dictionary_encode()], schema=schema) for text in "abc"]
    here, there = both(*batches, schema=schema)
    assert there.column("c").to_pylist() == here.column("c").to_pylist()


@pytest.mark.parametrize("rows", [0, 1, 8192])
def test_no_columns_and_no_rows(rows: int) -> None:
    batch = pa.record_batch({"n": np.arange(rows)})
    _, there = both(batch, schema=batch.schema, columns=[])
    assert there.num_rows == rows
    _, empty = both(schema=batch.schema)
    assert (empty.schema, empty.num_rows) == (batch.schema, 0)


WRONG: dict[str, tuple[Any, pa.Schema]] = {
    "a null": (pa.record_batch({"n": [1, None]}), pa.schema([pa.field("n", pa.int64(), nullable=False)])),
    "a missing column": (pa.record_batch({"m": [1]}), pa.schema([("n", pa.int64())])),
    "another type": (pa.record_batch({"n": ["x"]}), pa.schema([("n", pa.int64())])),
    "a dict": ({"n": 1}, pa.schema([("n", pa.int64())])),
    "a class": (pa.RecordBatch, pa.schema([("n", pa.int64())])),
    "no schema": (pa.record_batch({"n": [1]}), "n bigint"),
    "a column twice": (pa.record_batch({"n": [1]}), pa.schema([("n", pa.int64()), ("n", pa.int64())])),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told_alike(name: str) -> None:
    item, schema = WRONG[name]
    here = plugins.failure(Given(item, schema=schema))
    assert plugins.failure(Given(item, schema=schema), **process()) == here
