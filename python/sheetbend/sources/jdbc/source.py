"""The plug-in of ``format("jdbc")``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from sheetbend.options import Options
from sheetbend.sources.jdbc.dialects import dialect_of
from sheetbend.sources.jdbc.options import OPTIONS, Settings
from sheetbend.sources.jdbc.read import Work, read
from sheetbend.sources.jdbc.scan import describe, whole

if TYPE_CHECKING:
    import pyarrow as pa

    from sheetbend.options import OptionSpec
    from sheetbend.plugin import PartitionSpec, ReadContext
    from sheetbend.sources.jdbc.table import Table

__all__ = ["JDBCArrowDataSource"]

_TABLE = "jdbc.table"


class JDBCArrowDataSource:
    """Tables and queries of databases, with the options of Spark's ``jdbc`` format.

    A partition spec holds the statement that the partition runs: see :class:`sheetbend.sources.jdbc.read.Work`.
    """

    OPTIONS: ClassVar[tuple[OptionSpec, ...]] = OPTIONS

    def infer_schema(self, options: Options) -> pa.Schema:
        """The columns of the table or query; asks the database's catalog, not the data."""
        return self._table(Options.of(options)).schema

    def plan_partitions(self, options: Options) -> list[dict[str, Any]]:
        """One spec for each WHERE clause; a single one for the whole table where none is asked for."""
        options = Options.of(options)
        return [work.spec for work in whole(dialect_of(options), self._table(options), options)]

    def read_partition(
        self, partition_spec: PartitionSpec, options: Options, context: ReadContext | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The rows of one partition. Its connection is in use as long as the iterator that this returns."""
        options = Options.of(options)
        dialect = dialect_of(options)
        return read(dialect, Work.of(partition_spec, dialect), Settings.of(options), context)

    @staticmethod
    def _table(options: Options) -> Table:
        """What the catalog says, asked once a query."""
        known = options.kept.get(_TABLE)
        if known is None:
            known = options.kept[_TABLE] = describe(dialect_of(options), Settings.of(options).relation)
        return known  # type: ignore[return-value]
