"""Order, limits, set operations, duplicates."""

from __future__ import annotations

from .model import Case, frames, queries

CASES: list[Case] = [
    *frames(
        {
            "orderBy nulls first": lambda spark, F: spark.table("people").orderBy("age", "id").select("id", "age"),
            "orderBy desc nulls last": lambda spark, F: spark.table("people").orderBy(F.desc("age"), "id").select("id"),
            "orderBy asc_nulls_last": lambda spark, F: spark.table("people").orderBy(F.asc_nulls_last("age"), "id"),
            "orderBy desc_nulls_first": lambda spark, F: spark.table("people").orderBy(F.desc_nulls_first("age"), "id"),
            "orderBy ascending list": lambda spark, F: spark.table("people").orderBy(
                "city", "id", ascending=[False, True]
            ),
            "orderBy expression": lambda spark, F: spark.table("people").orderBy(F.col("id") % 3, -F.col("id")),
            "orderBy hidden column": lambda spark, F: spark.table("people").select("name").orderBy("id"),
            "orderBy position": lambda spark, F: spark.table("people").select("name", "id").orderBy(2),
            "orderBy NaN is largest": lambda spark, F: (
                spark.table("people").orderBy("score", "id").select("id", "score")
            ),
            "sort desc NaN": lambda spark, F: spark.table("people").sort(F.col("score").desc(), "id").select("id"),
            "orderBy renamed": lambda spark, F: (
                spark.table("people").select(F.col("id").alias("k")).orderBy(F.desc("k"))
            ),
            "limit after order": lambda spark, F: spark.table("people").orderBy("id").limit(2).select("id"),
            "order after limit": lambda spark, F: spark.range(5).orderBy("id").limit(3).orderBy(F.desc("id")),
            "limit zero": lambda spark, F: spark.table("people").limit(0),
            "limit above": lambda spark, F: spark.range(2).limit(10),
            "offset": lambda spark, F: spark.range(5).orderBy("id").offset(3),
            "offset and limit": lambda spark, F: spark.range(9).orderBy("id").offset(2).limit(3),
            "limit then offset": lambda spark, F: spark.range(9).orderBy("id").limit(5).offset(2),
            "offset above": lambda spark, F: spark.range(3).offset(9),
            "tail": lambda spark, F: [row["id"] for row in spark.range(9).tail(2)],
            "first, head, take": lambda spark, F: (
                lambda df: [df.first()["id"], df.head()["id"], [row["id"] for row in df.take(2)]]
            )(spark.range(3).orderBy(F.desc("id"))),
            "orderBy text": lambda spark, F: spark.createDataFrame(
                [("b",), ("B",), ("a",), ("é",), ("",)], "s string"
            ).orderBy("s"),
            "orderBy struct": lambda spark, F: spark.createDataFrame(
                [((1, "b"),), ((1, "a"),), ((0, "z"),)], "s struct<x int, y string>"
            ).orderBy("s"),
            "orderBy boolean and date": lambda spark, F: spark.table("people").orderBy(F.col("id") > 3, "born"),
        },
        ordered=True,
    ),
    *frames(
        {
            "union": lambda spark, F: spark.range(2).union(spark.range(1, 3)),
            "union by position": lambda spark, F: spark.sql("select 1 a, 'x' b").union(spark.sql("select 2 b, 'y' a")),
            "union widens": lambda spark, F: spark.sql("select 1 a").union(spark.sql("select 2.5D")),
            "union int and bigint": lambda spark, F: spark.sql("select 1 a").union(spark.sql("select 2L")),
            "union decimal": lambda spark, F: spark.sql("select 1.5 a").union(spark.sql("select 100.25")),
            "union int and decimal": lambda spark, F: spark.sql("select 1 a").union(spark.sql("select 1.5")),
            "union date and timestamp": lambda spark, F: spark.sql("select date'2024-01-01' a").union(
                spark.sql("select timestamp'2024-01-01 10:00:00'")
            ),
            "union null": lambda spark, F: spark.sql("select null a").union(spark.sql("select 1")),
            "union int and string": lambda spark, F: spark.sql("select 1 a").union(spark.sql("select 'x'")),
            "union other number of columns": lambda spark, F: spark.range(1).union(spark.sql("select 1, 2")),
            "union incompatible": lambda spark, F: spark.sql("select true a").union(spark.sql("select 1")),
            "unionByName": lambda spark, F: spark.sql("select 1 a, 'x' b").unionByName(spark.sql("select 'y' B, 2 A")),
            "unionByName missing": lambda spark, F: spark.sql("select 1 a").unionByName(
                spark.sql("select 2 b"), allowMissingColumns=True
            ),
            "unionByName missing refused": lambda spark, F: spark.sql("select 1 a").unionByName(
                spark.sql("select 2 b")
            ),
            "distinct": lambda spark, F: spark.table("people").select("city").distinct(),
            "distinct NaN, zero, null": lambda spark, F: spark.sql(
                "select * from values (double('NaN')), (double('NaN')), (0.0D), (-0.0D), (null), (null) t(d)"
            ).distinct(),
            "dropDuplicates": lambda spark, F: spark.table("people").dropDuplicates(["city"]).select("city"),
            "dropDuplicates all": lambda spark, F: spark.sql(
                "select * from values (1, 2), (1, 2) t(a, b)"
            ).dropDuplicates(),
            "dropDuplicates unknown": lambda spark, F: spark.range(1).dropDuplicates(["nope"]),
            "intersect": lambda spark, F: spark.range(4).intersect(spark.range(2, 9)),
            "intersectAll": lambda spark, F: spark.sql("select * from values (1), (1), (2) t(a)").intersectAll(
                spark.sql("select * from values (1), (1), (3) t(a)")
            ),
            "subtract": lambda spark, F: spark.range(4).subtract(spark.range(2, 9)),
            "exceptAll": lambda spark, F: spark.sql("select * from values (1), (1), (2) t(a)").exceptAll(
                spark.sql("select 1 a")
            ),
            "repartition keeps rows": lambda spark, F: spark.range(5).repartition(3).repartition(2, "id").coalesce(1),
            "limit negative": lambda spark, F: spark.range(1).limit(-1),
            "hint is ignored": lambda spark, F: spark.range(2).hint("broadcast"),
            "range": lambda spark, F: spark.range(3, 10, 3),
            "range down": lambda spark, F: spark.range(5, 0, -2),
            "range empty": lambda spark, F: spark.range(5, 5),
            "range partitions": lambda spark, F: spark.range(0, 10, 1, 4),
        }
    ),
    *queries(
        "select id, age from people order by age, id",
        "select id, age from people order by age desc nulls first, id limit 2",
        "select name from people order by id desc limit 2 offset 1",
        "select id as k, -id from people order by 2",
        "select id from people order by age + id desc, 1",
        "select id from people order by 3",
        "select id % 2 as k, count(*) from people group by all order by k",
        "select id from people order by all",
        "select 1 union select 1 union all select 2 order by 1",
        "(select 1 a union all select 2) except select 2 order by a",
        "select * from values (1), (2) t(a) intersect select 2 order by a",
        "select * from values (1), (1), (2) t(a) minus all select 1 order by 1",
        "select distinct city from people order by city",
        "select id from people limit 1 + 1",
        "select id from people order by id limit all",
    ),
]
