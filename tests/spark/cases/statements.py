"""Statements that are no queries: views, tables, listings, descriptions, settings, plans, the cache."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from .model import Case, frames
from .model import cleaned as _cleaned
from .model import steps as _steps


def _first_lines(text: str) -> Any:
    """The headings of a plan."""

    def run(spark: Any, F: ModuleType) -> Any:
        frame = spark.sql(text)
        plan = frame.collect()[0][0]
        return [frame.columns, [line for line in plan.splitlines() if line.startswith("==")]]

    return run


def _words(frame: Any, *words: str) -> list[bool]:
    text = frame.collect()[0][0] if len(frame.collect()) == 1 else "\n".join(row[0] for row in frame.collect())
    return [word in text for word in words]


def _described(spark: Any, F: ModuleType) -> Any:
    spark.sql("create database if not exists d3 comment 'of tests' with dbproperties (a = 'b')")
    try:
        rows = spark.sql("describe database extended d3").collect()
        return [list(row) for row in rows if row[0] not in ("Location", "Owner")]
    finally:
        spark.sql("drop database d3")


CASES: list[Case] = [
    # Temporary views
    _steps("create or replace temp view v1 as select 1 as a, 'x' as b", "select * from v1"),
    _steps("create or replace temporary view v1 (x, y comment 'why') as select 1 as a, 'x' as b", "select * from v1"),
    _steps("create or replace temp view v1 comment 'text' as select 1 as a", "describe v1"),
    _steps("create or replace temp view v1 (x, y comment 'why') as select 1 as a, 'x' as b", "describe v1"),
    _steps("create or replace temp view v1 as select 1 as a"),
    _steps("create or replace temp view v1 as select 1", "create temp view v1 as select 2"),
    _steps("create temp view if not exists v2 as select 1"),
    _steps("create or replace temp view v1 (x) as select 1 as a, 2 as b"),
    _steps("create or replace temp view v1 (x, y, z) as select 1 as a, 2 as b"),
    _steps("create or replace temp view v1 as select 1 a, 2 a"),
    _steps("create or replace temp view default.v1 as select 1 a"),
    _steps("create or replace temp view v1 as select * from nope"),
    _steps("create or replace temp view v1 tblproperties ('a' = 'b') as select 1 a", "select * from v1"),
    _steps("create temp view"),
    _steps("create temp view v9"),
    _steps("create temp view v9 as"),
    _steps("create or replace temp view if not exists v9 as select 1"),
    _steps("create or replace temporary view v1 as (select 1 a union all select 2)", "select count(*) from v1"),
    _steps("create or replace temp view v1 as with t as (select 7 q) select * from t", "select * from v1"),
    _steps("create or replace temp view v1 as values (1, 'a'), (2, 'b')", "select * from v1"),
    _steps("create temp view v3 using nope options (a 'b')"),
    _steps("create or replace temp view v1 as select 1 a", "drop view v1"),
    _steps("create or replace temp view v1 as select 1 a", "drop view if exists v1"),
    _steps("drop view if exists nope"),
    _steps("drop table if exists nope"),
    _steps("drop view nope.nope"),
    _steps("drop view if exists nope.nope"),
    _steps("drop table nope.nope"),
    _steps("create or replace temp view v1 as select 1 a", "drop table v1"),
    _steps("create or replace temp view v1 as select 1 a", "alter view v1 as select 2 b", "select * from v1"),
    _steps(
        "create or replace temp view v1 as select 1 a",
        "drop view if exists v1_renamed",
        "alter view v1 rename to v1_renamed",
        "select * from v1_renamed",
    ),
    # Global temporary views
    _steps("create or replace global temp view g1 as select 5 as a", "select * from global_temp.g1"),
    _steps("create or replace global temporary view g1 as select 5 as a", "select * from g1"),
    _steps("create or replace global temp view g1 as select 5 as a", "create global temp view g1 as select 6"),
    _steps("create or replace global temp view g1 as select 5 as a", "drop view global_temp.g1"),
    _steps("create or replace global temp view g1 as select 5 as a", "drop view g1"),
    _steps("create or replace global temp view g2 as select 5 as a", "show tables in global_temp like 'g2'"),
    _steps("create or replace global temp view g2 as select 5 as a", "show views in global_temp like 'g2'"),
    _steps("create or replace global temp view g2 as select 5 as a", "describe global_temp.g2"),
    _steps("create global temp view other.g3 as select 1"),
    _steps("drop view if exists global_temp.nope"),
    _steps("drop view global_temp.nope"),
    # Views that are stored
    _cleaned("drop view if exists stored", "create view stored as select 1 as a", "select * from stored"),
    _cleaned(
        "drop view if exists stored", "create view stored (x, y) as select 1 a, 2 b", "select x + y s from stored"
    ),
    _cleaned("drop view if exists stored", "create view stored as select 1 as a", "create view stored as select 2"),
    _cleaned(
        "drop view if exists stored",
        "create view stored as select 1 as a",
        "create view if not exists stored as select 2",
        "select * from default.stored",
    ),
    _cleaned(
        "drop view if exists stored",
        "create view stored as select 1 as a",
        "create or replace view stored as select 2 as b",
        "select * from spark_catalog.default.stored",
    ),
    _cleaned("drop view if exists stored", "create view stored as select 1 as a", "show tables like 'stored'"),
    _cleaned("drop view if exists stored", "create view stored as select 1 as a", "show views like 'stor*'"),
    _cleaned("drop view if exists stored", "create view stored as select 1 as a", "drop table stored"),
    _cleaned("drop view if exists stored", "create view stored as select 1 as a", "describe stored"),
    _cleaned("drop view if exists stored", "create view stored as select 1 as a", "show columns in stored"),
    _cleaned("drop view if exists stored", "create view stored as select 1 as a", "insert into stored values (1)"),
    _steps("create view stored as select * from people"),
    _steps("create view nope.stored as select 1"),
    _steps("create or replace view if not exists stored as select 1"),
    _cleaned("drop view if exists stored", "create view stored as select 1, 2", "select * from stored"),
    # Listings
    _steps("show tables like 'peop*'"),
    _steps("show tables 'peop*|orders'"),
    _steps("show tables in default like 'people'"),
    _steps("show tables from default like 'people'"),
    _steps("show tables in nope"),
    _steps("show tables like 'nope'"),
    _steps("show views like 'peop*'"),
    _steps("show views in default like 'orders'"),
    _steps("show views in nope"),
    _steps("show databases"),
    _steps("show schemas"),
    _steps("show databases like 'def*'"),
    _steps("show databases like 'x'"),
    _steps("show namespaces"),
    _steps("show catalogs"),
    _steps("show catalogs like 'nope'"),
    _steps("show columns in people", ordered=True),
    _steps("show columns from people", ordered=True),
    _steps("show columns in people in default"),
    _steps("show columns in nope"),
    _steps("show functions like 'upp*'"),
    _steps("show system functions like 'date_a*'", ordered=True),
    _steps("show user functions"),
    _steps("show all functions like 'concat*'", ordered=True),
    _steps("show functions 'abs'"),
    _steps("show functions like 'nope'"),
    _steps("show current schema"),
    _steps("show current database"),
    _steps("show table extended like 'nope'"),
    _steps("show tblproperties people"),
    _steps("show create table people"),
    _steps("show create table nope"),
    _steps("show partitions people"),
    _steps("show nothing"),
    # Descriptions
    _steps("describe people", ordered=True),
    _steps("desc people", ordered=True),
    _steps("describe table people", ordered=True),
    _steps("desc table extended people", ordered=True),
    _steps("describe formatted people", ordered=True),
    _steps("describe extended people", ordered=True),
    _steps("describe people id"),
    _steps("describe people nope"),
    _steps("describe nope"),
    _steps("describe default.people"),
    _steps("describe query select 1 as a, 'x' as b", ordered=True),
    _steps("describe select 1 as a, array(1) as b, struct(1 x) s", ordered=True),
    _steps("describe query table people", ordered=True),
    _steps("describe query values (1, 'a')", ordered=True),
    _steps("describe query from people select id", ordered=True),
    _steps("describe with t as (select 1 a) select * from t", ordered=True),
    _steps("describe query select nope"),
    _steps("describe function nope"),
    _steps("describe schema nope"),
    _steps("describe namespace nope"),
    _steps("describe"),
    # Databases
    _steps("use default"),
    _steps("use database default"),
    _steps("use schema default"),
    _steps("use spark_catalog"),
    _steps("use spark_catalog.default", "select current_schema(), current_catalog()"),
    _steps("use a.b.c"),
    _steps("use"),
    _steps("set catalog spark_catalog"),
    _steps("set catalog nope"),
    _cleaned("drop database if exists d1", "create database d1", "show databases like 'd1'"),
    _cleaned("drop database if exists d1", "create schema d1", "create database d1"),
    _cleaned("drop database if exists d1", "create database d1", "create schema if not exists d1"),
    _cleaned("drop database if exists d1", "create database d1 comment 'of tests'", "drop database d1"),
    _cleaned("drop database if exists d1", "create database d1", "show tables in d1 like 'x'"),
    _cleaned("use default", "create database if not exists d2", "use d2", "select current_database()"),
    _cleaned("use default", "use d2", "create or replace view d2_view as select 3 c", "select * from d2.d2_view"),
    _cleaned("use default", "use d2", "select * from d2_view"),
    _cleaned("use default", "use d2", "select count(*) from people"),
    _cleaned("use default", "use d2", "show tables like 'd2_v*'"),
    _steps("select * from d2_view"),
    _steps("drop database d2"),
    _steps("drop database d2 cascade"),
    _steps("drop database nope"),
    _steps("drop database if exists nope"),
    _steps("drop database default"),
    _steps("create database global_temp"),
    # Settings
    _steps("set spark.sql.ansi.enabled"),
    _steps("set spark.sql.shuffle.partitions = 7", "set spark.sql.shuffle.partitions = 2"),
    _steps("set x.y.z"),
    _steps("set x.y.z = some words; and more"),
    _steps("set x.y.z=v", "set x.y.z"),
    _steps("set `x.y.q` = `v w`", "set x.y.q"),
    _steps("reset x.y.z", "set x.y.z"),
    _steps("set x.y.z=v", "reset x.y.z"),
    _steps("reset spark.sql.ansi.enabled"),
    _steps("reset spark.app.name"),
    _steps("set spark.sql.ansi.enabled=nope"),
    _steps("set spark.sql.warehouse.dir=x"),
    _steps("set x y"),
    _steps("set ="),
    _steps("set time zone 'Europe/Paris'", "set spark.sql.session.timeZone"),
    _steps("set time zone interval 2 hours", "set spark.sql.session.timeZone"),
    _steps("set time zone interval '-05:30' hour to minute", "set spark.sql.session.timeZone"),
    _steps("set time zone '+01:00'", "select current_timezone()"),
    _steps("set time zone 'nope'"),
    _steps("set time zone interval 30 hours"),
    _steps("set time zone"),
    _steps("set time zone 'UTC'", "select current_timezone()"),
    # The cache
    _steps("cache table people"),
    _steps("cache lazy table people"),
    _steps("cache table nope"),
    _cleaned("drop view if exists kept", "cache table kept as select 1 as a, 2 as b", "select * from kept"),
    _cleaned("drop view if exists kept", "cache lazy table kept select 3 as a", "select * from kept"),
    _cleaned(
        "drop view if exists kept",
        "cache table kept options ('storageLevel' 'MEMORY_ONLY') as select 1",
        "uncache table kept",
    ),
    _steps("uncache table people"),
    _steps("uncache table nope"),
    _steps("uncache table if exists nope"),
    _steps("clear cache"),
    _steps("refresh table people"),
    _steps("refresh people"),
    _steps("refresh table nope"),
    _steps("refresh 'some/path'"),
    _steps("refresh function upper"),
    _steps("truncate table people"),
    _steps("truncate table nope"),
    _steps("analyze table people compute statistics"),
    _steps("analyze table nope compute statistics"),
    # Writes
    _steps("insert into nope values (1)"),
    _steps("insert into people values (1)"),
    _steps("insert overwrite people select * from people"),
    _steps("update people set id = 1"),
    _steps("create table people (a int) using nope"),
    _steps("create table nope.t (a int) using parquet"),
    _steps("create table t1 (a int, a int) using parquet"),
    _steps("create table t1 (a nope) using parquet"),
    # Plans
    *frames(
        {
            text: _first_lines(text)
            for text in (
                "explain select 1",
                "explain formatted select 1",
                "explain cost select 1",
            )
        }
    ),
    *(
        Case(text, _first_lines(text), differs=why)
        for text, why in (
            ("explain extended select 1", "a plan has no text before it has its meaning"),
            ("explain codegen select id from people", "no code is generated; the physical plan stands there"),
        )
    ),
    *frames(
        {
            "explain of what is wrong": lambda spark, F: _words(
                spark.sql("explain select nope"), "Error occurred during query planning", "UNRESOLVED_COLUMN"
            ),
            "explain extended of what is wrong": lambda spark, F: _words(
                spark.sql("explain extended select nope"), "== Physical Plan ==", "UNRESOLVED_COLUMN"
            ),
            "describe database default": lambda spark, F: [
                list(row)
                for row in spark.sql("describe database default").collect()
                if row[0] not in ("Location", "Owner")
            ],
            "describe a database with a comment": _described,
        }
    ),
    _steps("explain selec 1"),
    _steps("explain"),
    # Texts of other kinds
    _steps("comment on table nope is 'x'"),
    _steps("declare variable my_var int default 5", "select my_var"),
    _steps("set var my_var = 7", "select my_var + 1"),
    _steps("set variable nope_var = 7"),
    _steps("drop temporary variable my_var", "select my_var"),
    _steps("drop temporary variable if exists my_var"),
    _steps("drop temporary variable my_var"),
    _steps("execute immediate 'select 1 as a'"),
    _steps("execute immediate 'select ? as a' using 5"),
    _steps("drop function nope"),
    _steps("drop function if exists nope"),
    _steps("drop temporary function if exists nope"),
    _steps("list jars"),
    _steps("grant select on people to x"),
    _steps("alter table nope add columns (a int)"),
    _steps("alter table nope rename to other"),
    _steps("create function"),
    _steps("frobnicate"),
    _steps("select 1 a", "select 2 b;;"),
]
