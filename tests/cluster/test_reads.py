"""On a cluster where nothing fails each partition spec is read once a scan, by one of the executors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from tests.cluster.answers import RUNNER, read
from tests.cluster.sources import noted
from tests.support.cluster import Cluster, running_cluster

Table = Callable[[str], DataFrame]

WHOLE: dict[str, Callable[[Table], DataFrame]] = {
    "scan": lambda t: t("a"),
    "count": lambda t: t("a").agg(f.count("*")),
    "groups": lambda t: t("a").filter("k > 3").groupBy("g").agg(f.sum("k")),
    "sort": lambda t: t("a").orderBy("s", "k"),
    "first": lambda t: t("a").orderBy("k").limit(2),
    "window": lambda t: t("a").selectExpr("k", "row_number() over (partition by g order by k)"),
    "union": lambda t: t("a").union(t("b")).union(t("c")),
    "union of one row each": lambda t: t("a").agg(f.max("k")).union(t("b").agg(f.min("k"))),
    "join": lambda t: t("a").alias("x").join(t("b").alias("y"), f.expr("x.k = y.k")),
    "outer join": lambda t: t("a").alias("x").join(t("b").alias("y"), f.expr("x.k > y.k + 300"), "left"),
    "cross join": lambda t: t("a").select("k").limit(2).crossJoin(t("b").select("g")),
    "semi join": lambda t: t("a").join(t("b"), "k", "left_semi"),
    "intersect": lambda t: t("a").select("g").intersect(t("b").select("g")),
}
"""By name, queries that need all rows of all tables that they name."""


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((2, 1), id="2x1"),
        pytest.param((1, 3), id="1x3", marks=pytest.mark.slow),
        pytest.param((2, 2), id="2x2", marks=pytest.mark.slow),
    ],
)
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    executors, vcores = request.param
    with running_cluster(tmp_path_factory.mktemp("reads"), executors=executors, vcores=vcores) as running:
        yield running


@pytest.fixture(scope="module")
def spark(cluster: Cluster) -> Iterator[SparkSession]:
    session = SparkSession.builder.remote(cluster.url).create()
    session.conf.set(RUNNER, "auto")
    yield session
    session.stop()


def reads(log: Path, cluster: Cluster) -> Counter[tuple[str, int]]:
    """How often each spec of each table was read, all of it by executors."""
    lines = noted(log)
    assert {line["process"] for line in lines} <= {executor.process.pid for executor in cluster.executors}
    return Counter((line["table"], line["part"]) for line in lines)


@pytest.mark.parametrize("name", WHOLE)
def test_each_spec_is_read_once(spark: SparkSession, cluster: Cluster, log: Path, name: str) -> None:
    named: set[str] = set()

    def table(name: str) -> DataFrame:
        named.add(name)
        return read(spark, "Rows", table=name, log=log)

    WHOLE[name](table).collect()
    counted = reads(log, cluster)
    if name == "cross join":
        # A limit of the left side needs but some of its rows.
        named.remove("a")
        assert set(counted.values()) == {1}
        counted = Counter({key: times for key, times in counted.items() if key[0] in named})
    assert counted == {(table, part): 1 for table in named for part in range(8)}


def test_a_table_that_is_joined_with_itself_is_read_twice(spark: SparkSession, cluster: Cluster, log: Path) -> None:
    table = read(spark, "Rows", log=log)
    assert table.alias("x").join(table.alias("y"), f.expr("x.k = y.k")).count() == 320
    assert reads(log, cluster) == {("rows", part): 2 for part in range(8)}


def test_a_limit_reads_no_spec_twice(spark: SparkSession, cluster: Cluster, log: Path) -> None:
    # So few rows are not sent away unless they must be.
    spark.conf.set(RUNNER, "cluster")
    assert len(read(spark, "Rows", log=log).limit(70).collect()) == 70
    spark.conf.set(RUNNER, "auto")
    assert set(reads(log, cluster).values()) == {1}
