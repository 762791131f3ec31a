"""Connections of ADBC drivers.

By the low-level interface: the ``dbapi`` module imports pandas, which costs a server 45 MB.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import adbc_driver_manager
import pyarrow as pa
from adbc_driver_manager import AdbcConnection, AdbcDatabase, AdbcStatement

from sheetbend.sources.jdbc.drivers.base import Session

__all__ = ["ERRORS", "AdbcSession"]

ERRORS: tuple[type[Exception], ...] = (adbc_driver_manager.Error, OSError)
"""What a session raises: the second is what a stream makes of the first."""

_CANCEL_SECONDS = 2.0
"""How long a cancel is waited for."""


class AdbcSession(Session):
    """A connection of an ADBC driver.

    Args:
        database: Where to connect to. It is closed with the connection where ``owned``.
    """

    def __init__(self, database: AdbcDatabase, *, owned: bool = False) -> None:
        self._lock = threading.Lock()
        self._closed = False
        with contextlib.ExitStack() as opened:
            if owned:
                opened.enter_context(database)
            self._connection = opened.enter_context(AdbcConnection(database))
            self._opened = opened.pop_all()

    def execute(self, sql: str) -> None:
        with AdbcStatement(self._connection) as statement:
            statement.set_sql_query(sql)
            statement.execute_update()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.stream(sql) as reader:
            return list(zip(*(column.to_pylist() for column in reader.read_all().columns), strict=True))

    def schema(self, sql: str) -> pa.Schema:
        """The columns of a query as the driver describes them; it is not run."""
        with AdbcStatement(self._connection) as statement:
            statement.set_sql_query(sql)
            return pa.schema(statement.execute_schema())

    @contextlib.contextmanager
    def stream(
        self, sql: str, options: Mapping[str, str] | None = None, *, prepare: bool = False
    ) -> Iterator[pa.RecordBatchReader]:
        """Runs a query, with options of the driver; its rows are read as the reader is."""
        with AdbcStatement(self._connection) as statement:
            statement.set_options(**(options or {}))
            statement.set_sql_query(sql)
            if prepare:
                statement.prepare()
            with pa.RecordBatchReader.from_stream(statement.execute_query()[0]) as reader:
                yield reader

    def statement(self) -> AdbcStatement:
        """A statement of the connection, to be closed by the caller."""
        return AdbcStatement(self._connection)

    def cancel(self) -> None:
        # A driver may ask the server on a second connection, and wait for an answer as long as there is none.
        asking = threading.Thread(target=self._cancel, name="sheetbend-cancel", daemon=True)
        asking.start()
        asking.join(_CANCEL_SECONDS)

    def close(self) -> None:
        if self._lock.acquire(timeout=_CANCEL_SECONDS):
            self._lock.release()
            self._close()
        else:
            threading.Thread(target=self._close, name="sheetbend-close", daemon=True).start()

    def _cancel(self) -> None:
        with self._lock:
            if not self._closed:
                # There may be nothing to cancel, no server any more, or a driver that cannot.
                with contextlib.suppress(adbc_driver_manager.Error):
                    self._connection.cancel()

    def _close(self) -> None:
        with self._lock:
            if not self._closed:
                self._closed = True
                with contextlib.suppress(*ERRORS):
                    self._opened.close()
