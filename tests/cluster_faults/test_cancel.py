"""A query that nobody waits for any more ends on every executor, and what it has left there goes."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from tests.cluster_faults.watching import Beside, has_data, held, marks
from tests.support.cluster import Cluster
from tests.support.server import wait_until

HEARD = 2.0
"""Seconds within which a plug-in is to hear of the end."""
GIVEN_BACK = 5.0


def reads(folder: Path) -> bool:
    return len({pid for _, pid in marks(folder, "start")}) == 2


def ended(folder: Path) -> bool:
    return marks(folder, "start") == marks(folder, "end")


def given_back(cluster: Cluster) -> None:
    wait_until(lambda: not has_data(cluster), GIVEN_BACK, "the disk is given back")


@pytest.mark.parametrize("how", ["interrupt", "stop"])
def test_it_ends_with_its_client(cluster: Cluster, session: SparkSession, folder: Path, how: str) -> None:
    (folder / "hold").touch()
    frame = held(session, folder)
    query = Beside(frame.collect)
    wait_until(lambda: reads(folder), 30, "both executors read")
    if how == "interrupt":
        session.interruptAll()
    else:
        session.stop()
    wait_until(lambda: ended(folder), HEARD, "all readers have ended")
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever the client makes of it
        query.result(10)
    assert len(marks(folder, "start")) == 2, "no other partition is read"
    given_back(cluster)


def test_it_ends_with_its_time(cluster: Cluster, session: SparkSession, folder: Path) -> None:
    (folder / "hold").touch()
    frame = held(session, folder)
    session.conf.set("spark.sheetbend.queryTimeout", "3s")
    with pytest.raises(PySparkException) as caught:
        frame.collect()
    assert caught.value.getCondition() == "QUERY_TIMEOUT"
    wait_until(lambda: ended(folder), HEARD, "all readers have ended")
    given_back(cluster)


def test_a_query_that_has_its_rows_or_fails_leaves_nothing(
    cluster: Cluster, session: SparkSession, folder: Path
) -> None:
    assert len(held(session, folder).limit(5).collect()) == 5
    wait_until(lambda: ended(folder), HEARD, "all readers have ended")
    assert held(session, folder).groupBy("g").count().count() == 7
    with pytest.raises(PySparkException):
        held(session, folder, fail="value").collect()
    wait_until(lambda: ended(folder), HEARD, "all readers have ended")
    given_back(cluster)


@pytest.mark.slow
def test_a_result_that_is_larger_than_the_server_passes_through(
    cluster: Cluster, session: SparkSession, folder: Path
) -> None:
    rows, parts, size = 8_000_000, 4, 16
    assert rows * parts * size > 500_000_000
    first = next(iter(held(session, folder, rows=rows, parts=parts).toLocalIterator()))
    assert first.k % rows == 0
    assert cluster.server.memory("VmHWM") < 300_000_000
