"""The plug-in of ``format("jdbc")``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa

from sheetbend.errors import SheetbendError
from sheetbend.options import Options, OptionSpec
from sheetbend.sources.jdbc.column import relation_of
from sheetbend.sources.jdbc.dialects import dialect_of
from sheetbend.sources.jdbc.parameters import CONNECTION_OPTIONS
from sheetbend.sources.jdbc.partitioning import partition_clauses

if TYPE_CHECKING:
    from sheetbend.plugin import PartitionSpec, ReadContext
    from sheetbend.sources.jdbc.dialects.base import BatchIterator

__all__ = ["JDBCArrowDataSource"]

_SPEC_VERSION = 1


class JDBCArrowDataSource:
    """Tables and queries of SQLite and PostgreSQL, with the options of Spark's ``jdbc`` format.

    A partition spec is ``{"version": 1, "columns": [[name, declared type], ...], "where": clause or null}``.
    """

    OPTIONS: ClassVar[tuple[OptionSpec, ...]] = (
        OptionSpec(
            "url",
            "JDBC URL: jdbc:sqlite:<path> or jdbc:postgresql://<host>:<port>/<database>",
            "url",
            required=True,
        ),
        OptionSpec("dbtable", "table, or subquery in parentheses with an alias; either this or query"),
        OptionSpec("query", "query to read; either this or dbtable"),
        OptionSpec("user", "user to log in as"),
        OptionSpec("password", "password to log in with", secret=True),
        OptionSpec("driver", "Java class of the database's driver; accepted, and not used"),
        OptionSpec("partitionColumn", "number, date or timestamp column by which the table is cut into partitions"),
        OptionSpec("lowerBound", "where the cuts begin; rows below it are read too"),
        OptionSpec("upperBound", "where the cuts end; rows above it are read too"),
        OptionSpec("numPartitions", "how many partitions to cut the table into, at most", type="integer"),
        OptionSpec("fetchsize", "rows in a batch, as a hint; 0 leaves it to the source", type="integer", default="0"),
        OptionSpec("queryTimeout", "seconds a query may take; 0 is no limit", type="integer", default="0"),
        *CONNECTION_OPTIONS,
    )

    def infer_schema(self, options: Options) -> pa.Schema:
        """The columns of the table or query; asks the database's catalog, not the data."""
        options = Options.of(options)
        columns = dialect_of(options).describe(relation_of(options))
        return pa.schema([column.field for column in columns])

    def plan_partitions(self, options: Options) -> list[dict[str, Any]]:
        """One spec for each WHERE clause; a single one for the whole table where none is asked for."""
        options = Options.of(options)
        dialect = dialect_of(options)
        columns = dialect.describe(relation_of(options))
        names = [[column.name, column.declared] for column in columns]
        clauses = partition_clauses(options, columns, dialect)
        return [{"version": _SPEC_VERSION, "columns": names, "where": where} for where in clauses]

    def read_partition(
        self, partition_spec: PartitionSpec, options: Options, context: ReadContext | None = None
    ) -> BatchIterator:
        """The rows of one partition. The connection lives as long as the iterator that this returns."""
        if partition_spec.get("version") != _SPEC_VERSION:
            raise SheetbendError(
                f"The partition spec is of version {partition_spec.get('version')!r}; this release reads version "
                f"{_SPEC_VERSION}. Every machine must run the same release."
            )
        options = Options.of(options)
        dialect = dialect_of(options)
        columns = [dialect.column(name, declared) for name, declared in partition_spec["columns"]]
        return dialect.read(relation_of(options), columns, partition_spec["where"], context)
