"""Writes to a database that is a file: rows are spooled beside it, and one transaction takes them in."""

from __future__ import annotations

import abc
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import pyarrow as pa

from sheetbend.errors import OptionError
from sheetbend.sources.jdbc.sql import quote_identifier
from sheetbend.sources.jdbc.writing.columns import TableColumn, created_columns, key_columns, matching
from sheetbend.sources.jdbc.writing.committed import Committed
from sheetbend.sources.jdbc.writing.rows import Rows
from sheetbend.sources.jdbc.writing.slots import slot
from sheetbend.sources.jdbc.writing.spool import discard, make_spool, spool, spooled, sweep
from sheetbend.sources.jdbc.writing.writer import HANDLE_VERSION, check_handle, table_exists
from sheetbend.write import SaveMode

if TYPE_CHECKING:
    from sheetbend.context import TaskContext
    from sheetbend.errors import SheetbendError
    from sheetbend.sources.jdbc.writing.options import WriteOptions
    from sheetbend.write import CommitMessage, WriteHandle, WriteRequest, WriteTask

__all__ = ["FileDialect", "FileSession", "SpooledWriter", "Store"]

Store = tuple[pa.Field, Callable[[pa.Array], pa.Array]]
"""How the values of a column are kept: under which name and type, and what makes them of the rows' own."""

_committed = Committed()
"""The folders of the writes."""


class FileSession(Protocol):
    """A connection to a file that takes rows."""

    def execute(self, sql: str) -> None:
        """Runs a statement that gives no rows."""
        ...

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a small query."""
        ...

    def insert(self, sql: str, rows: pa.RecordBatchReader) -> None:
        """Runs a statement that takes rows."""
        ...

    def close(self) -> None:
        """Closes the connection; what was not committed is undone."""
        ...


class FileDialect(Protocol):
    """A database that is a file: what a :class:`SpooledWriter` needs of its dialect."""

    errors: ClassVar[tuple[type[Exception], ...]]

    @property
    def path(self) -> Path:
        """The file."""
        ...

    def connect(self) -> FileSession:
        """Opens the file to read it."""
        ...

    def connect_to_write(self) -> FileSession:
        """Opens the file to write to it; makes it where there is none."""
        ...

    def refused(self, error: Exception) -> SheetbendError:
        """What to say of an error of the two above."""
        ...

    def failure(self, error: Exception) -> SheetbendError:
        """What to say of any later error."""
        ...


class SpooledWriter(abc.ABC):
    """Writes to one table of a database that is a file.

    A handle has the ``spool``, a folder; the table's ``columns``, each a name and a declared type; and the statements
    of the commit: ``prepare`` before the rows, and ``insert`` with them.
    """

    database: ClassVar[str]
    """The subprotocol in the URL."""
    table_name: ClassVar[re.Pattern[str]]
    """How a table is called in the option ``dbtable``."""
    begin_sql: ClassVar[str]
    """Begins a transaction that writes."""
    rows_sql: ClassVar[str]
    """What follows the columns in an INSERT; ``{columns}`` and ``{parameters}`` are of the columns."""

    def __init__(self, dialect: FileDialect, options: WriteOptions) -> None:
        self._dialect = dialect
        self._options = options
        if options.by_partition:
            raise OptionError(f"Option 'atomicity': jdbc:{self.database}: writes all partitions at once.")
        if options.staging_schema:
            raise OptionError(f"Option 'stagingSchema' is not one of jdbc:{self.database}:.")

    @abc.abstractmethod
    def created_type(self, kind: pa.DataType) -> str | None:
        """The database's type for an Arrow type; None where it has none."""

    @abc.abstractmethod
    def table(self, name: re.Match[str]) -> str:
        """The name that :attr:`table_name` has matched, as it stands in SQL."""

    @abc.abstractmethod
    def columns(self, session: FileSession, name: re.Match[str]) -> list[TableColumn]:
        """The columns of the table that can be written to; none where there is no such table."""

    @abc.abstractmethod
    def store(self, field: pa.Field, column: TableColumn) -> Store:
        """The way of a column's values into the database; raises ``ColumnError`` where there is none."""

    def begin(self, request: WriteRequest) -> dict[str, Any] | None:
        """Looks at the table and makes the folder."""
        options, overwrite = self._options, request.mode is SaveMode.OVERWRITE
        options.check_mode(request.mode)
        table, found = self._find()
        if found is not None and request.mode is SaveMode.ERROR:
            raise table_exists(options.table)
        if found is not None and request.mode is SaveMode.IGNORE:
            return None
        if found is not None and (not overwrite or options.truncate):
            columns = matching(request.schema, found, options.table)
            keys = key_columns(options.upsert_keys, columns)
            prepare = [f"DELETE FROM {table}"] if overwrite else []
        else:
            columns = created_columns(request.schema, options.column_types, self.created_type)
            keys = key_columns(options.upsert_keys, columns)
            prepare = [f"DROP TABLE {table}"] if found is not None else []
            prepare.append(_create(table, columns, keys, options.table_options))
        declared = [[column.name, column.declared] for column in columns]
        self._stores(request.schema, declared)
        sweep(self._dialect.path)
        return {
            "version": HANDLE_VERSION,
            "spool": str(make_spool(self._dialect.path, request.write_id)),
            "columns": declared,
            "prepare": prepare,
            "insert": self._insert(table, columns, keys),
        }

    def write(
        self, handle: WriteHandle, task: WriteTask, batches: pa.RecordBatchReader, context: TaskContext | None
    ) -> dict[str, Any]:
        """Spools the rows of a partition in the form in which they are stored."""
        check_handle(handle)
        names = [name for name, _ in handle["columns"]]
        rows = Rows(batches, names, self._options, context, keeps_nul=True)
        stores = self._stores(batches.schema, handle["columns"])
        schema = pa.schema([field for field, _ in stores])

        def stored() -> Iterator[pa.RecordBatch]:
            for batch in rows:
                columns = [store(values) for (_, store), values in zip(stores, batch.columns, strict=True)]
                yield pa.RecordBatch.from_arrays(columns, schema=schema)

        with slot(task.write_id, self._options.writers, context):
            spool(Path(handle["spool"]), task.partition, schema, stored())
        return {"rows": rows.count}

    def commit(self, handle: WriteHandle, messages: Sequence[CommitMessage]) -> None:
        """Takes all rows in."""
        check_handle(handle)
        if handle["spool"] in _committed:
            return
        folder = Path(handle["spool"])
        with self._connected(self._dialect.connect_to_write) as session:
            for statement in [self.begin_sql, *handle["prepare"]]:
                session.execute(statement)
            for rows in spooled(folder, range(len(messages))):
                session.insert(handle["insert"], rows)
            session.execute("COMMIT")
        _committed.add(handle["spool"])
        discard(folder)

    def abort(self, handle: WriteHandle) -> None:
        """Removes the folder."""
        check_handle(handle)
        discard(Path(handle["spool"]))

    def _find(self) -> tuple[str, list[TableColumn] | None]:
        """The table's name as it stands in SQL, and its columns; None where there is no such table."""
        name = self.table_name.fullmatch(self._options.table)
        if name is None:
            raise OptionError(
                f"Option 'dbtable' is to be the name of a table where it is written to, got {self._options.table!r}."
            )
        if not self._dialect.path.exists():
            return self.table(name), None
        with self._connected(self._dialect.connect) as session:
            return self.table(name), self.columns(session, name) or None

    @contextmanager
    def _connected(self, connect: Callable[[], FileSession]) -> Iterator[FileSession]:
        try:
            session = connect()
        except self._dialect.errors as error:
            raise self._dialect.refused(error) from None
        try:
            with closing(session):
                yield session
        except self._dialect.errors as error:
            raise self._dialect.failure(error) from None

    def _stores(self, schema: pa.Schema, columns: Sequence[Sequence[str]]) -> list[Store]:
        pairs = zip(schema, columns, strict=True)
        return [self.store(field, TableColumn(name, declared)) for field, (name, declared) in pairs]

    def _insert(self, table: str, columns: Sequence[TableColumn], keys: Sequence[str]) -> str:
        names = ", ".join(quote_identifier(column.name) for column in columns)
        # Not by format: a name may have braces.
        rows = self.rows_sql.replace("{parameters}", ", ".join("?" * len(columns))).replace("{columns}", names)
        statement = f"INSERT INTO {table} ({names}) {rows}"
        if not keys:
            return statement
        rest = [quote_identifier(column.name) for column in columns if column.name not in keys]
        updates = ", ".join(f"{name} = excluded.{name}" for name in rest)
        action = f"UPDATE SET {updates}" if updates else "NOTHING"
        return f"{statement} ON CONFLICT ({', '.join(map(quote_identifier, keys))}) DO {action}"


def _create(table: str, columns: Sequence[TableColumn], keys: Sequence[str], options: str) -> str:
    shown = [
        f"{quote_identifier(column.name)} {column.declared}{' NOT NULL' if column.required else ''}"
        for column in columns
    ]
    shown += [f"PRIMARY KEY ({', '.join(map(quote_identifier, keys))})"] if keys else []
    return f"CREATE TABLE {table} ({', '.join(shown)}) {options}".rstrip()
