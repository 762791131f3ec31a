"""Texts of a data frame that are read as JSON and CSV, and queries that need rows before they have columns."""

from __future__ import annotations

from typing import Any

from .model import Case, Run, frames, queries

JSON = """('{"a": 1}'), ('[{"a": 2}, {"a": 3, "b": [true]}]'), (''), ('  '), ('5'), ('{"b": {"c": 1}}'), ('{"a"')"""
CSV = "('#c'), (''), ('a,b'), ('1,2'), ('a,b'), ('3'), ('4,5,6'), (null), ('\"x\ny\",z')"


def _json(texts: str, schema: str | None = None, **options: Any) -> Run:
    return lambda spark, F: spark.read.json(spark.sql(f"select * from values {texts} t(v)"), schema, **options)


def _csv(texts: str, schema: str | None = None, **options: Any) -> Run:
    return lambda spark, F: spark.read.csv(spark.sql(f"select * from values {texts} t(v)"), schema, **options)


CASES: list[Case] = [
    *frames(
        {
            "json": _json(JSON),
            "json with a schema": _json(JSON, "a int, c string"),
            "json with the text of bad rows": _json(JSON, "a int, _corrupt_record string"),
            "json without bad rows": _json(JSON, "a int", mode="DROPMALFORMED"),
            "json that fails": _json(JSON, "a int", mode="FAILFAST"),
            "json of all types": _json(
                """('{"d": "2024-01-02", "t": "2024-01-02T03:04:05", "n": 1.25, "m": {"k": 1}, "l": [1, null]}')""",
                "d date, t timestamp, n decimal(5, 2), m map<string, int>, l array<bigint>",
            ),
            "json of no text": lambda spark, F: spark.read.json(spark.sql("select 'x' v where false")),
            "json with options": lambda spark, F: spark.read.option("primitivesAsString", True).json(
                spark.sql("""select * from values ("{'a': 1}"), ("{'a': true}") t(v)""")
            ),
            "json never null": lambda spark, F: spark.read.json(
                spark.sql("""select '{"a": 1}' v"""), schema="a int not null"
            ).schema.treeString(),
            "json of two columns": lambda spark, F: spark.read.json(spark.sql("select '{}' v, 1 w")),
            "json of numbers": lambda spark, F: spark.read.json(spark.range(2)),
            "json of a view": lambda spark, F: (
                spark.sql("""select '{"a": 1, "b": "x"}' v""").createOrReplaceTempView("texts"),
                spark.read.json(spark.table("texts")).filter("a = 1").select("b"),
            )[1],
            "json of many": lambda spark, F: spark.read.json(
                spark.sql("""select concat('{"a": ', id, '}') v from range(20000)"""), "a int"
            ).selectExpr("count(*)", "sum(a)", "min(a)"),
            "csv": _csv(CSV),
            "csv with a header": _csv(CSV, header=True),
            "csv with a header and comments": _csv(
                CSV.replace("(null), ", ""), header=True, comment="#", inferSchema=True
            ),
            "csv with a header and a schema": _csv(CSV, "x int, y int", header=True, comment="#"),
            "csv with another header": _csv(CSV, "x int, y int", header=True, comment="#", enforceSchema=False),
            "csv with a schema": _csv(CSV, "a int, b int"),
            "csv with the text of bad rows": _csv(CSV, "a int, b int, _corrupt_record string"),
            "csv without bad rows": _csv(CSV, "a int, b int", mode="DROPMALFORMED"),
            "csv that fails": _csv(CSV, "a int, b int", mode="FAILFAST"),
            "csv with options": _csv("('1;2'), ('-;x')", "a int, b string", sep=";", nullValue="-"),
            "csv of no text": lambda spark, F: spark.read.csv(spark.sql("select 'x' v where false")),
            "pivot in a subquery": lambda spark, F: spark.range(2).select(
                "id", _people(spark).groupBy().pivot("k").sum("v").select("a").scalar().alias("a")
            ),
            "pivot in a condition": lambda spark, F: spark.range(2).where(
                _people(spark).groupBy("v").pivot("k").count().exists()
            ),
            "transpose in a subquery": lambda spark, F: spark.range(1).select(
                _people(spark).transpose().select("b").scalar().alias("b")
            ),
            "json in a subquery": lambda spark, F: spark.range(1).select(
                spark.read.json(spark.sql("""select '{"a": 1}' v""")).select("a").scalar().alias("a")
            ),
        }
    ),
    *queries(
        "SELECT (SELECT a FROM (SELECT * FROM VALUES ('a', 1), ('b', 2) t(k, v)) PIVOT (sum(v) FOR k IN ('a', 'b')))",
        "SELECT id FROM range(3) WHERE id IN (SELECT b FROM (SELECT * FROM VALUES ('a', 1), ('b', 2) t(k, v))"
        " PIVOT (sum(v) FOR k IN ('b')))",
    ),
]


def _people(spark: Any) -> Any:
    return spark.sql("select * from values ('a', 1), ('b', 2) t(k, v)")
