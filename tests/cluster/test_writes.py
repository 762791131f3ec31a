"""Writes from a cluster: a task for each partition that the plug-in was told of, committed once or taken back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from tests.cluster.answers import RUNNER, read
from tests.support.folder import calls
from tests.support.postgresql import PostgresServer

FOLDER = {"python_module": "tests.support.folder", "python_class": "Folder"}


def save(frame: DataFrame, folder: Path, mode: str = "append", **options: Any) -> None:
    writer = frame.write.format("python").options(**FOLDER, log=str(folder / "log"), **options)
    writer.mode(mode).save(str(folder / "data"))


def keys(spark: SparkSession, folder: Path) -> list[Any]:
    rows = spark.read.format("python").options(**FOLDER).load(str(folder / "data")).collect()
    return sorted(row[0] for row in rows)


def tasks(folder: Path) -> int:
    """How many tasks the plug-in was told of: as many as ran, and as many messages as were committed once."""
    log = calls(folder / "log")
    [begun] = [call for call in log if call["call"] == "begin"]
    [commit] = [call for call in log if call["call"] == "commit"]
    written = sorted(call["partition"] for call in log if call["call"] == "written")
    assert written == list(range(begun["partitions"]))
    assert len(commit["messages"]) == begun["partitions"]
    assert None not in commit["messages"]
    return int(begun["partitions"])


def _without(frame: DataFrame) -> DataFrame:
    frame.createOrReplaceTempView("whole")
    return frame.sparkSession.sql("select k from whole where k not in (select k from whole where k < 0)")


FRAMES: dict[str, tuple[int | None, Callable[[DataFrame], DataFrame]]] = {
    "as it is": (8, lambda frame: frame),
    "repartition": (5, lambda frame: frame.repartition(5)),
    "repartition of some columns": (3, lambda frame: frame.repartition(3).select("k", "m", "xs")),
    "repartition before": (None, lambda frame: frame.repartition(3).filter("k >= 0")),
    "repartition by a column": (3, lambda frame: frame.repartition(3, "g")),
    "one": (1, lambda frame: frame.repartition(1)),
    "coalesce": (1, lambda frame: frame.coalesce(1)),
    "sort": (None, lambda frame: frame.orderBy("k")),
    "distinct": (None, lambda frame: frame.select("k").distinct()),
    "join": (None, lambda frame: frame.join(frame.selectExpr("k as other", "g as h"), frame.k == f.col("other"))),
    "left join": (
        None,
        lambda frame: frame.join(frame.limit(0).selectExpr("k as other"), frame.k < f.col("other"), "left"),
    ),
    "not in": (None, _without),
    "union": (16, lambda frame: frame.filter("k < 100").union(frame.filter("k >= 100"))),
    "limit": (1, lambda frame: frame.limit(400)),
}
"""Frames with the 320 keys of the table, and how many tasks they are written by, where that is promised."""


@pytest.mark.parametrize("name", FRAMES)
def test_as_many_messages_as_tasks(spark: SparkSession, tmp_path: Path, name: str) -> None:
    expected, change = FRAMES[name]
    save(change(read(spark, "Rows")), tmp_path)
    ran = tasks(tmp_path)
    assert expected in (None, ran)
    assert keys(spark, tmp_path) == list(range(320))


def test_insert(spark: SparkSession, tmp_path: Path) -> None:
    read(spark, "Rows", partitions=3).createOrReplaceTempView("three")
    options = ", ".join(f"{key} '{value}'" for key, value in {**FOLDER, "path": tmp_path / "data"}.items())
    save(spark.sql("select k, s from three where false"), tmp_path)
    spark.sql(f"create temporary view target using python options ({options})")
    spark.sql("insert into target select k, s from three")
    spark.sql("insert into target values (1000, 'x')")
    assert keys(spark, tmp_path) == [*range(120), 1000]
    spark.sql("insert overwrite target select k, s from three where k < 7")
    assert keys(spark, tmp_path) == list(range(7))


def test_a_task_that_fails_is_taken_back(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(PySparkException, match="write_partition"):
        save(read(spark, "Rows"), tmp_path, fail="write_partition", fail_partition=3)
    log = calls(tmp_path / "log")
    assert [call["call"] for call in log if call["call"] in ("commit", "abort")] == ["abort"]
    assert list((tmp_path / "data").iterdir()) == []


def test_a_query_that_fails_is_taken_back(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(PySparkException, match="the fifth is not there"):
        save(read(spark, "Failing"), tmp_path)
    assert [call["call"] for call in calls(tmp_path / "log")][-1] == "abort"


@pytest.mark.parametrize("runner", ["local", "cluster"])
def test_sqlite(spark: SparkSession, tmp_path: Path, runner: str) -> None:
    assert_round_trip(spark, runner, {"url": f"jdbc:sqlite:{tmp_path / 'new.db'}", "dbtable": "new"})


@pytest.mark.parametrize("runner", ["local", "cluster"])
def test_postgresql(spark: SparkSession, postgres: PostgresServer, runner: str) -> None:
    table = f"written_{runner}"
    assert_round_trip(spark, runner, {**postgres.options, "dbtable": table})
    postgres.execute(f"DROP TABLE {table}")


def assert_round_trip(spark: SparkSession, runner: str, options: dict[str, str]) -> None:
    spark.conf.set(RUNNER, runner)
    columns = ["k", "g", "s", "d", "f", "day"]
    frame = read(spark, "Rows").select(columns)
    frame.repartition(3).write.format("jdbc").options(**options).save()
    frame.write.format("jdbc").options(**options).mode("append").save()
    back = spark.read.format("jdbc").options(**options).load().select(columns)
    wanted = sorted(map(tuple, frame.collect() * 2), key=str)
    spark.conf.set(RUNNER, "cluster")
    assert sorted(map(tuple, back.collect()), key=str) == wanted
