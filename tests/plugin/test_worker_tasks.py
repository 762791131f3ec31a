"""What else goes to a worker: plans, what a reader is told, writes."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession
from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition

import sheetbend
from sheetbend import ReadContext, WriteRequest, WriteTask, _native, testing
from sheetbend.errors import PluginError
from tests.bridge import plugins
from tests.bridge.plugins import eventually
from tests.support.pushing import ROWS, Pushing

IN_WORKER = {"isolation": "process"}


def test_what_a_query_asks_for_is_planned_in_the_worker() -> None:
    options = {"pushes": "exact", **IN_WORKER}
    assert plugins.read(Pushing, options, limit=5).num_rows == 5
    assert plugins.read(Pushing, options, columns=["id", "text"]).num_rows == ROWS
    assert plugins.read(Pushing, options, columns=[]).num_rows == ROWS


class Told:
    """One row of what the context says."""

    SCHEMA = pa.schema([("text", pa.string())])

    def infer_schema(self, options: Any) -> pa.Schema:
        return self.SCHEMA

    def plan_partitions(self, options: Any) -> list[dict[str, Any]]:
        return [{}, {}]

    def read_partition(self, spec: Any, options: Any, context: ReadContext) -> pa.Table:
        context.metrics.add("pages", 3)
        remaining = context.deadline and context.deadline - time.monotonic()
        said = {
            "partition": context.partition,
            "batch_size": context.batch_size,
            "deadline": remaining is None or 0 < remaining < 60,
            "filter": str(context.dynamic_filter()),
            "pid": os.getpid(),
        }
        return pa.table({"text": [json.dumps(said)]})


def test_a_reader_is_told_and_counts() -> None:
    scan = _native.scan(Told, IN_WORKER)
    rows = [json.loads(text) for text in pa.RecordBatchReader.from_stream(scan).read_all()["text"].to_pylist()]
    assert sorted(row["partition"] for row in rows) == [0, 1]
    assert {(row["batch_size"], row["deadline"], row["filter"]) for row in rows} == {(8192, True, "None")}
    assert os.getpid() not in {row["pid"] for row in rows}
    assert scan.metrics()["pages"] == 6


class Folder:
    """Written to: each task is a file of ``path`` once it is committed."""

    SCHEMA = pa.schema([("n", pa.int64())])

    def infer_schema(self, options: Any) -> pa.Schema:
        return self.SCHEMA

    def plan_partitions(self, options: Any) -> list[dict[str, Any]]:
        return []

    def read_partition(self, spec: Any, options: Any) -> Any:
        return iter(())

    def begin_write(self, request: WriteRequest, options: Mapping[str, str]) -> dict[str, Any]:
        Path(options["path"]).mkdir(exist_ok=True)
        return {"tasks": request.partitions, "mode": request.mode.value}

    def write_partition(
        self, handle: Any, task: WriteTask, batches: pa.RecordBatchReader, options: Mapping[str, str]
    ) -> dict[str, Any]:
        staged = Path(options["path"]) / f"{task.partition}.staged"
        staged.write_text(str(os.getpid()))
        rows = 0
        for batch in batches:
            rows += batch.num_rows
            if options.get("fault") == "exit":
                os._exit(9)
            if options.get("fault") == "hang":
                time.sleep(600)
        return {"partition": task.partition, "rows": rows, "pid": os.getpid()}

    def commit_write(self, handle: Any, messages: Sequence[Any], options: Mapping[str, str]) -> None:
        path = Path(options["path"])
        for message in messages:
            (path / f"{message['partition']}.staged").unlink()
            (path / f"{message['partition']}.json").write_text(json.dumps(message))

    def abort_write(self, handle: Any, messages: Sequence[Any], options: Mapping[str, str]) -> None:
        for staged in Path(options["path"]).glob("*.staged"):
            staged.unlink()


def numbers(rows: int) -> pa.Table:
    return pa.table({"n": range(rows)}, schema=Folder.SCHEMA)


def test_rows_are_written_by_workers(tmp_path: Path) -> None:
    parts = [numbers(0), numbers(10), numbers(500_000)]
    counted = testing.write(Folder, parts, {"path": str(tmp_path), **IN_WORKER})
    assert counted["written_rows"] == 500_010
    messages = [json.loads(path.read_text()) for path in sorted(tmp_path.glob("*.json"))]
    assert [message["rows"] for message in messages] == [0, 10, 500_000]
    assert os.getpid() not in {message["pid"] for message in messages}


def test_a_writer_that_crashes_is_aborted(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="write_partition of partition 0 failed: its worker process ended with exit"):
        testing.write(Folder, [numbers(10)], {"path": str(tmp_path), "fault": "exit", **IN_WORKER})
    assert list(tmp_path.iterdir()) == []


def test_a_query_that_fails_is_the_error_of_its_write(tmp_path: Path) -> None:
    def rows(*_: Any) -> Iterator[pa.RecordBatch]:
        yield from numbers(10).to_batches()
        raise ValueError("of the query")

    with pytest.raises(PluginError, match="of the query"):
        _native.write(
            Folder,
            plugins.Given(rows, schema=Folder.SCHEMA),
            {"path": str(tmp_path), **IN_WORKER},
            mode="append",
        )
    assert list(tmp_path.iterdir()) == []


class Client(DataSource):
    """As a client registers it."""

    @classmethod
    def name(cls) -> str:
        return "from_a_client"

    def schema(self) -> str:
        return "pid long"

    def reader(self, schema: Any) -> DataSourceReader:
        return ClientReader()


class ClientReader(DataSourceReader):
    def read(self, partition: InputPartition) -> Iterator[tuple[int]]:
        yield (os.getpid(),)


def test_a_class_that_a_client_registers() -> None:
    with sheetbend.Server(port=0, isolation="process") as server:
        spark = SparkSession.builder.remote(server.url).create()
        try:
            spark.dataSource.register(Client)
            (row,) = spark.read.format("from_a_client").load().collect()
            assert row.pid != os.getpid()
            (row,) = spark.read.format("from_a_client").option("isolation", "thread").load().collect()
            assert row.pid == os.getpid()
        finally:
            spark.stop()
        eventually(lambda: not _native.reads_under_way(), "the reads have ended")
