"""TPC-H on a cluster, from tables of a plug-in: the rows that DuckDB has on the same files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from pyspark.sql import SparkSession

from tests.cluster.answers import RUNNER, read
from tests.support.cluster import running_cluster
from tests.tpch import data, sql
from tests.tpch.test_tpch import assert_same

FAST = (1, 4, 13)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tpch")
    data.generate(folder, 0.01)
    return folder


@pytest.fixture(scope="module")
def judge(files: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for name in data.TABLES:
        connection.execute(f"create view {name} as select * from read_parquet('{files / name}.parquet')")
    return connection


@pytest.fixture(scope="module")
def spark(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    with running_cluster(tmp_path_factory.mktemp("cluster"), executors=2, vcores=2) as cluster:
        session = SparkSession.builder.remote(cluster.url).create()
        session.conf.set(RUNNER, "cluster")
        for name in data.TABLES:
            read(session, "Parquet", file=files / f"{name}.parquet").createOrReplaceTempView(name)
        yield session
        session.stop()


@pytest.mark.parametrize(
    "number", [pytest.param(number, marks=[] if number in FAST else pytest.mark.slow) for number in sql.QUERIES]
)
def test_query(spark: SparkSession, judge: duckdb.DuckDBPyConnection, number: int) -> None:
    assert_same(spark.sql(sql.QUERIES[number]), judge, number)
