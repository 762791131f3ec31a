"""Functions that make rows: explode and its kin, LATERAL VIEW, table functions; and names of a list's own items."""

from __future__ import annotations

from .model import Case, frames, queries

CASES: list[Case] = [
    *queries(
        "select explode_outer(array(1)), posexplode_outer(array(1)), inline_outer(array(struct(1 as x, 2 as y)))",
        "select explode(map(1, 2)) as (k, v), 5",
        "select explode(array(1, 2)) as x, posexplode(array('a')) as (p, q)",
        "select id, explode(array(1, 2)) + 1 from people",
        "select id from people where explode(array(true))",
        "select id, explode(cast(null as array<int>)) from people",
        "select id, explode_outer(cast(null as array<int>)) e from people order by id",
        "select explode(collect_list(id)) e from people order by e",
        "select city, explode(collect_list(id)) e from people group by city order by city, e",
        "select stack(2, 1, 2, 3), stack(1, 'a', 5)",
        """select json_tuple('{"a": 1, "b": {"c": 2}}', 'a', 'b'), 7""",
        "select * from people lateral view outer explode(array()) t as e where id = 1",
        "select e.* from people lateral view posexplode(array('x')) e where id = 1",
        "select id, k, v from people lateral view explode(map('a', id)) t as k, v where id < 3 order by id",
        "select a, b from people lateral view explode(array(1, 2)) t as a lateral view explode(array(a, 10)) u as b "
        "where id = 1 order by a, b",
        "select a, b from people lateral view explode(array(1)) t as a, b",
        "select id, e from people left join lateral (select order_id e from orders where person_id = id) on true "
        "order by id, e",
        "select id, e from people, lateral explode(array(id, 7)) as t(e) where id < 2 order by e",
        "select id, n from people, lateral (select count(*) n from orders where person_id = id) order by id",
        "select * from inline(array(struct(1 a, 'x' b))) as t(p, q)",
        "select * from stack(2, 1, 2, 3, 4), range(2) order by 1, 3",
        "select * from explode(array(1, 2)) t order by 1",
        "select * from (select city, age, id from people) pivot (count(id) as c, max(id) as m "
        "for city in ('Oslo' as o, 'Rome')) order by age",
        "select * from (select city, age, id from people) pivot (sum(id) for (city, age) in (('Oslo', 31), ('Rome', 45)))",
        "select * from (select 1 id, 2 a, cast(null as int) b) unpivot include nulls (v for k in (a as x, b)) order by k",
        "select * from (select 1 i, 2 a, 3 b, 4 c, 5 d) unpivot ((v, w) for k in ((a, b), (c, d) as cd)) order by k",
        "select city, grouping(city), grouping_id(city, age), count(*) from people group by cube(city, age) "
        "order by 1, 2, 3, 4",
        "select count(*) as c, c + 1 as d, max(id) m from people",
        "select id as a, a * 2 as b, b + a as c from people order by a",
        "select id + 1 as id, id * 2 as twice from people order by id",
    ),
    *frames(
        {
            "tvf explode": lambda spark, F: spark.tvf.explode(F.array(F.lit(1), F.lit(2))),
            "withColumn explode": lambda spark, F: (
                spark.table("people").withColumn("e", F.explode(F.array("id", F.lit(9)))).select("id", "e")
            ),
            "explode of a map with names": lambda spark, F: spark.range(1).select(
                F.explode(F.create_map(F.lit("a"), F.lit(1))).alias("k", "v")
            ),
            "too many names": lambda spark, F: spark.range(1).select(F.explode(F.array(F.lit(1))).alias("k", "v")),
            "selectExpr of its own name": lambda spark, F: spark.table("people").selectExpr("id as a", "a + 1 as b"),
            "pivot without values": lambda spark, F: spark.table("people").groupBy("city").pivot("age").count(),
            "pivot of two aggregates": lambda spark, F: (
                spark.table("people").groupBy("city").pivot("age").agg(F.count("id").alias("c"), F.max("id"))
            ),
            "unpivot": lambda spark, F: spark.table("people").unpivot("id", ["age", "salary"], "k", "v"),
            "unpivot all": lambda spark, F: spark.table("people").select("id", "age").unpivot("id", None, "k", "v"),
        }
    ),
]
