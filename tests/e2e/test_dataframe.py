"""What a DataFrame can do; the answers are Spark's."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.errors import AnalysisException, ArithmeticException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f
from pyspark.sql.types import IntegerType, LongType, StringType, StructField, StructType


@pytest.fixture(scope="module")
def people(spark: SparkSession) -> DataFrame:
    rows = [(1, "Ada", "north", 36), (2, "Bo", "south", None), (3, "Cy", "north", 52), (4, "Di", "west", 19)]
    return spark.createDataFrame(rows, "id BIGINT, name STRING, region STRING, age INT")


@pytest.fixture(scope="module")
def numbers(spark: SparkSession) -> DataFrame:
    return spark.read.format("numbers").option("rows", 1000).option("partitions", 4).load()


def names(frame: DataFrame) -> list[str]:
    return [row["name"] for row in frame.collect()]


def test_select_and_with_column(people: DataFrame) -> None:
    frame = people.select("id", (f.col("age") + 1).alias("next"), f.upper("name")).withColumn("twice", f.col("id") * 2)
    assert frame.columns == ["id", "next", "upper(name)", "twice"]
    assert frame.orderBy("id").first() == (1, 37, "ADA", 2)


def test_names_of_expressions_are_those_of_spark(people: DataFrame) -> None:
    assert people.select(f.col("age") + 1, f.col("id") > 2).columns == [
        "(age + 1)",
        "(id > 2)",
    ]
    assert people.groupBy("region").agg(f.count("*"), f.sum("age"), f.max("age")).columns == [
        "region",
        "count(1)",
        "sum(age)",
        "max(age)",
    ]


def test_filter(people: DataFrame) -> None:
    assert names(people.filter(f.col("age") > 30).orderBy("id")) == ["Ada", "Cy"]
    assert names(people.where("region = 'north' AND age < 50")) == ["Ada"]
    assert names(people.filter(f.col("age").isNull())) == ["Bo"]
    assert names(people.filter(f.col("name").isin("Di", "Bo")).orderBy("id")) == ["Bo", "Di"]
    assert names(people.filter(f.col("name").like("%y"))) == ["Cy"]


def test_group_by(people: DataFrame) -> None:
    grouped = people.groupBy("region").agg(f.count("*").alias("n"), f.avg("age").alias("age")).orderBy("region")
    assert [tuple(row) for row in grouped.collect()] == [("north", 2, 44.0), ("south", 1, None), ("west", 1, 19.0)]
    assert people.agg(f.min("age"), f.max("age"), f.sum("age"), f.count("age")).collect()[0] == (19, 52, 107, 3)
    assert people.groupBy("region").count().orderBy("region").first() == ("north", 2)
    assert people.select(f.count("age"), f.max("age")).collect() == [(3, 52)]
    assert people.selectExpr("sum(age) AS s").collect() == [(107,)]
    assert people.agg(f.countDistinct("region")).collect()[0][0] == 3


def test_nulls_come_first_ascending_and_last_descending(people: DataFrame) -> None:
    assert names(people.orderBy("age")) == ["Bo", "Di", "Ada", "Cy"]
    assert names(people.orderBy(f.desc("age"))) == ["Cy", "Ada", "Di", "Bo"]
    assert names(people.orderBy(f.col("age").asc_nulls_last())) == ["Di", "Ada", "Cy", "Bo"]


def test_joins(spark: SparkSession, people: DataFrame) -> None:
    regions = spark.createDataFrame([("north", 1), ("east", 2)], "region STRING, size INT")
    assert people.join(regions, "region").columns == ["region", "id", "name", "age", "size"]
    assert names(people.join(regions, "region").orderBy("id")) == ["Ada", "Cy"]
    assert people.join(regions, "region", "left").count() == 4
    assert people.join(regions, "region", "right").count() == 3
    full = people.join(regions, "region", "full").orderBy("region", "id").collect()
    assert [row["region"] for row in full] == ["east", "north", "north", "south", "west"]
    assert names(people.join(regions, "region", "semi").orderBy("id")) == ["Ada", "Cy"]
    assert names(people.join(regions, "region", "anti").orderBy("id")) == ["Bo", "Di"]
    assert people.crossJoin(regions).count() == 8
    on = people.join(regions, people["region"] == regions["region"])
    assert on.columns == ["id", "name", "region", "age", "region", "size"]
    assert on.select(regions["region"], "size").distinct().collect() == [("north", 1)]


def test_a_join_of_a_frame_with_itself(people: DataFrame) -> None:
    left, right = people.alias("l"), people.alias("r")
    pairs = left.join(right, (f.col("l.region") == f.col("r.region")) & (f.col("l.id") < f.col("r.id")))
    assert [tuple(row) for row in pairs.select("l.name", "r.name").collect()] == [("Ada", "Cy")]


def test_limit_union_distinct_drop(people: DataFrame, numbers: DataFrame) -> None:
    assert numbers.limit(17).count() == 17
    assert numbers.limit(0).collect() == []
    assert people.union(people).count() == 8
    assert people.union(people).distinct().count() == 4
    assert people.select("region").distinct().count() == 3
    assert people.dropDuplicates(["region"]).count() == 3
    assert people.drop("age", "nothing").columns == ["id", "name", "region"]
    assert people.withColumnRenamed("name", "called").columns == ["id", "called", "region", "age"]
    assert people.unionByName(people.select("age", "region", "name", "id")).count() == 8


def test_cast(people: DataFrame) -> None:
    frame = people.select(f.col("id").cast("string").alias("s"), f.col("age").cast("double").alias("d"))
    assert frame.dtypes == [("s", "string"), ("d", "double")]
    assert frame.orderBy("s").first() == ("1", 36.0)


def test_taking_rows(numbers: DataFrame, people: DataFrame) -> None:
    ordered = numbers.orderBy("n")
    assert [row["n"] for row in ordered.take(3)] == [0, 1, 2]
    assert ordered.first() == (0, "0")
    assert ordered.head(2)[1]["n"] == 1
    assert [row["n"] for row in ordered.tail(2)] == [998, 999]
    assert not numbers.isEmpty()
    assert people.filter("id > 99").isEmpty()
    assert sum(row["n"] for row in numbers.toLocalIterator()) == 999 * 500


def test_pandas_and_arrow(numbers: DataFrame) -> None:
    pandas: Any = numbers.orderBy("n").toPandas()
    assert list(pandas.columns) == ["n", "text"]
    assert pandas["n"].tolist() == list(range(1000))
    arrow = numbers.orderBy("n").toArrow()
    assert arrow.num_rows == 1000
    assert arrow.column("text")[3].as_py() == "9"


def test_schema(people: DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    assert people.schema == StructType(
        [
            StructField("id", LongType()),
            StructField("name", StringType()),
            StructField("region", StringType()),
            StructField("age", IntegerType()),
        ]
    )
    people.printSchema()
    assert " |-- age: integer (nullable = true)" in capsys.readouterr().out


def test_show(people: DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    people.select("id", "name", "age").orderBy("id").show(2)
    assert capsys.readouterr().out == (
        "+---+----+----+\n"
        "| id|name| age|\n"
        "+---+----+----+\n"
        "|  1| Ada|  36|\n"
        "|  2|  Bo|NULL|\n"
        "+---+----+----+\n"
        "only showing top 2 rows\n"
    )


def test_show_cuts_long_values(spark: SparkSession, capsys: pytest.CaptureFixture[str]) -> None:
    frame = spark.createDataFrame([("abcdefghijklmnopqrstuvwxyz",)], "text STRING")
    frame.show()
    assert "|abcdefghijklmnopq...|" in capsys.readouterr().out
    frame.show(truncate=False)
    assert "|abcdefghijklmnopqrstuvwxyz|" in capsys.readouterr().out
    frame.show(vertical=True)
    assert "-RECORD 0" in capsys.readouterr().out


def test_explain(numbers: DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    numbers.filter("n > 3").explain()
    assert "== Physical Plan ==" in capsys.readouterr().out
    numbers.explain(extended=True)
    assert "== Optimized Logical Plan ==" in capsys.readouterr().out


def test_range(spark: SparkSession) -> None:
    assert [row["id"] for row in spark.range(3).collect()] == [0, 1, 2]
    assert [row["id"] for row in spark.range(10, 0, -3).collect()] == [10, 7, 4, 1]
    assert spark.range(1_000_000).count() == 1_000_000


def test_two_columns_of_one_name(people: DataFrame) -> None:
    twice = people.select("id", "id")
    assert twice.columns == ["id", "id"]
    assert tuple(twice.orderBy(people["id"]).first() or ()) == (1, 1)


def test_an_unknown_column_names_the_nearest(people: DataFrame) -> None:
    with pytest.raises(AnalysisException) as caught:
        people.select("regoin").collect()
    assert caught.value.getCondition() == "UNRESOLVED_COLUMN.WITH_SUGGESTION"
    assert caught.value.getSqlState() == "42703"
    assert "`regoin`" in str(caught.value)
    assert "`region`" in str(caught.value)


def test_an_ambiguous_column(people: DataFrame) -> None:
    with pytest.raises(AnalysisException) as caught:
        people.select("id", "id").select("id").collect()
    assert caught.value.getCondition() == "AMBIGUOUS_REFERENCE"


def test_division_by_zero(people: DataFrame) -> None:
    with pytest.raises(ArithmeticException) as caught:
        people.select(f.col("id") / f.lit(0)).collect()
    assert caught.value.getCondition() == "DIVIDE_BY_ZERO"


def test_overflow(people: DataFrame) -> None:
    with pytest.raises(ArithmeticException) as caught:
        people.select(f.col("age") + f.lit(2_147_483_647)).collect()
    assert str(caught.value.getCondition()).startswith("ARITHMETIC_OVERFLOW")
