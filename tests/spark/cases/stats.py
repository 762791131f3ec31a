"""Statistics of a frame: df.stat, describe and summary of every type, samples and splits."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from .model import Case, Run, frames

EVERY_TYPE = (
    "select true b, 1Y t, 2S s, 3 i, 4L l, 1.5F f, 2.5D d, 3.25BD m, 'x' w, X'00' x, date'2024-01-01' dd, "
    "timestamp'2024-01-01' ts, timestamp_ntz'2024-01-01' tn, interval 1 day iv, interval 1 month im, array(1) a, "
    "map('k', 1) mp, struct(1 z) st, null n"
)


def _splits(weights: list[float]) -> Run:
    """Each row is in one split, which its seed says again."""

    def run(spark: Any, F: ModuleType) -> Any:
        frame = spark.range(200).select((F.col("id") % 7).alias("k"), F.lit("x").alias("x"))
        splits = [split.count() for split in frame.randomSplit(weights, seed=5)]
        again = [split.count() for split in frame.randomSplit(weights, seed=5)]
        return [sum(splits), splits == again, all(0 < size < 200 for size in splits)]

    return run


def _same_seed(**arguments: Any) -> Run:
    """What does not depend on which rows are chosen."""

    def run(spark: Any, F: ModuleType) -> Any:
        first, again, other = (
            sorted(row["id"] for row in spark.range(500).sample(seed=seed, **arguments).collect()) for seed in (3, 3, 4)
        )
        repeated = len(set(first)) < len(first)
        return [first == again, first == other, repeated, 0.6 < len(first) / (500 * arguments["fraction"]) < 1.4]

    return run


def _strata(spark: Any, F: ModuleType) -> Any:
    sampled = spark.range(900).select((F.col("id") % 3).alias("k")).sampleBy("k", {0: 0.5, 1: 1.0}, seed=1)
    counts = {row["k"]: row["count"] for row in sampled.groupBy("k").count().collect()}
    return [100 < counts[0] < 200, counts[1], counts.get(2)]


CASES: list[Case] = [
    *frames(
        {
            "crosstab": lambda spark, F: spark.table("people").crosstab("city", "age"),
            "crosstab of text": lambda spark, F: spark.table("orders").stat.crosstab("state", "order_id"),
            "crosstab of one column": lambda spark, F: spark.table("people").crosstab("age", "age"),
            "crosstab of doubles and decimals": lambda spark, F: spark.table("people").crosstab("score", "salary"),
            "crosstab of dates": lambda spark, F: spark.table("people").crosstab("born", "id"),
            "crosstab of nothing": lambda spark, F: spark.table("people").limit(0).crosstab("city", "age"),
            "crosstab of an unknown column": lambda spark, F: spark.table("people").crosstab("city", "nope"),
            "crosstab of an odd name": lambda spark, F: spark.sql("select 1 `a.b`, 'x' `c d`").crosstab("`a.b`", "c d"),
            "cov": lambda spark, F: spark.table("orders").cov("order_id", "amount"),
            "cov with nulls": lambda spark, F: spark.table("people").cov("id", "age"),
            "cov of decimals": lambda spark, F: spark.table("people").cov("id", "salary"),
            "cov of text": lambda spark, F: spark.table("people").cov("id", "name"),
            "cov of one row": lambda spark, F: spark.sql("select 1 a, 2 b").cov("a", "b"),
            "cov of nothing": lambda spark, F: spark.table("orders").limit(0).cov("order_id", "amount"),
            "cov of an unknown column": lambda spark, F: spark.table("people").cov("id", "nope"),
            "corr": lambda spark, F: round(spark.table("orders").stat.corr("order_id", "amount"), 12),
            "corr with nulls": lambda spark, F: round(spark.table("people").corr("id", "age"), 12),
            "corr pearson": lambda spark, F: round(spark.table("orders").corr("order_id", "amount", "pearson"), 12),
            "corr of text": lambda spark, F: spark.table("people").corr("id", "name"),
            "corr of nothing": lambda spark, F: str(
                spark.table("orders").limit(0).select("order_id", "amount").corr("order_id", "amount")
            ),
            "corr of a method": lambda spark, F: spark.table("orders").corr("order_id", "amount", "spearman"),
            "approxQuantile": lambda spark, F: spark.range(101).approxQuantile("id", [0.0, 0.25, 0.5, 1.0], 0.0),
            "approxQuantile of several": lambda spark, F: spark.table("people").approxQuantile(
                ["id", "age", "score", "salary"], [0.5, 0.9], 0.0
            ),
            "approxQuantile of nulls": lambda spark, F: spark.sql("select cast(null as double) a").approxQuantile(
                ["a"], [0.5], 0.0
            ),
            "approxQuantile of nothing": lambda spark, F: (
                spark.table("people").limit(0).approxQuantile(["id", "age"], [0.5], 0.0)
            ),
            "approxQuantile with an error": lambda spark, F: (
                spark.range(10).repartition(1).approxQuantile("id", [0.5], 0.1)
            ),
            "approxQuantile of text": lambda spark, F: spark.table("people").approxQuantile("name", [0.5], 0.0),
            "approxQuantile of a boolean": lambda spark, F: spark.sql("select true a").approxQuantile("a", [0.5], 0.0),
            "approxQuantile of an unknown column": lambda spark, F: spark.table("people").approxQuantile(
                "nope", [0.5], 0.0
            ),
            "freqItems": lambda spark, F: spark.sql(
                "select if(id % 2 = 0, 1, cast(id as int)) a, if(id < 60, 'x', 'y') b from range(0, 100, 1, 1)"
            ).freqItems(["a", "b"], 0.4),
            "freqItems of all": lambda spark, F: [
                sorted(map(str, items)) for items in spark.table("people").freqItems(["id", "city", "age"]).first()
            ],
            "freqItems names": lambda spark, F: spark.table("people").limit(1).freqItems(["id", "born"]),
            "freqItems of a small support": lambda spark, F: spark.range(3).freqItems(["id"], 0.00001),
            "freqItems of an unknown column": lambda spark, F: spark.table("people").freqItems(["nope"]),
            "sampleBy": _strata,
            "sampleBy text": lambda spark, F: (
                spark.table("people").sampleBy("city", {"Oslo": 1.0, "Rome": 0.0}, 0).select("id")
            ),
            "sampleBy an expression": lambda spark, F: (
                spark.table("people").sampleBy(F.col("id") % 2, {0: 1.0}, 0).select("id")
            ),
            "sampleBy above one": lambda spark, F: spark.table("people").sampleBy("id", {1: 2.0}, 0),
            "sample": _same_seed(fraction=0.4),
            "sample with replacement": _same_seed(fraction=0.8, withReplacement=True),
            "sample all": lambda spark, F: spark.range(5).sample(1.0),
            "sample none": lambda spark, F: spark.range(5).sample(0.0),
            "sample none with replacement": lambda spark, F: spark.range(5).sample(True, 0.0),
            "sample above one": lambda spark, F: spark.range(5).sample(False, 1.5),
            "sample keeps columns": lambda spark, F: spark.table("people").sample(True, 1.5, 1).limit(0),
            "sample below zero": lambda spark, F: spark.range(5).sample(-0.5),
            "randomSplit": _splits([1.0, 1.0]),
            "randomSplit of three": _splits([1.0, 2.0, 3.0]),
            "randomSplit of all types": lambda spark, F: sum(
                split.count() for split in spark.sql(EVERY_TYPE).randomSplit([1.0, 2.0], 7)
            ),
            "tablesample rows": lambda spark, F: spark.sql("select count(*) from people tablesample (3 rows)"),
            "tablesample percent": lambda spark, F: spark.sql("select count(*) from people tablesample (100 percent)"),
            "tablesample bucket": lambda spark, F: spark.sql(
                "select count(*) <= 5 from people tablesample (bucket 1 out of 2)"
            ),
            "tablesample repeatable": lambda spark, F: spark.sql(
                "select (select count(*) from people tablesample (50 percent) repeatable (3)) = "
                "(select count(*) from people tablesample (50 percent) repeatable (3)) same"
            ),
            "describe every type": lambda spark, F: spark.sql(EVERY_TYPE).describe(),
            "summary every type": lambda spark, F: spark.sql(EVERY_TYPE).summary(),
            "summary": lambda spark, F: spark.table("people").summary(),
            "summary of numbers": lambda spark, F: spark.table("numbers").summary("min", "max", "count", "25%", "50%"),
            "summary of nothing": lambda spark, F: spark.table("people").limit(0).summary(),
            "summary of percentiles": lambda spark, F: spark.range(101).summary("5%", "33.3%", "100%", "0%"),
            "summary of text as numbers": lambda spark, F: spark.sql(
                "select * from values ('1'), ('2'), ('x'), (null) t(a)"
            ).summary("mean", "stddev", "50%", "max"),
            "summary approx_count_distinct": lambda spark, F: spark.table("people").summary("approx_count_distinct"),
            "summary of no statistic": lambda spark, F: spark.table("people").summary("nope"),
            "summary above 100%": lambda spark, F: spark.table("people").summary("110%"),
            "summary of no number": lambda spark, F: spark.table("people").summary("x%"),
            "describe a date": lambda spark, F: spark.table("people").describe("born"),
            "describe an unknown column": lambda spark, F: spark.table("people").describe("nope"),
            "describe no column that counts": lambda spark, F: spark.table("people").select("born").describe(),
            "describe decimals": lambda spark, F: spark.table("people").describe("salary"),
            "describe doubled names": lambda spark, F: spark.sql("select 1 a, 2 a").describe(),
        }
    ),
    Case(
        "corr of a constant",
        lambda spark, F: str(spark.range(3).selectExpr("id", "1 b").corr("id", "b")),
        differs="there is no correlation with what does not vary: it is NaN, and no error",
    ),
]
