"""Connections whose driver gives rows as Python objects, by the interface of PEP 249: slow, and better than nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from sheetbend.sources.jdbc.drivers.base import Session

if TYPE_CHECKING:
    from sheetbend.sources.jdbc.table import Column

__all__ = ["RowSession"]

T = TypeVar("T")

_BATCH_ROWS = 8192


class RowSession(Session):
    """A connection that PEP 249 describes.

    Args:
        connection: The driver's own. It is closed with the session.
        errors: What it raises.
    """

    def __init__(self, connection: Any, errors: tuple[type[Exception], ...]) -> None:  # noqa: ANN401 - of any driver
        self.connection = connection
        self._errors = errors
        self._running: Any = None

    def execute(self, sql: str) -> None:
        with self.cursor() as cursor:
            cursor.execute(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.cursor() as cursor:
            cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()]

    def described(self, sql: str, describe: Callable[[Any], T]) -> T:
        """What a cursor says of a query, which must give no rows, after it was run."""
        with self.cursor() as cursor:
            cursor.execute(sql)
            cursor.fetchall()
            return describe(cursor)

    def fetch(self, sql: str, columns: Sequence[Column], rows: int) -> Iterator[pa.RecordBatch]:
        """Runs a query and gives its rows in batches of so many; 0 leaves it to the session."""
        with self.cursor() as cursor:
            cursor.execute(sql)
            while found := cursor.fetchmany(rows or _BATCH_ROWS):
                values = zip(*found, strict=True)
                arrays = [pa.array(list(cells), column.type) for cells, column in zip(values, columns, strict=True)]
                yield pa.RecordBatch.from_arrays(arrays, names=[column.name for column in columns])

    def cancel(self) -> None:
        # Without a way to cancel, the connection is cut.
        stop = getattr(self._running, "cancel", None) or self.connection.close
        with contextlib.suppress(*self._errors, OSError):
            stop()

    def close(self) -> None:
        with contextlib.suppress(*self._errors, OSError):
            self.connection.close()

    @contextlib.contextmanager
    def cursor(self) -> Iterator[Any]:
        """A cursor for one statement, which :meth:`cancel` ends."""
        cursor = self._running = self.connection.cursor()
        try:
            yield cursor
        finally:
            self._running = None
            with contextlib.suppress(*self._errors, OSError):
                cursor.close()
