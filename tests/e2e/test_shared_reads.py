"""A source with fewer partitions than the server has threads: these share its batches, and each row comes once."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from tests.support.explain import plan_of
from tests.support.server import ServerProcess, wait_until
from tests.support.tables import lines

ROWS = 200_000

pytestmark = pytest.mark.skipif(
    (os.cpu_count() or 1) < 2, reason="on one core there is one thread, which shares nothing"
)


def source(spark: SparkSession, plugin: str, module: str = "tables", **options: Any) -> DataFrame:
    reader = spark.read.format("python").option("python_module", f"tests.support.{module}")
    return reader.option("python_class", plugin).options(**options).load()


def test_each_row_comes_once(spark: SparkSession) -> None:
    numbers = source(spark, "Numbers", rows=ROWS)
    total = numbers.agg(f.sum("n"), f.count("text"))
    assert "SharedReadExec: partitions=" in plan_of(total)
    assert total.collect() == [(ROWS * (ROWS - 1) // 2, ROWS)]
    kept = numbers.filter("n % 2 = 1").collect()
    assert Counter(row.n for row in kept) == Counter(range(1, ROWS, 2))


def test_what_is_read_twice_is_shared_twice(spark: SparkSession) -> None:
    numbers = source(spark, "Numbers", rows=ROWS)
    sums = numbers.agg(f.sum("n").alias("s"))
    assert sums.union(sums).collect() == [(ROWS * (ROWS - 1) // 2,)] * 2
    joined = numbers.alias("a").join(numbers.alias("b"), f.col("a.n") == f.col("b.n") + 1)
    assert joined.count() == ROWS - 1


def test_an_error_fails_the_query(spark: SparkSession) -> None:
    with pytest.raises(PySparkException, match="the schema promises none"):
        source(spark, "NullWhereNoneMayBe", "faulty").agg(f.sum("n")).collect()


def test_a_limit_above_ends_the_read(spark: SparkSession, server: ServerProcess, tmp_path: Path) -> None:
    endless = source(spark, "Endless", log=f"{tmp_path}/log", pause=0)
    assert len(endless.filter("n % 2 = 0").limit(3).collect()) == 3
    wait_until(lambda: lines(tmp_path / "log") == ["open", "closed"], 5, "the read has ended")


def test_partitions_that_are_asked_for_are_even(spark: SparkSession) -> None:
    spread = source(spark, "Numbers", rows=ROWS).repartition(4)
    assert "SharedReadExec" not in plan_of(spread)
    assert spread.agg(f.sum("n")).collect() == [(ROWS * (ROWS - 1) // 2,)]
