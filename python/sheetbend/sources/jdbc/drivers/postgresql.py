"""Connections to PostgreSQL by ``adbc-driver-postgresql``."""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import adbc_driver_postgresql  # type: ignore[import-untyped]

from sheetbend.sources.jdbc.drivers.adbc import AdbcSession

if TYPE_CHECKING:
    import pyarrow as pa
    from adbc_driver_manager import AdbcDatabase

__all__ = ["PostgresSession", "forget"]

_MAX_DATABASES = 32
_databases: OrderedDict[str, AdbcDatabase] = OrderedDict()
_lock = threading.Lock()


class PostgresSession(AdbcSession):
    """Connects at once.

    Raises:
        adbc_driver_manager.Error: the server is not there or refuses the login; there was one attempt.
    """

    def __init__(self, conninfo: str) -> None:
        super().__init__(_database(conninfo))

    def fetch(self, sql: str, batch_bytes: int) -> AbstractContextManager[pa.RecordBatchReader]:
        """Runs a query, whose rows come in batches of about so many bytes."""
        return self.stream(sql, {"adbc.postgresql.batch_size_hint_bytes": str(batch_bytes)})

    def ingest(self, schema: str, table: str, rows: pa.RecordBatchReader) -> None:
        """Copies rows into the columns of their names, in one statement."""
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

    def explain(self, sql: str) -> str:
        """How the server would run a query, as it shows it."""
        with self.stream(f"EXPLAIN {sql}", {"adbc.postgresql.use_copy": "false"}) as reader:
            return "\n".join(str(line) for batch in reader for line in batch.column(0).to_pylist())

    def reset(self) -> None:
        """Drops prepared statements, temporary tables, locks and settings; refused while a transaction is open."""
        self.execute("DISCARD ALL")


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
