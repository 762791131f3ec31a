"""Writes by worker processes: what a plug-in cannot do to the server, it cannot do by writing either."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pytest

from sheetbend import testing
from sheetbend.errors import PluginError
from sheetbend.options import Options
from sheetbend.testing.writing import Rows
from sheetbend.write import WriteTask
from tests.support.folder import Folder

NUMBERS = pa.schema([("n", pa.int64())])


def numbers(*values: int) -> pa.Table:
    return pa.table({"n": pa.array(values, pa.int64())})


def write(plugin: object, partitions: list[Rows], path: Path, **options: str) -> dict[str, int]:
    return testing.write(plugin, partitions, {"path": str(path), **options}, schema=NUMBERS, isolation="process")


def failure(plugin: object, partitions: list[Rows], path: Path) -> str:
    with pytest.raises(PluginError) as caught:
        write(plugin, partitions, path)
    return str(caught.value)


def committed(path: Path) -> list[int]:
    return sorted(testing.scan(Folder, {"path": str(path)}).read_all()["n"].to_pylist())


class Dies(Folder):
    """Ends its process while partition 1 is written."""

    def write_partition(
        self, handle: Mapping[str, Any], task: WriteTask, batches: pa.RecordBatchReader, options: Options
    ) -> dict[str, Any]:
        if task.partition == 1:
            batches.read_next_batch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().write_partition(handle, task, batches, options)


class Hangs(Folder):
    """Waits for ever when it has its first rows, and asks nobody."""

    def write_partition(
        self, handle: Mapping[str, Any], task: WriteTask, batches: pa.RecordBatchReader, options: Options
    ) -> dict[str, Any]:
        batches.read_next_batch()
        time.sleep(3600)
        return {}


def test_rows_are_written_once(tmp_path: Path) -> None:
    partitions: list[Rows] = [numbers(*range(start, 10_000, 4)) for start in range(4)]
    counted = write(Folder, partitions, tmp_path)
    assert counted["written_rows"] == 10_000
    assert committed(tmp_path) == list(range(10_000))


def test_large_batches_and_none_at_all(tmp_path: Path) -> None:
    write(Folder, [numbers(*range(300_000)), numbers()], tmp_path)
    assert len(committed(tmp_path)) == 300_000


def test_a_plug_in_that_raises_is_aborted(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="write_partition of partition 1 failed") as caught:
        write(Folder, [numbers(1), numbers(2)], tmp_path, fail="write_partition", fail_partition="1")
    assert "Traceback" in str(caught.value)
    assert [entry.name for entry in tmp_path.iterdir()] == []


def test_a_worker_that_dies_costs_the_write_alone(tmp_path: Path) -> None:
    message = failure(Dies, [numbers(1), numbers(2)], tmp_path)
    assert "write_partition of partition 1" in message
    assert "SIGKILL" in message
    assert [entry.name for entry in tmp_path.iterdir()] == []
    write(Folder, [numbers(3)], tmp_path)
    assert committed(tmp_path) == [3]


def test_a_plug_in_that_hangs_is_ended(tmp_path: Path) -> None:
    options = {"path": str(tmp_path)}
    with pytest.raises(PluginError, match="write_partition of partition 0"):
        testing.write(Hangs, [numbers(1)], options, schema=NUMBERS, isolation="process", isolation_batch_timeout="4s")
    assert [entry.name for entry in tmp_path.iterdir()] == []


def test_the_query_s_own_error_wins(tmp_path: Path) -> None:
    def rows() -> Any:
        yield numbers(1).to_batches()[0]
        raise ValueError("the query fails")

    partitions: list[Rows] = [pa.RecordBatchReader.from_batches(NUMBERS, rows())]
    assert "the query fails" in failure(Folder, partitions, tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == []


class LeavesAThread(Folder):
    """Fails in its first write, and leaves a thread behind that asks for rows when the next one has begun."""

    readers: ClassVar[list[pa.RecordBatchReader]] = []
    taken: ClassVar[list[str]] = []

    def write_partition(
        self, handle: Mapping[str, Any], task: WriteTask, batches: pa.RecordBatchReader, options: Options
    ) -> dict[str, Any]:
        if not self.readers:
            self.readers.append(batches)
            raise ValueError("the first fails")
        late = threading.Thread(target=self._take)
        late.start()
        late.join(5)
        assert not late.is_alive(), "it waits for ever"
        assert self.taken == ["the write is over"]
        return super().write_partition(handle, task, batches, options)

    def _take(self) -> None:
        try:
            self.readers[0].read_next_batch()
        except OSError as error:
            self.taken.append(str(error))


def test_a_thread_that_a_write_left_behind_gets_no_rows_of_the_next(tmp_path: Path) -> None:
    assert "the first fails" in failure(LeavesAThread, [numbers(1)], tmp_path)
    write(LeavesAThread, [numbers(2, 3)], tmp_path)
    assert committed(tmp_path) == [2, 3]
