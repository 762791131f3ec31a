"""One connection to PostgreSQL, and the one statement that it runs."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

import adbc_driver_manager
import adbc_driver_postgresql  # type: ignore[import-untyped]
import pyarrow as pa
from adbc_driver_manager import AdbcConnection, AdbcDatabase, AdbcStatement

if TYPE_CHECKING:
    from sheetbend.plugin import ArrowStream

__all__ = ["Session", "forget"]

_MAX_DATABASES = 32
_databases: OrderedDict[str, AdbcDatabase] = OrderedDict()
_lock = threading.Lock()


def forget(conninfo: str) -> None:
    """Has the next session ask the server for its types again."""
    with _lock:
        _databases.pop(conninfo, None)


class Session(contextlib.AbstractContextManager["Session"]):
    """Connects at once. May be cancelled by one thread while another reads or closes it.

    Left before :attr:`finished` is set, it has the server end the statement first.

    Raises:
        adbc_driver_manager.Error: the server is not there or refuses the login; there was one attempt.
    """

    def __init__(self, conninfo: str) -> None:
        self.finished = False
        self._lock = threading.Lock()
        self._closed = False
        self._connection = AdbcConnection(_database(conninfo))
        self._statement = AdbcStatement(self._connection)

    def describe(self, sql: str) -> pa.Schema:
        """The columns of a query, with the catalog's types as metadata; it is not run."""
        self._statement.set_sql_query(sql)
        return pa.schema(self._statement.execute_schema())

    def execute(self, sql: str, batch_bytes: int) -> ArrowStream:
        """Runs a query. The stream breaks off with an error when the session is closed."""
        self._statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(batch_bytes)})
        self._statement.set_sql_query(sql)
        stream: ArrowStream = self._statement.execute_query()[0]
        return stream

    def cancel(self) -> None:
        """Has the server end the statement; does nothing once the session is closed."""
        with self._lock:
            if not self._closed:
                # There may be nothing to cancel, or no server any more.
                with contextlib.suppress(adbc_driver_manager.Error):
                    self._statement.cancel()

    def __exit__(self, *_: object) -> None:
        if not self.finished:
            self.cancel()
        with self._lock:
            if not self._closed:
                self._closed = True
                self._statement.close()
                self._connection.close()


def _database(conninfo: str) -> AdbcDatabase:
    """The driver's view of a server: its types. It holds no connection, and takes five times as long to make as one."""
    with _lock:
        if conninfo in _databases:
            _databases.move_to_end(conninfo)
            return _databases[conninfo]
    # Outside the lock, since this connects.
    database: AdbcDatabase = adbc_driver_postgresql.connect(conninfo)
    with _lock:
        _databases[conninfo] = database
        while len(_databases) > _MAX_DATABASES:
            _databases.popitem(last=False)
    return database
