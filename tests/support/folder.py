"""A source of files in a folder that is written to: staged first, and visible by one rename."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.ipc

from sheetbend import SaveMode, WriteRequest, WriteTask
from sheetbend.errors import SheetbendError
from sheetbend.options import Options


class TargetExistsError(SheetbendError):
    """There is something already, and nothing was to be."""

    condition = "PATH_ALREADY_EXISTS"
    sql_state = "42K04"


class Folder:
    """Rows lie in ``<path>/<write id>/``, and ``manifest.json`` says which of these count, and the schema.

    Options: ``path``; ``fail``, the methods that raise, with ``fail_partition`` for one of several tasks and
    ``fail_after`` for how many rows it writes before; ``pause``, seconds that a commit takes; ``log``, a file of what
    was called.
    """

    def infer_schema(self, options: Options) -> pa.Schema:
        text = _manifest(options)["schema"]
        return pa.ipc.read_schema(pa.py_buffer(bytes.fromhex(text)))

    def plan_partitions(self, options: Options) -> list[dict[str, Any]]:
        root = Path(options["path"])
        files = [file for write in _manifest(options)["writes"] for file in sorted((root / write).iterdir())]
        return [{"file": str(file)} for file in files]

    def read_partition(self, partition_spec: Mapping[str, Any], options: Options) -> Iterator[pa.RecordBatch]:
        with pa.ipc.open_file(partition_spec["file"]) as reader:
            for index in range(reader.num_record_batches):
                yield reader.get_batch(index)

    def begin_write(self, request: WriteRequest, options: Options) -> dict[str, Any] | None:
        _called(options, "begin", mode=request.mode.value, table=request.table, partitions=request.partitions)
        _fail(options, "begin_write")
        if _manifest_path(options).exists():
            if request.mode is SaveMode.IGNORE:
                return None
            if request.mode is SaveMode.ERROR:
                raise TargetExistsError(f"there is a table in {options['path']} already")
        (Path(options["path"]) / request.write_id).mkdir(parents=True)
        overwrite = request.mode is not SaveMode.APPEND
        # What is written later may have NULLs where this has none.
        schema = pa.schema([field.with_nullable(True) for field in request.schema])
        return {"write": request.write_id, "overwrite": overwrite, "schema": schema.serialize().to_pybytes().hex()}

    def write_partition(
        self, handle: Mapping[str, Any], task: WriteTask, batches: pa.RecordBatchReader, options: Options
    ) -> dict[str, Any]:
        file = Path(options["path"]) / handle["write"] / f"{task.partition:05}.arrow"
        rows = 0
        with pa.ipc.new_file(file, batches.schema) as writer:
            for batch in batches:
                _fail(options, "write_partition", task.partition, rows)
                writer.write_batch(batch)
                rows += batch.num_rows
        _fail(options, "write_partition", task.partition, rows)
        _called(options, "written", partition=task.partition, rows=rows)
        return {"file": file.name, "rows": rows}

    def commit_write(self, handle: Mapping[str, Any], messages: Sequence[Mapping[str, Any]], options: Options) -> None:
        _called(options, "commit", messages=messages)
        time.sleep(float(options.get("pause", "0")))
        _fail(options, "commit_write")
        before = [] if handle["overwrite"] or not _manifest_path(options).exists() else _manifest(options)["writes"]
        if handle["write"] in before:
            return
        manifest = {"schema": handle["schema"], "writes": [*before, handle["write"]]}
        staged = Path(options["path"]) / f"{handle['write']}.manifest"
        staged.write_text(json.dumps(manifest))
        os.replace(staged, _manifest_path(options))

    def abort_write(
        self, handle: Mapping[str, Any], messages: Sequence[Mapping[str, Any] | None], options: Options
    ) -> None:
        _called(options, "abort", messages=messages)
        shutil.rmtree(Path(options["path"]) / handle["write"], ignore_errors=True)
        _fail(options, "abort_write")


class ReadOnly:
    """A source that is only read."""

    def infer_schema(self, options: Options) -> pa.Schema:
        return pa.schema([("n", pa.int64())])

    def plan_partitions(self, options: Options) -> list[dict[str, Any]]:
        return [{}]

    def read_partition(self, partition_spec: Mapping[str, Any], options: Options) -> pa.RecordBatch:
        return pa.record_batch({"n": [1]})


def calls(log: Path) -> list[dict[str, Any]]:
    """What was called, in order."""
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def _manifest_path(options: Options) -> Path:
    return Path(options["path"]) / "manifest.json"


def _manifest(options: Options) -> Any:
    return json.loads(_manifest_path(options).read_text())


def _called(options: Options, what: str, **more: Any) -> None:
    if "log" in options:
        with open(options["log"], "a") as log:
            log.write(json.dumps({"call": what, **more}) + "\n")


def _fail(options: Options, method: str, partition: int = 0, rows: int = 0) -> None:
    wanted = options.get("fail", "").split(",")
    if method not in wanted or partition != int(options.get("fail_partition", "0")):
        return
    if rows >= int(options.get("fail_after", "0")):
        raise ValueError(f"boom in {method}")
