"""The same query on one machine and on clusters of several forms: the same answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from tests.cluster.answers import RUNNER, Answer, answer, read
from tests.cluster.queries import QUERIES, is_ordered
from tests.support.cluster import running_cluster

FORMS = {"1x1": (1, 1), "1x3": (1, 3), "2x2": (2, 2), "3x2": (3, 2)}
"""Executors and the vcores of each."""

VIEWS = {"eight": 8, "three": 3, "one": 1, "none": 0}

FRAMES: dict[str, Callable[[SparkSession], DataFrame]] = {
    "dropDuplicates": lambda spark: spark.table("eight").select("g", "b").dropDuplicates(["g", "b"]),
    "summary": lambda spark: spark.table("eight").select("k", "g").summary("count", "min", "max"),
    "fillna": lambda spark: spark.table("eight").select("g", "s").fillna(0).na.drop(),
    "repartition": lambda spark: spark.table("eight").repartition(5).groupBy("g").count(),
    "coalesce": lambda spark: spark.table("eight").coalesce(2).agg(f.sum("k")),
    "sample": lambda spark: spark.table("eight").sample(0.5, seed=3).agg(f.count("*") < 320, f.min("k") >= 0),
    "randomSplit": lambda spark: _together(*spark.table("eight").select("k").randomSplit([0.3, 0.7], seed=1)),
    "unionByName": lambda spark: (
        spark.table("eight")
        .select("k", "s")
        .unionByName(spark.table("three").select("s", "g"), allowMissingColumns=True)
    ),
    "crosstab": lambda spark: spark.table("eight").crosstab("g", "day"),
    "offset": lambda spark: spark.table("three").orderBy(f.desc("k")).offset(100),
}


def _together(left: DataFrame, right: DataFrame) -> DataFrame:
    return left.union(right)


@pytest.fixture(scope="module")
def spark(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    executors, vcores = FORMS[request.param]
    folder = tmp_path_factory.mktemp("form")
    with running_cluster(folder, executors=executors, vcores=vcores) as cluster:
        session = SparkSession.builder.remote(cluster.url).create()
        session.conf.set("spark.sql.session.timeZone", "America/New_York")
        for name, partitions in VIEWS.items():
            read(session, "Rows", partitions=partitions).createOrReplaceTempView(name)
        pushing = read(session, "Pushing", module="tests.support.pushing", pushes="exact")
        pushing.createOrReplaceTempView("pushed")
        few = session.createDataFrame([(1, "x"), (2, None), (3, "z")], "id int, name string")
        few.createOrReplaceTempView("few")
        session.sql("select length(s) n, k from eight").createOrReplaceTempView("named")
        kept = session.sql("select g, count(*) n from three group by g").cache()
        kept.createOrReplaceTempView("kept")
        yield session
        session.stop()


def on(spark: SparkSession, runner: str, frame: Callable[[], DataFrame], *, ordered: bool) -> Answer | str:
    """The answer of a query, or its error."""
    spark.conf.set(RUNNER, runner)
    try:
        return answer(frame(), ordered=ordered)
    except Exception as error:
        return str(error)


def difference(spark: SparkSession, frame: Callable[[], DataFrame], *, ordered: bool = False) -> str | None:
    """How a query differs between one machine and a cluster. The runner is not `auto`: what it cannot send runs here."""
    here, there = (on(spark, runner, frame, ordered=ordered) for runner in ("local", "cluster"))
    if isinstance(here, str) or isinstance(there, str):
        return f"here {here}\nthere {there}"
    return there.differs(here)


def differences(spark: SparkSession, queries: tuple[str, ...]) -> list[str]:
    found = []
    for query in queries:
        frame = (lambda text: lambda: spark.sql(text))(query.rstrip("*") if is_ordered(query) else query)
        different = difference(spark, frame, ordered=is_ordered(query))
        found += [f"{query}: {different}"] if different else []
    return found


@pytest.mark.parametrize("spark", ["1x1"], indirect=True)
@pytest.mark.parametrize("kind", QUERIES)
def test_some_queries(spark: SparkSession, kind: str) -> None:
    """Every sixth, so that it does not take long."""
    assert not differences(spark, QUERIES[kind][::6])


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", QUERIES)
@pytest.mark.parametrize("spark", FORMS, indirect=True)
def test_queries(spark: SparkSession, kind: str) -> None:
    assert not differences(spark, QUERIES[kind])


@pytest.mark.slow
@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("spark", FORMS, indirect=True)
def test_frames(spark: SparkSession, name: str) -> None:
    assert not (different := difference(spark, lambda: FRAMES[name](spark))), different


@pytest.mark.parametrize("spark", ["1x1"], indirect=True)
def test_a_plan_is_shown(spark: SparkSession) -> None:
    spark.conf.set(RUNNER, "auto")
    [[shown]] = spark.sql("explain select g, count(*) from eight group by g").collect()
    assert "PythonExec" in shown
    assert "RepartitionExec: partitioning=Hash" in shown


@pytest.mark.parametrize("spark", ["1x1"], indirect=True)
def test_what_a_cluster_would_get_wrong_runs_on_the_server(spark: SparkSession) -> None:
    for query, rows in [
        ("select count(*) from range(1000) r cross join one", 40_000),
        ("select count(*) from (select k from eight union all select * from (values (1), (2), (3)) limit 2)", 2),
    ]:
        spark.conf.set(RUNNER, "auto")
        assert spark.sql(query).collect()[0][0] == rows
