"""Writes through the plug-in alone, step by step, as an engine makes them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from sheetbend.context import TaskContext
from sheetbend.options import Options
from sheetbend.sources.jdbc import JDBCArrowDataSource
from sheetbend.write import SaveMode, WriteRequest, WriteTask

__all__ = ["Write", "write"]


@dataclass
class Write:
    """A write that is made by hand. Each step has an instance of its own, as in another process."""

    options: Mapping[str, str]
    schema: pa.Schema
    mode: SaveMode = SaveMode.APPEND
    partitions: int = 1
    write_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    handle: Any = None
    messages: list[Any] = field(default_factory=list)

    def begin(self) -> Write:
        request = WriteRequest(write_id=self.write_id, mode=self.mode, schema=self.schema, partitions=self.partitions)
        self.handle = JDBCArrowDataSource().begin_write(request, Options(self.options))
        return self

    def task(self, rows: pa.Table | pa.RecordBatchReader, context: TaskContext | None = None) -> Write:
        reader = rows.to_reader() if isinstance(rows, pa.Table) else rows
        task = WriteTask(write_id=self.write_id, partition=len(self.messages))
        source = JDBCArrowDataSource()
        self.messages.append(source.write_partition(self.handle, task, reader, Options(self.options), context))
        return self

    def commit(self) -> None:
        JDBCArrowDataSource().commit_write(self.handle, self.messages, Options(self.options))

    def abort(self) -> None:
        JDBCArrowDataSource().abort_write(self.handle, [None] * self.partitions, Options(self.options))


def write(
    options: Mapping[str, str], *partitions: pa.Table, mode: SaveMode = SaveMode.APPEND, schema: pa.Schema | None = None
) -> None:
    """A whole write; what fails is aborted, as the engine does it."""
    steps = Write(options, schema or partitions[0].schema, mode, max(1, len(partitions)))
    if steps.begin().handle is None:
        return
    try:
        for partition in partitions:
            steps.task(partition)
        steps.commit()
    except BaseException:
        steps.abort()
        raise


def rows_of(table: pa.Table, order: Sequence[str] = ()) -> list[tuple[Any, ...]]:
    """The rows as tuples."""
    ordered = table.sort_by([(name, "ascending") for name in order]) if order else table
    return [tuple(row.values()) for row in ordered.to_pylist()]
