"""Worker processes: a plug-in that takes its process down costs one task, and one clear error."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sheetbend import _native
from sheetbend.testing import scan
from tests.bridge import plugins
from tests.bridge.plugins import eventually
from tests.plugin import faults
from tests.plugin.faults import Faulty, Waiting
from tests.plugin.processes import children, is_there, workers

SECRET = "hunter2/ü%&"


def process(**more: str) -> dict[str, Any]:
    return {"isolation": {"isolation": "process", **{f"isolation_{key}": value for key, value in more.items()}}}


def pids(plugin: object, options: dict[str, str] | None = None, **how: Any) -> list[int]:
    found: list[int] = plugins.read(plugin, options, **(how or process())).column("pid").to_pylist()
    return found


def first_pid(batches: pa.RecordBatchReader) -> int:
    """The worker's process; how many rows come first depends on how far ahead it is."""
    (pid,) = set(batches.read_next_batch().column("pid").to_pylist())
    assert isinstance(pid, int)
    return pid


def failure(plugin: object, options: dict[str, str] | None = None, **how: Any) -> str:
    return plugins.failure(plugin, options, **(how or process()))


def test_the_code_runs_in_another_process_which_is_used_again() -> None:
    (first,) = set(pids(Faulty()))
    assert first in workers()
    assert pids(Faulty()) == [first, first]
    assert pids(Faulty(), {"isolation": "thread"}) != [first, first]


def test_plugins_do_not_share_a_process() -> None:
    assert set(pids(Faulty())).isdisjoint(pids(faults.Refused()))


ENDINGS = {
    "segfault": "its worker process was ended by SIGSEGV",
    "abort": "its worker process was ended by SIGABRT",
    "exit": "its worker process ended with exit status 3",
    "kill": "its worker process was killed (SIGKILL)",
}


@pytest.mark.parametrize("at", ["infer_schema", "plan_partitions", "before", "between", "after"])
@pytest.mark.parametrize("fault", ENDINGS)
def test_a_crash_costs_one_task(fault: str, at: str) -> None:
    message = failure(Faulty(), {"fault": fault, "at": at}, name="orders", **process())
    method = at if "_" in at else "read_partition of partition 0"
    assert f"Data source orders (tests.plugin.faults.Faulty): {method} failed: {ENDINGS[fault]}" in message
    assert len(set(pids(Faulty()))) == 1


def test_a_crash_shows_where_it_was_and_no_secret() -> None:
    message = failure(Faulty(), {"fault": "segfault", "at": "before", "password": SECRET})
    assert "It printed last:" in message
    assert re.search(r'faults.py", line \d+ in _reach', message)
    assert "the password is *********(redacted)" in message
    assert SECRET not in message


def test_a_crash_in_one_partition_ends_the_others() -> None:
    assert "SIGSEGV" in failure(Faulty(), {"fault": "segfault", "partitions": "4"})
    assert len(pids(Faulty(), {"partitions": "4"})) == 8


def test_an_exception_passes_as_it_is() -> None:
    here = plugins.failure(faults.Raising())
    there = failure(faults.Raising())
    assert "read_partition of partition 0 failed: ValueError: of the plug-in" in there
    assert there == here


def test_a_system_exit_ends_the_query_and_not_the_worker() -> None:
    (worker,) = set(pids(Faulty()))
    assert "SystemExit: 5" in failure(Faulty(), {"fault": "system exit"})
    assert set(pids(Faulty())) == {worker}


@pytest.mark.parametrize("fault", ["bytes", "buffer"])
def test_memory_is_limited(fault: str) -> None:
    message = failure(Faulty(), {"fault": fault}, **process(memory="2g"))
    assert "MemoryError" in message
    assert "isolation_memory" in message
    assert len(pids(Faulty(), **process(memory="2g"))) == 2


def test_a_limit_that_python_itself_does_not_fit_in() -> None:
    message = failure(Faulty(), **process(memory="32m"))
    assert re.search(r"isolation_memory is 32 MiB, but Python with pyarrow takes \d+ MiB", message)


@pytest.mark.parametrize("fault", ["sleep", "hold"])
@pytest.mark.parametrize("at", ["infer_schema", "plan_partitions", "between"])
def test_a_hang_ends_at_the_deadline(fault: str, at: str) -> None:
    started = time.monotonic()
    message = failure(Faulty(), {"fault": fault, "at": at}, **process(batch_timeout="3s"))
    assert time.monotonic() - started < 20
    assert "it gave nothing for 3s (isolation_batch_timeout), so its worker process was killed" in message
    assert re.search(r'faults.py", line \d+ in _reach', message)


@pytest.mark.parametrize("fault", ["sleep", "hold"])
def test_a_hang_is_gone_within_a_second_of_its_cancel(fault: str) -> None:
    batches = plugins.reader(Faulty(), {"fault": fault}, **process())
    worker = first_pid(batches)
    started = time.monotonic()
    del batches
    eventually(lambda: not is_there(worker), "the worker is gone", timeout=1.5)
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("wait", [{}, {"wait": "yes"}])
def test_a_cancel_is_learnt_of_and_the_worker_used_again(wait: dict[str, str], tmp_path: Path) -> None:
    log = tmp_path / "log"
    batches = plugins.reader(Waiting(), {"log": str(log), **wait}, **process())
    worker = first_pid(batches)
    del batches
    eventually(lambda: log.exists() and "finally: True" in log.read_text(), "finally has run", timeout=1)
    assert "callback" in log.read_text()
    assert ("waited: True" in log.read_text()) == bool(wait)
    eventually(lambda: not _native.reads_under_way(), "the read has ended")
    again = plugins.read(Waiting(), {"log": str(log)}, limit=1, **process())
    assert again.column("pid").to_pylist() == [worker]


def test_a_query_that_has_its_rows_is_not_failed_by_what_hangs() -> None:
    started = time.monotonic()
    table = plugins.read(Faulty(), {"fault": "hold"}, limit=1, **process())
    assert table.num_rows == 1
    assert "columns that the schema does not promise: wrong" in failure(faults.WrongAndStuck())
    assert time.monotonic() - started < 10


def test_a_limit_ends_the_read(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert plugins.read(Waiting(), {"log": str(log)}, limit=10, **process()).num_rows == 10
    eventually(lambda: log.exists() and "finally: True" in log.read_text(), "finally has run", timeout=1)


def test_what_is_printed_does_no_harm() -> None:
    assert len(pids(Faulty(), {"fault": "print"})) == 2


def test_a_flood_of_errors_does_no_harm() -> None:
    assert len(pids(Faulty(), {"fault": "flood"})) == 2
    message = failure(Faulty(), {"fault": "exit", "at": "after"})
    assert "xxxx" not in message, "what an earlier query has printed is not shown"


def test_a_worker_that_lingers_is_killed() -> None:
    (worker,) = set(pids(Faulty(), {"fault": "linger"}))
    started = time.monotonic()
    _native.end_workers()
    assert time.monotonic() - started < 2
    assert not is_there(worker)


def test_threads_that_are_left_behind_are_let_be() -> None:
    (worker,) = set(pids(Faulty(), {"fault": "threads"}))
    assert set(pids(Faulty(), {"fault": "threads"})) == {worker}
    _native.end_workers()
    assert not is_there(worker)


def test_a_worker_that_ends_while_it_waits_is_replaced() -> None:
    (worker,) = set(pids(Faulty(), {"fault": "exit soon"}))
    eventually(lambda: not is_there(worker), "it has ended, and is no zombie")
    assert set(pids(Faulty())) != {worker}
    assert "Z" not in children().values()


def test_partitions_are_read_at_the_same_time(tmp_path: Path) -> None:
    first, second = pids(faults.Together(), {"folder": str(tmp_path)})
    assert first != second


def test_a_class_is_made_an_instance_of_in_the_worker() -> None:
    (made_in,) = pids(faults.Refused)
    assert made_in in workers()


def test_what_the_context_says() -> None:
    message = failure(faults.Raising(), {"cannot": "yes"})
    assert "SourceConnectionError: partition 0 in batches of 8192" in message


def test_the_testing_helper_takes_the_options() -> None:
    assert scan(Faulty(), isolation="process", isolation_batch_timeout=30).read_all().num_rows == 2


def test_rows_that_are_held_for_long_hold_up_nothing() -> None:
    table = plugins.read(faults.Many(), {"rows": "100000", "count": "300"}, **process())
    assert table.num_rows == 30_000_000
    assert table.column("n")[-1].as_py() == 99_999


def test_shared_memory_stays_small_while_rows_flow() -> None:
    batches = plugins.reader(faults.Many(), {"rows": "100000", "count": "3000"}, **process())
    rows = 0
    most = 0
    for number, batch in enumerate(batches):
        rows += batch.num_rows
        if number % 500 == 0:
            most = max(most, *(shared_memory(worker) for worker in workers()))
        del batch
    assert rows == 300_000_000
    assert 0 < most < 48 << 20


def shared_memory(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"RssShmem:\s+(\d+) kB", status)
    assert found
    return int(found.group(1)) * 1024


def test_small_batches_come_in_order() -> None:
    items = [pa.record_batch({"n": [number]}) for number in range(5000)]
    plugin = faults.Given(*items, schema=items[0].schema)
    assert plugins.read(plugin, **process()).column("n").to_pylist() == list(range(5000))
