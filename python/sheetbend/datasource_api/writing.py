"""What a writer of PySpark's API is given, and what it returns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import pyarrow as pa
from pyspark.errors import PySparkRuntimeError
from pyspark.sql.conversion import ArrowTableToRowsConversion
from pyspark.sql.datasource import DataSourceArrowWriter, DataSourceWriter, WriterCommitMessage
from pyspark.sql.pandas.types import to_arrow_schema

from sheetbend.datasource_api.steps import TaskError
from sheetbend.errors import SparkError
from sheetbend.write import SaveMode

if TYPE_CHECKING:
    from pyspark.sql import Row
    from pyspark.sql.types import StructType

    from sheetbend.write import WriteRequest

_SPARK_NAMES = {SaveMode.ERROR: "ErrorIfExists", SaveMode.IGNORE: "Ignore"}


def overwrites(request: WriteRequest, source: str) -> bool:
    """Whether a write is to overwrite.

    Raises:
        SparkError: It depends on what is there already, which such a source cannot say. Of a table the server knows.
    """
    if request.table is not None or request.mode not in _SPARK_NAMES:
        return request.mode is SaveMode.OVERWRITE
    name = f'"{_SPARK_NAMES[request.mode]}"'
    raise SparkError(
        f'The data source "{source}" cannot be written in the {name} mode. Please use either the "Append" or '
        '"Overwrite" mode instead.',
        condition="UNSUPPORTED_DATA_SOURCE_SAVE_MODE",
        sql_state="0A000",
        parameters={"source": source, "createMode": name},
    )


def write(writer: DataSourceWriter, batches: pa.RecordBatchReader, schema: StructType) -> WriterCommitMessage:
    """Has the writer write some rows, in the form that it takes them in.

    Raises:
        TaskError: It returns something that is no commit message.
    """
    takes_batches = isinstance(writer, DataSourceArrowWriter)
    message: object = writer.write((_in_spark_types if takes_batches else _rows)(batches, schema))
    if isinstance(message, WriterCommitMessage):
        return message
    parameters = {
        "expected": "'WriterCommitMessage' as the return type of the `write` method",
        "actual": type(message).__name__,
    }
    error = PySparkRuntimeError(errorClass="DATA_SOURCE_TYPE_MISMATCH", messageParameters=parameters)
    raise TaskError(f"failed: {error}")


def _rows(batches: Iterable[pa.RecordBatch], schema: StructType) -> Iterator[Row]:
    for batch in batches:
        yield from ArrowTableToRowsConversion.convert(pa.Table.from_batches([batch]), schema)


def _in_spark_types(batches: pa.RecordBatchReader, schema: StructType) -> Iterator[pa.RecordBatch]:
    zones = (zone for field in batches.schema for zone in _zones(field.type))
    wanted = to_arrow_schema(schema, timezone=next(zones, "UTC"))
    return (batch if batch.schema.equals(wanted) else batch.cast(wanted) for batch in batches)


def _zones(of: pa.DataType) -> Iterator[str]:
    """The time zones in a type."""
    if pa.types.is_timestamp(of) and of.tz is not None:
        yield of.tz
    for index in range(of.num_fields):
        yield from _zones(of.field(index).type)
