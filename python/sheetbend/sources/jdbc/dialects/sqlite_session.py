"""One connection to an SQLite database.

The driver's low-level interface: its ``dbapi`` module imports pandas, which costs a server 45 MB.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import adbc_driver_sqlite
import pyarrow as pa
from adbc_driver_manager import AdbcConnection, AdbcStatement

__all__ = ["Session"]


class Session(contextlib.AbstractContextManager["Session"]):
    """Connects at once.

    Raises:
        adbc_driver_manager.Error: there is no such file, or it cannot be opened.
    """

    def __init__(self, uri: str) -> None:
        with contextlib.ExitStack() as opened:
            database = opened.enter_context(adbc_driver_sqlite.connect(uri))
            self._connection = opened.enter_context(AdbcConnection(database))
            self._opened = opened.pop_all()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a statement; none of one that answers without columns."""
        with self.stream(sql) as reader:
            return list(zip(*(column.to_pylist() for column in reader.read_all().columns), strict=True))

    @contextlib.contextmanager
    def stream(self, sql: str, **options: str) -> Iterator[pa.RecordBatchReader]:
        """Runs a statement, with options of the driver; its rows are read as the stream is."""
        with AdbcStatement(self._connection) as statement:
            statement.set_options(**options)
            statement.set_sql_query(sql)
            statement.prepare()
            with pa.RecordBatchReader.from_stream(statement.execute_query()[0]) as reader:
                yield reader

    def __exit__(self, *_: object) -> None:
        self._opened.close()
