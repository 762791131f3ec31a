"""Conditions: CASE, IF, IN, BETWEEN, LIKE, NULL."""

from __future__ import annotations

from .model import Case, expressions, frames, over

CASES: list[Case] = [
    *expressions(
        "case when true then 1 else 2 end, case when false then 1 end",
        "case when null then 1 else 2 end",
        "case 2 when 1 then 'a' when 2 then 'b' else 'c' end, case null when null then 1 else 2 end",
        "case when true then 1 else 2.5 end, case when true then 1 else 2L end, case when false then null else 'x' end",
        "case when true then 1 else 'x' end",
        "case when true then date'2024-01-01' else timestamp'2024-01-01 10:00:00' end",
        "case when true then 1 else 1 / 0 end",
        "case when 1 then 2 end",
        "case when true then array(1) else 1 end",
        "if(null, 1, 2)",
        "iff(true, 1, 2)",
        "if(true, 1, 2), if(1 > 2, 'a', null), if(true, 1, 2.5)",
        "coalesce(null, 1, 2), coalesce(null, null), coalesce(1, 2.5), coalesce(null, 'x', 'y')",
        "coalesce(1, 'x')",
        "coalesce()",
        "nvl(null, 1), nvl(2, 1), ifnull(null, 'x'), nvl2(null, 1, 2), nvl2(1, 'a', 'b')",
        "nullif(1, 1), nullif(1, 2), nullif(null, 1), nullifzero(0), zeroifnull(null)",
        "isnull(null), isnotnull(1), null is null, 1 is not null, null is not null",
        "null is true, true is not false, null is unknown, false is true",
        "1 in (1, 2), 3 in (1, null), 1 in (1, null), null in (1), 1 not in (2), 1 not in (2, null), 1 in (1.0, 2)",
        "1 in ('1'), 'a' in ('A'), (1, 2) in ((1, 2))",
        "1 in ('x')",
        "1 in (true)",
        "2 between 1 and 3, 0 between 1 and 3, 2 between 3 and 1, null between 1 and 2, 2 not between 1 and 3",
        "'b' between 'a' and 'c', 1.5 between 1 and 2, 2 between '1' and 3",
        "'abc' like 'a%', 'abc' like '_b_', 'abc' like 'B%', 'a%c' like 'a\\\\%c', null like 'a', 'abc' not like 'x%'",
        "'a%c' like 'a!%c' escape '!', 'ABC' ilike 'abc', 'abc' like any ('x', 'a%'), 'abc' like all ('a%', '%c')",
        "'a\\nb' like 'a_b', 'a' like '', '' like '%'",
        "decode(2, 1, 'a', 2, 'b', 'c'), decode(3, 1, 'a')",
        "greatest(1, null, 3), least(null, 2), equal_null(null, null), equal_null(1, null)",
        "not true, !false, true and not false",
        "true != false, true > false",
        "true = 1",
    ),
    *over(
        "people",
        "case when age > 30 then 'old' when age > 20 then 'young' end",
        "case when age is null then 0 else age end",
        "case city when 'Oslo' then 1 when 'Rome' then 2 else -1 end",
        "if(age > 30, name, city)",
        "coalesce(age, 0), coalesce(city, name), nvl(salary, 0), nvl(score, 0)",
        "age in (22, 31), age not in (22), city in ('Oslo', null)",
        "age between 22 and 31, salary between 0 and 4100",
        "name like 'A%', name like '%i', city not like 'O%'",
        "age is null, age is not null, isnan(score), score is null",
        "nullif(age, 31), nullif(city, 'Oslo')",
        "age > 30 and city = 'Oslo', age > 30 or city = 'Oslo', not (age > 30)",
        "city <=> null, city = null, age <=> 31",
    ),
    *frames(
        {
            "when otherwise": lambda spark, F: spark.table("people").select(
                "id", F.when(F.col("age") > 30, "old").when(F.col("age") > 20, "young").otherwise("?")
            ),
            "when alone": lambda spark, F: spark.table("people").select(
                F.when(F.col("age") > 30, F.col("id")).alias("x")
            ),
            "when of numbers": lambda spark, F: spark.range(2).select(F.when(F.col("id") > 0, 1).otherwise(2.5)),
            "isin": lambda spark, F: spark.table("people").filter(F.col("age").isin(22, 31)).select("id"),
            "isin list": lambda spark, F: spark.table("people").select(F.col("city").isin(["Oslo", "Rome"])),
            "isin nothing": lambda spark, F: spark.range(2).select(F.col("id").isin()),
            "not isin with null": lambda spark, F: (
                spark.table("people").filter(~F.col("age").isin(22, None)).select("id")
            ),
            "between": lambda spark, F: spark.table("people").filter(F.col("age").between(22, 31)).select("id"),
            "isNull and isNotNull": lambda spark, F: spark.table("people").select(
                F.col("age").isNull(), F.col("age").isNotNull(), F.col("score").isNaN()
            ),
            "coalesce": lambda spark, F: spark.table("people").select(
                F.coalesce("age", "id"), F.coalesce("city", F.lit("?"))
            ),
            "nvl, nullif, ifnull": lambda spark, F: spark.table("people").select(
                F.nvl("city", F.lit("?")),
                F.nullif("age", F.lit(31)),
                F.ifnull("age", F.lit(0)),
                F.nanvl("score", F.lit(0.0)),
            ),
            "and, or, not": lambda spark, F: (
                spark.table("people")
                .filter(((F.col("age") > 30) | F.col("city").isNull()) & ~(F.col("id") == 5))
                .select("id")
            ),
            "eqNullSafe": lambda spark, F: spark.table("people").filter(F.col("age").eqNullSafe(None)).select("id"),
            "filter by number": lambda spark, F: spark.range(1).filter(F.col("id")),
        }
    ),
]
