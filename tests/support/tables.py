"""Plug-ins that behave, as the server's process sees them."""

from __future__ import annotations

import ctypes
import itertools
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from sheetbend import OptionSpec, ReadContext


class Numbers:
    """``n`` from 0 on, and its square as ``text``; as many ``rows`` and ``partitions`` as asked for."""

    OPTIONS = (
        OptionSpec("rows", "how many rows", "integer", default="10"),
        OptionSpec("partitions", "how many units of reading", "integer", default="1"),
        OptionSpec("password", "not used; a secret", secret=True),
    )
    SCHEMA = pa.schema([pa.field("n", pa.int64(), nullable=False), pa.field("text", pa.string())])

    def infer_schema(self, options: Mapping[str, str]) -> pa.Schema:
        return self.SCHEMA

    def plan_partitions(self, options: Mapping[str, str]) -> list[dict[str, Any]]:
        rows, partitions = int(options.get("rows", "10")), int(options.get("partitions", "1"))
        bounds = [rows * i // partitions for i in range(partitions + 1)]
        return [{"start": start, "stop": stop} for start, stop in itertools.pairwise(bounds)]

    def read_partition(self, spec: Mapping[str, Any], options: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        for start in range(spec["start"], spec["stop"], 8192):
            values = range(start, min(start + 8192, spec["stop"]))
            yield pa.record_batch([pa.array(values, pa.int64()), [str(n * n) for n in values]], schema=self.SCHEMA)


class Echo:
    """One row per option that it was given: ``key`` and ``value``."""

    SCHEMA = pa.schema([("key", pa.string()), ("value", pa.string())])

    def infer_schema(self, options: Mapping[str, str]) -> pa.Schema:
        return self.SCHEMA

    def plan_partitions(self, options: Mapping[str, str]) -> list[dict[str, Any]]:
        return [{}]

    def read_partition(self, spec: Mapping[str, Any], options: Mapping[str, str]) -> pa.Table:
        return pa.table({"key": list(options), "value": list(options.values())}, schema=self.SCHEMA)


class Nothing:
    """No partitions, and so no rows."""

    def infer_schema(self, options: Mapping[str, str]) -> pa.Schema:
        return Numbers.SCHEMA

    def plan_partitions(self, options: Mapping[str, str]) -> list[dict[str, Any]]:
        return []

    def read_partition(self, spec: Mapping[str, Any], options: Mapping[str, str]) -> pa.Table:
        raise AssertionError("There is no partition to read.")


class Endless:
    """Rows without end, one batch each ``pause`` seconds. Writes ``open`` and ``closed`` lines to the file ``log``."""

    SCHEMA = pa.schema([pa.field("n", pa.int64(), nullable=False)])

    def infer_schema(self, options: Mapping[str, str]) -> pa.Schema:
        return self.SCHEMA

    def plan_partitions(self, options: Mapping[str, str]) -> list[dict[str, Any]]:
        return [{"number": number} for number in range(int(options.get("partitions", "1")))]

    def read_partition(self, spec: Mapping[str, Any], options: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        log, pause = Path(options["log"]), float(options.get("pause", "0.01"))
        _write(log, "open")
        try:
            start = 0
            while True:
                yield pa.record_batch([pa.array(range(start, start + 1000), pa.int64())], schema=self.SCHEMA)
                start += 1000
                time.sleep(pause)
        finally:
            _write(log, "closed")


class Blocked:
    """Never gives a row: waits until it is cancelled, as a reader does whose database takes its time."""

    def infer_schema(self, options: Mapping[str, str]) -> pa.Schema:
        return Endless.SCHEMA

    def plan_partitions(self, options: Mapping[str, str]) -> list[dict[str, Any]]:
        return [{}]

    def read_partition(
        self, spec: Mapping[str, Any], options: Mapping[str, str], context: ReadContext
    ) -> Iterator[pa.RecordBatch]:
        log = Path(options["log"])
        context.on_cancel(lambda: _write(log, "cancelled"))
        _write(log, "open")
        context.wait_cancelled(60)
        _write(log, "closed")
        yield from ()


class Arrow:
    """The table in the Arrow file ``path``, whatever its types."""

    def infer_schema(self, options: Mapping[str, str]) -> pa.Schema:
        with pa.ipc.open_file(options["path"]) as reader:
            return reader.schema

    def plan_partitions(self, options: Mapping[str, str]) -> list[dict[str, Any]]:
        return [{}]

    def read_partition(self, spec: Mapping[str, Any], options: Mapping[str, str]) -> pa.Table:
        with pa.ipc.open_file(options["path"]) as reader:
            return reader.read_all()


class Waiting:
    """Waits for the end of its query before its first row, and writes to ``log`` what it is told of it, in order."""

    def infer_schema(self, options: Mapping[str, str]) -> pa.Schema:
        return Endless.SCHEMA

    def plan_partitions(self, options: Mapping[str, str]) -> list[dict[str, Any]]:
        return [{}]

    def read_partition(
        self, spec: Mapping[str, Any], options: Mapping[str, str], context: ReadContext
    ) -> Iterator[pa.RecordBatch]:
        log = Path(options["log"])
        context.on_cancel(lambda: _write(log, "on_cancel"))
        left = None if context.deadline is None else context.deadline - time.monotonic()
        _write(log, f"open {left}")
        try:
            context.wait_cancelled(60)
            _write(log, f"cancelled={context.cancelled}")
        finally:
            _write(log, "finally")
        yield from ()


class Foreign:
    """``batches`` of memory that belongs to numpy in each of ``partitions``: 8,192 rows of ``n``, 0 to 99."""

    SCHEMA = pa.schema([pa.field("n", pa.int64(), nullable=False)])

    def infer_schema(self, options: Mapping[str, str]) -> pa.Schema:
        return self.SCHEMA

    def plan_partitions(self, options: Mapping[str, str]) -> list[dict[str, Any]]:
        return [{}] * int(options.get("partitions", "1"))

    def read_partition(
        self, spec: Mapping[str, Any], options: Mapping[str, str], context: ReadContext
    ) -> Iterator[pa.RecordBatch]:
        context.logger.info("opened with the password %s", options.get("password"))
        for _ in range(int(options.get("batches", "10"))):
            context.metrics.add("pages")
            yield pa.record_batch([pa.array(np.arange(8192) % 100)], schema=self.SCHEMA)


class Hog:
    """Holds the interpreter for ``seconds``, as an extension in C may do, and says so in ``log`` before and after."""

    def infer_schema(self, options: Mapping[str, str]) -> pa.Schema:
        return Foreign.SCHEMA

    def plan_partitions(self, options: Mapping[str, str]) -> list[dict[str, Any]]:
        return [{}]

    def read_partition(self, spec: Mapping[str, Any], options: Mapping[str, str]) -> pa.RecordBatch:
        log = Path(options["log"])
        _write(log, "held")
        # `PyDLL` calls without letting go.
        ctypes.PyDLL(None).usleep(int(float(options["seconds"]) * 1e6))
        _write(log, "let go")
        return pa.record_batch([pa.array([1])], schema=Foreign.SCHEMA)


def lines(log: Path) -> list[str]:
    """What a plug-in wrote to its log."""
    return log.read_text().splitlines() if log.exists() else []


def _write(log: Path, line: str) -> None:
    # One write in append mode is atomic, so partitions do not disturb one another.
    with log.open("a") as file:
        file.write(line + "\n")


class Reads:
    """``n`` from 0 to 2. Each time that it is read leaves a file ``read-<uuid>`` in the folder ``path``."""

    SCHEMA = pa.schema([pa.field("n", pa.int64(), nullable=False)])

    def infer_schema(self, options: Mapping[str, str]) -> pa.Schema:
        return self.SCHEMA

    def plan_partitions(self, options: Mapping[str, str]) -> list[dict[str, Any]]:
        return [{}]

    def read_partition(self, spec: Mapping[str, Any], options: Mapping[str, str]) -> pa.Table:
        (Path(options["path"]) / f"read-{uuid.uuid4()}").touch()
        return pa.table({"n": [0, 1, 2]}, schema=self.SCHEMA)
