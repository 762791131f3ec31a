"""A plug-in that is written to, for tests: it keeps everything in memory and does what a test tells it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pytest

from sheetbend import SaveMode, TaskContext, WriteRequest, WriteTask, _native
from sheetbend.errors import PluginError
from sheetbend.options import Options
from tests.bridge.plugins import NUMBERS, Given


class Sink:
    """Rows are staged by write and partition, and land in ``rows`` when they are committed."""

    def __init__(self, **hooks: Callable[..., Any]) -> None:
        self._hooks = hooks
        self._lock = threading.Lock()
        self._staged: dict[tuple[str, int], list[Any]] = {}
        self.rows: list[Any] = []
        self.committed: set[str] = set()
        self.requests: list[WriteRequest] = []
        self.options: list[dict[str, str]] = []
        self.commits: list[Any] = []
        self.aborts: list[Any] = []

    def infer_schema(self, options: Options) -> pa.Schema:
        return NUMBERS

    def plan_partitions(self, options: Options) -> list[dict[str, Any]]:
        return []

    def read_partition(self, partition_spec: Any, options: Options) -> Any:
        return iter(())

    def begin_write(self, request: WriteRequest, options: Options) -> Any:
        self.requests.append(request)
        self.options.append(dict(options))
        if "begin" in self._hooks:
            return self._hooks["begin"](request)
        return {"write": request.write_id}

    def write_partition(
        self, handle: Any, task: WriteTask, batches: pa.RecordBatchReader, options: Options, context: TaskContext
    ) -> Any:
        if "write" in self._hooks:
            return self._hooks["write"](self, task, batches, context)
        return self.stage(task, batches)

    def commit_write(self, handle: Any, messages: Sequence[Any], options: Options) -> None:
        self.commits.append((handle, list(messages)))
        if "commit" in self._hooks:
            self._hooks["commit"](handle, messages)
        if handle["write"] in self.committed:
            return
        self.committed.add(handle["write"])
        for message in messages:
            self.rows += self._staged.pop((handle["write"], message["partition"]))

    def abort_write(self, handle: Any, messages: Sequence[Any], options: Options) -> None:
        self.aborts.append((handle, list(messages)))
        with self._lock:
            self._staged = {key: rows for key, rows in self._staged.items() if key[0] != handle["write"]}
        if "abort" in self._hooks:
            self._hooks["abort"](handle, messages)

    def stage(self, task: WriteTask, batches: pa.RecordBatchReader) -> dict[str, int]:
        rows = batches.read_all().to_pylist()
        with self._lock:
            assert (task.write_id, task.partition) not in self._staged, "a task runs once"
            self._staged[task.write_id, task.partition] = rows
        return {"partition": task.partition, "rows": len(rows)}

    @property
    def is_clean(self) -> bool:
        """Whether nothing is staged."""
        return not self._staged


def source(*partitions: Sequence[int], schema: pa.Schema = NUMBERS) -> Given:
    """Numbers to write, a task for each sequence."""

    def read(spec: Any, options: Any, context: Any) -> Any:
        yield pa.record_batch([pa.array(partitions[spec["at"]], pa.int64())], schema=schema)

    return Given(read, schema=schema, specs=[{"at": at} for at in range(len(partitions))])


def write(sink: object, rows: object, *, mode: SaveMode = SaveMode.APPEND, **how: Any) -> dict[str, int]:
    """Writes through the engine."""
    return _native.write(sink, rows, how.pop("options", {}), mode=mode.value, **how)


def failure(sink: object, rows: object, **how: Any) -> str:
    """The text of the error that a write ends with."""
    with pytest.raises(PluginError) as caught:
        write(sink, rows, **how)
    return str(caught.value)


def sizes(messages: Sequence[Any]) -> str:
    """Messages in one line."""
    return json.dumps([message and message["rows"] for message in messages])
