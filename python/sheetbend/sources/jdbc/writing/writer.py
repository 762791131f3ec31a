"""What writes to a database: one class for each, in the module of its dialect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from sheetbend.errors import SheetbendError, TableExistsError

if TYPE_CHECKING:
    import pyarrow as pa

    from sheetbend.context import TaskContext
    from sheetbend.write import CommitMessage, WriteHandle, WriteRequest, WriteTask

__all__ = ["HANDLE_VERSION", "TableWriter", "check_handle", "rows_written", "table_exists"]

HANDLE_VERSION = 1


class TableWriter(Protocol):
    """The four methods of :class:`sheetbend.write.SupportsWrite`, for the options that it was made with."""

    def begin(self, request: WriteRequest) -> dict[str, Any] | None:
        """Prepares the write; None where there is nothing to do."""
        ...

    def write(
        self, handle: WriteHandle, task: WriteTask, batches: pa.RecordBatchReader, context: TaskContext | None
    ) -> dict[str, Any]:
        """Writes the rows of one partition. The message has their number as ``rows``."""
        ...

    def commit(self, handle: WriteHandle, messages: Sequence[CommitMessage]) -> None:
        """Makes the rows visible."""
        ...

    def abort(self, handle: WriteHandle) -> None:
        """Removes what the write has left."""
        ...


def check_handle(handle: WriteHandle) -> None:
    """Refuses the handle of another release."""
    if handle.get("version") != HANDLE_VERSION:
        raise SheetbendError(
            f"The write's handle is of version {handle.get('version')!r}; this release reads version {HANDLE_VERSION}. "
            "Every machine must run the same release."
        )


def rows_written(messages: Sequence[CommitMessage]) -> int:
    """How many rows the tasks have written."""
    return sum(int(message["rows"]) for message in messages)


def table_exists(table: str) -> TableExistsError:
    """The error of mode ``error`` where the table is there, as Spark has it."""
    return TableExistsError(f"Table or view '{table}' already exists. SaveMode: ErrorIfExists.")
