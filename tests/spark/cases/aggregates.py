"""groupBy and agg, and what aggregates answer."""

from __future__ import annotations

from .model import Case, frames, over, queries

CASES: list[Case] = [
    *frames(
        {
            "groupBy count": lambda spark, F: spark.table("people").groupBy("city").count(),
            "groupBy two": lambda spark, F: spark.table("people").groupBy("city", "age").count(),
            "groupBy expression": lambda spark, F: spark.table("people").groupBy(F.col("id") % 2).count(),
            "groupBy aliased expression": lambda spark, F: (
                spark.table("people").groupBy((F.col("id") % 2).alias("odd")).agg(F.sum("id"))
            ),
            "groupBy nothing": lambda spark, F: spark.table("people").groupBy().agg(F.sum("age"), F.count("age")),
            "agg without groups": lambda spark, F: spark.table("people").agg(F.max("age"), F.min("name")),
            "agg of empty": lambda spark, F: spark.range(0).agg(F.sum("id"), F.count("id"), F.max("id"), F.avg("id")),
            "groupBy of empty": lambda spark, F: spark.range(0).groupBy("id").count(),
            "agg dict": lambda spark, F: spark.table("people").groupBy("city").agg({"age": "max", "id": "count"}),
            "agg star": lambda spark, F: spark.table("people").agg({"*": "count"}),
            "agg alias": lambda spark, F: spark.table("people").agg(
                F.count("*").alias("n"), F.avg("age").alias("mean")
            ),
            "agg arithmetic": lambda spark, F: spark.table("people").agg(
                F.sum("age") / F.count("age"), F.sum("age") + 1
            ),
            "agg of expression": lambda spark, F: spark.table("people").agg(F.sum(F.col("age") * 2)),
            "shortcuts": lambda spark, F: spark.table("people").groupBy("city").sum("age", "id"),
            "avg shortcut": lambda spark, F: spark.table("people").groupBy("city").avg("salary"),
            "min and max shortcut": lambda spark, F: spark.table("numbers").groupBy().max(),
            "count distinct": lambda spark, F: spark.table("people").agg(
                F.countDistinct("city"), F.count_distinct("city", "age")
            ),
            "sum distinct": lambda spark, F: spark.table("people").agg(F.sum_distinct("age")),
            "collect": lambda spark, F: spark.table("people").agg(
                F.sort_array(F.collect_list("age")), F.sort_array(F.collect_set("city"))
            ),
            "first and last": lambda spark, F: (
                spark.table("people")
                .orderBy("id")
                .coalesce(1)
                .agg(
                    F.first("name"), F.last("name"), F.first("city", ignorenulls=True), F.last("name", ignorenulls=True)
                )
            ),
            "groupBy null and NaN": lambda spark, F: spark.table("people").groupBy("score").count(),
            "having by filter": lambda spark, F: spark.table("people").groupBy("city").count().filter("count > 1"),
            "distinct after group": lambda spark, F: spark.table("people").groupBy("city").agg(F.max("age")).distinct(),
            "rollup": lambda spark, F: spark.table("people").rollup("city").count(),
            "cube": lambda spark, F: spark.table("people").cube("city", "age").count(),
            "pivot": lambda spark, F: spark.table("people").groupBy("city").pivot("age", [22, 31]).agg(F.count("id")),
            "max_by": lambda spark, F: spark.table("people").agg(F.max_by("name", "age"), F.min_by("id", "salary")),
            "corr and covariance": lambda spark, F: spark.table("orders").agg(
                F.corr("order_id", "amount"), F.covar_samp("order_id", "amount"), F.covar_pop("order_id", "amount")
            ),
            "approx_count_distinct": lambda spark, F: spark.table("people").agg(F.approx_count_distinct("city")),
            "aggregate in select": lambda spark, F: spark.table("people").select(F.count("*"), F.max("id")),
            "column beside aggregate": lambda spark, F: spark.table("people").select("id", F.max("id")),
            "aggregate in filter": lambda spark, F: spark.table("people").filter(F.max("id") > 1),
            "nested aggregate": lambda spark, F: spark.table("people").agg(F.sum(F.max("id"))),
            "ungrouped column": lambda spark, F: spark.table("people").groupBy("city").agg(F.col("name")),
            "window sum": lambda spark, F: spark.table("people").select(
                "id", F.expr("sum(id) over (partition by city order by id)").alias("running")
            ),
            "window rank": lambda spark, F: spark.table("people").select(
                "id", F.expr("row_number() over (order by age desc, id)").alias("n")
            ),
        }
    ),
    *over(
        "numbers",
        "sum(t), sum(s), sum(i), sum(l)",
        "sum(f), sum(d), sum(m)",
        "avg(t), avg(l), avg(f), avg(m)",
        "min(t), max(d), min(m), max(f)",
        "count(*), count(1), count(i), count(i, l), count(distinct i)",
        "stddev(i), stddev_samp(i), stddev_pop(i), std(i)",
        "variance(i), var_samp(i), var_pop(i)",
        "sum(i) filter (where i > 0)",
        "count_if(i > 0), bool_and(i > 0), bool_or(i > 0), every(i > 0), some(i > 0), any(i > 0)",
        "any_value(i), first_value(i), last_value(i)",
        "sort_array(collect_list(i)), array_sort(collect_set(t))",
        "median(i), percentile(i, 0.5), mode(i)",
        "skewness(i), kurtosis(i)",
        "sum(distinct i), avg(distinct i)",
        "bit_and(i), bit_or(i), bit_xor(i)",
        "max(struct(i, l)), min(named_struct('a', t))",
        "sum(1), count(null), max(null), avg(1)",
        "sum(cast(null as int)), min(cast(null as string))",
    ),
    *queries(
        "select sum(x) from values (9223372036854775807L), (1L) t(x)",
        "select sum(x) from values (2147483647), (1) t(x)",
        "select sum(x) from values (cast('99999999999999999999999999999999999999' as decimal(38,0))), (1) t(x)",
        "select sum(x), avg(x) from values (cast(1.25 as decimal(5,2))), (cast(2.50 as decimal(5,2))) t(x)",
        "select max(x), min(x) from values ('b'), ('B'), (null) t(x)",
        "select max(x), min(x) from values (double('NaN')), (1.0D), (double('-inf')) t(x)",
        "select sum('1'), avg('2')",
        "select sum('x')",
        "select sum(true)",
        "select city, sum(age) s from people group by city having s > 40 order by city",
        "select city, count(*) from people group by city having count(*) > 1 order by 1",
        "select city c, count(*) from people group by c order by c",
        "select city, count(*) from people group by 1 order by 1",
        "select city, count(*) n from people group by CITY order by n desc, city",
        "select id % 2, count(*) from people group by id % 2 order by 1",
        "select id % 2 + 1, count(*) from people group by id % 2 order by 1",
        "select city, age, grouping_id(), count(*) from people group by city, age with rollup order by 1, 2, 3",
        "select city, age, count(*) from people group by grouping sets ((city), (age), ()) order by 1, 2, 3",
        "select city from people group by city order by count(*) desc, city",
        "select city, name from people group by city",
        "select count(*) from people group by 3",
        "select count(*) from people having count(*) > 100",
        "select listagg(name, ',') within group (order by name) from people",
        "select string_agg(name, ',') within group (order by name desc) from people",
        "select city, collect_list(id) from (select * from people order by id) group by city order by city",
    ),
]
