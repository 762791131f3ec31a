"""Joins: every kind, by one column, by two, by condition, with itself."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from .model import Case, Run, frames, queries

KINDS = ("inner", "left", "right", "full", "semi", "anti", "cross")


def _by_condition(kind: str) -> Run:
    def run(spark: Any, F: ModuleType) -> Any:
        people, orders = spark.table("people").select("id", "name"), spark.table("orders")
        return people.join(orders, people["id"] == orders["person_id"], kind)

    return run


def _using(kind: str, columns: list[str]) -> Run:
    def run(spark: Any, F: ModuleType) -> Any:
        left = spark.sql("select * from values (1, 'a', 1.5), (2, 'b', 2.5), (null, 'n', 0.5) t(k, j, x)")
        right = spark.sql("select * from values ('a', 1, true), ('z', 2, false), ('q', 3, null) t(J, K, y)")
        return left.join(right, columns, kind)

    return run


def _pair(query: Callable[[Any, Any, Any], Any]) -> Run:
    def run(spark: Any, F: ModuleType) -> Any:
        return query(spark.table("people").select("id", "city"), spark.table("people").select("id", "city"), F)

    return run


CASES: list[Case] = [
    *frames({f"{kind} by condition": _by_condition(kind) for kind in KINDS}),
    *frames({f"{kind} using one": _using(kind, ["k"]) for kind in KINDS if kind != "cross"}),
    *frames({f"{kind} using two": _using(kind, ["k", "j"]) for kind in KINDS if kind != "cross"}),
    *frames(
        {
            "crossJoin": lambda spark, F: spark.range(2).crossJoin(spark.range(2)),
            "join without condition": lambda spark, F: spark.range(2).join(spark.range(2)),
            "join on true": lambda spark, F: spark.range(2).join(spark.sql("select 1 x"), F.lit(True)),
            "join on list of conditions": lambda spark, F: (
                lambda l, r: l.join(r, [l.id == r.k, l.id > 0]).select(l.id, "k")
            )(spark.range(3), spark.sql("select * from values (0), (1) t(k)")),
            "null keys do not match": lambda spark, F: spark.sql("select null k").join(spark.sql("select null k"), "k"),
            "eqNullSafe": lambda spark, F: (lambda l, r: l.join(r, l.k.eqNullSafe(r.k)))(
                spark.sql("select int(null) k"), spark.sql("select int(null) k")
            ),
            "self join by alias": _pair(
                lambda l, r, F: (
                    l.alias("a")
                    .join(r.alias("b"), F.col("a.city") == F.col("b.city"))
                    .select("a.id", "b.id", F.col("a.city"))
                )
            ),
            "self join by frames": _pair(lambda l, r, F: l.join(r, l.city == r.city).select(l.id, r.id)),
            "self join ambiguous": _pair(lambda l, r, F: l.join(r, l.city == r.city).select("id")),
            "same frame twice": _pair(lambda l, r, F: l.join(l, "id").select("id", l.city)),
            "ambiguous where": _pair(lambda l, r, F: l.join(r, l.id == r.id).where("city = 'Oslo'")),
            "duplicate output names": _pair(lambda l, r, F: l.join(r, l.id == r.id)),
            "drop one side": _pair(lambda l, r, F: l.join(r, l.id == r.id).drop(r.id, r.city)),
            "using unknown": _pair(lambda l, r, F: l.join(r, "nope")),
            "unknown kind": _pair(lambda l, r, F: l.join(r, "id", "sideways")),
            "using then other side": _pair(lambda l, r, F: l.join(r, "id", "left").select("id", l.id, r.id)),
            "full using coalesces": lambda spark, F: (
                spark.sql("select 1 k, 'l' a").join(spark.sql("select 2 k, 'r' b"), "k", "full").select("k", "a", "b")
            ),
            "using of other types": lambda spark, F: spark.sql("select 1 k").join(spark.sql("select 1L k, 2 x"), "k"),
            "condition of other types": lambda spark, F: (lambda l, r: l.join(r, l.a == r.b))(
                spark.sql("select 1 a"), spark.sql("select '1' b")
            ),
            "non-equi": lambda spark, F: (lambda l, r: l.join(r, l.id < r.k))(
                spark.range(3), spark.sql("select * from values (1L), (2L) t(k)")
            ),
            "three tables": lambda spark, F: (
                spark.range(2).join(spark.range(1, 4), "id").join(spark.range(3).withColumn("x", F.col("id") * 2), "id")
            ),
            "join then aggregate": lambda spark, F: (
                spark.table("people")
                .join(spark.table("orders"), F.col("id") == F.col("person_id"))
                .groupBy("name")
                .agg(F.sum("amount"), F.count("*"))
            ),
            "lateral column from outer frame": lambda spark, F: spark.range(1).select(spark.table("people")["name"]),
        }
    ),
    *queries(
        "select name, amount from people join orders on id = person_id order by order_id",
        "select p.name, o.order_id from people p left join orders o on p.id = o.person_id and o.state = 'paid' order by p.id",
        "select p.id, o.order_id from people p full outer join orders o on p.id = o.person_id order by 1, 2",
        "select id from people p left semi join orders o on p.id = o.person_id order by id",
        "select id from people p left anti join orders o on p.id = o.person_id order by id",
        "select * from (select 1 k, 2 a) join (select 1 k, 3 b) using (k)",
        "select * from (select 1 k, 2 a) natural join (select 1 k, 3 b)",
        "select l.k, r.k, k from (select 1 k) l full join (select 2 k) r using (k) order by k",
        "select a.id, b.id from people a, people b where a.city = b.city and a.id < b.id order by 1",
        "select a.id x, b.id y from people a cross join people b where a.id + b.id = 3 order by x",
        "select id from people a join people b on a.id = b.id",
        "select id from people where id in (select person_id from orders) order by id",
        "select id from people where id not in (select person_id from orders where person_id is not null) order by id",
        "select id from people where id not in (select person_id from orders) order by id",
        "select id from people p where exists (select 1 from orders o where o.person_id = p.id) order by id",
        "select id, (select max(amount) from orders o where o.person_id = p.id) m from people p order by id",
        "select (select count(*) from orders) n, (select 1 where false) none",
        "select (select id from people) from people",
    ),
]
