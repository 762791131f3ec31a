"""Tables and stored views of the session catalogue: made, changed, described."""

from __future__ import annotations

from .model import Case, cleaned

_DROP = "drop view if exists seen; drop table if exists made; drop table if exists other"
_PARTED = "create table made (a int, b string) using parquet partitioned by (b)"


def _of_tables(*texts: str, ordered: bool = False) -> Case:
    return cleaned(_DROP, *texts, ordered=ordered)


CASES: list[Case] = [
    # CREATE TABLE
    _of_tables("create table made (a int, b string)", "insert into made values (1, 'x')", "select * from made"),
    _of_tables("create table made as select 1 a, 'x' b", "select * from made"),
    _of_tables("create table made select 1 a", "select * from made"),
    _of_tables("create table made using csv as select 1 a", "select * from made"),
    _of_tables("create table made (a) as select 1"),
    _of_tables("create table made as select 1 a, 2 a"),
    _of_tables("create table made as select 1 a", "create table made as select 2 a"),
    _of_tables(
        "create table made as select 1 a", "create table if not exists made as select 2 a", "select * from made"
    ),
    _of_tables("create table made as select array(1) a, map('k', 1) m, struct(1 x) s", "select * from made"),
    _of_tables("create table made as select 1 a", "drop table made", "create table made as select 2 a"),
    _of_tables("create table made (a int comment 'c', b string not null) using parquet", "describe made", ordered=True),
    _of_tables("create table made (a int not null) using parquet", "insert into made values (null)"),
    _of_tables("create external table made (a int) using parquet"),
    _of_tables("create table made (a int) stored as parquet"),
    _of_tables("create table made (a int) row format delimited fields terminated by ','"),
    # Partitions
    _of_tables(_PARTED, "insert into made values (1, 'x'), (2, 'y')", "select * from made where b = 'y'"),
    _of_tables(_PARTED, "describe made", ordered=True),
    _of_tables(_PARTED, "show partitions made"),
    _of_tables(_PARTED, "insert into made values (1, 'x'), (2, 'y')", "show partitions made", ordered=True),
    _of_tables(
        "create table made (b string, a int) using parquet partitioned by (b)",
        "insert into made values (1, 'x')",
        "select * from made",
    ),
    _of_tables("create table made (a int) partitioned by (b string)", "describe made", ordered=True),
    _of_tables("create table made partitioned by (b) as select 1 a, 'x' b", "show partitions made"),
    _of_tables("create table made (a int) using parquet partitioned by (nope)"),
    _of_tables("create table made (a int) using parquet partitioned by (a)"),
    _of_tables("create table made (a int)", "show partitions made"),
    # LIKE
    _of_tables("create table other (a int, b string)", "create table made like other", "describe made", ordered=True),
    _of_tables("create table other as select 1 a", "create table made like other", "select * from made"),
    _of_tables("create table made like people", "show columns in made", ordered=True),
    _of_tables("create table made like nope"),
    _of_tables("create table other as select 1 a", "create table other like people"),
    # Changes
    _of_tables("create table made as select 1 a", "truncate table made", "select * from made"),
    _of_tables("create view seen as select 1 a", "truncate table seen"),
    _of_tables("truncate made"),
    _of_tables("create table made as select 1 a", "comment on table made is 'text'"),
    _of_tables("create view seen as select 1 a", "comment on table seen is 'text'"),
    _of_tables("comment on view seen is 'text'"),
    _of_tables("comment on schema nope is 'text'"),
    _of_tables(
        "create table made as select 1 a",
        "alter table made add columns (b int, c string comment 'cc')",
        "select * from made",
    ),
    _of_tables(
        "create table made as select 1 a",
        "alter table made add column b int",
        "insert into made values (2, 3)",
        "select * from made",
    ),
    _of_tables(_PARTED, "alter table made add columns (c int)", "describe made", ordered=True),
    _of_tables("create table made as select 1 a", "alter table made add columns (a int)"),
    _of_tables("create table made as select 1 a", "alter table made drop column a"),
    _of_tables("create table made as select 1 a", "alter table made rename column a to b"),
    _of_tables("create table made as select 1 a", "alter table made alter column a comment 'c'", "describe made"),
    _of_tables("create table made as select 1 a", "alter table made rename to other", "select * from other"),
    _of_tables(
        "create table made as select 1 a",
        "create table other as select 1 a",
        "alter table made rename to other",
    ),
    _of_tables("create view seen as select 1 a", "alter table seen rename to other"),
    _of_tables("create table made as select 1 a", "alter view made rename to other"),
    _of_tables("create table made as select 1 a", "delete from made where a = 1"),
    _of_tables("create table made as select 1 a", "update made set a = 2"),
    _of_tables("create table made as select 1 a", "analyze table made compute statistics for columns a"),
    # Properties
    _of_tables(
        "create table made using parquet tblproperties (k = 1, j = true) as select 1 a",
        "show tblproperties made",
        ordered=True,
    ),
    _of_tables(
        "create table made as select 1 a",
        "alter table made set tblproperties ('k' = 'v', 'j' = '2')",
        "alter table made unset tblproperties ('k')",
        "show tblproperties made",
    ),
    _of_tables("create table made as select 1 a", "show tblproperties made ('nope')"),
    _of_tables("create view seen tblproperties ('k' = 'v') as select 1 a", "show tblproperties seen"),
    _of_tables(
        "create view seen as select 1 a", "alter view seen set tblproperties ('k' = 'v')", "show tblproperties seen (k)"
    ),
    _of_tables("show tblproperties nope"),
    # SHOW CREATE TABLE
    _of_tables(
        "create table made (a array<int>, `b c` struct<x: int, y: string>, d decimal(10,2)) using parquet",
        "show create table made",
    ),
    _of_tables(
        "create table made (a int comment 'x', b string) using csv options (header true) partitioned by (b) "
        "comment 'what' tblproperties ('k' = 'v')",
        "show create table made",
    ),
    _of_tables("create view seen (x comment 'cc') comment 'what' as select 1 a", "show create table seen"),
    _of_tables("create view seen as select 1 a", "show create table seen"),
    # INSERT
    _of_tables(
        "create table made as select 1 a",
        "with q as (select 5 a) insert into made select * from q",
        "select * from made",
    ),
    _of_tables("create table made as select 1 a", "from (select 2 a) insert into made select a", "select * from made"),
    _of_tables("create table made as select 1 a", "insert made values (2)"),
    # Views of tables that change
    _of_tables(
        "create table made as select 1 a",
        "create view seen as select * from made",
        "alter table made add columns (b int)",
        "select * from seen",
    ),
    _of_tables(
        "create table made as select 1 a",
        "create temp view seen as select * from made",
        "insert into made values (2)",
        "select * from seen",
    ),
    _of_tables(
        "create table made as select 1 a",
        "create temp view seen as select * from made",
        "drop table made",
        "select * from seen",
    ),
    cleaned(
        "drop view outside; drop view inside",
        "create temp view inside as select 1 a",
        "create temp view outside as select * from inside",
        "create or replace temp view inside as select 2 a",
        "select * from outside",
    ),
    cleaned(
        "drop view inside",
        "create temp view inside as select 1 a",
        "create or replace temp view inside as select * from inside",
    ),
    # Databases
    cleaned(
        "drop database d4",
        "create database d4",
        "alter database d4 set dbproperties ('a' = 'b')",
    ),
]
