"""Queries that would wait for each other, or for themselves: for the interpreter, or for threads of the runtime."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from tests.support.server import wait_until
from tests.support.tables import lines

TIMES = [2, pytest.param(50, marks=pytest.mark.slow)]


def source(spark: SparkSession, plugin: str, **options: Any) -> DataFrame:
    reader = spark.read.format("python").option("python_module", "tests.support.tables")
    return reader.option("python_class", plugin).options(**options).load()


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("times", TIMES)
def test_400_batches_of_numpy_in_a_join_and_a_union(spark: SparkSession, times: int) -> None:
    left = source(spark, "Foreign", partitions=4, batches=50)
    right = source(spark, "Foreign", partitions=4, batches=50)
    for _ in range(times):
        counts = left.groupBy("n").count()
        joined = counts.join(right.groupBy("n").count().withColumnRenamed("count", "other"), "n")
        assert joined.filter("count = other").count() == 100
        assert left.union(right).count() == 400 * 8192
        semi = left.join(right.limit(1), "n", "left_semi")
        assert semi.count() > 0


@pytest.mark.timeout(300)
def test_64_partitions_on_both_sides_of_a_join_with_a_slow_consumer(spark: SparkSession) -> None:
    left = source(spark, "Foreign", partitions=64, batches=2)
    right = source(spark, "Foreign", partitions=64, batches=2).distinct()
    rows = left.join(right, "n").toLocalIterator()
    for _ in range(1000):
        next(rows)
        time.sleep(0.0005)
    spark.interruptAll()


@pytest.mark.timeout(300)
def test_a_plugin_that_holds_the_interpreter_stops_no_query_without_python(spark: SparkSession, tmp_path: Path) -> None:
    log = tmp_path / "log"
    stop = threading.Event()

    def in_background(frame: DataFrame) -> threading.Thread:
        def work() -> None:
            while not stop.is_set():
                frame.selectExpr("sum(n)").collect()

        thread = threading.Thread(target=work)
        thread.start()
        return thread

    busy = [in_background(source(spark, "Foreign", partitions=4, batches=20)) for _ in range(3)]
    time.sleep(0.5)
    hog = threading.Thread(target=lambda: source(spark, "Hog", log=log, seconds=3).collect())
    hog.start()
    try:
        wait_until(lambda: "held" in lines(log), 60, "the interpreter is held")
        answered = 0
        while "let go" not in lines(log):
            assert spark.range(10).filter("id > 4").count() == 5
            answered += "let go" not in lines(log)
    finally:
        stop.set()
        for thread in (hog, *busy):
            thread.join()
    assert answered > 3


def within(spark: SparkSession, seconds: float, work: Callable[[], object]) -> None:
    """Fails the test, and ends the session's queries, where the work takes longer."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(work)
        try:
            running.result(seconds)
        finally:
            spark.interruptAll()


@pytest.mark.timeout(300)
def test_a_write_of_more_files_than_threads_may_wait_for_disks(spark: SparkSession, tmp_path: Path) -> None:
    rows, copies = str(tmp_path / "rows"), str(tmp_path / "copies")
    spark.range(1_000_000).repartition(40).write.parquet(rows)
    within(spark, 60, lambda: spark.read.parquet(rows).repartition(600).write.parquet(copies))
    assert spark.read.parquet(copies).distinct().count() == 1_000_000


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_clients_that_read_no_further_take_no_threads_from_others(spark: SparkSession, tmp_path: Path) -> None:
    table = str(tmp_path / "rows")
    spark.range(100_000).coalesce(1).write.csv(table)
    of_many = spark.sql(" UNION ALL ".join([f"SELECT * FROM csv.`{table}`"] * 300))
    left = [of_many.toLocalIterator() for _ in range(2)]
    for rows in left:
        next(rows)
    time.sleep(1)
    within(spark, 30, lambda: spark.read.csv(table).count())
