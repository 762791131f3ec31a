"""Writes: two phases, one task a partition, one message a task, and whatever fails, nothing of it stays."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from sheetbend import SaveMode, TaskContext, WriteTask, testing
from sheetbend.errors import PluginError
from tests.bridge.plugins import NUMBERS, Given, eventually
from tests.plugin.sinks import Sink, failure, sizes, source, write
from tests.support.server import ROOT


def boom(*_: Any) -> Any:
    raise ValueError("boom")


def test_rows_are_written_once_and_committed_in_the_order_of_the_partitions() -> None:
    sink = Sink()
    partitions = [range(start, 10_000, 8) for start in range(8)]
    counted = write(sink, source(*partitions), options={"Path": "x"}, table="t")
    assert sorted(row["n"] for row in sink.rows) == list(range(10_000))
    [(handle, messages)] = sink.commits
    assert [message["partition"] for message in messages] == list(range(8))
    assert handle == {"write": sink.requests[0].write_id}
    assert sink.aborts == []
    assert sink.options == [{"Path": "x"}]
    request = sink.requests[0]
    assert (request.mode, request.table, request.partitions) == (SaveMode.APPEND, "t", 8)
    assert request.schema == NUMBERS
    assert counted["written_rows"] == 10_000
    assert counted["written_batches"] == 8
    assert counted["written_bytes"] >= 80_000


@pytest.mark.parametrize("mode", SaveMode)
def test_the_mode_is_the_plug_in_s_to_keep(mode: SaveMode) -> None:
    sink = Sink()
    write(sink, source([1]), mode=mode)
    assert sink.requests[0].mode is mode
    assert sink.rows == [{"n": 1}]


@pytest.mark.parametrize(
    "rows", [source(), source([]), Given(lambda *_: iter(()))], ids=["partitions", "rows", "batches"]
)
def test_a_write_of_nothing_has_one_task_and_a_commit(rows: Given) -> None:
    sink = Sink()
    write(sink, rows)
    assert sink.requests[0].partitions == 1
    assert sink.commits[0][1] == [{"partition": 0, "rows": 0}]
    assert sink.rows == []


def test_nothing_is_written_where_begin_says_so() -> None:
    sink = Sink(begin=lambda request: None, write=boom)
    assert write(sink, source([1]), mode=SaveMode.IGNORE).get("written_rows", 0) == 0
    assert (sink.commits, sink.aborts) == ([], [])


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        (
            None,
            "returned None, expected a dict of JSON values. None, for nothing to write, is for mode 'ignore' alone.",
        ),
        ("handle", "returned str, expected a dict of JSON values."),
        ({"path": object()}, "returned a handle with object at handle['path'], expected a JSON value"),
        ({1: 2}, "returned a handle with the key 1 in handle, expected str, got int"),
        ({"n": float("nan")}, "returned a handle with nan at handle['n']: JSON has no such number"),
    ],
)
def test_a_handle_is_a_dict_of_json_values(returned: object, expected: str) -> None:
    sink = Sink(begin=lambda request: returned, write=boom)
    assert f"Data source source (tests.plugin.sinks.Sink): begin_write {expected}" in failure(sink, source([1]))
    assert (sink.commits, sink.aborts) == ([], [])


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        ("done", "returned str, expected a dict of JSON values, or None for an empty message"),
        ([1], "returned a list of int, expected a dict"),
        ((_ for _ in ()), "returned generator, expected a dict"),
        ({"rows": pa.scalar(1)}, "returned a message with pyarrow.lib.Int64Scalar at message['rows']"),
    ],
)
def test_a_message_is_a_dict_of_json_values(returned: object, expected: str) -> None:
    sink = Sink(write=lambda sink, task, batches, context: returned)
    assert f"write_partition of partition 0 {expected}" in failure(sink, source([1]))
    assert sink.commits == []
    assert [messages for _, messages in sink.aborts] == [[None]]


def test_a_coroutine_is_no_message() -> None:
    async def write_later(*_: Any) -> None: ...

    assert "returned coroutine, expected a dict" in failure(Sink(write=write_later), source([1]))


def test_no_message_is_an_empty_one() -> None:
    sink = Sink(write=lambda *_: None, commit=boom)
    failure(sink, source([1], [2]))
    assert [messages for _, messages in sink.commits] == [[{}, {}]]


def test_begin_fails() -> None:
    sink = Sink(begin=boom)
    message = failure(sink, source([1]))
    assert "begin_write failed: ValueError: boom" in message
    assert "in boom" in message
    assert (sink.commits, sink.aborts) == ([], [])


@pytest.mark.parametrize("batch", [0, 1, 5])
def test_a_task_fails_in_the_middle(batch: int) -> None:
    def read(*_: Any) -> Any:
        for n in range(8):
            yield pa.record_batch([[n] * 10_000], schema=NUMBERS)

    def failing(sink: Sink, task: WriteTask, batches: pa.RecordBatchReader, context: TaskContext) -> None:
        for index, _ in enumerate(batches):
            if index == batch:
                boom()

    sink = Sink(write=failing)
    message = failure(sink, Given(read))
    assert "write_partition of partition 0 failed: ValueError: boom" in message
    assert "in failing" in message
    assert sink.commits == []
    assert [messages for _, messages in sink.aborts] == [[None]]


def test_one_of_several_tasks_fails_after_the_others() -> None:
    finished = threading.Barrier(3)

    def failing(sink: Sink, task: WriteTask, batches: pa.RecordBatchReader, context: TaskContext) -> Any:
        message = sink.stage(task, batches)
        finished.wait(10)
        if task.partition == 1:
            time.sleep(0.5)
            boom()
        return message

    sink = Sink(write=failing)
    assert "write_partition of partition 1 failed: ValueError: boom" in failure(sink, source([1], [2], [3]))
    assert [sizes(messages) for _, messages in sink.aborts] == ["[1, null, 1]"]
    assert sink.is_clean
    assert sink.rows == []


def test_tasks_that_run_are_cancelled_and_have_ended_before_the_abort() -> None:
    ended: list[int] = []
    running = threading.Barrier(3)

    def waiting(sink: Sink, task: WriteTask, batches: pa.RecordBatchReader, context: TaskContext) -> Any:
        running.wait(10)
        if task.partition == 0:
            boom()
        assert context.wait_cancelled(10)
        assert context.partition == task.partition
        with pytest.raises(OSError, match="the write was cancelled"):
            batches.read_all()
        time.sleep(0.2)
        ended.append(task.partition)

    sink = Sink(write=waiting, abort=lambda *_: ended.append(-1))
    assert "partition 0 failed: ValueError: boom" in failure(sink, source([1], [2], [3]))
    assert sorted(ended[:2]) == [1, 2]
    assert ended[2:] == [-1]


@pytest.mark.timeout(60)
def test_a_task_that_never_ends_does_not_keep_the_abort_for_ever() -> None:
    release, running = threading.Event(), threading.Barrier(2)

    def stuck(sink: Sink, task: WriteTask, batches: pa.RecordBatchReader, context: TaskContext) -> Any:
        running.wait(10)
        if task.partition == 0:
            boom()
        release.wait(50)

    sink = Sink(write=stuck)
    began = time.monotonic()
    assert "partition 0 failed: ValueError: boom" in failure(sink, source([1], [2]))
    assert 9 < time.monotonic() - began < 20
    assert [messages for _, messages in sink.aborts] == [[None, None]]
    release.set()


def test_commit_fails_and_is_aborted_with_all_messages() -> None:
    sink = Sink(commit=boom)
    assert "commit_write failed: ValueError: boom" in failure(sink, source([1], [2, 3]))
    assert [sizes(messages) for _, messages in sink.aborts] == ["[1, 2]"]
    assert sink.is_clean
    assert sink.rows == []


@pytest.mark.parametrize("first", ["write", "commit"])
def test_the_first_error_wins_over_one_of_the_abort(first: str, capfd: pytest.CaptureFixture[str]) -> None:
    def abort(*_: Any) -> None:
        raise RuntimeError("bang")

    hooks: dict[str, Callable[..., Any]] = {first: boom, "abort": abort}
    message = failure(Sink(**hooks), source([1]))
    assert "ValueError: boom" in message
    assert "bang" not in message
    logged = capfd.readouterr().err
    assert "could not be taken back" in logged
    assert "abort_write failed: RuntimeError: bang" in logged


@pytest.mark.parametrize("swallow", [False, True])
def test_the_query_s_own_error_wins(swallow: bool) -> None:
    def read(*_: Any) -> Any:
        yield pa.record_batch([[1]], schema=NUMBERS)
        raise LookupError("page 2 is torn")

    caught: list[str] = []

    def writing(sink: Sink, task: WriteTask, batches: pa.RecordBatchReader, context: TaskContext) -> Any:
        try:
            return sink.stage(task, batches)
        except OSError as error:
            caught.append(str(error))
            if swallow:
                return {}
            raise

    sink = Sink(write=writing)
    message = failure(sink, Given(read))
    assert "Data source rows (tests.bridge.plugins.Given): read_partition" in message
    assert "LookupError: page 2 is torn" in message
    assert "page 2 is torn" in caught[0]
    assert sink.commits == []
    assert len(sink.aborts) == 1


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit, RecursionError, MemoryError])
def test_every_exception_is_an_error_of_the_write(kind: type[BaseException]) -> None:
    def raising(*_: Any) -> None:
        raise kind("boom")

    for method in ("begin", "write", "commit"):
        assert f"failed: {kind.__name__}: boom" in failure(Sink(**{method: raising}), source([1]))


def test_a_commit_is_repeated_harmlessly() -> None:
    sink = Sink()
    write(sink, source([1], [2]))
    [(handle, messages)] = sink.commits
    sink.commit_write(handle, messages, options=None)  # type: ignore[arg-type]
    assert [row["n"] for row in sink.rows] == [1, 2]
    write(sink, source([3]))
    assert sink.requests[0].write_id != sink.requests[1].write_id
    assert [row["n"] for row in sink.rows] == [1, 2, 3]


def test_the_reader_ends_with_its_task() -> None:
    kept: list[pa.RecordBatchReader] = []

    def keep(sink: Sink, task: WriteTask, batches: pa.RecordBatchReader, context: TaskContext) -> Any:
        kept.append(batches)
        return {"partition": 0, "rows": 0}

    sink = Sink(write=keep, commit=lambda handle, messages: sink.committed.add(handle["write"]))
    write(sink, source([1]))
    with pytest.raises(OSError, match="the write has ended"):
        kept[0].read_all()


def test_rows_are_made_while_they_are_written() -> None:
    """A batch that the plug-in has is followed by the next before the source has ended."""
    seen, written = threading.Event(), []

    def read(*_: Any) -> Any:
        yield pa.record_batch([[1]], schema=NUMBERS)
        assert seen.wait(10), "the first batch is written before the second is made"
        yield pa.record_batch([[2]], schema=NUMBERS)

    def writing(sink: Sink, task: WriteTask, batches: pa.RecordBatchReader, context: TaskContext) -> Any:
        for batch in batches:
            written.append(batch.num_rows)
            seen.set()
        return boom()

    failure(Sink(write=writing), Given(read))
    assert written == [1, 1]


@pytest.mark.parametrize("name", ["", "a`b", 'a"b\\', "ü.ö", "'; DROP TABLE t --", "\n\0", "../../x", "💥" * 300])
def test_a_table_may_be_called_anything(name: str) -> None:
    sink = Sink()
    write(sink, source([1]), table=name)
    assert sink.requests[0].table == name


class ReadOnly:
    def infer_schema(self, options: Any) -> Any:
        return NUMBERS

    def plan_partitions(self, options: Any) -> Any:
        return []

    def read_partition(self, partition_spec: Any, options: Any) -> Any:
        return iter(())


class HalfWritten(ReadOnly):
    def begin_write(self, request: Any, options: Any) -> Any:
        raise AssertionError("not asked")

    write_partition = None


@pytest.mark.parametrize(
    ("plugin", "missing"),
    [
        (ReadOnly, "begin_write, write_partition, commit_write, abort_write"),
        (HalfWritten, "write_partition, commit_write, abort_write"),
    ],
)
def test_a_source_without_the_methods_says_which(plugin: type, missing: str) -> None:
    message = failure(plugin, source([1]))
    assert f"cannot be written to, for it lacks {missing}." in message
    assert "Traceback" not in message


def test_a_secret_is_in_no_error() -> None:
    def leak(*_: Any) -> Any:
        raise ValueError("password is hunter2!")

    message = failure(Sink(write=leak), source([1]), options={"password": "hunter2!"})
    assert "hunter2" not in message
    assert "redacted" in message


def test_a_method_without_context_is_not_given_one() -> None:
    class Plain(Sink):
        def write_partition(self, handle: Any, task: Any, batches: Any, options: Any) -> Any:  # type: ignore[override]
            return self.stage(task, batches)

    sink = Plain()
    write(sink, source([1]))
    assert sink.rows == [{"n": 1}]


def test_writes_at_the_same_time_are_kept_apart() -> None:
    sink = Sink()
    threads = [threading.Thread(target=write, args=(sink, source([n], [n + 100]))) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(row["n"] for row in sink.rows) == [*range(8), *range(100, 108)]
    assert len(sink.committed) == 8


def test_every_type_arrives_as_it_is() -> None:
    table = pa.table(
        {
            "text": ["ü", None],
            "list": pa.array([[1, None], None], pa.list_(pa.int32())),
            "struct": pa.array([{"a": 1.5}, None], pa.struct([("a", pa.float64())])),
            "map": pa.array([[("k", 1)], []], pa.map_(pa.string(), pa.int64())),
            "decimal": pa.array([None, 1], pa.decimal128(38, 10)),
            "when": pa.array([0, None], pa.timestamp("us", "Europe/Berlin")),
            "bytes": [b"\0", b""],
        }
    )
    got: list[pa.Table] = []

    def writing(sink: Sink, task: WriteTask, batches: pa.RecordBatchReader, context: TaskContext) -> None:
        got.append(batches.read_all())

    sink = Sink(write=writing, commit=lambda handle, messages: sink.committed.add(handle["write"]))
    testing.write(sink, [table])
    assert got[0] == table
    assert sink.requests[0].schema == table.schema


def test_testing_writes_what_it_is_given() -> None:
    sink = Sink()
    tables = [pa.table({"n": [1, 2]}), pa.table({"n": [3]})]
    counted = testing.write(sink, tables, mode=SaveMode.OVERWRITE)
    assert sorted(row["n"] for row in sink.rows) == [1, 2, 3]
    assert counted["written_rows"] == 3
    testing.write(sink, [], schema=NUMBERS)
    with pytest.raises(PluginError, match="boom"):
        testing.write(Sink(write=boom), tables)


def test_a_slow_write_is_warned_about_by_name() -> None:
    """In a process of its own: how long is slow is asked for once."""
    script = """
import time
import pyarrow as pa
from tests.plugin.sinks import Sink, source, write

def slow(sink, task, batches, context):
    time.sleep(0.5)
    return sink.stage(task, batches)

write(Sink(write=slow), source([1]), name="ledger")
"""
    environment = {**os.environ, "SHEETBEND_SLOW_PLUGIN_SECONDS": "0.1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "Data source ledger (tests.plugin.sinks.Sink) is slow: write_partition of partition 0" in done.stderr


def test_batches_that_are_not_read_are_let_go() -> None:
    """A plug-in may read less than there is; whoever makes the rows is told to stop."""
    closed = threading.Event()

    def endless(*_: Any) -> Any:
        try:
            while True:
                yield pa.record_batch([[1]], schema=NUMBERS)
        finally:
            closed.set()

    def writing(sink: Sink, task: WriteTask, batches: pa.RecordBatchReader, context: TaskContext) -> Any:
        batches.read_next_batch()
        return {"partition": 0, "rows": 1}

    sink = Sink(write=writing, commit=lambda handle, messages: sink.committed.add(handle["write"]))
    write(sink, Given(endless))
    eventually(closed.is_set, "the generator is closed")
