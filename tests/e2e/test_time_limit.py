"""`spark.sheetbend.queryTimeout`: a query that takes longer ends, and its sources are told before and at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.errors import IllegalArgumentException, PySparkException
from pyspark.sql import DataFrame, SparkSession

from tests.support.server import wait_until
from tests.support.tables import lines

KEY = "spark.sheetbend.queryTimeout"


@pytest.fixture
def session(new_session: Callable[[], SparkSession]) -> SparkSession:
    return new_session()


def source(session: SparkSession, log: Path) -> DataFrame:
    reader = session.read.format("python").option("python_module", "tests.support.tables")
    return reader.option("python_class", "Waiting").option("log", str(log)).load()


def test_a_query_that_takes_longer_is_ended_and_its_source_with_it(session: SparkSession, tmp_path: Path) -> None:
    log = tmp_path / "log"
    frame = source(session, log)
    assert frame.columns == ["n"], "the plug-in is loaded"
    session.conf.set(KEY, "1500ms")
    with pytest.raises(PySparkException) as caught:
        frame.collect()
    assert caught.value.getCondition() == "QUERY_TIMEOUT"
    assert caught.value.getSqlState() == "HYT00"
    assert "it took longer than 1.5s, the value of spark.sheetbend.queryTimeout" in str(caught.value)
    wait_until(lambda: len(lines(log)) == 4, 5, "the source has ended")
    opened, *ended = lines(log)
    assert 0 < float(opened.removeprefix("open ")) <= 1.5
    assert "on_cancel" in ended
    assert [line for line in ended if line != "on_cancel"] == ["cancelled=True", "finally"]
    assert session.range(3).count() == 3, "the session goes on"


def test_statements_have_the_same_limit(session: SparkSession, tmp_path: Path) -> None:
    log = tmp_path / "log"
    source(session, log).createOrReplaceTempView("waiting")
    session.conf.set(KEY, "300ms")
    with pytest.raises(PySparkException) as caught:
        session.sql("EXPLAIN ANALYZE SELECT * FROM waiting")
    assert caught.value.getCondition() == "QUERY_TIMEOUT"
    wait_until(lambda: "finally" in lines(log), 5, "the source has ended")


def test_without_a_limit_there_is_no_deadline(session: SparkSession, tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert session.conf.get(KEY) == "0s"

    def run() -> None:
        with pytest.raises(PySparkException, match="OPERATION_CANCELED"):
            source(session, log).collect()

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(lambda: "open None" in lines(log), 10, "the read starts")
    session.interruptAll()
    thread.join()


@pytest.mark.parametrize("value", ["1us", "30s", "500ms", "5min", "5m", "2h", "1d", " 30 S ", "0s"])
def test_durations_are_taken(session: SparkSession, value: str) -> None:
    session.conf.set(KEY, value)
    assert session.conf.get(KEY) == value
    session.conf.unset(KEY)


@pytest.mark.parametrize("value", ["30", "soon", "", "-1s", "1.5s", "3 weeks"])
def test_what_is_no_duration_is_refused(session: SparkSession, value: str) -> None:
    with pytest.raises(IllegalArgumentException, match=r"a number and a unit \(us, ms, s, min, h, d\)") as caught:
        session.conf.set(KEY, value)
    assert caught.value.getCondition() == "INVALID_CONF_VALUE.TYPE_MISMATCH"
    assert session.conf.get(KEY) == "0s"
