"""The buffers that come out are those that the plug-in gave: same address, both ways."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.bridge.plugins import Given, read, reader

ROWS = 8192
"""As many as a batch of the engine has: neither sliced nor put together."""

ARRAYS = {
    "int64": pa.array([1, 2, None], pa.int64()),
    "float64 of numpy": pa.array(np.arange(3, dtype=np.float64)),
    "decimal": pa.array([1, None, 3], pa.decimal128(12, 2)),
    "timestamp": pa.array([1, 2, 3], pa.timestamp("us", "UTC")),
    "bool": pa.array([True, None, False]),
    "string": pa.array(["a", None, "ccc"]),
    "binary": pa.array([b"a", b"", None]),
    "list": pa.array([[1, 2], None, [3]], pa.list_(pa.int32())),
    "struct": pa.array([{"x": 1, "y": "a"}, None, {"x": 2, "y": None}]),
    "map": pa.array([[("a", 1)], [], None], pa.map_(pa.string(), pa.int64())),
    "list of structs": pa.array([[{"x": [1, 2]}], [], None]),
}


def addresses(array: pa.Array) -> list[int]:
    return [buffer.address for buffer in array.buffers() if buffer is not None and buffer.size]


@pytest.mark.parametrize("kind", ARRAYS)
@pytest.mark.parametrize("form", ["batch", "stream"])
def test_addresses_stay(kind: str, form: str) -> None:
    table = pa.table({"a": ARRAYS[kind], "b": ARRAYS["int64"]})
    (batch,) = table.to_batches()
    plugin = Given(lambda *_: [batch] if form == "batch" else table, schema=table.schema)
    (came,) = reader(plugin)
    assert came.equals(batch)
    assert addresses(came.column(0)) == addresses(batch.column(0))
    assert addresses(came.column(1)) == addresses(batch.column(1))


def test_addresses_stay_under_projection_reordering_and_limit() -> None:
    batch = pa.record_batch(dict(ARRAYS))
    schema = pa.schema(list(batch.schema)[::-1])
    (came,) = reader(Given(lambda *_: [batch], schema=schema), columns=["string", "int64"], limit=2)
    assert came.column_names == ["string", "int64"]
    assert came.num_rows == 2
    for name in came.column_names:
        # The rows that are left may have no NULL, and then no validity buffer.
        assert addresses(came.column(name))
        assert set(addresses(came.column(name))) <= set(addresses(batch.column(name)))


def test_a_slice_stays_a_slice() -> None:
    whole = pa.record_batch({"s": pa.array([str(i) for i in range(100)])})
    (came,) = reader(Given(lambda *_: [whole.slice(40, 10)], schema=whole.schema))
    assert came.column(0).to_pylist() == [str(i) for i in range(40, 50)]
    data = whole.column(0).buffers()[2]
    assert data.address <= came.column(0).buffers()[2].address < data.address + data.size


def test_only_the_column_that_is_cast_is_copied() -> None:
    batch = pa.record_batch({"a": pa.array([1, 2], pa.int32()), "b": pa.array([1, 2], pa.int64())})
    schema = pa.schema([("a", pa.int64()), ("b", pa.int64())])
    (came,) = reader(Given(lambda *_: [batch], schema=schema))
    assert came.schema == schema
    assert addresses(came.column("a")) != addresses(batch.column("a"))
    assert addresses(came.column("b")) == addresses(batch.column("b"))


def test_memory_of_the_plugin_is_freed() -> None:
    freed: list[int] = []

    class Owner:
        def __init__(self, at: int) -> None:
            self.memory = np.full(ROWS, at, dtype=np.int64)
            self.at = at

        def __del__(self) -> None:
            freed.append(self.at)

    def rows(*_: Any) -> Iterator[pa.RecordBatch]:
        for at in range(20):
            owner = Owner(at)
            buffer = pa.foreign_buffer(owner.memory.ctypes.data, owner.memory.nbytes, owner)
            yield pa.record_batch({"n": pa.Array.from_buffers(pa.int64(), ROWS, [None, buffer])})

    table = read(Given(rows))
    assert table.num_rows == 20 * ROWS
    assert not freed
    del table
    assert sorted(freed) == list(range(20))
