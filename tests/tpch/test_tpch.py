"""TPC-H: every query, as SQL text and in the DataFrame API, has the rows that DuckDB has on the same files."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from pyspark.sql import DataFrame, SparkSession

from tests.support.server import ServerProcess
from tests.tpch import data, frames, sql

SCALE = 0.01
NUMBERS = sorted(sql.QUERIES)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tpch")
    data.generate(folder, SCALE)
    return folder


@pytest.fixture(scope="module")
def spark(server: ServerProcess, files: Path) -> Iterator[SparkSession]:
    session = SparkSession.builder.remote(server.url).create()
    data.register(session, files)
    yield session
    session.stop()


@pytest.fixture(scope="module")
def judge(files: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for name in data.TABLES:
        connection.execute(f"create view {name} as select * from read_parquet('{files / name}.parquet')")
    return connection


@pytest.mark.parametrize("number", NUMBERS)
def test_sql(spark: SparkSession, judge: duckdb.DuckDBPyConnection, number: int) -> None:
    assert_same(spark.sql(sql.QUERIES[number]), judge, number)


@pytest.mark.parametrize("number", NUMBERS)
def test_frame(spark: SparkSession, judge: duckdb.DuckDBPyConnection, number: int) -> None:
    assert_same(frames.QUERIES[number](spark.table), judge, number)


def assert_same(frame: DataFrame, judge: duckdb.DuckDBPyConnection, number: int) -> None:
    """The same columns, and the same rows but for the last digits of a fraction and the order among equals."""
    expected = judge.execute(sql.QUERIES[number])
    assert expected.description is not None
    assert frame.columns == [column[0] for column in expected.description]
    rows, wanted = ordered(map(tuple, frame.collect())), ordered(expected.fetchall())
    assert len(rows) == len(wanted)
    for row, other in zip(rows, wanted, strict=True):
        assert all(map(same, row, other)), f"{row} is not {other}"


def ordered(rows: Iterable[tuple[object, ...]]) -> list[tuple[object, ...]]:
    return sorted(rows, key=lambda row: [f"{float(v):.2f}" if isinstance(v, Decimal | float) else str(v) for v in row])


def same(left: object, right: object) -> bool:
    if isinstance(left, Decimal | float) and isinstance(right, Decimal | float | int):
        # Spark's average of decimals has six digits behind the point.
        return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-6)
    return left == right
