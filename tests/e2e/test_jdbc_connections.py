"""What a server of PostgreSQL sees of queries: how often it is asked, and by how many connections."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from tests.support.postgresql import PostgresServer


@pytest.fixture(scope="module")
def told() -> Iterator[PostgresServer]:
    """A server that logs every statement."""
    with PostgresServer({"log_statement": "all"}) as running:
        running.execute("CREATE TABLE numbers AS SELECT i AS id, i % 7 AS seven FROM generate_series(1, 1000) i")
        yield running


def numbers(spark: SparkSession, server: PostgresServer, **options: str) -> DataFrame:
    return spark.read.format("jdbc").options(**{**server.options, "dbtable": "numbers", **options}).load()


def test_the_catalog_is_asked_once_a_query(spark: SparkSession, told: PostgresServer) -> None:
    before = told.log.count("to_regclass")
    assert numbers(spark, told).filter("id = 7").select("seven").collect()[0]["seven"] == 0
    assert told.log.count("to_regclass") - before == 1


def test_what_is_sent(spark: SparkSession, told: PostgresServer) -> None:
    numbers(spark, told).filter("seven IN (1, 2) AND id > 990").select("id").limit(3).collect()
    sent = re.findall(r"COPY \((SELECT \"id\".*?)\) TO STDOUT", told.log, re.DOTALL)[-1]
    assert (
        " ".join(sent.split())
        == 'SELECT "id" FROM numbers WHERE (("seven" = 1 OR "seven" = 2)) AND ("id" > 990) LIMIT 3'
    )


def test_connections_are_used_again(spark: SparkSession, told: PostgresServer) -> None:
    numbers(spark, told).count()
    before = told.log.count("connection authorized")
    for _ in range(10):
        assert numbers(spark, told).count() == 1000
    assert told.log.count("connection authorized") == before


def test_a_wrong_password_is_tried_once(spark: SparkSession, told: PostgresServer) -> None:
    before = told.log.count("password authentication failed")
    started = time.monotonic()
    with pytest.raises(PySparkException) as caught:
        numbers(spark, told, password="geheim-4711").count()
    assert caught.value.getCondition() == "DATA_SOURCE_AUTHENTICATION_FAILED"
    assert time.monotonic() - started < 2
    assert told.log.count("password authentication failed") - before == 1
    assert "geheim-4711" not in str(caught.value)


def test_a_password_that_changes_between_planning_and_reading(spark: SparkSession, told: PostgresServer) -> None:
    frame = numbers(spark, told)
    assert frame.count() == 1000
    told.execute(f"ALTER ROLE {told.user} PASSWORD 'another'")
    try:
        # A connection that is open stays so; one that is opened with the old password is refused.
        with pytest.raises(PySparkException) as caught:
            numbers(spark, told, application_name="a new one").count()
        assert caught.value.getCondition() == "DATA_SOURCE_AUTHENTICATION_FAILED"
    finally:
        told.execute(f"ALTER ROLE {told.user} PASSWORD '{told.password}'")


@pytest.mark.parametrize("place", ["127.0.0.1:1", "nosuchhost.invalid"])
def test_nobody_there(spark: SparkSession, told: PostgresServer, place: str) -> None:
    started = time.monotonic()
    with pytest.raises(PySparkException) as caught:
        numbers(spark, told, url=f"jdbc:postgresql://{place}/postgres").count()
    assert caught.value.getCondition() == "DATA_SOURCE_CONNECTION_FAILED"
    assert time.monotonic() - started < 2
