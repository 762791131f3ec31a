"""The main job: a database, a class and a registered source, read by a stock client and joined."""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from tests.conftest import ORDER_ROWS


@pytest.fixture(scope="module")
def orders(spark: SparkSession, orders_db: Path) -> DataFrame:
    return (
        spark.read.format("jdbc")
        .option("url", f"jdbc:sqlite:{orders_db}")
        .option("dbtable", "orders")
        .option("partitionColumn", "id")
        .option("lowerBound", 1)
        .option("upperBound", ORDER_ROWS + 1)
        .option("numPartitions", 4)
        .load()
    )


@pytest.fixture(scope="module")
def weather(spark: SparkSession) -> DataFrame:
    return (
        spark.read.format("python")
        .option("python_module", "examples.weather")
        .option("python_class", "WeatherDataSource")
        .load()
    )


def query(database: Path, text: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(database)
    try:
        return connection.execute(text).fetchall()
    finally:
        connection.close()


def test_a_database_is_read_in_partitions(orders: DataFrame, orders_db: Path) -> None:
    assert orders.count() == ORDER_ROWS
    assert orders.select("id").distinct().count() == ORDER_ROWS
    found = orders.orderBy("id").limit(3).select("id", "customer_id", "product", "status").collect()
    expected = query(orders_db, "SELECT id, customer_id, product, status FROM orders ORDER BY id LIMIT 3")
    assert [tuple(row) for row in found] == expected


def test_a_database_keeps_its_types(orders: DataFrame) -> None:
    types = dict(orders.dtypes)
    assert types["amount"] == "decimal(10,2)"
    assert types["ordered_on"] == "date"
    assert types["discount"] == "double"
    assert types["region"] == "string"


def test_a_database_is_aggregated_exactly(orders: DataFrame, orders_db: Path) -> None:
    rows = orders.groupBy("region").agg(f.count("*").alias("n"), f.sum("amount").alias("s")).orderBy("region").collect()
    expected = query(
        orders_db,
        "SELECT region, count(*), sum(cast(round(amount * 100) AS INTEGER)) FROM orders GROUP BY region ORDER BY region",
    )
    assert [(row["region"], row["n"], int(row["s"] * 100)) for row in rows] == expected
    assert isinstance(rows[0]["s"], Decimal)


def test_a_class_is_read_by_its_name(weather: DataFrame) -> None:
    assert weather.count() == 5 * (366 + 365)
    assert weather.dtypes == [("region", "string"), ("day", "date"), ("celsius", "double"), ("rain", "boolean")]
    assert [field.nullable for field in weather.schema] == [False] * 4


def test_options_reach_the_class(spark: SparkSession) -> None:
    reader = spark.read.format("python").option("python_module", "examples.weather")
    frame = reader.option("python_class", "WeatherDataSource").option("regions", "north,west").load()
    assert sorted(row["region"] for row in frame.select("region").distinct().collect()) == ["north", "west"]


def test_a_registered_source_is_read_by_its_name(spark: SparkSession) -> None:
    frame = spark.read.format("numbers").option("rows", 100).option("partitions", 3).load()
    assert [row["n"] for row in frame.orderBy("n").collect()] == list(range(100))


def test_a_database_is_joined_with_a_class(orders: DataFrame, weather: DataFrame, orders_db: Path) -> None:
    joined = orders.join(weather, (orders["region"] == weather["region"]) & (orders["ordered_on"] == weather["day"]))
    assert joined.count() == ORDER_ROWS
    by_rain = {row["rain"]: row["n"] for row in joined.groupBy("rain").agg(f.count("*").alias("n")).collect()}
    assert set(by_rain) == {True, False}
    assert sum(by_rain.values()) == ORDER_ROWS


def test_sql_joins_a_database_with_a_registered_source(spark: SparkSession, orders: DataFrame) -> None:
    orders.createOrReplaceTempView("orders")
    spark.read.format("numbers").option("rows", 10).load().createOrReplaceTempView("numbers")
    rows = spark.sql(
        "SELECT n.text, count(*) AS orders FROM numbers n JOIN orders o ON o.quantity = n.n GROUP BY n.text ORDER BY n.text"
    ).collect()
    assert sum(row["orders"] for row in rows) == ORDER_ROWS
    assert {row["text"] for row in rows} == {str(n * n) for n in range(1, 10)}


def test_the_plan_names_the_source(orders: DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    orders.filter("quantity > 3").explain()
    assert "PythonExec" in capsys.readouterr().out
