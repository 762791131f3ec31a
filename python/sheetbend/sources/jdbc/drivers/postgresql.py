"""Connections to PostgreSQL by ``adbc-driver-postgresql``."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import adbc_driver_postgresql  # type: ignore[import-untyped]
import pyarrow as pa

from sheetbend.sources.jdbc.drivers.adbc import AdbcSession
from sheetbend.sources.jdbc.drivers.patience import Patience

if TYPE_CHECKING:
    from adbc_driver_manager import AdbcDatabase

__all__ = ["PostgresSession", "forget"]

_T = TypeVar("_T")

_MAX_DATABASES = 32
_databases: OrderedDict[str, AdbcDatabase] = OrderedDict()
_lock = threading.Lock()


class PostgresSession(AdbcSession):
    """Connects at once.

    Args:
        conninfo: What libpq is given.
        patience: How many seconds a call waits for the server, for which libpq itself waits for ever; None is so, too.
        connect_seconds: How much longer it may take to connect.

    Raises:
        adbc_driver_manager.Error: the server is not there or refuses the login; there was one attempt.
        TimeoutError: the server was silent for too long.
    """

    def __init__(self, conninfo: str, patience: float | None = None, connect_seconds: float = 0.0) -> None:
        self._patience = None if patience is None else Patience(patience)
        if self._patience is None:
            super().__init__(_database(conninfo))
            return
        try:
            database = self._patience.call(lambda: _database(conninfo), more_seconds=connect_seconds)
            self._patience.call(lambda: super(PostgresSession, self).__init__(database), more_seconds=connect_seconds)
        except BaseException:
            self._patience.end()
            raise

    def execute(self, sql: str) -> None:
        self._waiting(lambda: super(PostgresSession, self).execute(sql))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self._waiting(lambda: super(PostgresSession, self).rows(sql))

    def schema(self, sql: str) -> pa.Schema:
        return self._waiting(lambda: super(PostgresSession, self).schema(sql))

    @contextmanager
    def fetch(self, sql: str, batch_bytes: int) -> Iterator[Iterator[pa.RecordBatch]]:
        """Runs a query, whose rows come in batches of about so many bytes."""
        opened = ExitStack()
        stream = self.stream(sql, {"adbc.postgresql.batch_size_hint_bytes": str(batch_bytes)})
        try:
            reader = self._waiting(lambda: opened.enter_context(stream))
            yield iter(lambda: self._waiting(lambda: next(reader, None)), None)
        finally:
            self._tidy(opened.close)

    def ingest(self, schema: str, table: str, rows: pa.RecordBatchReader) -> None:
        """Copies rows into the columns of their names, in one statement."""
        if self._patience is not None:
            rows = pa.RecordBatchReader.from_batches(rows.schema, self._patience.items(rows))
        self._waiting(lambda: self._ingest(schema, table, rows))

    def explain(self, sql: str) -> str:
        """How the server would run a query, as it shows it."""
        return self._waiting(lambda: self._explain(sql))

    def reset(self) -> None:
        """Drops prepared statements, temporary tables, locks and settings; refused while a transaction is open."""
        self.execute("DISCARD ALL")

    def close(self) -> None:
        self._tidy(super().close)
        if self._patience is not None:
            self._patience.end()

    def _ingest(self, schema: str, table: str, rows: pa.RecordBatchReader) -> None:
        with self.statement() as statement:
            statement.set_options(
                **{
                    "adbc.ingest.target_db_schema": schema,
                    "adbc.ingest.target_table": table,
                    "adbc.ingest.mode": "adbc.ingest.mode.append",
                }
            )
            statement.bind_stream(rows)
            statement.execute_update()

    def _explain(self, sql: str) -> str:
        with self.stream(f"EXPLAIN {sql}", {"adbc.postgresql.use_copy": "false"}) as reader:
            return "\n".join(str(line) for batch in reader for line in batch.column(0).to_pylist())

    def _waiting(self, function: Callable[[], _T]) -> _T:
        return function() if self._patience is None else self._patience.call(function)

    def _tidy(self, function: Callable[[], object]) -> None:
        if self._patience is None:
            function()
        else:
            self._patience.tidy(function)


def forget(conninfo: str) -> None:
    """Has the next session ask the server for its types again."""
    with _lock:
        _databases.pop(conninfo, None)


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
