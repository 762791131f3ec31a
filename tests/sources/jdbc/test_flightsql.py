"""Flight SQL, a server of the tests' own."""

from __future__ import annotations

import secrets
import socket
import time
import traceback
from collections.abc import Iterator
from decimal import Decimal

import pytest
from pyspark.sql import SparkSession

from sheetbend.errors import AuthenticationError, SheetbendError, SourceConnectionError
from sheetbend.options import Options
from sheetbend.sources.jdbc import JDBCArrowDataSource
from tests.sources.jdbc.reading import partitions, read
from tests.support.explain import plan_of
from tests.support.flightsql import FlightSqlServer


@pytest.fixture(scope="module")
def flights() -> Iterator[FlightSqlServer]:
    with FlightSqlServer() as server:
        server.database.execute(
            "CREATE TABLE t AS SELECT i::BIGINT AS id, 'n' || i AS name, (i * 0.25)::DECIMAL(10,2) AS price, "
            "DATE '2024-01-01' + i::INTEGER AS day, i::UBIGINT AS big, uuid() AS u, "
            "TIMESTAMPTZ '2024-01-01 00:00:00+00' AS at FROM range(1, 5001) r(i)"
        )
        yield server


def test_rows(flights: FlightSqlServer) -> None:
    found = read({**flights.options, "dbtable": "t"})
    assert found.num_rows == 5000
    assert [str(kind) for kind in found.schema.types] == [
        "int64", "string", "decimal128(10, 2)", "date32[day]", "decimal128(20, 0)", "string", "timestamp[us, tz=UTC]",
    ]  # fmt: skip
    assert found.slice(3, 1).select(["id", "name", "price"]).to_pylist() == [
        {"id": 4, "name": "n4", "price": Decimal("1.00")}
    ]


def test_partitions(flights: FlightSqlServer) -> None:
    bounds = {"partitionColumn": "id", "lowerBound": "0", "upperBound": "5000", "numPartitions": "4"}
    found = partitions({**flights.options, "dbtable": "t", **bounds})
    assert sum(part.num_rows for part in found) == 5000
    assert len(found) == 4


def test_queries_of_spark(flights: FlightSqlServer, spark: SparkSession) -> None:
    frame = spark.read.format("jdbc").options(**flights.options).option("dbtable", "t").load()
    assert frame.filter("id > 10 AND name = 'n12'").count() == 1
    assert [row.price for row in frame.filter("day <= DATE '2024-01-03'").select("price").collect()] == [
        Decimal("0.25"),
        Decimal("0.50"),
    ]
    assert 'WHERE "day" <=' in flights.queries[-1]
    assert len(frame.limit(3).collect()) == 3
    assert flights.queries[-1].endswith("LIMIT 3")
    assert "FilterExec" in plan_of(frame.filter("name = 'n12'"))


def test_a_wrong_password_is_tried_once(flights: FlightSqlServer) -> None:
    before = flights.logins
    with pytest.raises(AuthenticationError, match="wrong user or password"):
        read({**flights.options, "dbtable": "t", "password": "other"})
    assert flights.logins == before + 1


def test_a_closed_port(flights: FlightSqlServer) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    started = time.monotonic()
    url = f"jdbc:arrow-flight-sql://127.0.0.1:{port}/?useEncryption=false"
    with pytest.raises(SourceConnectionError, match="refused"):
        read({**flights.options, "url": url, "dbtable": "t"})
    assert time.monotonic() - started < 2


def test_an_error_of_the_server(flights: FlightSqlServer) -> None:
    with pytest.raises(SheetbendError, match="missing does not exist"):
        read({**flights.options, "dbtable": "missing"})


def test_no_secret_leaves(flights: FlightSqlServer) -> None:
    canary = "canary" + secrets.token_hex(8)
    for url in (flights.url, f"{flights.url}&token={canary}", f"{flights.url}&password={canary}&nonsense=1"):
        options = Options({"url": url, "user": "u", "password": canary, "dbtable": "t"})
        with pytest.raises(SheetbendError) as caught:
            JDBCArrowDataSource().infer_schema(options)
        assert canary not in "".join(traceback.format_exception(caught.value))
