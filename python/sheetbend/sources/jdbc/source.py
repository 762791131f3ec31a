"""The plug-in of ``format("jdbc")``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from sheetbend.errors import OptionError
from sheetbend.options import Options
from sheetbend.scan import ScanRequest
from sheetbend.sources.jdbc.custom_schema import retyped
from sheetbend.sources.jdbc.dialects import dialect_of
from sheetbend.sources.jdbc.options import OPTIONS, Settings
from sheetbend.sources.jdbc.partitioning import partition_clauses
from sheetbend.sources.jdbc.read import Work, read
from sheetbend.sources.jdbc.scan import Push, describe, pushed, works
from sheetbend.sources.jdbc.snapshot import export
from sheetbend.sources.jdbc.writing.options import WriteOptions

if TYPE_CHECKING:
    import pyarrow as pa

    from sheetbend.context import TaskContext
    from sheetbend.options import OptionSpec
    from sheetbend.plugin import PartitionSpec, ReadContext
    from sheetbend.scan import ScanPlan
    from sheetbend.sources.jdbc.table import Table
    from sheetbend.sources.jdbc.writing.writer import TableWriter
    from sheetbend.write import CommitMessage, WriteHandle, WriteRequest, WriteTask

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

    def plan_scan(self, request: ScanRequest, options: Options) -> ScanPlan:
        """The statement of each partition, and what of the request they do."""
        push, planned = self._plan(request, Options.of(options))
        return push.plan(planned, self._table(Options.of(options)))

    def plan_partitions(self, options: Options) -> list[dict[str, Any]]:
        """The statements that read the whole table."""
        options = Options.of(options)
        schema = self._table(options).schema
        _, planned = self._plan(ScanRequest(schema, tuple(schema.names)), options)
        return [work.spec for work in planned]

    def read_partition(
        self, partition_spec: PartitionSpec, options: Options, context: ReadContext | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The rows of one partition. Its connection is in use as long as the iterator that this returns."""
        options = Options.of(options)
        dialect = dialect_of(options)
        return read(dialect, Work.of(partition_spec, dialect), Settings.of(options), context)

    def begin_write(self, request: WriteRequest, options: Options) -> WriteHandle | None:
        """Looks at the table, makes a place for the rows, and settles what the commit will do."""
        return _writer(options).begin(request)

    def write_partition(
        self,
        handle: WriteHandle,
        task: WriteTask,
        batches: pa.RecordBatchReader,
        options: Options,
        context: TaskContext | None = None,
    ) -> CommitMessage:
        """Writes the rows of one partition. The message has their number, ``rows``."""
        return _writer(options).write(handle, task, batches, context)

    def commit_write(self, handle: WriteHandle, messages: Sequence[CommitMessage], options: Options) -> None:
        """Makes the rows visible, in one transaction."""
        _writer(options).commit(handle, messages)

    def abort_write(self, handle: WriteHandle, messages: Sequence[CommitMessage | None], options: Options) -> None:
        """Removes what the write has left."""
        _writer(options).abort(handle)

    def _plan(self, request: ScanRequest, options: Options) -> tuple[Push, list[Work]]:
        dialect, table, settings = dialect_of(options), self._table(options), Settings.of(options)
        push = pushed(dialect, table, request, settings)
        clauses = partition_clauses(dialect, table, options, request.target_partitions, push)
        push = push.of_partitions(len(clauses))
        if settings.hint and not dialect.takes_hints:
            raise OptionError(f"Option 'hint': jdbc:{dialect.name}: takes no hints.")
        snapshot = export(dialect, options, len(clauses))
        return push, [replace(work, snapshot=snapshot) for work in works(dialect, table, push, clauses, settings)]

    @staticmethod
    def _table(options: Options) -> Table:
        """What the catalog says, asked once a query."""
        known = options.kept.get(_TABLE)
        if known is None:
            dialect = dialect_of(options)
            table = describe(dialect, Settings.of(options).relation)
            known = options.kept[_TABLE] = retyped(dialect, table, options)
        return known  # type: ignore[return-value]


def _writer(options: Options) -> TableWriter:
    options = Options.of(options)
    return dialect_of(options).writer(WriteOptions.of(options))
