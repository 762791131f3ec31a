"""Writes to SQLite."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sheetbend.sources.jdbc.dialects.sqlite_created import Storing, created_type
from sheetbend.sources.jdbc.sql import quote_identifier
from sheetbend.sources.jdbc.writing.columns import TableColumn
from sheetbend.sources.jdbc.writing.spooled import SpooledWriter

if TYPE_CHECKING:
    import pyarrow as pa

    from sheetbend.sources.jdbc.writing.spooled import FileSession, Store

__all__ = ["SqliteWriter"]


class SqliteWriter(SpooledWriter):
    """Writes to one table of an SQLite file."""

    database = "sqlite"
    table_name = re.compile(r"""(?:(?:main|"main")\.)?(\w+|"(?:[^"]|"")+"|`(?:[^`]|``)+`)""", re.IGNORECASE)
    begin_sql = "BEGIN IMMEDIATE"
    rows_sql = "VALUES ({parameters})"

    def created_type(self, kind: pa.DataType) -> str | None:
        return created_type(kind)

    def table(self, name: re.Match[str]) -> str:
        given = name[1]
        return quote_identifier(given[1:-1].replace(given[0] * 2, given[0]) if given[0] in '"`' else given)

    def columns(self, session: FileSession, name: re.Match[str]) -> list[TableColumn]:
        # Those that are 0 there can be written to.
        rows = [row for row in session.rows(f"PRAGMA main.table_xinfo({self.table(name)})") if row[6] == 0]
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
        ]

    def store(self, field: pa.Field, column: TableColumn) -> Store:
        storing = Storing(field, column)
        return storing.field, storing
