"""Sources whose own work costs next to nothing, to measure what the bridge adds, each for both interfaces."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition

if TYPE_CHECKING:
    from pyspark.sql.types import StructType

COLUMNS = 10
ITERATOR_ROWS = 8_192
STREAM_ROWS = 64
SCHEMA = pa.schema([(f"c{n}", pa.int64()) for n in range(COLUMNS)])
DDL = ", ".join(f"c{n} bigint" for n in range(COLUMNS))
ROW = pa.record_batch({"id": pa.array([1], pa.int64())})
TUPLE_DDL = "id bigint, price double, name string"


@functools.cache
def batch(rows: int) -> pa.RecordBatch:
    """One batch of ten columns, made once."""
    return pa.record_batch([pa.array(range(rows), pa.int64())] * COLUMNS, schema=SCHEMA)


class _Plugin:
    def infer_schema(self, options: Mapping[str, str]) -> pa.Schema:
        """Ten columns of bigint."""
        return SCHEMA

    def plan_partitions(self, options: Mapping[str, str]) -> list[dict[str, Any]]:
        """As many as the option ``partitions`` says."""
        return [{"n": n} for n in range(int(options.get("partitions", "1")))]


class Batches(_Plugin):
    """``batches`` batches of ``rows`` rows, made before and yielded one by one."""

    def read_partition(self, spec: Mapping[str, Any], options: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        """The same batch again and again."""
        made = batch(int(options.get("rows", ITERATOR_ROWS)))
        for _ in range(int(options["batches"])):
            yield made


class Stream(_Plugin):
    """``batches`` batches as one Arrow stream, whose producer is native code."""

    def read_partition(self, spec: Mapping[str, Any], options: Mapping[str, str]) -> pa.Table:
        """A table, which exports a stream of its chunks."""
        made = batch(int(options.get("rows", STREAM_ROWS)))
        return pa.Table.from_batches([made] * int(options["batches"]))


class Computing(_Plugin):
    """Pure Python that counts to ``steps``, shared among the partitions."""

    def read_partition(self, spec: Mapping[str, Any], options: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        """One batch, when the counting is done."""
        total = 0
        for step in range(int(options["steps"]) // int(options.get("partitions", "1"))):
            total += step & 7
        yield batch(1)


class Row:
    """One row of one column."""

    def infer_schema(self, options: Mapping[str, str]) -> pa.Schema:
        """The column ``id``."""
        return ROW.schema

    def plan_partitions(self, options: Mapping[str, str]) -> list[dict[str, Any]]:
        """One."""
        return [{}]

    def read_partition(self, spec: Mapping[str, Any], options: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        """The row, made before."""
        yield ROW


class RowDataSource(DataSource):
    """The row of :class:`Row`, by PySpark's interface."""

    @classmethod
    def name(cls) -> str:
        """Under which it is registered."""
        return "bench_row"

    def schema(self) -> str:
        """As DDL."""
        return "id bigint"

    def reader(self, schema: StructType) -> DataSourceReader:
        """Reads one partition."""
        return _RowReader()


class _RowReader(DataSourceReader):
    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        yield ROW


class BatchesDataSource(DataSource):
    """The batches of :class:`Batches`, by PySpark's interface."""

    @classmethod
    def name(cls) -> str:
        """Under which it is registered."""
        return "bench_batches"

    def schema(self) -> str:
        """As DDL."""
        return DDL

    def reader(self, schema: StructType) -> DataSourceReader:
        """Reads one partition."""
        return _BatchesReader(int(self.options["batches"]))


class _BatchesReader(DataSourceReader):
    def __init__(self, batches: int) -> None:
        self._batches = batches

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        made = batch(ITERATOR_ROWS)
        for _ in range(self._batches):
            yield made


class TuplesDataSource(DataSource):
    """``rows`` tuples of three values."""

    @classmethod
    def name(cls) -> str:
        """Under which it is registered."""
        return "bench_tuples"

    def schema(self) -> str:
        """As DDL."""
        return TUPLE_DDL

    def reader(self, schema: StructType) -> DataSourceReader:
        """Reads one partition."""
        return _TuplesReader(int(self.options["rows"]))


class _TuplesReader(DataSourceReader):
    def __init__(self, rows: int) -> None:
        self._rows = rows

    def read(self, partition: InputPartition) -> Iterator[tuple[Any, ...]]:
        for row in range(self._rows):
            yield row, row / 2, "a name"
