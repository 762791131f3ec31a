"""Writes to SQLite."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from sheetbend.errors import OptionError
from sheetbend.sources.jdbc.dialects.sqlite_created import Storing, created_type
from sheetbend.sources.jdbc.sql import quote_identifier
from sheetbend.sources.jdbc.writing.columns import TableColumn
from sheetbend.sources.jdbc.writing.spooled import SpooledWriter, Store

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from sheetbend.sources.jdbc.dialects.sqlite import SqliteDialect
    from sheetbend.sources.jdbc.writing.options import WriteOptions

__all__ = ["SqliteWriter"]

_TABLE = re.compile(r"""(?:(?:main|"main")\.)?(\w+|"(?:[^"]|"")+"|`(?:[^`]|``)+`)""", re.IGNORECASE)


class SqliteWriter(SpooledWriter):
    """Writes to one table of an SQLite file."""

    database = "sqlite"
    rows_sql = "VALUES ({parameters})"

    def __init__(self, dialect: SqliteDialect, options: WriteOptions) -> None:
        super().__init__(options)
        self._dialect = dialect

    @property
    def path(self) -> Path:
        return self._dialect.path

    def created_type(self, kind: pa.DataType) -> str | None:
        return created_type(kind)

    def find(self) -> tuple[str, list[TableColumn] | None]:
        match = _TABLE.fullmatch(self._options.table)
        if match is None:
            raise OptionError(
                f"Option 'dbtable' is to be the name of a table where it is written to, got {self._options.table!r}."
            )
        name = match[1]
        table = quote_identifier(name[1:-1].replace(name[0] * 2, name[0]) if name[0] in '"`' else name)
        if not self.path.exists():
            return table, None
        try:
            with closing(self._dialect.connect()) as session:
                # Those that are 0 there can be written to.
                rows = [row for row in session.rows(f"PRAGMA main.table_xinfo({table})") if row[6] == 0]
        except self._dialect.errors as error:
            raise self._dialect.failure(error) from None
        # A key that is the number of the row is given by the database.
        keys = [row for row in rows if row[5]]
        is_number = len(keys) == 1 and str(keys[0][2]).upper() == "INTEGER"
        columns = [
            TableColumn(
                str(row[1]),
                str(row[2] or ""),
                required=bool(row[3]),
                optional=not row[3] or row[4] is not None or (is_number and bool(row[5])),
            )
            for row in rows
        ]
        return table, columns or None

    def store(self, field: pa.Field, column: TableColumn) -> Store:
        storing = Storing(field, column)
        return storing.field, storing

    def publish(self, prepare: Sequence[str], insert: str, partitions: Iterator[pa.RecordBatchReader]) -> None:
        try:
            with closing(self._dialect.connect_to_write()) as session:
                session.execute("BEGIN IMMEDIATE")
                for statement in prepare:
                    session.execute(statement)
                for rows in partitions:
                    session.insert(insert, rows)
                session.execute("COMMIT")
        except self._dialect.errors as error:
            raise self._dialect.failure(error) from None
