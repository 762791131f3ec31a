"""A real PostgreSQL, from a stock PySpark client through a real server process."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as f

from tests.support.postgresql import PostgresServer
from tests.support.server import wait_until

ROWS = 10_000


@pytest.fixture(scope="module")
def sales(postgres: PostgresServer) -> Iterator[PostgresServer]:
    """The server with a table `sales`, whose column `region` is sometimes NULL."""
    postgres.execute(
        "CREATE TABLE sales AS SELECT n AS id, (n % 100) * 1.25::numeric(10,2) AS amount, DATE '2024-01-01' + n % 366 AS day, "
        f"CASE WHEN n % 10 > 0 THEN 'r' || n % 4 END AS region FROM generate_series(1, {ROWS}) AS n"
    )
    yield postgres
    postgres.execute("DROP TABLE sales")


def read(spark: SparkSession, server: PostgresServer, **options: str | int) -> DataFrame:
    given: dict[str, str | int] = {**server.options, **options}
    return spark.read.format("jdbc").options(**given).load()


def partitioned(spark: SparkSession, server: PostgresServer) -> DataFrame:
    return read(
        spark, server, dbtable="sales", partitionColumn="id", lowerBound=1, upperBound=ROWS + 1, numPartitions=4
    )


def test_types_and_rows(spark: SparkSession, sales: PostgresServer) -> None:
    frame = read(spark, sales, dbtable="sales")
    assert [(field.name, field.dataType.simpleString()) for field in frame.schema] == [
        ("id", "int"),
        ("amount", "decimal(38,18)"),
        ("day", "date"),
        ("region", "string"),
    ]
    assert frame.filter("id = 7").collect() == [Row(id=7, amount=Decimal("8.75"), day=dt.date(2024, 1, 8), region="r3")]


def test_four_partitions_have_every_row_once(spark: SparkSession, sales: PostgresServer) -> None:
    frame = partitioned(spark, sales)
    total = frame.agg(f.count("*"), f.countDistinct("id"), f.min("id"), f.max("id")).collect()[0]
    assert tuple(total) == (ROWS, ROWS, 1, ROWS)
    by_region = frame.groupBy("region").count().orderBy(f.col("region").asc_nulls_first()).collect()
    assert by_region[0] == Row(region=None, count=ROWS // 10)
    assert sum(row["count"] for row in by_region) == ROWS


def test_predicates_are_partitions(spark: SparkSession, sales: PostgresServer) -> None:
    properties = {"user": sales.user, "password": sales.password}
    frame = spark.read.jdbc(sales.url, "sales", predicates=["id <= 10", "id > 9990"], properties=properties)
    assert frame.count() == 20


def test_a_query_joined_with_another_database(spark: SparkSession, sales: PostgresServer, orders_db: Path) -> None:
    totals = read(spark, sales, query="SELECT id, amount FROM sales WHERE id <= 5")
    orders = spark.read.format("jdbc").option("url", f"jdbc:sqlite:{orders_db}").option("dbtable", "orders").load()
    joined = totals.join(orders.select("id", "region"), "id").orderBy("id")
    assert [row["id"] for row in joined.collect()] == [1, 2, 3, 4, 5]


def test_a_wrong_password(spark: SparkSession, sales: PostgresServer) -> None:
    with pytest.raises(PySparkException) as caught:
        read(spark, sales, dbtable="sales", password="geheim-4711").collect()
    assert caught.value.getCondition() == "DATA_SOURCE_AUTHENTICATION_FAILED"
    assert caught.value.getSqlState() == "28000"
    assert "geheim-4711" not in str(caught.value)
    assert partitioned(spark, sales).count() == ROWS


def test_a_missing_table(spark: SparkSession, sales: PostgresServer) -> None:
    with pytest.raises(PySparkException) as caught:
        read(spark, sales, dbtable="nothing_here").collect()
    assert caught.value.getCondition() == "TABLE_OR_VIEW_NOT_FOUND"
    assert "nothing_here" in str(caught.value)


def test_a_limit_leaves_nothing_under_way(spark: SparkSession, sales: PostgresServer) -> None:
    before = sales.busy()
    assert len(partitioned(spark, sales).limit(3).collect()) == 3
    wait_until(lambda: sales.busy() <= before, 10, "every statement has ended")


def test_an_interrupt_ends_the_query_in_the_database(spark: SparkSession, sales: PostgresServer) -> None:
    before = sales.busy()
    slow = read(spark, sales, query="SELECT id, pg_sleep(0.2)::text AS slept FROM sales")
    errors: list[PySparkException] = []

    def run() -> None:
        try:
            slow.collect()
        except PySparkException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(lambda: sales.busy() > before, 10, "the query runs")
    started = time.monotonic()
    spark.interruptAll()
    wait_until(lambda: sales.busy() <= before, 10, "the query is gone from the database")
    assert time.monotonic() - started < 1
    thread.join(10)
    assert not thread.is_alive()
    assert errors[0].getCondition() == "OPERATION_CANCELED"
