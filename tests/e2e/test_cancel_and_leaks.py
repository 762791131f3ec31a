"""A query that fails, is interrupted or loses its client leaves nothing behind: no reader, thread, socket or memory."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from tests.support.server import ServerProcess, running_server, wait_until
from tests.support.tables import lines


@pytest.fixture(scope="module")
def own_server() -> Iterator[ServerProcess]:
    """A server that nobody else uses, so that its threads and memory are those of these tests."""
    with running_server("--register", "numbers=tests.support.tables:Numbers", "--detached-timeout", "1") as running:
        yield running


@pytest.fixture
def session(own_server: ServerProcess) -> Iterator[SparkSession]:
    opened = SparkSession.builder.remote(own_server.url).create()
    yield opened
    opened.stop()


def source(session: SparkSession, plugin: str, log: Path, **options: Any) -> DataFrame:
    reader = session.read.format("python").option("python_module", "tests.support.tables")
    return reader.option("python_class", plugin).option("log", str(log)).options(**options).load()


def in_background(frame: DataFrame) -> tuple[threading.Thread, list[BaseException]]:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            frame.filter("n < 0").collect()
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, errors


@pytest.mark.parametrize("plugin", ["Endless", "Blocked"])
def test_an_interrupt_ends_the_reader(session: SparkSession, tmp_path: Path, plugin: str) -> None:
    log = tmp_path / "log"
    thread, errors = in_background(source(session, plugin, log))
    wait_until(lambda: "open" in lines(log), 10, "the read starts")
    session.interruptAll()
    wait_until(lambda: "closed" in lines(log), 5, "the reader is closed")
    thread.join(5)
    assert not thread.is_alive()
    assert isinstance(errors[0], PySparkException)
    assert errors[0].getCondition() == "OPERATION_CANCELED"
    assert errors[0].getSqlState() == "HY008"
    assert session.range(3).count() == 3


def test_an_interrupt_by_tag_ends_its_own_readers_only(session: SparkSession, tmp_path: Path) -> None:
    logs = {tag: tmp_path / tag for tag in ("this", "other")}
    threads = {}
    for tag, log in logs.items():

        def run(tag: str = tag, log: Path = log) -> None:
            session.addTag(tag)
            with pytest.raises(PySparkException, match="OPERATION_CANCELED"):
                source(session, "Endless", log).filter("n < 0").collect()

        threads[tag] = threading.Thread(target=run)
        threads[tag].start()
    wait_until(lambda: all("open" in lines(log) for log in logs.values()), 10, "both reads start")
    (operation,) = session.interruptTag("this")
    wait_until(lambda: "closed" in lines(logs["this"]), 5, "the reader is closed")
    threads["this"].join(5)
    assert session.interruptOperation(operation) == [], "it has ended"
    assert "closed" not in lines(logs["other"])
    session.interruptAll()
    wait_until(lambda: "closed" in lines(logs["other"]), 5, "the other is closed too")
    threads["other"].join(5)


def test_a_session_that_is_stopped_ends_its_readers(own_server: ServerProcess, tmp_path: Path) -> None:
    log = tmp_path / "log"
    session = SparkSession.builder.remote(own_server.url).create()
    thread, _ = in_background(source(session, "Endless", log))
    wait_until(lambda: "open" in lines(log), 10, "the read starts")
    session.stop()
    wait_until(lambda: "closed" in lines(log), 5, "the reader is closed")
    thread.join(10)


def test_a_limit_ends_the_reader(session: SparkSession, tmp_path: Path) -> None:
    log = tmp_path / "log"
    rows = source(session, "Endless", log, partitions=3).limit(10).collect()
    assert len(rows) == 10
    wait_until(lambda: lines(log).count("closed") == lines(log).count("open"), 5, "every reader is closed")


def test_rows_arrive_while_the_source_goes_on(session: SparkSession, tmp_path: Path) -> None:
    rows = source(session, "Endless", tmp_path / "log").toLocalIterator()
    assert next(rows)["n"] == 0
    session.interruptAll()


CLIENT = """
import sys
from pyspark.sql import SparkSession

spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
if sys.argv[3] == "once":
    spark.client.disable_reattachable_execute()
reader = spark.read.format("python")
reader = reader.option("python_module", "tests.support.tables").option("python_class", "Endless")
reader.option("log", sys.argv[2]).load().filter("n < 0").collect()
"""


def killed_client(server: ServerProcess, tmp_path: Path, how: str) -> Path:
    """The log of a read whose client is killed; ``once`` for a client that does not come back to its queries."""
    log, script = tmp_path / "log", tmp_path / "client.py"
    script.write_text(CLIENT)
    client = subprocess.Popen([sys.executable, script, server.url, str(log), how])
    try:
        wait_until(lambda: "open" in lines(log), 30, "the read starts")
        assert "closed" not in lines(log)
    finally:
        client.send_signal(signal.SIGKILL)
        client.wait()
    return log


def test_a_client_that_is_killed_leaves_no_reader(own_server: ServerProcess, tmp_path: Path) -> None:
    connections = own_server.connections()
    log = killed_client(own_server, tmp_path, "reattach")
    wait_until(lambda: "closed" in lines(log), 5, "the reader is closed")
    wait_until(lambda: own_server.connections() <= connections, 5, "the connection is closed")


def test_a_client_that_cannot_come_back_is_not_waited_for(tmp_path: Path) -> None:
    with running_server("--detached-timeout", "600") as patient:
        log = killed_client(patient, tmp_path, "once")
        wait_until(lambda: "closed" in lines(log), 5, "the reader is closed")


def failing(session: SparkSession) -> None:
    reader = session.read.format("python").option("python_module", "tests.support.faulty")
    with pytest.raises(PySparkException):
        reader.option("python_class", "FailsInTheMiddle").load().collect()


def one_round(session: SparkSession, log: Path) -> None:
    failing(session)
    session.read.format("numbers").option("rows", 50_000).option("partitions", 4).load().collect()
    source(session, "Endless", log, partitions=2, pause=0).limit(5000).collect()


def test_threads_and_descriptors_are_given_back(own_server: ServerProcess, tmp_path: Path) -> None:
    def round_of_a_session() -> None:
        session = SparkSession.builder.remote(own_server.url).create()
        one_round(session, tmp_path / "log")
        session.stop()

    for _ in range(3):
        round_of_a_session()
    time.sleep(1.5)  # Longer than the detached timeout: what was kept for a client to come back is gone.
    threads, descriptors = own_server.threads(), own_server.descriptors()
    for _ in range(8):
        round_of_a_session()
    # A pool may have grown by a few; one that leaks has grown by one per query.
    wait_until(lambda: own_server.threads() <= threads + 4, 15, "the threads end")
    wait_until(lambda: own_server.descriptors() <= descriptors + 4, 5, "the descriptors are closed")


@pytest.mark.slow
def test_memory_is_given_back(own_server: ServerProcess, tmp_path: Path) -> None:
    session = SparkSession.builder.remote(own_server.url).create()
    for _ in range(10):
        one_round(session, tmp_path / "log")
    before = own_server.memory()
    for _ in range(60):
        one_round(session, tmp_path / "log")
    session.stop()
    assert own_server.memory() - before < 48 * 1024**2
