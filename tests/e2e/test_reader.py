"""`spark.read` in all its forms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession
from pyspark.sql.types import LongType, StringType, StructField, StructType


def echoed(spark: SparkSession, **options: Any) -> dict[str, str]:
    reader = spark.read.format("python").option("python_module", "tests.support.tables").option("python_class", "Echo")
    return {row["key"]: row["value"] for row in reader.options(**options).load().collect()}


def test_options_are_text_and_keep_their_case(spark: SparkSession) -> None:
    found = echoed(spark, userName="Anna", size=3, fast=True)
    assert found.items() >= {"userName": "Anna", "size": "3", "fast": "true"}.items()


def test_the_options_that_name_the_class_are_not_passed_on(spark: SparkSession) -> None:
    assert not {key.lower() for key in echoed(spark)} & {"python_module", "python_class"}


def test_option_keys_have_no_case(spark: SparkSession) -> None:
    frame = (
        spark.read.format("PYTHON").option("Python_Module", "tests.support.tables").option("PYTHON_CLASS", "Numbers")
    )
    assert frame.option("ROWS", 7).load().count() == 7


def test_a_format_name_has_no_case(spark: SparkSession) -> None:
    assert spark.read.format("Numbers").load().count() == 10


def test_loading_reads_nothing(spark: SparkSession, tmp_path: Path) -> None:
    log = tmp_path / "log"
    reader = spark.read.format("python").option("python_module", "tests.support.tables")
    frame = reader.option("python_class", "Endless").option("log", str(log)).load()
    assert frame.columns == ["n"]
    assert not log.exists()


def test_a_source_without_partitions_is_an_empty_table(spark: SparkSession) -> None:
    reader = spark.read.format("python").option("python_module", "tests.support.tables")
    frame = reader.option("python_class", "Nothing").load()
    assert frame.collect() == []
    assert frame.count() == 0
    assert frame.columns == ["n", "text"]
    assert frame.union(spark.read.format("numbers").load()).count() == 10


def test_a_schema_of_the_user_is_taken(spark: SparkSession) -> None:
    wanted = StructType([StructField("n", LongType()), StructField("text", StringType())])
    assert spark.read.format("numbers").schema(wanted).load().schema == wanted
    assert spark.read.format("numbers").schema("n BIGINT, text STRING").load().count() == 10


def test_a_view_is_read_as_a_table(spark: SparkSession) -> None:
    spark.read.format("numbers").option("rows", 4).load().createOrReplaceTempView("four")
    assert spark.table("four").count() == 4
    assert spark.read.table("FOUR").count() == 4


def test_a_table_that_is_not_there(spark: SparkSession) -> None:
    with pytest.raises(AnalysisException) as caught:
        spark.table("nowhere").collect()
    assert caught.value.getCondition() == "TABLE_OR_VIEW_NOT_FOUND"
    assert caught.value.getSqlState() == "42P01"
    assert "nowhere" in str(caught.value)


def test_jdbc_with_bounds(spark: SparkSession, orders_db: Path) -> None:
    frame = spark.read.jdbc(
        f"jdbc:sqlite:{orders_db}", "customers", column="id", lowerBound=1, upperBound=201, numPartitions=4
    )
    assert frame.count() == 200


def test_jdbc_with_predicates(spark: SparkSession, orders_db: Path) -> None:
    url = f"jdbc:sqlite:{orders_db}"
    frame = spark.read.jdbc(url, "orders", predicates=["region = 'north'", "region = 'east'"])
    regions = {row["region"] for row in frame.select("region").distinct().collect()}
    assert regions == {"north", "east"}


def test_jdbc_with_a_query(spark: SparkSession, orders_db: Path) -> None:
    reader = spark.read.format("jdbc").option("url", f"jdbc:sqlite:{orders_db}")
    frame = reader.option("query", "SELECT id, name FROM customers WHERE id <= 5").load()
    assert [row["id"] for row in frame.orderBy("id").collect()] == [1, 2, 3, 4, 5]


def test_columns_of_a_source_are_found_without_regard_to_case(spark: SparkSession) -> None:
    frame = spark.read.format("numbers").load()
    assert frame.select("N", "TEXT").columns == ["N", "TEXT"]
    assert frame.filter("TEXT = '81'").collect()[0]["n"] == 9
