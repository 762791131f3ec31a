"""Plug-ins for the tests, in a module of their own: the server imports them by name."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from sheetbend.options import OptionSpec
from sheetbend.plugin import ReadContext

Spec = Mapping[str, Any]
Values = Mapping[str, str]

PEOPLE = pa.schema([pa.field("id", pa.int64(), nullable=False), pa.field("name", pa.string())])


def people(first: int, count: int = 2) -> pa.RecordBatch:
    ids = range(first, first + count)
    return pa.record_batch([pa.array(ids, pa.int64()), [f"p{id_}" for id_ in ids]], schema=PEOPLE)


class People:
    """Ten people in five partitions; ``form`` says in which form a partition is returned."""

    OPTIONS: ClassVar[tuple[OptionSpec, ...]] = (
        OptionSpec("form", "what read_partition returns", default="generator"),
        OptionSpec("token", "a secret that nobody needs", secret=True),
        OptionSpec("path", "where the sources of Spark read; not used"),
    )

    def infer_schema(self, options: Values) -> pa.Schema:
        return PEOPLE

    def plan_partitions(self, options: Values) -> Sequence[Spec]:
        return [{"first": first} for first in range(0, 10, 2)]

    def read_partition(self, spec: Spec, options: Values) -> Any:
        batch = people(spec["first"])
        match options.get("form", "generator"):
            case "generator":
                return (part for part in (batch.slice(0, 1), batch.slice(1)))
            case "list":
                return [batch]
            case "reader":
                return pa.RecordBatchReader.from_batches(PEOPLE, iter([batch]))
            case "table":
                return pa.table(batch)
            case "batch":
                return batch
            case "array":
                return OnlyArray(batch)
            case "stream":
                return OnlyStream(batch)
            case "tables":
                return iter([pa.table(batch)])
            case "arrays":
                return iter([OnlyArray(batch)])
            case "async":
                return _later(batch)
            case "rows":
                return iter([{"id": 1, "name": "x"}])
            case other:
                raise ValueError(f"no form {other!r}")


FORMS = ("generator", "list", "reader", "table", "batch", "array", "stream", "tables", "arrays", "async")


class OnlyArray:
    def __init__(self, batch: pa.RecordBatch) -> None:
        self._batch = batch

    def __arrow_c_array__(self, requested_schema: object | None = None) -> Any:
        return self._batch.__arrow_c_array__(requested_schema)


class OnlyStream:
    def __init__(self, batch: pa.RecordBatch) -> None:
        self._table = pa.table(batch)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> Any:
        return self._table.__arrow_c_stream__(requested_schema)


async def _later(batch: pa.RecordBatch) -> AsyncIterator[pa.RecordBatch]:
    yield batch.slice(0, 1)
    yield batch.slice(1)


class Kinds:
    """A column of every kind, several of them in an Arrow type that Spark lacks; the batch has another order."""

    moment: ClassVar = dt.datetime(2024, 2, 29, 12, 30, 45, 123456)

    def infer_schema(self, options: Values) -> pa.Schema:
        return pa.schema([(name, kind) for name, (kind, _) in self._columns().items()])

    def plan_partitions(self, options: Values) -> Sequence[Spec]:
        return [{}]

    def read_partition(self, spec: Spec, options: Values) -> Iterator[pa.RecordBatch]:
        columns = {name: pa.array([value, None], kind) for name, (kind, value) in reversed(self._columns().items())}
        yield pa.record_batch(columns)

    def _columns(self) -> dict[str, tuple[pa.DataType, Any]]:
        return {
            "flag": (pa.bool_(), True),
            "tiny": (pa.int8(), -128),
            "byte": (pa.uint8(), 255),
            "big": (pa.uint32(), 2**32 - 1),
            "real": (pa.float32(), 0.5),
            "double": (pa.float64(), float("inf")),
            "price": (pa.decimal128(12, 2), Decimal("1234567890.12")),
            "text": (pa.large_string(), "ünï"),
            "blob": (pa.large_binary(), b"\x00\xff"),
            "day": (pa.date32(), dt.date(1969, 12, 31)),
            "at": (pa.timestamp("ms", "Europe/Oslo"), dt.datetime(2024, 1, 1, tzinfo=dt.timezone.utc)),
            "wall": (pa.timestamp("ns"), self.moment),
            "word": (pa.dictionary(pa.int32(), pa.string()), "again"),
            "list": (pa.large_list(pa.int32()), [1, None]),
            "map": (pa.map_(pa.string(), pa.float64()), [("k", 1.5)]),
            "pair": (pa.struct([("x", pa.int32()), ("y", pa.large_string())]), {"x": 1, "y": "z"}),
        }


class Endless:
    """Rows until nobody wants more; then it writes to the file named by the option ``done`` how it ended."""

    def infer_schema(self, options: Values) -> pa.Schema:
        return PEOPLE

    def plan_partitions(self, options: Values) -> Sequence[Spec]:
        return [{}]

    def read_partition(self, spec: Spec, options: Values, context: ReadContext) -> Iterator[pa.RecordBatch]:
        first = 0
        try:
            while not context.cancelled:
                yield people(first, context.batch_size)
                first += context.batch_size
        finally:
            Path(options["done"]).write_text(f"cancelled: {context.cancelled}")


class Nothing(People):
    """No partition at all."""

    def plan_partitions(self, options: Values) -> Sequence[Spec]:
        return []


class Torn(People):
    """Fails in the middle of its third partition."""

    def read_partition(self, spec: Spec, options: Values) -> Iterator[pa.RecordBatch]:
        yield people(spec["first"], 1)
        if spec["first"] == 4:
            raise RuntimeError("page 3 is torn")
        yield people(spec["first"] + 1, 1)
