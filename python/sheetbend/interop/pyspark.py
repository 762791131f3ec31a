"""Any plug-in as a data source of PySpark: for Apache Spark 4 and for LakeSail's Sail.

    from sheetbend.interop.pyspark import as_data_source
    from sheetbend.sources.jdbc import JDBCArrowDataSource

    spark.dataSource.register(as_data_source(JDBCArrowDataSource(), "sheetbend_jdbc"))
    spark.read.format("sheetbend_jdbc").option("url", ...).option("dbtable", ...).load()

Batches stay Arrow all the way. The engine's Python must be able to import this package, and the module of the plug-in
unless that is ``__main__``: what can be imported is pickled by its name.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

import pyarrow as pa
from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema
from pyspark.sql.types import StructType

from sheetbend import _bridge
from sheetbend.errors import PluginError
from sheetbend.interop import _conform
from sheetbend.plugin import ReadContext
from sheetbend.registry import class_name

if TYPE_CHECKING:
    from sheetbend.options import Options
    from sheetbend.plugin import DataSourcePlugin

__all__ = ["as_data_source"]

_BATCH_ROWS = 10_000
"""The hint for the size of a batch: Spark's default of spark.sql.execution.arrow.maxRecordsPerBatch."""


def as_data_source(plugin: object, name: str) -> type[DataSource]:
    """A class for ``spark.dataSource.register`` that reads through ``plugin``.

    Args:
        plugin: An instance or a class with the three methods of :class:`sheetbend.plugin.DataSourcePlugin`. It is
            pickled with the class; of a class, each reader makes an instance of its own.
        name: What ``spark.read.format(name)`` calls it.

    Raises:
        PluginError: The plug-in lacks a method.
    """
    _bridge.adopt(plugin)
    shown: str = (plugin if isinstance(plugin, type) else type(plugin)).__name__
    # A class that no module has under this name: cloudpickle takes it along by value, wherever it was made.
    made: type[DataSource] = types.new_class(
        f"{shown}AsDataSource", (_PluginDataSource,), exec_body=lambda body: body.update(_plugin=plugin, _name=name)
    )
    return made


class _PluginDataSource(DataSource):
    _plugin: ClassVar[Any]
    _name: ClassVar[str]

    def __init__(self, options: MutableMapping[str, str]) -> None:
        super().__init__(options)
        self._inferred = False

    @classmethod
    def name(cls) -> str:
        return cls._name

    def schema(self) -> StructType:
        plugin = _bridge.adopt(self._plugin)
        schema = _conform.spark_schema(pa.schema(_bridge.infer_schema(plugin, self._checked_options(plugin, None))))
        self._inferred = True
        if "pysail" in sys.modules:
            # Sail 0.7 cannot convert a StructType that holds a timestamp, nor a list written as text; this it takes.
            return cast("StructType", schema)
        return from_arrow_schema(schema)

    def reader(self, schema: StructType | pa.Schema) -> DataSourceReader:
        # Spark gives its own kind of schema, Sail an Arrow schema.
        promised = to_arrow_schema(schema, timezone="UTC") if isinstance(schema, StructType) else schema
        plugin = _bridge.adopt(self._plugin)
        # Sail makes a new object for the reader: there the schema always counts as the user's.
        options = self._checked_options(plugin, None if self._inferred else promised)
        return _PluginReader(self._name, plugin, options, promised)

    def _checked_options(self, plugin: object, schema: pa.Schema | None) -> Options:
        options = _bridge.configure(plugin, values=dict(self.options), paths=(), predicates=(), schema=schema).options
        _bridge.check(plugin, self._name, options)
        return options

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self._name!r})"


class _PluginReader(DataSourceReader):
    def __init__(self, name: str, plugin: DataSourcePlugin, options: Options, schema: pa.Schema) -> None:
        self._name = name
        self._plugin = plugin
        self._options = options
        self._schema = schema

    def partitions(self) -> Sequence[InputPartition]:
        specs = _bridge.plan_partitions(self._plugin, self._options)
        # Spark reads a partition without a value where there are none at all; so does every other engine here.
        return [InputPartition(value) for value in enumerate(specs)] or [InputPartition(None)]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        if partition.value is None:
            return
        position, spec = partition.value
        context = ReadContext(batch_size=_BATCH_ROWS, partition=position)
        where = f"source '{self._name}' ({class_name(self._plugin)}), partition {position}"
        rows = _bridge.read_partition(self._plugin, spec, self._options, context)
        try:
            for item in rows:
                for batch in _batches(item, where):
                    yield _conform.batch(batch, self._schema, where)
        finally:
            # Reached too where the engine has rows enough and closes this generator.
            context.cancel()
            _bridge.close(rows)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self._name!r})"


def _batches(item: object, where: str) -> Iterator[pa.RecordBatch]:
    """The batches of one thing that a plug-in returned or yielded."""
    if isinstance(item, pa.RecordBatch):
        yield item
    elif hasattr(item, "__arrow_c_stream__"):
        with pa.RecordBatchReader.from_stream(item) as stream:
            yield from stream
    elif hasattr(item, "__arrow_c_array__"):
        yield pa.record_batch(item)
    else:
        raise PluginError(f"{where}: {_bridge.unexpected_item(item)}")
