"""Sessions: their settings and views are their own, and many work at the same time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import SparkSession
from pyspark.sql.functions import lit
from pyspark.sql.types import LongType

Open = Callable[[], SparkSession]


def test_version(spark: SparkSession) -> None:
    assert spark.version.startswith("4.")


def test_settings(new_session: Open) -> None:
    session = new_session()
    assert session.conf.get("spark.sql.session.timeZone")
    session.conf.set("spark.sql.session.timeZone", "Europe/Berlin")
    assert session.conf.get("spark.sql.session.timeZone") == "Europe/Berlin"
    session.conf.unset("spark.sql.session.timeZone")
    assert session.conf.get("spark.sql.session.timeZone") != "Europe/Berlin"
    assert session.conf.get("my.own", "none") == "none"
    with pytest.raises(PySparkException) as caught:
        session.conf.get("my.own")
    assert caught.value.getCondition() == "SQL_CONF_NOT_FOUND"


def test_views_and_settings_belong_to_a_session(new_session: Open) -> None:
    first, second = new_session(), new_session()
    first.range(3).createOrReplaceTempView("v")
    second.range(5).createOrReplaceTempView("v")
    first.conf.set("my.own", "1")
    assert first.table("v").count() == 3
    assert second.table("v").count() == 5
    assert second.conf.get("my.own", "none") == "none"
    first.catalog.dropTempView("v")
    assert second.table("v").count() == 5
    with pytest.raises(AnalysisException):
        first.table("v").collect()


def test_a_view_is_replaced_or_refused(new_session: Open) -> None:
    session = new_session()
    session.range(3).createTempView("v")
    with pytest.raises(AnalysisException) as caught:
        session.range(4).createTempView("v")
    assert caught.value.getCondition() == "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS"
    session.range(5).createOrReplaceTempView("v")
    assert session.table("v").count() == 5


def test_the_end_of_one_session_leaves_the_others(new_session: Open) -> None:
    first, second = new_session(), new_session()
    assert first.range(2).count() == 2
    assert second.range(3).count() == 3
    first.stop()
    assert second.range(3).count() == 3


def test_many_sessions_at_the_same_time(new_session: Open) -> None:
    sessions = [new_session() for _ in range(6)]

    def work(number: int) -> int:
        session = sessions[number % len(sessions)]
        frame = session.read.format("numbers").option("rows", 20_000 + number).option("partitions", 4).load()
        return frame.filter("n % 2 = 0").count()

    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(work, range(24)))
    assert counts == [(20_001 + number) // 2 for number in range(24)]


def test_many_queries_of_one_session_at_the_same_time(spark: SparkSession) -> None:
    def work(number: int) -> list[int]:
        return [row["id"] for row in spark.range(number, number + 100).collect()]

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(work, range(16)))
    assert results == [list(range(number, number + 100)) for number in range(16)]


NOT_BUILT_YET: dict[str, Callable[[SparkSession], object]] = {
    "partitioned write": lambda spark: spark.range(1).write.format("numbers").partitionBy("id").save(),
    "merge": lambda spark: spark.range(1).mergeInto("t", lit(True)).whenMatched().delete().merge(),
    "read a stream": lambda spark: spark.readStream.format("numbers").load().columns,
    "write a stream": lambda spark: spark.readStream.format("numbers").load().writeStream.format("console").start(),
    "user-defined function": lambda spark: spark.udf.register("own", lambda n: n, LongType()),
    "map in Arrow": lambda spark: spark.range(1).mapInArrow(lambda batches: batches, "id bigint").collect(),
}


@pytest.mark.parametrize("what", NOT_BUILT_YET)
def test_what_is_not_built_yet_is_refused_by_name(spark: SparkSession, what: str) -> None:
    with pytest.raises(PySparkException) as caught:
        NOT_BUILT_YET[what](spark)
    assert caught.value.getCondition() == "UNSUPPORTED_OPERATION"
    assert caught.value.getSqlState() == "0A000"
