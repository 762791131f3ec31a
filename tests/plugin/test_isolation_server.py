"""Worker processes, from a PySpark client of a server."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.errors import IllegalArgumentException, PySparkException
from pyspark.sql import DataFrame, SparkSession

from tests.bridge.plugins import eventually
from tests.plugin.processes import children, is_there, workers
from tests.plugin.test_worker_start import other_environment
from tests.support.server import ServerProcess, running_server

__all__ = ["other_environment"]


@pytest.fixture
def isolating() -> Iterator[ServerProcess]:
    """A server whose sources run in workers."""
    arguments = ("--isolation", "process", "--register", "faulty=tests.plugin.faults:Faulty")
    with running_server(*arguments, "--detached-timeout", "1") as running:
        yield running
    assert not is_there(running.process.pid)


@pytest.fixture
def client(isolating: ServerProcess) -> Iterator[SparkSession]:
    session = SparkSession.builder.remote(isolating.url).create()
    yield session
    session.stop()


def load(spark: SparkSession, **options: Any) -> DataFrame:
    return spark.read.format("faulty").options(**options).load()


def test_a_crash_leaves_the_server_and_the_session(client: SparkSession, isolating: ServerProcess) -> None:
    pids = [row.pid for row in load(client, partitions=3).collect()]
    assert len(pids) == 6
    assert isolating.process.pid not in pids
    with pytest.raises(PySparkException, match="SIGSEGV"):
        load(client, fault="segfault").collect()
    with pytest.raises(PySparkException, match="infer_schema failed: its worker process ended with exit status 3"):
        load(client, fault="exit", at="infer_schema").collect()
    assert load(client, partitions=3).count() == 6
    assert "Z" not in children(isolating.process.pid).values()


def test_a_wrong_option_is_an_illegal_argument(client: SparkSession) -> None:
    with pytest.raises(IllegalArgumentException, match="Option 'isolation' must be one of thread, process"):
        load(client, isolation="vm").collect()


def test_a_module_that_only_another_environment_has(client: SparkSession, other_environment: Path) -> None:
    there = client.read.format("python").option("python_module", "only_there").option("python_class", "Prefix")
    with pytest.raises(PySparkException, match="module 'only_there' was not found"):
        there.load().collect()
    there = there.option("isolation_python", str(other_environment / "bin" / "python"))
    assert [row.prefix for row in there.load().collect()] == [str(other_environment)]


def test_an_interrupt_kills_what_hangs(client: SparkSession, isolating: ServerProcess) -> None:
    failures: list[PySparkException] = []

    def run() -> None:
        try:
            load(client, fault="hold").collect()
        except PySparkException as error:
            failures.append(error)

    running = threading.Thread(target=run)
    running.start()
    eventually(lambda: len(workers(isolating.process.pid)) >= 1, "a worker is there", timeout=20)
    time.sleep(2)
    started = time.monotonic()
    client.interruptAll()
    running.join(10)
    assert len(failures) == 1
    eventually(lambda: not workers(isolating.process.pid), "the worker is gone", timeout=5)
    assert time.monotonic() - started < 1.5


def test_a_stopped_server_leaves_no_worker(client: SparkSession, isolating: ServerProcess) -> None:
    assert load(client, fault="linger").count() == 2
    left = workers(isolating.process.pid)
    assert left
    client.stop()
    isolating.process.send_signal(signal.SIGTERM)
    assert isolating.process.wait(15) == 0
    assert not [pid for pid in left if is_there(pid)]
