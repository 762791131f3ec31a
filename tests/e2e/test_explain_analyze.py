"""`EXPLAIN ANALYZE` runs a query and says what each node has done."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pyspark.errors import ParseException, PythonException
from pyspark.sql import DataFrame, SparkSession


def source(spark: SparkSession, plugin: str, module: str = "tables", **options: Any) -> DataFrame:
    reader = spark.read.format("python").option("python_module", f"tests.support.{module}")
    return reader.option("python_class", plugin).options(**options).load()


def analyzed(spark: SparkSession, query: str) -> str:
    ((plan,),) = spark.sql(f"EXPLAIN ANALYZE {query}").collect()
    return str(plan)


def test_the_source_says_what_it_cost(spark: SparkSession) -> None:
    source(spark, "Foreign", partitions=3, batches=5).createOrReplaceTempView("numbers_of_numpy")
    plan = analyzed(spark, "SELECT n, count(*) FROM numbers_of_numpy WHERE n < 50 GROUP BY n")
    assert plan.startswith("== Physical Plan with Metrics ==\n")
    (line,) = [line for line in plan.splitlines() if "PythonExec:" in line]
    metrics = dict(re.findall(r"(\w+)=([^\s,\]]+)", line.partition("metrics=[")[2]))
    assert metrics["plugin_batches"] == "15"
    assert metrics["pages"] == "15"
    assert {
        "output_rows",
        "plugin_bytes",
        "plugin_time",
        "interpreter_wait_time",
        "interpreter_entries",
        "channel_full",
        "channel_wait_time",
    } <= metrics.keys()
    assert "AggregateExec" in plan
    assert "output_rows=50" in plan


def test_a_limit_ends_the_query_that_is_explained(spark: SparkSession, tmp_path: Path) -> None:
    source(spark, "Endless", log=f"{tmp_path}/log").createOrReplaceTempView("endless")
    assert "limit=3" in analyzed(spark, "SELECT * FROM endless LIMIT 3")


def test_a_query_that_fails_fails(spark: SparkSession) -> None:
    source(spark, "FailsInTheMiddle", "faulty").createOrReplaceTempView("torn")
    with pytest.raises(PythonException, match="page 2 is torn"):
        spark.sql("EXPLAIN ANALYZE SELECT * FROM torn")


def test_only_queries_are_run(spark: SparkSession) -> None:
    with pytest.raises(ParseException):
        spark.sql("EXPLAIN ANALYZE")
    assert "PythonExec" not in analyzed(spark, "SELECT 1 AS one")
