"""createDataFrame, temporary views, settings, catalogue."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from types import ModuleType
from typing import Any

from .model import Case, frames

EVERY = (
    "b boolean, t tinyint, s smallint, i int, l bigint, f float, d double, m decimal(20,4), c string, x binary, "
    "day date, at timestamp, wall timestamp_ntz"
)
EVERY_ROW = (
    True,
    -128,
    32767,
    -(2**31),
    2**63 - 1,
    0.1,
    0.1,
    Decimal("1234567890123456.7891"),
    "ünï",
    b"\x00\xff",
    dt.date(1, 1, 1),
    dt.datetime(2024, 2, 29, 12, 30, 45, 123456, tzinfo=dt.timezone.utc),
    dt.datetime(1969, 12, 31, 23, 59, 59, 999999),
)


def _view_is_replaced(spark: Any, F: ModuleType) -> Any:
    spark.range(1).createOrReplaceTempView("once")
    spark.range(2).createOrReplaceTempView("once")
    return spark.table("ONCE").count()


def _view_twice(spark: Any, F: ModuleType) -> Any:
    spark.range(1).createOrReplaceTempView("twice")
    spark.range(1).createTempView("twice")


def _view_dropped(spark: Any, F: ModuleType) -> Any:
    spark.range(1).createOrReplaceTempView("gone")
    return [spark.catalog.dropTempView("gone"), spark.catalog.dropTempView("gone"), spark.catalog.tableExists("gone")]


def _view_of_view(spark: Any, F: ModuleType) -> Any:
    spark.range(5).filter("id > 1").createOrReplaceTempView("inner_view")
    spark.sql("select id * 2 as twice from inner_view").createOrReplaceTempView("outer_view")
    return spark.sql("select sum(twice) from outer_view")


def _view_keeps_its_plan(spark: Any, F: ModuleType) -> Any:
    spark.range(1).createOrReplaceTempView("base")
    spark.table("base").createOrReplaceTempView("derived")
    spark.range(9).createOrReplaceTempView("base")
    return spark.table("derived").count()


def _views_listed(spark: Any, F: ModuleType) -> Any:
    spark.range(1).createOrReplaceTempView("listed")
    found = [table for table in spark.catalog.listTables() if table.name == "listed"]
    return [[table.name, table.catalog, table.namespace, table.tableType, table.isTemporary] for table in found]


def _view_by_statement(spark: Any, F: ModuleType) -> Any:
    spark.sql("create or replace temporary view by_statement as select 1 as a, 'x' as b").collect()
    return spark.sql("select * from by_statement")


CASES: list[Case] = [
    *frames(
        {
            "every type": lambda spark, F: spark.createDataFrame([EVERY_ROW, (None,) * 13], EVERY),
            "every type empty": lambda spark, F: spark.createDataFrame([], EVERY),
            "inferred from tuples": lambda spark, F: spark.createDataFrame(
                [(1, "a", 1.5, True), (2, None, None, None)]
            ),
            "inferred with names": lambda spark, F: spark.createDataFrame([(1, "a")], ["id", "name"]),
            "inferred from dicts": lambda spark, F: spark.createDataFrame([{"b": 1, "a": "x"}]),
            "inferred types": lambda spark, F: spark.createDataFrame(
                [(Decimal("1.50"), dt.date(2024, 1, 1), b"x", [1, 2], {"k": 1})], ["m", "day", "x", "a", "h"]
            ),
            "nested": lambda spark, F: spark.createDataFrame(
                [([1, None], {"k": 1.5}, (1, "x"), [(1,), None])],
                "a array<int>, h map<string,double>, s struct<p: int, q: string>, z array<struct<w: bigint>>",
            ),
            "nested nulls": lambda spark, F: spark.createDataFrame(
                [(None, None, None)], "a array<int>, h map<string,int>, s struct<p: int>"
            ),
            "not null": lambda spark, F: spark.createDataFrame([(1, "a")], "id int not null, name string"),
            "not null broken": lambda spark, F: spark.createDataFrame([(None,)], "id int not null"),
            "interval": lambda spark, F: spark.createDataFrame(
                [(dt.timedelta(days=1, microseconds=5),)], "i interval day to second"
            ),
            "single type": lambda spark, F: spark.createDataFrame([1, 2], "int"),
            "from pandas": lambda spark, F: spark.createDataFrame(
                __import__("pandas").DataFrame({"a": [1, 2], "b": ["x", None], "c": [0.5, float("nan")]})
            ),
            "from arrow": lambda spark, F: spark.createDataFrame(
                __import__("pyarrow").table({"a": [1, None], "b": ["x", "y"], "c": [[1], []]})
            ),
            "duplicate names": lambda spark, F: spark.createDataFrame([(1, 2)], "a int, a int"),
            "no rows no schema": lambda spark, F: spark.createDataFrame([]),
            "thousand rows": lambda spark, F: spark.createDataFrame(
                [(i, str(i)) for i in range(1000)], "a int, b string"
            ).agg(F.sum("a"), F.max("b")),
            "view is replaced": _view_is_replaced,
            "view twice": _view_twice,
            "view dropped": _view_dropped,
            "view of view": _view_of_view,
            "view keeps its plan": _view_keeps_its_plan,
            "view listed": _views_listed,
            "view by statement": _view_by_statement,
            "view in SQL": lambda spark, F: spark.sql("select count(*) from people"),
            "current names": lambda spark, F: [spark.catalog.currentCatalog(), spark.catalog.currentDatabase()],
            "tableExists": lambda spark, F: [spark.catalog.tableExists("people"), spark.catalog.tableExists("nope")],
            "listColumns": lambda spark, F: [
                [column.name, column.dataType, column.nullable] for column in spark.catalog.listColumns("people")
            ],
            "listDatabases": lambda spark, F: [database.name for database in spark.catalog.listDatabases()],
            "version": lambda spark, F: spark.version,
            "conf of the session": lambda spark, F: [
                spark.conf.get("spark.sql.session.timeZone"),
                spark.conf.get("spark.sql.shuffle.partitions") is not None,
                spark.conf.get("spark.sql.caseSensitive"),
                spark.conf.get("my.own.key", "fallback"),
            ],
            "conf unknown": lambda spark, F: spark.conf.get("my.own.key"),
            "conf isModifiable": lambda spark, F: [
                spark.conf.isModifiable("spark.sql.session.timeZone"),
                spark.conf.isModifiable("spark.sql.warehouse.dir"),
                spark.conf.isModifiable("my.own.key"),
            ],
            "conf of a bad zone": lambda spark, F: spark.conf.set("spark.sql.session.timeZone", "Mars/Base"),
            "SET statement": lambda spark, F: spark.sql("set spark.sql.session.timeZone"),
            "show tables": lambda spark, F: spark.sql("show tables").filter("tableName = 'people'"),
            "describe": lambda spark, F: spark.sql("describe table orders"),
            "same semantics": lambda spark, F: spark.range(1).sameSemantics(spark.range(1)),
            "isLocal and isStreaming": lambda spark, F: [spark.range(1).isStreaming, spark.table("people").isStreaming],
            "summary": lambda spark, F: spark.table("orders").describe("amount"),
        }
    ),
]
