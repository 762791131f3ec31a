"""Connections to SQLite by ``adbc-driver-sqlite``."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import adbc_driver_sqlite

from sheetbend.sources.jdbc.drivers.adbc import AdbcSession

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["SqliteSession"]


class SqliteSession(AdbcSession):
    """Opens a file at once.

    Raises:
        adbc_driver_manager.Error: there is no such file, or it cannot be opened.
    """

    def __init__(self, uri: str) -> None:
        super().__init__(adbc_driver_sqlite.connect(uri), owned=True)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows; none of a statement that answers without columns."""
        with self.stream(sql, prepare=True) as reader:
            return list(zip(*(column.to_pylist() for column in reader.read_all().columns), strict=True))

    def fetch(self, sql: str, batch_rows: int) -> AbstractContextManager[pa.RecordBatchReader]:
        """Runs a query, whose rows come in batches of so many. The first batch decides over the types."""
        return self.stream(sql, {"adbc.sqlite.query.batch_rows": str(batch_rows)}, prepare=True)

    def insert(self, sql: str, rows: pa.RecordBatchReader) -> None:
        """Runs a statement for each row, whose values are its parameters."""
        with self.statement() as statement:
            statement.set_sql_query(sql)
            statement.prepare()
            statement.bind_stream(rows)
            statement.execute_update()
