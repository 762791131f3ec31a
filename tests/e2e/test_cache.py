"""Rows that a session keeps: they are read once, are there for every query that needs them, and go when they are told to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from tests.support.server import ServerProcess, running_server

Open = Callable[[], SparkSession]


@pytest.fixture
def reads(tmp_path: Path) -> Callable[[], int]:
    """How often the source of :func:`counted` was read."""
    return lambda: len(list(tmp_path.glob("read-*")))


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    plugins = {"reads": "tests.support.tables:Reads", "folder": "tests.support.folder:Folder"}
    arguments = [argument for name, path in plugins.items() for argument in ("--register", f"{name}={path}")]
    with running_server(*arguments) as running:
        yield running


def counted(spark: SparkSession, folder: Path) -> DataFrame:
    return spark.read.format("reads").load(str(folder))


def test_a_frame_is_read_once(spark: SparkSession, tmp_path: Path, reads: Callable[[], int]) -> None:
    frame = counted(spark, tmp_path).filter("n > 0").cache()
    assert frame.is_cached
    assert reads() == 0, "nothing is read before it is needed"
    assert frame.count() == 2
    assert frame.agg(f.sum("n")).first() == (3,)
    assert frame.join(frame.withColumnRenamed("n", "m"), f.col("n") == f.col("m")).count() == 2
    assert reads() == 1
    frame.unpersist()
    assert frame.count() == 2
    assert reads() == 2


def test_a_write_takes_the_rows_that_are_kept(spark: SparkSession, tmp_path: Path, reads: Callable[[], int]) -> None:
    frame = counted(spark, tmp_path).filter("n > 0").cache()
    assert frame.count() == 2
    frame.write.parquet(str(tmp_path / "written"))
    assert spark.read.parquet(str(tmp_path / "written")).count() == 2
    assert reads() == 1


def test_views_and_text_find_what_is_kept(spark: SparkSession, tmp_path: Path, reads: Callable[[], int]) -> None:
    counted(spark, tmp_path).createOrReplaceTempView("base")
    spark.table("base").filter("n > 0").createOrReplaceTempView("above")
    spark.catalog.cacheTable("base")
    for query in (
        "SELECT sum(n) FROM base",
        "SELECT sum(n) FROM above",
        "WITH above AS (SELECT n FROM base b) SELECT sum(n) FROM above",
        "SELECT max(n) + 1 FROM base WHERE n IN (SELECT n FROM above)",
    ):
        assert spark.sql(query).first() == (3,), query
    assert reads() == 1
    spark.catalog.refreshTable("base")
    assert spark.table("base").count() == 3
    assert reads() == 2
    spark.catalog.dropTempView("base")
    assert spark.table("above").count() == 2
    assert reads() == 3


def test_a_named_query_hides_what_is_kept(spark: SparkSession, tmp_path: Path) -> None:
    counted(spark, tmp_path).createOrReplaceTempView("hidden")
    spark.catalog.cacheTable("hidden")
    assert spark.sql("WITH hidden AS (SELECT 7 AS n) SELECT n FROM hidden").first() == (7,)
    assert spark.sql("SELECT count(*) FROM hidden").first() == (3,)


def test_settings_that_change_the_meaning_are_minded(new_session: Open) -> None:
    spark = new_session()
    frame = spark.sql("SELECT CAST(TIMESTAMP '2024-01-01 00:00:00' AS string) AS t").cache()
    assert frame.first() == ("2024-01-01 00:00:00",)
    assert frame.is_cached
    spark.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
    assert not spark.sql("SELECT CAST(TIMESTAMP '2024-01-01 00:00:00' AS string) AS t").is_cached


def test_columns_keep_their_names_and_origins(spark: SparkSession) -> None:
    left = spark.range(3).withColumn("x", f.col("id") * 2)
    kept = left.select("id", "x", f.col("x").alias("x")).cache()
    assert kept.columns == ["id", "x", "x"]
    assert kept.select(left["id"]).agg(f.sum("id")).first() == (3,)
    assert [row.asDict()["id"] for row in kept.orderBy("id").collect()] == [0, 1, 2]
    kept.unpersist()


def test_rows_are_kept_for_one_session(new_session: Open, tmp_path: Path, reads: Callable[[], int]) -> None:
    first, second = new_session(), new_session()
    assert counted(first, tmp_path).cache().count() == 3
    assert not counted(second, tmp_path).is_cached
    assert counted(second, tmp_path).count() == 3
    assert reads() == 2


def test_statements(spark: SparkSession, tmp_path: Path, reads: Callable[[], int]) -> None:
    spark.sql(f"CREATE OR REPLACE TEMP VIEW source USING reads OPTIONS (path '{tmp_path}')")
    spark.sql("CACHE TABLE source")
    assert reads() == 1, "CACHE TABLE reads at once"
    assert spark.sql("SELECT count(*) FROM source").first() == (3,)
    spark.sql("UNCACHE TABLE source")
    spark.sql("CACHE LAZY TABLE source")
    assert reads() == 1
    spark.sql("CLEAR CACHE")
    assert not spark.catalog.isCached("source")
    spark.catalog.dropTempView("source")


def test_rows_of_a_table_that_is_written_to_are_read_anew(spark: SparkSession, tmp_path: Path) -> None:
    spark.sql(f"CREATE TABLE written USING folder OPTIONS (path '{tmp_path}') AS SELECT 1 AS n")
    spark.sql("CACHE TABLE written")
    frame = spark.read.format("folder").option("path", str(tmp_path)).load().cache()
    assert (spark.table("written").count(), frame.count()) == (1, 1)
    spark.sql("INSERT INTO written VALUES (2)")
    assert (spark.table("written").count(), frame.count()) == (2, 2)
    assert spark.catalog.isCached("written")
    frame.unpersist()
    spark.sql("DROP TABLE written")


def test_a_checkpoint_stands_for_itself(spark: SparkSession, tmp_path: Path, reads: Callable[[], int]) -> None:
    frame = counted(spark, tmp_path).localCheckpoint()
    assert reads() == 1
    assert frame.filter("n > 0").count() == 2
    assert sorted(frame.collect()) == [(0,), (1,), (2,)]
    assert reads() == 1


def test_an_error_is_not_kept(spark: SparkSession) -> None:
    frame = spark.range(3).select((1 / (f.col("id") - 1)).alias("x")).cache()
    for _ in range(2):
        with pytest.raises(Exception, match="DIVIDE_BY_ZERO"):
            frame.collect()
    frame.unpersist()
