"""Writes to MySQL and MariaDB: INSERTs of many rows into a staging table, and one transaction or renaming.

The database commits before and after each change of a table's form, so a staging table says itself whether its rows
were taken over: the transaction that does it removes one of them. A staging table is called ``sheetbend_staging_`` and
32 hexadecimal digits, and a named lock is held as long as its write lives. A new table is its own staging table.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sheetbend.errors import OptionError, SheetbendError, TableNotFoundError
from sheetbend.sources.jdbc.dialects.mysql_literals import created_type, value_lists
from sheetbend.sources.jdbc.pool import connected, lease
from sheetbend.sources.jdbc.writing.columns import TableColumn, created_columns, key_columns, matching, unsupported_type
from sheetbend.sources.jdbc.writing.committed import Committed
from sheetbend.sources.jdbc.writing.rows import Rows
from sheetbend.sources.jdbc.writing.slots import slot
from sheetbend.sources.jdbc.writing.writer import HANDLE_VERSION, check_handle, rows_written, table_exists
from sheetbend.write import SaveMode

if TYPE_CHECKING:
    import pyarrow as pa

    from sheetbend.context import TaskContext
    from sheetbend.sources.jdbc.dialects.mysql import MySqlDialect
    from sheetbend.sources.jdbc.drivers.mysql import MySqlSession
    from sheetbend.sources.jdbc.writing.options import WriteOptions
    from sheetbend.write import CommitMessage, WriteHandle, WriteRequest, WriteTask

__all__ = ["MySqlWriter"]

_PREFIX = "sheetbend_staging_"
_STAGING = re.compile(_PREFIX + "[0-9a-f]{32}")
_OLD = "_old"
_NAME = r"(?:\w+|`(?:[^`]|``)+`)"
_TABLE = re.compile(rf"(?:({_NAME})\.)?({_NAME})")
_MODE = "SET SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'"
"""What does not fit is an error, and a backslash escapes."""
_LONGEST_WAIT = 2_147_483
_STATEMENT_BYTES = 1 << 20
_committed = Committed()
_holders: dict[str, MySqlSession] = {}
_lock = threading.Lock()


class MySqlWriter:
    """Writes to one table.

    A handle has ``load``, the INSERT that rows go by, without its values; the ``columns`` in the order of the rows;
    ``staging``, the table's name, or None where partitions are written on their own; and the ``commit``: statements of
    a transaction, or a renaming where the table is ``new``.
    """

    def __init__(self, dialect: MySqlDialect, options: WriteOptions) -> None:
        self._dialect = dialect
        self._options = options

    def begin(self, request: WriteRequest) -> dict[str, Any] | None:
        """Makes the staging table."""
        options, overwrite = self._options, request.mode is SaveMode.OVERWRITE
        options.check_mode(request.mode)
        _check_types(request.schema)
        with lease(self._dialect) as session:
            session.execute(_MODE)
            schema, table, found = self._find(session)
            if found is not None and request.mode is SaveMode.ERROR:
                raise table_exists(options.table)
            if found is not None and request.mode is SaveMode.IGNORE:
                return None
            new = found is None or (overwrite and not options.truncate)
            if found is None or new:
                columns = created_columns(request.schema, options.column_types, created_type)
            else:
                columns = matching(request.schema, found, options.table)
            keys = key_columns(options.upsert_keys, columns)
            if keys and not new:
                self._check_key(session, table, keys)
            create = self._create(columns, keys) if new else None
            names = ", ".join(self._dialect.quote(column.name) for column in columns)
            handle = {"version": HANDLE_VERSION, "columns": [column.name for column in columns], "names": names}
            handle |= {"update": self._update(columns, keys) if keys and not new else "", "table": table, "new": new}
            if options.by_partition:
                if new:
                    session.execute(f"DROP TABLE IF EXISTS {table}")
                    session.execute(f"CREATE TABLE {table} {create}")
                elif overwrite:
                    session.execute(f"DELETE FROM {table}")
                return handle | {"staging": None, "load": table}
            name = _PREFIX + hashlib.blake2b(request.write_id.encode(), digest_size=16).hexdigest()
            place = options.staging_schema or schema
            staging = f"{self._dialect.quote(place)}.{self._dialect.quote(name)}"
            self._sweep(session, place)
            self._hold(name)
            try:
                # The types of the table itself, so that a value that does not fit is found where it is sent.
                session.execute(f"CREATE TABLE {staging} {create or f'AS SELECT {names} FROM {table} LIMIT 0'}")
            except BaseException:
                _release(name)
                raise
        return handle | {"staging": name, "load": staging, "replace": found is not None and overwrite}

    def write(
        self, handle: WriteHandle, task: WriteTask, batches: pa.RecordBatchReader, context: TaskContext | None
    ) -> dict[str, Any]:
        """Inserts the rows of a partition, all of them or none."""
        check_handle(handle)
        options = self._options
        rows = Rows(batches, handle["columns"], options, context, keeps_nul=True)
        insert = f"INSERT INTO {handle['load']} ({handle['names']}) VALUES ".encode()
        update = b"" if handle["staging"] else handle["update"].encode()
        with slot(task.write_id, options.writers, context), lease(self._dialect, context) as session:
            session.execute(_MODE)
            self._begin(session)
            for batch in rows:
                for values in value_lists(batch, _STATEMENT_BYTES):
                    session.send(insert + values + update)
            session.execute("COMMIT")
        return {"rows": rows.count}

    def commit(self, handle: WriteHandle, messages: Sequence[CommitMessage]) -> None:
        """Takes the staged rows over."""
        check_handle(handle)
        name = handle["staging"]
        if name is None or name in _committed:
            return
        if handle["new"]:
            self._rename(handle)
        else:
            self._publish(handle, rows_written(messages))
        _committed.add(name)
        # What goes wrong from here on does not undo the commit.
        with suppress(SheetbendError), lease(self._dialect) as session:
            _release(name, session)

    def abort(self, handle: WriteHandle) -> None:
        """Drops the staging table. What partitions that are written on their own have committed stays."""
        check_handle(handle)
        if handle["staging"]:
            with lease(self._dialect) as session:
                _release(handle["staging"], session)
                session.execute(f"DROP TABLE IF EXISTS {handle['load']}")

    def _rename(self, handle: WriteHandle) -> None:
        staging, table = handle["load"], handle["table"]
        with lease(self._dialect) as session:
            if not handle["replace"]:
                session.execute(f"RENAME TABLE {staging} TO {table}")
                return
            old = f"{staging[:-1]}{_OLD}`"
            session.execute(f"RENAME TABLE {table} TO {old}, {staging} TO {table}")
            session.execute(f"DROP TABLE {old}")

    def _publish(self, handle: WriteHandle, rows: int) -> None:
        staging = handle["load"]
        with lease(self._dialect) as session:
            session.execute(_MODE)
            if not self._is_taken(session, staging, rows):
                self._begin(session)
                if handle["replace"]:
                    session.execute(f"DELETE FROM {handle['table']}")
                session.execute(
                    f"INSERT INTO {handle['table']} ({handle['names']}) SELECT {handle['names']} FROM {staging}"
                    + handle["update"]
                )
                session.execute(f"DELETE FROM {staging} LIMIT 1")
                self._end(session, staging, rows)
        with lease(self._dialect) as session:
            session.execute(f"DROP TABLE {staging}")

    def _end(self, session: MySqlSession, staging: str, rows: int) -> None:
        try:
            session.execute("COMMIT")
        except self._dialect.errors:
            # Its answer may be lost alone. What still runs is ended, so that it is one or the other.
            session.cancel()
            with lease(self._dialect) as other:
                if not self._is_taken(other, staging, rows):
                    raise

    def _is_taken(self, session: MySqlSession, staging: str, rows: int) -> bool:
        try:
            found = session.rows(f"SELECT count(*) FROM {staging}")[0][0]
        except self._dialect.errors as error:
            if not isinstance(self._dialect.failure(error), TableNotFoundError):
                raise
            raise SheetbendError(
                f"The staging table {staging} is gone: the connection that held it was lost and another write has "
                "removed it, or the write was committed before. Look at the table before you write again."
            ) from None
        if found != rows and found != rows - 1:
            raise SheetbendError(
                f"The staging table {staging} has {found} rows where {rows} were written. Nothing was written to the "
                "table."
            )
        return bool(rows and found == rows - 1)

    def _begin(self, session: MySqlSession) -> None:
        if self._options.isolation:
            session.execute(f"SET TRANSACTION ISOLATION LEVEL {self._options.isolation}")
        session.execute("START TRANSACTION")

    def _find(self, session: MySqlSession) -> tuple[str, str, list[TableColumn] | None]:
        match = _TABLE.fullmatch(self._options.table)
        if match is None:
            raise OptionError(
                f"Option 'dbtable' is to be the name of a table where it is written to, got {self._options.table!r}."
            )
        schema, name = (part and _unquoted(part) for part in match.groups())
        schema = schema or session.rows("SELECT DATABASE()")[0][0]
        if not schema:
            raise OptionError("Option 'dbtable' needs the name of a database, for the URL has none.")
        table = f"{self._dialect.quote(schema)}.{self._dialect.quote(name)}"
        try:
            rows = session.rows(f"SHOW COLUMNS FROM {table}")
        except self._dialect.errors as error:
            if isinstance(self._dialect.failure(error), TableNotFoundError):
                return schema, table, None
            raise
        columns = []
        for column, declared, null, _, default, extra in rows:
            given = null == "YES" or default is not None or "auto_increment" in extra
            if "GENERATED" not in extra:
                columns.append(TableColumn(column, declared, required=null != "YES", optional=given))
        return schema, table, columns

    def _check_key(self, session: MySqlSession, table: str, keys: Sequence[str]) -> None:
        indexes: dict[str, set[str]] = {}
        for row in session.rows(f"SHOW INDEX FROM {table} WHERE Non_unique = 0"):
            indexes.setdefault(row[2], set()).add(row[4])
        if set(keys) not in indexes.values():
            raise OptionError(
                f"Option 'upsertKeys': table {self._options.table} has no unique index of {', '.join(keys)} alone."
            )

    def _create(self, columns: Sequence[TableColumn], keys: Sequence[str]) -> str:
        quote = self._dialect.quote
        # NULL is said: the first timestamp of a table would take none, and have a default.
        shown = [
            f"{quote(column.name)} {column.declared}{' NOT' if column.required else ''} NULL"
            if column.name not in keys
            else f"{quote(column.name)} {column.declared} NOT NULL"
            for column in columns
        ]
        shown += [f"PRIMARY KEY ({', '.join(map(quote, keys))})"] if keys else []
        return f"({', '.join(shown)}) {self._options.table_options}".rstrip()

    def _update(self, columns: Sequence[TableColumn], keys: Sequence[str]) -> str:
        rest = [column.name for column in columns if column.name not in keys] or [keys[0]]
        updates = ", ".join(f"{self._dialect.quote(name)} = VALUES({self._dialect.quote(name)})" for name in rest)
        return f" ON DUPLICATE KEY UPDATE {updates}"

    def _sweep(self, session: MySqlSession, schema: str) -> None:
        """Drops the staging tables of the database that were left behind, as far as the user may."""
        text = self._dialect.syntax.text(schema)
        condition = f"table_schema = {text} AND table_name LIKE 'sheetbend\\\\_staging\\\\_%'"
        for (table,) in session.rows(f"SELECT table_name FROM information_schema.tables WHERE {condition}"):
            name = table.removesuffix(_OLD)
            if _STAGING.fullmatch(name) and session.rows(f"SELECT GET_LOCK('{name}', 0)")[0][0] == 1:
                with suppress(*self._dialect.errors):
                    session.execute(f"DROP TABLE IF EXISTS {self._dialect.quote(schema)}.{self._dialect.quote(table)}")
                session.rows(f"SELECT RELEASE_LOCK('{name}')")

    def _hold(self, name: str) -> None:
        """By a connection of its own, that lives as long as the write."""

        def lock(session: MySqlSession) -> None:
            session.execute(f"SET SESSION wait_timeout = {_LONGEST_WAIT}")
            session.rows(f"SELECT GET_LOCK('{name}', 0)")

        holder = connected(self._dialect, lock)
        with _lock:
            _holders[name] = holder


def _check_types(schema: pa.Schema) -> None:
    for field in schema:
        if created_type(field.type) is None:
            raise unsupported_type(field)


def _release(name: str, session: MySqlSession | None = None) -> None:
    """Closes the connection that holds the lock. By way of ``session`` where another process has begun the write."""
    with _lock:
        holder = _holders.pop(name, None)
    if holder is not None:
        holder.close()
    elif session is not None:
        number = session.rows(f"SELECT IS_USED_LOCK('{name}')")[0][0]
        if number is not None:
            session.execute(f"KILL {number}")


def _unquoted(name: str) -> str:
    return name[1:-1].replace("``", "`") if name.startswith("`") else name
