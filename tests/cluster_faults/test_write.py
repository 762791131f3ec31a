"""Writes from executors: all rows or none, whatever dies, and nothing writes any more when a write is taken back."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import Counter
from pathlib import Path

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from tests.cluster_faults.watching import Beside, by_pid, held, marks
from tests.support.cluster import Cluster
from tests.support.postgresql import PostgresServer
from tests.support.server import wait_until


@pytest.fixture
def target(folder: Path) -> Path:
    target = folder / "target"
    target.mkdir()
    return target


def save(frame: DataFrame, folder: Path, target: Path, **options: str) -> None:
    writer = frame.write.format("python").option("python_module", "tests.cluster_faults.plugins")
    writer = writer.option("python_class", "Sink").option("folder", str(folder)).option("target", str(target))
    writer.options(**options).mode("append").save()


def written(target: Path) -> list[int]:
    return sorted(int(line) for path in target.glob("*.rows") for line in path.read_text().splitlines())


def test_executors_write_and_the_server_commits(session: SparkSession, folder: Path, target: Path) -> None:
    save(held(session, folder), folder, target)
    assert written(target) == list(range(4000))
    assert {pid for _, pid in marks(folder, "write")} == {pid for _, pid in marks(folder, "start")}


def test_an_executor_that_dies_takes_the_write_with_it(
    cluster: Cluster, session: SparkSession, folder: Path, target: Path
) -> None:
    (folder / "hold").touch()
    frame = held(session, folder / "target", parts=2)
    write = Beside(lambda: save(frame, folder, target, linger="0.5"))
    wait_until(lambda: len({pid for _, pid in marks(folder, "write")}) == 2, 30, "both executors write")
    ((partition, pid), _) = sorted(marks(folder, "write"))
    by_pid(cluster, pid).kill()
    (folder / "hold").unlink()
    with pytest.raises(PySparkException, match=r"An executor was lost while it wrote.*run it again"):
        write.result(30)
    assert json.loads((folder / "aborted").read_text()) == [f"active-{partition}"], "that of the dead one alone"
    assert list(target.glob("*.part")) == []
    assert written(target) == []
    save(frame, folder, target)
    assert written(target) == list(range(2000))


@pytest.mark.parametrize("kind", ["value", "os"])
def test_a_write_that_fails_is_taken_back_when_no_task_writes(
    session: SparkSession, folder: Path, target: Path, kind: str
) -> None:
    (folder / "hold").touch()
    frame = held(session, target, parts=2)
    let_go = threading.Timer(3, (folder / "hold").unlink)
    let_go.start()
    with pytest.raises(PySparkException, match="no room"):
        save(frame, folder, target, fail=kind, linger="1")
    let_go.join()
    assert json.loads((folder / "aborted").read_text()) == []
    assert list(target.glob("*.part")) == []
    assert max(Counter(part for part, _ in marks(folder, "write")).values()) == 1, "no task writes twice"


def test_files_have_all_rows_once(cluster: Cluster, session: SparkSession, folder: Path) -> None:
    table = folder / "table"
    (folder / "hold").touch()
    write = Beside(lambda: held(session, folder, parts=4).write.parquet(str(table)))
    wait_until(lambda: len({pid for _, pid in marks(folder, "start")}) == 2, 30, "both executors write")
    by_pid(cluster, min(pid for _, pid in marks(folder, "start"))).kill()
    (folder / "hold").unlink()
    write.result(30)
    assert sorted(row.k for row in session.read.parquet(str(table)).collect()) == list(range(4000))
    assert not (table / "_temporary").exists()


def test_files_of_a_write_that_is_cancelled_are_gone(session: SparkSession, folder: Path) -> None:
    (folder / "hold").touch()
    write = Beside(lambda: held(session, folder, parts=4, rows=1_000_000).write.parquet(str(folder / "table")))
    wait_until(lambda: len({pid for _, pid in marks(folder, "start")}) == 2, 30, "both executors write")
    session.interruptAll()
    (folder / "hold").unlink()
    with pytest.raises(PySparkException, match="OPERATION_CANCELED"):
        write.result(30)
    wait_until(lambda: len(marks(folder, "end")) == 2, 30, "both have ended")
    wait_until(lambda: not (folder / "table").exists(), 10, "nothing is left")


def test_sqlite_has_all_rows_or_none(cluster: Cluster, session: SparkSession, folder: Path) -> None:
    url = f"jdbc:sqlite:{folder / 'shop.db'}"
    save = lambda: held(session, folder, parts=4).write.jdbc(url, "numbers", mode="append")  # noqa: E731
    save()
    lose_one(cluster, folder, save)
    with sqlite3.connect(folder / "shop.db") as shop:
        assert shop.execute("SELECT count(*), count(DISTINCT k) FROM numbers").fetchone() == (4000, 4000)
    assert list(folder.glob("*.sheetbend-*")) == []


def test_postgresql_has_all_rows_or_none(
    cluster: Cluster, session: SparkSession, folder: Path, postgres: PostgresServer
) -> None:
    options = postgres.options
    save = lambda: (  # noqa: E731
        held(session, folder, parts=4)
        .write.format("jdbc")
        .options(**options, dbtable="of_a_cluster")
        .mode("append")
        .save()
    )
    save()
    lose_one(cluster, folder, save)
    read = session.read.format("jdbc").options(**options)
    counted = read.option("query", "SELECT count(*) AS n, count(DISTINCT k) AS k FROM of_a_cluster").load().collect()
    assert [tuple(row) for row in counted] == [(4000, 4000)]
    staging = "SELECT count(*) AS n FROM pg_class WHERE starts_with(relname, 'sheetbend_staging')"
    assert read.option("query", staging).load().collect()[0].n == 0


def lose_one(cluster: Cluster, folder: Path, save: object) -> None:
    """Kills an executor in a write, which is to fail."""
    assert callable(save)
    for path in folder.glob("start-*"):
        path.unlink()
    (folder / "hold").touch()
    write = Beside(save)
    wait_until(lambda: len({pid for _, pid in marks(folder, "start")}) == 2, 30, "both executors write")
    by_pid(cluster, min(pid for _, pid in marks(folder, "start"))).kill()
    (folder / "hold").unlink()
    with pytest.raises(PySparkException, match="An executor was lost while it wrote"):
        write.result(30)
