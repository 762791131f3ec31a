"""A class of PySpark's data source API as a plug-in.

The order of calls, and what of an object's state the next call sees, are Spark's: the data source is made and asked for
its schema, and pickled; each read has a copy make a reader, which is pickled before it plans the partitions; each
partition is read by a copy of that. The pickled reader is in the partition spec, so a partition can be read anywhere.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
from pyspark import cloudpickle
from pyspark.errors import PySparkRuntimeError
from pyspark.sql.datasource import CaseInsensitiveDict, DataSource, DataSourceReader, DataSourceWriter, InputPartition
from pyspark.sql.pandas.types import from_arrow_schema

from sheetbend.datasource_api.pushing import push_filters
from sheetbend.datasource_api.rows import RowsToBatches
from sheetbend.datasource_api.schema import arrow_of, struct_of
from sheetbend.datasource_api.steps import Step, TaskError, mismatch, step, type_name
from sheetbend.datasource_api.writing import overwrites, write
from sheetbend.scan import ScanPlan

if TYPE_CHECKING:
    from pyspark.sql.types import StructType

    from sheetbend.options import Options
    from sheetbend.plugin import ReadContext
    from sheetbend.scan import ScanRequest
    from sheetbend.write import WriteRequest, WriteTask

_dumps: Callable[[object], bytes] = cloudpickle.dumps

_CREATED = "pyspark.datasource"
"""What :attr:`Options.kept` has the data source under, from the schema to the read."""


class _Created(NamedTuple):
    source: bytes
    schema: StructType


class PySparkPlugin:
    """Reads and writes by a subclass of ``pyspark.sql.datasource.DataSource``.

    Args:
        datasource: The class.
        loads: What unpickles its objects, where the class needs modules that only the client has.
    """

    def __init__(self, datasource: type[DataSource], loads: Callable[[bytes], Any] = cloudpickle.loads) -> None:
        self.__wrapped__ = datasource
        self._loads = loads

    def infer_schema(self, options: Options) -> pa.Schema:
        """What ``schema()`` returns, as Arrow."""
        created = self._create(options)
        options.kept[_CREATED] = created
        with step(Step.CREATE):
            return arrow_of(created.schema)

    def plan_partitions(self, options: Options) -> list[dict[str, str]]:
        """What ``partitions()`` of the reader returns, each with the reader."""
        source, reader, schema = self._reader(options)
        return _specs(source, reader, schema)

    def plan_scan(self, request: ScanRequest, options: Options) -> ScanPlan:
        """The same, after ``pushFilters()`` of the reader."""
        source, reader, schema = self._reader(options)
        with step(Step.READER):
            answers = push_filters(reader, request.filters, request.schema)
        return ScanPlan(_specs(source, reader, schema), filters=answers)

    def read_partition(
        self, partition_spec: Mapping[str, str], options: Options, context: ReadContext
    ) -> Iterator[pa.RecordBatch | pa.RecordBatchReader]:
        """What ``read()`` gives, rows gathered into batches."""
        source, reader, schema = self._loaded(partition_spec["reader"])
        rows = reader.read(self._loaded(partition_spec["partition"]))
        if not isinstance(rows, Iterator):
            parameters = {"type": type(rows).__name__, "name": source.name(), "supported_types": "iterator"}
            error = PySparkRuntimeError(errorClass="DATA_SOURCE_INVALID_RETURN_TYPE", messageParameters=parameters)
            raise TaskError(f"failed: {error}")
        try:
            if isinstance(rows, pa.RecordBatchReader):  # the engine pulls it without the interpreter
                yield rows
            else:
                yield from RowsToBatches(schema, source.name(), context.batch_size).convert(rows)
        finally:
            close = getattr(rows, "close", None)
            if close is not None:
                close()

    def begin_write(self, request: WriteRequest, options: Options) -> dict[str, str]:
        """What ``writer()`` of the data source returns."""
        overwrite = overwrites(request, self.__wrapped__.name())
        with step(Step.WRITER):
            source = self.__wrapped__(options=CaseInsensitiveDict(dict(options)))
            schema = from_arrow_schema(request.schema)
            writer = source.writer(schema, overwrite)
            if not isinstance(writer, DataSourceWriter):
                raise mismatch("an instance of DataSourceWriter", type_name(writer))
            return {"writer": _text(_dumps((writer, schema)))}

    def write_partition(
        self, handle: Mapping[str, str], task: WriteTask, batches: pa.RecordBatchReader, options: Options
    ) -> dict[str, str]:
        """What ``write()`` of a copy of the writer returns."""
        writer, schema = self._loaded(handle["writer"])
        return {"message": _text(_dumps(write(writer, batches, schema)))}

    def commit_write(self, handle: Mapping[str, str], messages: Sequence[Mapping[str, str]], options: Options) -> None:
        """Has a copy of the writer commit."""
        with step(Step.COMMIT):
            writer, _schema = self._loaded(handle["writer"])
            writer.commit([self._loaded(message["message"]) for message in messages])

    def abort_write(
        self, handle: Mapping[str, str], messages: Sequence[Mapping[str, str] | None], options: Options
    ) -> None:
        """Has a copy of the writer abort."""
        with step(Step.COMMIT):
            writer, _schema = self._loaded(handle["writer"])
            writer.abort([None if message is None else self._loaded(message["message"]) for message in messages])

    def _loaded(self, text: str) -> Any:  # noqa: ANN401 - whatever it is
        return self._loads(base64.b64decode(text))

    def _reader(self, options: Options) -> tuple[DataSource, DataSourceReader, StructType]:
        created = options.kept.get(_CREATED)
        if not isinstance(created, _Created):  # the schema is the user's, or was asked for elsewhere
            created = self._create(options)
        with step(Step.READER):
            source = self._loads(created.source)
            reader = source.reader(schema=created.schema)
            if not isinstance(reader, DataSourceReader):
                raise mismatch("an instance of DataSourceReader", type_name(reader))
        return source, reader, created.schema

    def _create(self, options: Options) -> _Created:
        with step(Step.CREATE):
            source = self.__wrapped__(options=CaseInsensitiveDict(dict(options)))
            schema = struct_of(source.schema()) if options.schema is None else from_arrow_schema(options.schema)
            return _Created(_dumps(source), schema)


def _specs(source: DataSource, reader: DataSourceReader, schema: StructType) -> list[dict[str, str]]:
    with step(Step.READER):
        pickled = _text(_dumps((source, reader, schema)))
    with step(Step.PARTITIONS):
        return [{"reader": pickled, "partition": _text(_dumps(part))} for part in _partitions(reader)]


def _partitions(reader: DataSourceReader) -> list[InputPartition]:
    try:
        partitions = reader.partitions()
    except NotImplementedError:  # what the base class of older versions raises
        partitions = []
    if not isinstance(partitions, list):
        raise _wrong_partitions("'partitions' to return a list", type_name(partitions))
    if not all(isinstance(partition, InputPartition) for partition in partitions):
        expected = "elements in 'partitions' to be of type 'InputPartition'"
        raise _wrong_partitions(expected, ", ".join(map(type_name, partitions)))
    return partitions or [InputPartition(None)]


def _wrong_partitions(expected: str, actual: str) -> PySparkRuntimeError:
    parameters = {"expected": expected, "actual": actual}
    return PySparkRuntimeError(errorClass="DATA_SOURCE_TYPE_MISMATCH", messageParameters=parameters)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
