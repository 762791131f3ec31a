"""What ``DataSourceReader.read`` yields, as record batches."""

from __future__ import annotations

import itertools
import operator
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
from pyspark.errors import PySparkException, PySparkRuntimeError, PySparkTypeError
from pyspark.sql import Row
from pyspark.sql.pandas.types import to_arrow_schema

from sheetbend.datasource_api.columns import Column
from sheetbend.datasource_api.steps import TaskError

if TYPE_CHECKING:
    from pyspark.sql.types import StructType

_CHUNK_SECONDS = 0.1
"""How long rows are gathered: those of a source that gives one now and then do not wait for thousands of others."""

_CHUNK_BYTES = 2 << 20


class RowsToBatches:
    """Makes batches of rows, and checks batches that come in their place.

    Args:
        schema: The schema of the table.
        source: The name of the data source, for errors.
        batch_size: The most rows of a batch.
    """

    def __init__(self, schema: StructType, source: str, batch_size: int) -> None:
        self._schema = to_arrow_schema(schema, timezone="UTC")
        self._names: list[str] = schema.fieldNames()
        self._columns = [Column(spark, arrow) for spark, arrow in zip(schema.fields, self._schema, strict=True)]
        self._source = source
        self._batch_size = batch_size

    def convert(self, rows: Iterator[object]) -> Iterator[pa.RecordBatch]:
        """The batches. The first item decides whether these are rows or batches, as in Spark.

        Raises:
            TaskError: An item is not of the schema. The text says which row, counted from 0, and which column.
        """
        first = list(itertools.islice(rows, 1))
        if first and isinstance(first[0], pa.RecordBatch):
            for batch in itertools.chain(first, rows):
                self._check_batch(batch)
                yield batch
            return
        done, size, chunk, slow = 0, 1, first, False
        while chunk:
            large = False
            for batch in self._batches(chunk, done):
                large |= batch.nbytes > _CHUNK_BYTES
                yield batch
            done += len(chunk)
            size = max(1, size // 2) if slow or large else min(2 * size, self._batch_size)
            started = time.monotonic()
            chunk = list(itertools.islice(rows, size))
            slow = time.monotonic() - started > _CHUNK_SECONDS

    def _check_batch(self, batch: object) -> None:
        """Number and names of the columns; the engine checks the types, and takes narrower ones."""
        if not isinstance(batch, pa.RecordBatch):
            parameters = {
                "expected": "iterator of pyarrow.RecordBatch",
                "actual": f"iterator of {type(batch).__name__}",
            }
            raise TaskError(f"failed: {PySparkTypeError(errorClass='UDF_RETURN_TYPE', messageParameters=parameters)}")
        if batch.num_columns != len(self._names):
            raise TaskError(f"failed: {_mismatch(len(self._names), batch.num_columns)}")
        if set(batch.schema.names) != set(self._names):
            raise TaskError(f"failed: {_mismatch(self._names, batch.schema.names)}")

    def _batches(self, chunk: Sequence[object], done: int) -> Iterator[pa.RecordBatch]:
        """The batches of some rows, before which ``done`` others came."""
        columns = self._transposed(chunk, done)
        arrays = []
        for column, values in zip(self._columns, columns, strict=True):
            try:
                array = column.array(values)
            except Exception as error:
                raise self._located(column, values, done, error) from error
            if not column.nullable and array.null_count:
                row = done + array.is_null().index(True).as_py()
                raise TaskError(f"gave NULL in row {row} for column '{column.name}', which the schema has as NOT NULL")
            arrays.append(array)
        if any(isinstance(array, pa.ChunkedArray) for array in arrays):
            half = len(chunk) // 2
            yield from self._batches(chunk[:half], done)
            yield from self._batches(chunk[half:], done + half)
        else:
            yield pa.RecordBatch.from_arrays(arrays, schema=self._schema)

    def _transposed(self, chunk: Sequence[object], done: int) -> Sequence[Sequence[object]]:
        """The values of each column."""
        kinds = set(map(type, chunk))
        if kinds <= {tuple, list}:
            rows: list[Sequence[object]] = list(chunk)  # type: ignore[arg-type]
            if set(map(len, rows)) == {len(self._names)}:
                return _columns(rows, range(len(self._names)))
        elif kinds == {Row}:
            # As a rule all rows have the same names; then they need be looked at only once.
            found = {tuple(getattr(row, "__fields__", ())) for row in chunk}
            if len(found) == 1 and set(names := found.pop()) == set(self._names):
                return _columns(list(chunk), [names.index(name) for name in self._names])  # type: ignore[arg-type]
        rows = [self._values(row, done + at) for at, row in enumerate(chunk)]
        return _columns(rows, range(len(self._names)))

    def _values(self, row: object, position: int) -> Sequence[object]:
        """The values of one row in the order of the schema; the checks and their order are Spark's."""
        length = len(row) if hasattr(row, "__len__") else None
        if length is not None and length != len(self._names):
            raise TaskError(f"gave a bad row {position}: {_mismatch(len(self._names), length)}")
        if not isinstance(row, (list, tuple)):
            parameters = {
                "type": type(row).__name__,
                "name": self._source,
                "supported_types": "tuple, list, `pyspark.sql.types.Row`, `pyarrow.RecordBatch`",
            }
            error = PySparkRuntimeError(errorClass="DATA_SOURCE_INVALID_RETURN_TYPE", messageParameters=parameters)
            raise TaskError(f"gave a bad row {position}: {error}")
        if not (isinstance(row, Row) and hasattr(row, "__fields__")):
            return row
        if set(row.__fields__) != set(self._names):
            raise TaskError(f"gave a bad row {position}: {_mismatch(self._names, row.__fields__)}")
        return [row[name] for name in self._names]

    def _located(self, column: Column, values: Sequence[object], done: int, error: Exception) -> TaskError:
        """The error over the first of the values that cannot be converted."""
        position = None
        for at, value in enumerate(values):
            try:
                column.array([value])
            except Exception as own:  # noqa: BLE001 - of any kind, see Column.array
                position, error = done + at, own
                break
        row = "a row" if position is None else f"row {position}"
        name = error.getCondition() if isinstance(error, PySparkException) else None
        text = str(error) if name else f"{type(error).__name__}: {error}"
        return TaskError(f"gave a bad value in {row} for column '{column.name}' ({column.type_name}): {text}")


def _columns(rows: Sequence[Sequence[object]], order: Iterable[int]) -> list[list[object]]:
    # Ten times as fast as zip(*rows), which goes over all rows for each value of the first one.
    return [list(map(operator.itemgetter(index), rows)) for index in order]


def _mismatch(expected: object, actual: object) -> PySparkRuntimeError:
    parameters = {"expected": str(expected), "actual": str(actual)}
    return PySparkRuntimeError(errorClass="DATA_SOURCE_RETURN_SCHEMA_MISMATCH", messageParameters=parameters)
