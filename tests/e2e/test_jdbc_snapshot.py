"""All partitions of a read see one state of the database, while others write to it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import adbc_driver_postgresql.dbapi  # type: ignore[import-untyped]
import pytest
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from tests.support.explain import plan_of
from tests.support.postgresql import PostgresServer
from tests.support.server import wait_until

ROWS = 40_000


@pytest.fixture(scope="module")
def accounts(postgres: PostgresServer) -> Iterator[PostgresServer]:
    """A table of accounts, whose amounts add up to 0, in 2000 pages and more."""
    postgres.execute(
        f"CREATE TABLE accounts AS SELECT i AS id, 0::bigint AS amount, repeat('x', 500) AS pad FROM generate_series(1, {ROWS}) i"
    )
    postgres.execute("ALTER TABLE accounts ADD PRIMARY KEY (id)")
    postgres.execute("ANALYZE accounts")
    yield postgres
    postgres.execute("DROP TABLE accounts")


def read(spark: SparkSession, server: PostgresServer, **options: str | int) -> DataFrame:
    given: dict[str, str | int] = {**server.options, "dbtable": "accounts", "pushDownAggregate": "false", **options}
    return spark.read.format("jdbc").options(**given).load()


@contextmanager
def transfers(server: PostgresServer) -> Iterator[None]:
    """Moves amounts between the first and the last accounts as fast as can be; each move is one transaction."""
    stop = threading.Event()
    connection = adbc_driver_postgresql.dbapi.connect(server.conninfo, autocommit=True)

    def move() -> None:
        number = 0
        with connection.cursor() as cursor:
            while not stop.is_set():
                number += 1
                low, high = number % 500 + 1, ROWS - number % 500
                cursor.executescript(
                    f"UPDATE accounts SET amount = amount + CASE WHEN id < {ROWS // 2} THEN 1 ELSE -1 END WHERE id IN ({low}, {high})"
                )

    thread = threading.Thread(target=move)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)
        connection.close()


@pytest.mark.parametrize(
    "cut",
    [
        {"partitioning": "ctid", "numPartitions": 3},
        {"partitionColumn": "id", "lowerBound": 1, "upperBound": ROWS, "numPartitions": 20},
    ],
    ids=["pages", "bounds"],
)
def test_one_state(spark: SparkSession, accounts: PostgresServer, cut: dict[str, str | int]) -> None:
    with transfers(accounts):
        for _ in range(5):
            frame = read(spark, accounts, **cut)
            assert tuple(frame.selectExpr("count(*)", "count(DISTINCT id)", "sum(amount)").collect()[0]) == (
                ROWS,
                ROWS,
                0,
            )
    wait_until(lambda: accounts.busy() == 0, 2, "every transaction has ended")


def test_one_state_in_worker_processes(spark: SparkSession, accounts: PostgresServer) -> None:
    with transfers(accounts):
        frame = read(spark, accounts, partitioning="ctid", numPartitions=3, isolation="process")
        assert tuple(frame.selectExpr("count(*)", "count(DISTINCT id)", "sum(amount)").collect()[0]) == (ROWS, ROWS, 0)
    wait_until(lambda: accounts.busy() == 0, 2, "every transaction has ended")


def test_the_plan_names_the_state(spark: SparkSession, accounts: PostgresServer) -> None:
    assert "snapshot=" in plan_of(read(spark, accounts, numPartitions=2))
    assert "snapshot=" not in plan_of(read(spark, accounts, numPartitions=2, consistency="none"))
    assert "snapshot=" not in plan_of(read(spark, accounts, partitioning="none"))


def test_a_plan_that_is_not_run_ends_its_transaction(spark: SparkSession, accounts: PostgresServer) -> None:
    plan_of(read(spark, accounts, numPartitions=2))
    wait_until(lambda: accounts.busy() == 0, 10, "every transaction has ended")


def test_a_read_that_is_left_or_fails_ends_its_transaction(spark: SparkSession, accounts: PostgresServer) -> None:
    cut: dict[str, str | int] = {"partitionColumn": "id", "lowerBound": 1, "upperBound": ROWS, "numPartitions": 40}
    assert len(read(spark, accounts, **cut, pushDownLimit="false").limit(3).collect()) == 3
    wait_until(lambda: accounts.busy() == 0, 10, "every transaction has ended")
    failing = "(SELECT id, 1 / (id - 30000) AS amount FROM accounts) x"
    with pytest.raises(PySparkException, match="division by zero"):
        read(spark, accounts, **cut, dbtable=failing).collect()
    wait_until(lambda: accounts.busy() == 0, 10, "every transaction has ended")


def test_a_database_that_has_no_snapshots(spark: SparkSession, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    connection.close()
    reader = spark.read.format("jdbc").option("url", f"jdbc:sqlite:{path}").option("dbtable", "t")
    reader = reader.option("consistency", "snapshot")
    assert reader.load().collect() == []
    cut = reader.options(partitionColumn="id", lowerBound=1, upperBound=10, numPartitions=2)
    with pytest.raises(PySparkException, match="jdbc:sqlite: has no snapshot that several connections can read"):
        cut.load().collect()


@pytest.mark.parametrize("level", ["READ_COMMITTED", "repeatable_read", "SERIALIZABLE"])
def test_levels(spark: SparkSession, accounts: PostgresServer, level: str) -> None:
    frame = read(spark, accounts, isolationLevel=level, consistency="none")
    query = "(SELECT current_setting('transaction_isolation') AS level) x"
    frame = read(spark, accounts, isolationLevel=level, dbtable=query)
    assert frame.first()["level"] == level.lower().replace("_", " ")  # type: ignore[index]
