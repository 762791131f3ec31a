"""Writes to SQLite: rows are spooled beside the database, and one transaction takes them in."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sheetbend.errors import OptionError
from sheetbend.sources.jdbc.dialects.sqlite_created import Storing, created_type
from sheetbend.sources.jdbc.sql import quote_identifier
from sheetbend.sources.jdbc.writing.columns import TableColumn, created_columns, key_columns, matching
from sheetbend.sources.jdbc.writing.rows import Rows
from sheetbend.sources.jdbc.writing.slots import slot
from sheetbend.sources.jdbc.writing.spool import discard, make_spool, spool, spooled, sweep
from sheetbend.sources.jdbc.writing.writer import HANDLE_VERSION, check_handle, table_exists
from sheetbend.write import SaveMode

if TYPE_CHECKING:
    from sheetbend.context import TaskContext
    from sheetbend.sources.jdbc.dialects.sqlite import SqliteDialect
    from sheetbend.sources.jdbc.drivers.sqlite import SqliteSession
    from sheetbend.sources.jdbc.writing.options import WriteOptions
    from sheetbend.write import CommitMessage, WriteHandle, WriteRequest, WriteTask

__all__ = ["SqliteWriter"]

_TABLE = re.compile(r"""(?:(?:main|"main")\.)?(\w+|"(?:[^"]|"")+"|`(?:[^`]|``)+`)""", re.IGNORECASE)
_MAX_REMEMBERED = 1024
_committed: OrderedDict[str, None] = OrderedDict()
"""The folders of the last writes that this process has committed: a commit that comes again changes nothing."""


class SqliteWriter:
    """Writes to one table.

    A handle has the ``spool``, a folder; the table's ``columns``, each a name and a declared type; and the statements
    of the commit: ``prepare`` before the rows, ``insert`` with them, ``finish`` after them.
    """

    def __init__(self, dialect: SqliteDialect, options: WriteOptions) -> None:
        self._dialect = dialect
        self._options = options
        if options.by_partition:
            raise OptionError("Option 'atomicity': jdbc:sqlite: writes all partitions at once.")
        if options.staging_schema:
            raise OptionError("Option 'stagingSchema' is not one of jdbc:sqlite:.")

    def begin(self, request: WriteRequest) -> dict[str, Any] | None:
        """Looks at the table and makes the folder."""
        self._options.check_mode(request.mode)
        name = _table_name(self._options.table)
        found = self._columns(name)
        if found is not None and request.mode is SaveMode.ERROR:
            raise table_exists(self._options.table)
        if found is not None and request.mode is SaveMode.IGNORE:
            return None
        table = quote_identifier(name)
        prepare: list[str] = []
        overwrite = request.mode is SaveMode.OVERWRITE
        if found is not None and (not overwrite or self._options.truncate):
            columns = matching(request.schema, found, self._options.table)
            keys = key_columns(self._options.upsert_keys, columns)
            prepare += [f"DELETE FROM {table}"] if overwrite else []
        else:
            columns = created_columns(request.schema, self._options.column_types, created_type)
            keys = key_columns(self._options.upsert_keys, columns)
            prepare += [f"DROP TABLE {table}"] if found is not None else []
            prepare.append(_create(table, columns, keys, self._options.table_options))
        self._storing(request.schema, [[column.name, column.declared] for column in columns])
        sweep(self._dialect.path)
        return {
            "version": HANDLE_VERSION,
            "spool": str(make_spool(self._dialect.path, request.write_id)),
            "columns": [[column.name, column.declared] for column in columns],
            "prepare": prepare,
            "insert": _insert(table, columns, keys),
        }

    def write(
        self, handle: WriteHandle, task: WriteTask, batches: pa.RecordBatchReader, context: TaskContext | None
    ) -> dict[str, Any]:
        """Spools the rows of a partition in the form in which they are stored."""
        check_handle(handle)
        names = [name for name, _ in handle["columns"]]
        rows = Rows(batches, names, self._options, context, keeps_nul=True)
        storing = self._storing(batches.schema, handle["columns"])
        schema = pa.schema([one.field for one in storing])

        def stored() -> Iterator[pa.RecordBatch]:
            for batch in rows:
                columns = [store(values) for store, values in zip(storing, batch.columns, strict=True)]
                yield pa.RecordBatch.from_arrays(columns, schema=schema)

        with slot(task.write_id, self._options.writers, context):
            spool(Path(handle["spool"]), task.partition, schema, stored())
        return {"rows": rows.count}

    def commit(self, handle: WriteHandle, messages: Sequence[CommitMessage]) -> None:
        """Takes all rows in, in one transaction."""
        check_handle(handle)
        if handle["spool"] in _committed:
            return
        folder = Path(handle["spool"])
        try:
            with closing(self._dialect.connect_to_write()) as session:
                session.execute("BEGIN IMMEDIATE")
                for statement in handle["prepare"]:
                    session.execute(statement)
                for reader in spooled(folder, len(messages)):
                    session.insert(handle["insert"], reader)
                session.execute("COMMIT")
        except self._dialect.errors as error:
            raise self._dialect.failure(error) from None
        _committed[handle["spool"]] = None
        while len(_committed) > _MAX_REMEMBERED:
            _committed.popitem(last=False)
        discard(folder)

    def abort(self, handle: WriteHandle) -> None:
        """Removes the folder."""
        check_handle(handle)
        discard(Path(handle["spool"]))

    def _columns(self, table: str) -> list[TableColumn] | None:
        if not self._dialect.path.exists():
            return None
        try:
            with closing(self._dialect.connect()) as session:
                return _described(session, table)
        except self._dialect.errors as error:
            raise self._dialect.failure(error) from None

    @staticmethod
    def _storing(schema: pa.Schema, columns: Sequence[Sequence[str]]) -> list[Storing]:
        pairs = zip(schema, columns, strict=True)
        return [Storing(field, TableColumn(name, declared)) for field, (name, declared) in pairs]


def _described(session: SqliteSession, table: str) -> list[TableColumn] | None:
    # 0 are the columns that can be written.
    rows = [row for row in session.rows(f"PRAGMA main.table_xinfo({quote_identifier(table)})") if row[6] == 0]
    # A key that is the number of the row is given by the database.
    keys = [row for row in rows if row[5]]
    is_number = len(keys) == 1 and str(keys[0][2]).upper() == "INTEGER"
    return [
        TableColumn(
            str(row[1]),
            str(row[2] or ""),
            required=bool(row[3]),
            optional=not row[3] or row[4] is not None or (is_number and bool(row[5])),
        )
        for row in rows
    ] or None


def _create(table: str, columns: Sequence[TableColumn], keys: Sequence[str], options: str) -> str:
    shown = [
        f"{quote_identifier(column.name)} {column.declared}{' NOT NULL' if column.required else ''}"
        for column in columns
    ]
    shown += [f"PRIMARY KEY ({', '.join(map(quote_identifier, keys))})"] if keys else []
    return f"CREATE TABLE {table} ({', '.join(shown)}) {options}".rstrip()


def _insert(table: str, columns: Sequence[TableColumn], keys: Sequence[str]) -> str:
    names = ", ".join(quote_identifier(column.name) for column in columns)
    statement = f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(columns))})"
    if not keys:
        return statement
    rest = [quote_identifier(column.name) for column in columns if column.name not in keys]
    updates = ", ".join(f"{name} = excluded.{name}" for name in rest)
    action = f"UPDATE SET {updates}" if updates else "NOTHING"
    return f"{statement} ON CONFLICT ({', '.join(map(quote_identifier, keys))}) DO {action}"


def _table_name(text: str) -> str:
    match = _TABLE.fullmatch(text)
    if match is None:
        raise OptionError(f"Option 'dbtable' is to be the name of a table where it is written to, got {text!r}.")
    name = match[1]
    return name[1:-1].replace(name[0] * 2, name[0]) if name[0] in '"`' else name
