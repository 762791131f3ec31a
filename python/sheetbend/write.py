"""The interface of a plug-in that is written to: four methods beside the three that read.

A write has two phases. ``begin_write`` prepares it, ``write_partition`` takes the rows of one partition to where nobody
sees them yet, several at the same time, and ``commit_write`` makes all of them visible at once. Whatever goes wrong
before, ``abort_write`` is called, and the table is to be as it was.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    import pyarrow as pa

    from sheetbend.options import Options

__all__ = ["CommitMessage", "SaveMode", "SupportsWrite", "WriteHandle", "WriteRequest", "WriteTask"]

WriteHandle: TypeAlias = Mapping[str, Any]
"""A write that has begun: a dict of JSON values that says all that the later methods need beside the options. It may
travel to another machine, so it never holds a secret."""

CommitMessage: TypeAlias = Mapping[str, Any]
"""What a task has written: a dict of JSON values, such as the names of its files."""


class SaveMode(enum.Enum):
    """What becomes of rows that are there already."""

    APPEND = "append"
    """They stay."""
    OVERWRITE = "overwrite"
    """The new ones take their place."""
    ERROR = "error"
    """Nothing is to be there: the write fails otherwise."""
    IGNORE = "ignore"
    """The write is left out where anything is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteRequest:
    """A write that is to begin."""

    write_id: str
    """Tells this write from every other. A commit that is repeated comes with the same one."""
    mode: SaveMode
    schema: pa.Schema
    """The columns that come, which are those of the table where the write is an INSERT."""
    partitions: int
    """How many tasks there are, at least one."""
    table: str | None = None
    """The name of the table that is written to; none where a source is written to without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteTask:
    """One task of a write: the rows of one partition."""

    write_id: str
    partition: int
    """From 0 on; the position of the task's message in those of the commit."""


class SupportsWrite(Protocol):
    """The methods of a plug-in that is written to. Each may be called on another instance, or in another process."""

    def begin_write(self, request: WriteRequest, options: Options) -> WriteHandle | None:
        """Prepares a write. Raises where there is no such save mode.

        Returns:
            What the other methods are given as ``handle``. None, for mode ``IGNORE`` alone, where there is something
            already: nothing is written then.
        """
        ...

    def write_partition(
        self, handle: WriteHandle, task: WriteTask, batches: pa.RecordBatchReader, options: Options
    ) -> CommitMessage | None:
        """Writes the rows of one partition to where nobody sees them before the commit.

        A method with a fifth parameter, ``context``, is given a :class:`sheetbend.context.TaskContext`. A read from
        ``batches`` raises where the query fails or is cancelled; let the exception pass.

        Returns:
            What the commit has to know; None is an empty message.
        """
        ...

    def commit_write(self, handle: WriteHandle, messages: Sequence[CommitMessage], options: Options) -> None:
        """Makes all rows visible. ``messages`` has one of each task, in the order of the partitions."""
        ...

    def abort_write(self, handle: WriteHandle, messages: Sequence[CommitMessage | None], options: Options) -> None:
        """Takes back what was written, after a task or the commit has failed or the query was cancelled.

        ``messages`` has None for each task that has not finished, and such a task may have left something behind.
        """
        ...
