"""Executors that die or hang while a query runs: its answer is the same, and no row is lost or there twice."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812 - as everybody calls it

from tests.cluster_faults.watching import Beside, alive, by_pid, held, marks
from tests.support.cluster import Cluster
from tests.support.proxy import faulty_proxy
from tests.support.server import wait_until

NOTICED = 20.0
"""Seconds within which the loss of an executor is to be noticed."""
ROWS = 1000


def keys(session: SparkSession, folder: Path, parts: int = 4) -> list[int]:
    return sorted(row.k for row in held(session, folder, parts=parts).collect())


def test_one_that_is_killed_in_a_scan(cluster: Cluster, session: SparkSession, folder: Path) -> None:
    (folder / "hold").touch()
    query = Beside(lambda: keys(session, folder))
    wait_until(lambda: len({pid for _, pid in marks(folder, "start")}) == 2, 30, "both executors read")
    alive(cluster)[0].kill()
    (folder / "hold").unlink()
    began = time.monotonic()
    assert query.result(30) == list(range(4 * ROWS))
    assert time.monotonic() - began < 10, "a broken connection is noticed at once"


def test_one_that_is_killed_after_its_stage(cluster: Cluster, session: SparkSession, folder: Path) -> None:
    first, second = folder / "first", folder / "second"
    first.mkdir()
    second.mkdir()
    (second / "hold").touch()
    left = held(session, first, parts=2).groupBy("g").agg(F.sum("k").alias("total"))
    right = held(session, second, parts=1).groupBy("g").agg(F.count("*").alias("rows"))
    query = Beside(lambda: sorted(map(tuple, left.join(right, "g").collect())))
    # The one task of the second scan takes one executor, so the other one has done a part of the first at the least.
    wait_until(lambda: len(marks(second, "start")) + len(marks(first, "end")) == 3, 30, "a stage is done")
    ((_, busy),) = marks(second, "start")
    time.sleep(0.5)
    by_pid(cluster, next(pid for _, pid in marks(first, "end") if pid != busy)).kill()
    (second / "hold").unlink()
    expected = [(g, sum(range(g, 2 * ROWS, 7)), len(range(g, ROWS, 7))) for g in range(7)]
    assert query.result(30) == expected


def test_one_that_hangs_in_a_scan(cluster: Cluster, session: SparkSession, folder: Path) -> None:
    (folder / "hold").touch()
    query = Beside(lambda: keys(session, folder))
    wait_until(lambda: len({pid for _, pid in marks(folder, "start")}) == 2, 30, "both executors read")
    hung = alive(cluster)[0]
    hung.process.send_signal(signal.SIGSTOP)
    try:
        (folder / "hold").unlink()
        assert query.result(NOTICED + 10) == list(range(4 * ROWS))
    finally:
        hung.process.send_signal(signal.SIGCONT)
        hung.kill()


@pytest.mark.parametrize("ready", [0, 1], ids=["first", "last"])
def test_one_that_hangs_with_rows_that_are_ready(
    cluster: Cluster, session: SparkSession, folder: Path, ready: int
) -> None:
    waits = folder / f"hold-{1 - ready}"
    waits.touch()
    query = Beside(lambda: keys(session, folder, parts=2))
    wait_until(lambda: {part for part, _ in marks(folder, "end")} == {ready}, 30, "one partition is read")
    ((_, pid),) = marks(folder, "end")
    wait_until(lambda: {part for part, _ in marks(folder, "start")} == {0, 1}, 30, "the other is being read")
    ((_, other),) = (mark for mark in marks(folder, "start") if mark[0] != ready)
    if pid == other:
        # It has both: nothing can be lost but all.
        waits.unlink()
        assert query.result(30) == list(range(2 * ROWS))
        return
    time.sleep(0.5)
    os.kill(pid, signal.SIGSTOP)
    waits.unlink()
    try:
        assert query.result(NOTICED + 20) == list(range(2 * ROWS))
        assert (ready, other) in marks(folder, "end"), "the job was handed in again"
    finally:
        os.kill(pid, signal.SIGCONT)
        by_pid(cluster, pid).kill()


def test_one_that_cannot_be_reached(cluster: Cluster, session: SparkSession, folder: Path) -> None:
    with faulty_proxy(int(cluster.scheduler.rpartition(":")[2])) as proxy:
        for executor in alive(cluster):
            executor.kill()
        cut = replace(cluster, scheduler=f"127.0.0.1:{proxy.port}").join()
        (folder / "hold").touch()
        query = Beside(lambda: keys(session, folder, parts=2))
        wait_until(lambda: marks(folder, "start") != set(), 30, "it reads")
        cluster.join()
        proxy.stall_at = proxy.stall_sent_at = 0
        (folder / "hold").unlink()
        assert query.result(NOTICED + 10) == list(range(2 * ROWS))
        assert cut.process.poll() is None
        # The server can be reached again: it joins under another name, and works.
        proxy.stall_at = proxy.stall_sent_at = None
        for executor in alive(cluster):
            if executor is not cut:
                executor.kill()
        assert keys(session, folder, parts=2) == list(range(2 * ROWS))
        cut.kill()
