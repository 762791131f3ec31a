"""`spark.sql` for queries: the same plans as a DataFrame's, and Spark's answers."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pyspark.errors import AnalysisException, ArithmeticException, ParseException, PySparkException
from pyspark.sql import SparkSession


@pytest.fixture(scope="module", autouse=True)
def views(spark: SparkSession) -> None:
    rows = [(1, "Ada", "north", 36), (2, "Bo", "south", None), (3, "Cy", "north", 52), (4, "Di", "west", 19)]
    spark.createDataFrame(rows, "id BIGINT, name STRING, region STRING, age INT").createOrReplaceTempView("people")
    spark.createDataFrame([("north", 1), ("east", 2)], "region STRING, size INT").createOrReplaceTempView("regions")
    spark.read.format("numbers").option("rows", 100).load().createOrReplaceTempView("numbers")


def rows_of(spark: SparkSession, query: str, **arguments: object) -> list[tuple[object, ...]]:
    return [tuple(row) for row in spark.sql(query, args=arguments or None).collect()]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT 1", [(1,)]),
        ("SELECT 1/2", [(0.5,)]),
        ("SELECT 7 % 3, -7 % 3", [(1, -1)]),
        ("SELECT 1.5 + 1", [(Decimal("2.5"),)]),
        ("SELECT 'a' || 'b', concat('a', NULL)", [("ab", None)]),
        ("SELECT cast('12' AS INT), cast(1.9 AS INT)", [(12, 1)]),
        ("SELECT CASE WHEN 1 > 2 THEN 'x' ELSE 'y' END", [("y",)]),
        ("SELECT coalesce(NULL, 3), nullif(1, 1)", [(3, None)]),
        ("SELECT name FROM people WHERE age BETWEEN 20 AND 40", [("Ada",)]),
        ("SELECT name FROM people ORDER BY age", [("Bo",), ("Di",), ("Ada",), ("Cy",)]),
        ("SELECT name FROM people ORDER BY age DESC LIMIT 1", [("Cy",)]),
        ("SELECT region, count(*) FROM people GROUP BY region ORDER BY 1", [("north", 2), ("south", 1), ("west", 1)]),
        ("SELECT region FROM people GROUP BY region HAVING count(*) > 1", [("north",)]),
        ("SELECT p.name, r.size FROM people p JOIN regions r USING (region) ORDER BY p.name", [("Ada", 1), ("Cy", 1)]),
        ("SELECT p.name FROM people p LEFT ANTI JOIN regions r ON p.region = r.region ORDER BY 1", [("Bo",), ("Di",)]),
        ("WITH old AS (SELECT * FROM people WHERE age > 30) SELECT count(*) FROM old", [(2,)]),
        ("SELECT count(*) FROM (SELECT DISTINCT region FROM people) t", [(3,)]),
        ("SELECT id FROM people WHERE region IN (SELECT region FROM regions) ORDER BY id", [(1,), (3,)]),
        ("SELECT 1 AS a UNION ALL SELECT 2 ORDER BY a", [(1,), (2,)]),
        ("SELECT sum(n), max(text) FROM numbers WHERE n < 5", [(10, "9")]),
        ("SELECT * FROM VALUES (1, 'a'), (2, 'b') AS t(n, s) ORDER BY n", [(1, "a"), (2, "b")]),
    ],
)
def test_queries(spark: SparkSession, query: str, expected: list[tuple[object, ...]]) -> None:
    assert rows_of(spark, query) == expected


@pytest.mark.parametrize(
    ("query", "columns"),
    [
        ("SELECT 1", ["1"]),
        ("SELECT 1/2", ["(1 / 2)"]),
        ("SELECT count(*) FROM people", ["count(1)"]),
        ("SELECT age + 1, upper(name) FROM people", ["(age + 1)", "upper(name)"]),
        ("SELECT NAME FROM people", ["NAME"]),
        ("SELECT 1 a, 2 a", ["a", "a"]),
        ("SELECT * FROM people", ["id", "name", "region", "age"]),
        ("SELECT p.* FROM people p", ["id", "name", "region", "age"]),
        ("SELECT CAST(id AS STRING) FROM people", ["id"]),
    ],
)
def test_names_of_columns(spark: SparkSession, query: str, columns: list[str]) -> None:
    assert spark.sql(query).columns == columns


@pytest.mark.parametrize(
    ("query", "types"),
    [
        ("SELECT 1, 3000000000, 2.5, 2.5D, 'x', true, NULL", "int bigint decimal(2,1) double string boolean void"),
        ("SELECT DATE '2024-02-29', TIMESTAMP '2024-02-29 12:00:00'", "date timestamp"),
        ("SELECT count(*), sum(age), avg(age) FROM people", "bigint bigint double"),
    ],
)
def test_types(spark: SparkSession, query: str, types: str) -> None:
    assert " ".join(kind for _, kind in spark.sql(query).dtypes) == types


def test_arguments(spark: SparkSession) -> None:
    assert rows_of(spark, "SELECT name FROM people WHERE id = :id", id=3) == [("Cy",)]
    positional = spark.sql("SELECT name FROM people WHERE id = ? OR age = ?", args=[1, 19]).collect()
    assert sorted(row["name"] for row in positional) == ["Ada", "Di"]


def test_a_query_goes_on_as_a_frame(spark: SparkSession) -> None:
    assert spark.sql("SELECT id, age FROM people").filter("age > 30").groupBy().sum("id").collect() == [(4,)]


@pytest.mark.parametrize("query", ["SELEC 1", "SELECT 1 FROM (", "SELECT (1", "SELECT 'a"])
def test_text_that_is_no_sql(spark: SparkSession, query: str) -> None:
    with pytest.raises(ParseException) as caught:
        spark.sql(query).collect()
    assert str(caught.value.getCondition()).startswith("PARSE_SYNTAX_ERROR")
    assert caught.value.getSqlState() == "42601"


@pytest.mark.parametrize(
    ("query", "kind", "condition"),
    [
        ("SELECT * FROM nowhere", AnalysisException, "TABLE_OR_VIEW_NOT_FOUND"),
        ("SELECT nmae FROM people", AnalysisException, "UNRESOLVED_COLUMN.WITH_SUGGESTION"),
        ("SELECT no_such_function(1)", AnalysisException, "UNRESOLVED_ROUTINE"),
        ("SELECT region, name FROM people GROUP BY region", AnalysisException, "MISSING_AGGREGATION"),
        ("SELECT id FROM people UNION SELECT id, name FROM people", AnalysisException, "NUM_COLUMNS_MISMATCH"),
        ("SELECT 1/0", ArithmeticException, "DIVIDE_BY_ZERO"),
        ("SELECT cast('abc' AS INT)", PySparkException, "CAST_INVALID_INPUT"),
    ],
)
def test_errors(spark: SparkSession, query: str, kind: type[PySparkException], condition: str) -> None:
    with pytest.raises(kind) as caught:
        spark.sql(query).collect()
    assert caught.value.getCondition() == condition


def test_statements_that_are_not_there_yet_say_so(spark: SparkSession) -> None:
    with pytest.raises(PySparkException) as caught:
        spark.sql("CREATE TABLE t (a INT) CLUSTERED BY (a) INTO 2 BUCKETS").collect()
    assert "CREATE TABLE" in str(caught.value).upper()


def test_a_query_that_means_nothing_is_refused_before_it_is_run(spark: SparkSession) -> None:
    with pytest.raises(AnalysisException) as caught:
        spark.sql("SELECT nope FROM people")
    assert caught.value.getCondition() == "UNRESOLVED_COLUMN.WITH_SUGGESTION"
