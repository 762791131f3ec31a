"""The rows of a write, which the plug-in pulls from the server."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

import pyarrow as pa

from sheetbend.worker import arrow

if TYPE_CHECKING:
    from sheetbend.context import TaskContext
    from sheetbend.worker.connection import Connection, Header

Item: TypeAlias = "pa.RecordBatch | OSError | None"
"""What comes when rows are asked for: some of them, why there are none, or their end."""


class Inbox:
    """Asks the server for one batch after the other, so that none waits here for the plug-in."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._items: queue.SimpleQueue[Item] = queue.SimpleQueue()

    def open(self, context: TaskContext) -> None:
        """Begins a write, whose rows end when ``context`` is cancelled."""
        items = self._items = queue.SimpleQueue()
        context.on_cancel(lambda: items.put(OSError("the write was cancelled")))

    def take(self, header: Header, payload: bytes) -> None:
        """Takes what has come. To be called by another thread than the one that waits for it."""
        match header["type"]:
            case "rows":
                self._items.put(arrow.read_batch(payload))
            case "rows_end":
                self._items.put(None)
            case "rows_failed":
                self._items.put(OSError(header["why"]))

    def rows(self, schema: pa.Schema) -> pa.RecordBatchReader:
        """The rows of the write, to be read once."""
        return pa.RecordBatchReader.from_batches(schema, self._batches(self._items))

    def _batches(self, items: queue.SimpleQueue[Item]) -> Iterator[pa.RecordBatch]:
        while True:
            self._connection.send({"type": "more"})
            item = items.get()
            if item is None:
                return
            if isinstance(item, OSError):
                raise item
            yield item
