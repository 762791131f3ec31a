"""A connection that PyMySQL opens, and the statement that streams over it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import pymysql

from sheetbend.sources.jdbc.drivers.base import Session
from sheetbend.sources.jdbc.drivers.mysql.protocol import Channel, Field, ServerError
from sheetbend.sources.jdbc.drivers.mysql.rows import read_batches

if TYPE_CHECKING:
    import pyarrow as pa

    from sheetbend.sources.jdbc.drivers.mysql.values import Reader
    from sheetbend.sources.jdbc.table import Column

__all__ = ["ERRORS", "MySqlSession"]

ERRORS: tuple[type[Exception], ...] = (pymysql.MySQLError, ServerError, OSError)
"""What a session raises."""

_CANCEL_SECONDS = 2
_UNREACHABLE = 2003
_NO_SUCH_PLUGIN = 2059


class MySqlSession(Session):
    """Connects at once.

    Args:
        arguments: Of ``pymysql.connect``. Its ``connect_timeout`` is for all that it takes to log in.
        prepare: Statements that put a new connection, or one that was reset, into the state that readers expect; given
            what the server calls its version.
        read_seconds: How long the server may be silent while it is read from; None is for ever.
        patience: How long a statement may take, or a batch of its rows; None is for ever.

    Raises:
        pymysql.MySQLError: the server is not there or refuses the login; there was one attempt.
    """

    def __init__(
        self,
        arguments: Mapping[str, Any],
        prepare: Callable[[str], Sequence[str]],
        read_seconds: float | None = None,
        patience: float | None = None,
    ) -> None:
        self._arguments = dict(arguments)
        self._patience = patience
        self._lock = threading.Lock()
        self._closed = False
        try:
            self._connection = _connected(self._arguments)
        except RuntimeError as error:  # the way to log in needs a package that is not installed
            raise pymysql.OperationalError(_NO_SUCH_PLUGIN, str(error)) from None
        # PyMySQL has no public name for it. Between two answers nothing of it is buffered elsewhere.
        self._socket: socket.socket = self._connection._sock  # type: ignore[attr-defined]
        self._connection._read_timeout = read_seconds  # type: ignore[attr-defined]
        self.server = str(self._connection.get_server_info())  # type: ignore[no-untyped-call]
        """The server's version, such as ``10.11.6-MariaDB`` or ``8.4.0``."""
        self._number = int(self._connection.thread_id())  # type: ignore[no-untyped-call]
        self._statements = tuple(prepare(self.server))
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def execute(self, sql: str) -> None:
        self.rows(sql)

    def send(self, statement: bytes) -> None:
        """Runs a statement that gives no rows, in UTF-8 but for its bytes."""
        with self._waiting():
            self._connection.query(statement)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self._waiting(), self._connection.cursor() as cursor:
            cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()]

    def fields(self, sql: str) -> tuple[Field, ...]:
        """The columns of a query as the server describes them; it is not run."""
        channel = Channel(self._socket)
        with self._waiting():
            statement = channel.prepare(sql)
            channel.close(statement)
        return statement.fields

    def fetch(
        self, sql: str, columns: Sequence[Column], readers: Callable[[Sequence[Field]], Sequence[Reader]]
    ) -> Iterator[pa.RecordBatch]:
        """Runs a query and gives its rows as they come, in batches of these columns.

        Args:
            sql: The query.
            columns: What is promised.
            readers: Chooses what takes the columns out of rows, by what the server says that it sends.
        """
        channel = Channel(self._socket)
        with self._waiting():
            statement = channel.prepare(sql)
            fields, first = channel.execute(statement)
        batches = read_batches(self._socket, first, columns, readers(fields))
        while True:
            with self._waiting():
                batch = next(batches, None)
            if batch is None:
                break
            yield batch
        channel.close(statement)

    def cancel(self) -> None:
        with self._lock:
            if self._closed:
                return
            try:
                limits = dict.fromkeys(("connect_timeout", "read_timeout", "write_timeout"), _CANCEL_SECONDS)
                with _connected(self._arguments | limits) as other:
                    other.query(f"KILL {self._number}")
            except ERRORS:
                # No second connection can be had. A server that is about to send rows notices this, too.
                with contextlib.suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with self._lock:
            if not self._closed:
                self._closed = True
                if self._connection.open:
                    with contextlib.suppress(*ERRORS):
                        self._connection.close()

    def check(self) -> None:
        with self._waiting():
            self._connection.ping(reconnect=False)

    def reset(self) -> None:
        """Drops temporary tables, locks, variables and an open transaction."""
        with self._waiting():
            Channel(self._socket).reset()
        self._prepare()

    def _waiting(self) -> AbstractContextManager[None]:
        return _limited(self._socket, self._patience)

    def _prepare(self) -> None:
        for statement in self._statements:
            self.execute(statement)


def _connected(arguments: Mapping[str, Any]) -> pymysql.Connection:
    """A connection that has logged in within ``connect_timeout``, however slowly its server speaks."""
    seconds = arguments["connect_timeout"]
    connection = pymysql.connect(**arguments, defer_connect=True)
    try:
        opened = socket.create_connection((arguments["host"], arguments["port"]), seconds)
    except OSError as error:
        raise pymysql.OperationalError(
            _UNREACHABLE, f"Can't connect to MySQL server on '{arguments['host']}' ({error})"
        ) from None
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # A second descriptor, for TLS takes the first one over.
    with opened.dup() as same, _limited(same, seconds):
        connection.connect(opened)
    return connection


@contextlib.contextmanager
def _limited(connected: socket.socket, seconds: float | None) -> Iterator[None]:
    """Cuts the connection where what is done with it takes longer, which is a :class:`TimeoutError` then."""
    if seconds is None:
        yield
        return
    expired = threading.Event()

    def cut() -> None:
        expired.set()
        with contextlib.suppress(OSError):
            connected.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except ERRORS:
        if expired.is_set():
            raise TimeoutError(f"timed out: no answer was complete after {seconds:g} s") from None
        raise
    finally:
        timer.cancel()
