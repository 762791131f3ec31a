"""Writes to databases from a PySpark client."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.errors import AnalysisException, IllegalArgumentException, PySparkException
from pyspark.sql import DataFrame, Row, SparkSession

from tests.support.mariadb import MariaDBServer
from tests.support.postgresql import PostgresServer
from tests.support.server import wait_until


@pytest.fixture
def place(postgres: PostgresServer) -> Iterator[str]:
    name = f"e_{secrets.token_hex(4)}"
    postgres.execute(f"CREATE SCHEMA {name}")
    yield name
    postgres.execute(f"DROP SCHEMA {name} CASCADE")


@pytest.fixture(params=["postgresql", "mariadb", "sqlite", "duckdb"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """Where to write to: the options of a table that is not there."""
    if request.param in ("sqlite", "duckdb"):
        return {"url": f"jdbc:{request.param}:{tmp_path}/shop.db", "dbtable": "t"}
    if request.param == "mariadb":
        maria: MariaDBServer = request.getfixturevalue("mariadb")
        return {**maria.options, "dbtable": f"t_{secrets.token_hex(4)}"}
    server: PostgresServer = request.getfixturevalue("postgres")
    return {**server.options, "dbtable": f"{request.getfixturevalue('place')}.t"}


def save(frame: DataFrame, target: dict[str, str], mode: str, **options: Any) -> None:
    properties = {key: value for key, value in target.items() if key not in ("url", "dbtable")}
    frame.write.options(**options).jdbc(target["url"], target["dbtable"], mode, properties)


def rows(spark: SparkSession, target: dict[str, str]) -> list[tuple[Any, ...]]:
    return sorted(tuple(row) for row in spark.read.format("jdbc").options(**target).load().collect())


def using(target: dict[str, str]) -> str:
    return "USING jdbc OPTIONS (" + ", ".join(f"{key} '{value}'" for key, value in target.items()) + ")"


def test_modes(spark: SparkSession, target: dict[str, str]) -> None:
    frame = spark.createDataFrame([(1, "a"), (2, None)], "id bigint, name string")
    save(frame, target, "error")
    save(frame.selectExpr("name AS NAME", "id + 10 AS id"), target, "append")
    with pytest.raises(AnalysisException, match=r"already exists\. SaveMode: ErrorIfExists") as caught:
        save(frame, target, "error")
    assert (caught.value.getCondition(), caught.value.getSqlState()) == ("TABLE_OR_VIEW_ALREADY_EXISTS", "42P07")
    save(frame, target, "ignore")
    read = spark.read.format("jdbc").options(**target).load()
    assert sorted(read.collect()) == [
        Row(id=1, name="a"),
        Row(id=2, name=None),
        Row(id=11, name="a"),
        Row(id=12, name=None),
    ]
    save(frame, target, "overwrite", truncate="true")
    assert len(rows(spark, target)) == 2
    save(spark.range(3), target, "overwrite")
    assert rows(spark, target) == [(0,), (1,), (2,)]


def test_many_partitions(spark: SparkSession, target: dict[str, str]) -> None:
    save(spark.range(50_000).repartition(8), target, "append", numPartitions=3, batchsize=1000)
    assert rows(spark, target) == [(n,) for n in range(50_000)]


def test_upsert(spark: SparkSession, target: dict[str, str]) -> None:
    for values in ([(1, "a"), (2, "b")], [(2, "B"), (3, "C")]):
        frame = spark.createDataFrame(values, "id bigint, name string")
        save(frame, target, "append", writeMode="upsert", upsertKeys="id")
    assert rows(spark, target) == [(1, "a"), (2, "B"), (3, "C")]


def test_tables_in_sql(spark: SparkSession, target: dict[str, str]) -> None:
    spark.sql(f"CREATE TABLE shop {using(target)} AS SELECT 1L AS id, 'a' AS name")
    try:
        spark.sql("INSERT INTO shop VALUES (2, 'b'), (3, 'c')")
        spark.sql("INSERT INTO shop (name, id) SELECT upper(name), id + 10 FROM shop WHERE id < 3")
        assert rows(spark, target)[:2] == [(1, "a"), (2, "b")]
        assert spark.table("shop").count() == 5
        spark.sql("INSERT OVERWRITE shop SELECT max(id), max(name) FROM shop")
        assert [tuple(row) for row in spark.table("shop").collect()] == [(12, "c")]
        spark.range(1).selectExpr("id", "'x' AS name").write.insertInto("shop")
        assert spark.table("shop").count() == 2
        with pytest.raises(AnalysisException, match="CANNOT_SAFELY_CAST"):
            spark.sql("INSERT INTO shop VALUES ('x', 'y')")
    finally:
        spark.sql("DROP TABLE shop")


@pytest.mark.parametrize(
    ("query", "condition", "state"),
    [
        ("SELECT 1L AS id, 2 AS nope", "COLUMN_NOT_DEFINED_IN_TABLE", "42703"),
        ("SELECT 'a' AS name", "INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_FIND_DATA", "KD000"),
        ("SELECT INTERVAL '1' DAY AS id", "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "0A000"),
        ("SELECT 1L AS id, 1L AS ID", "COLUMN_ALREADY_EXISTS", "42711"),
    ],
)
def test_columns_that_do_not_fit(
    spark: SparkSession, target: dict[str, str], query: str, condition: str, state: str
) -> None:
    save(spark.sql("SELECT 0L AS id, cast(NULL AS string) AS name"), target, "error")
    with pytest.raises(AnalysisException) as caught:
        save(spark.sql(query), target, "append")
    assert (caught.value.getCondition(), caught.value.getSqlState()) == (condition, state)
    assert rows(spark, target) == [(0, None)]


def test_options_that_there_are_none_of(spark: SparkSession, target: dict[str, str]) -> None:
    with pytest.raises(IllegalArgumentException, match="isolationLevel"):
        save(spark.range(1), target, "append", isolationLevel="FOO")
    with pytest.raises(IllegalArgumentException, match="batchsize"):
        save(spark.range(1), target, "append", batchsize=0)


def test_a_query_that_fails_leaves_nothing(spark: SparkSession, target: dict[str, str]) -> None:
    save(spark.range(1), target, "append")
    failing = spark.range(10_000).selectExpr("id + cast(1 / (id - 9000) AS bigint) AS id").repartition(3)
    with pytest.raises(PySparkException, match="DIVIDE_BY_ZERO"):
        save(failing, target, "append")
    assert rows(spark, target) == [(0,)]


def test_an_interrupt_ends_the_copy(
    new_session: Callable[[], SparkSession], postgres: PostgresServer, place: str, tmp_path: Path
) -> None:
    spark = new_session()
    endless = (
        spark.read.format("python").option("python_module", "tests.support.tables").option("log", str(tmp_path / "l"))
    )
    frame = endless.option("python_class", "Endless").load()
    errors: list[PySparkException] = []

    def run() -> None:
        try:
            save(frame, {**postgres.options, "dbtable": f"{place}.t"}, "append")
        except PySparkException as error:
            errors.append(error)

    copying = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'COPY %FROM STDIN%' AND pid <> pg_backend_pid() AND state = 'active'"
    thread = threading.Thread(target=run)
    thread.start()
    wait_until(lambda: bool(postgres.execute(copying)), 20, "the write has begun")
    interrupted = time.monotonic()
    spark.interruptAll()
    wait_until(lambda: not postgres.execute(copying), 2, "the copy has ended")
    thread.join(10)
    assert time.monotonic() - interrupted < 5
    assert errors[0].getCondition() == "OPERATION_CANCELED"
    left = f"SELECT relname::text FROM pg_class WHERE relnamespace = '{place}'::regnamespace"
    wait_until(lambda: not postgres.execute(left), 5, "the staging table is dropped")
