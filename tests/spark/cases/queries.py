"""SQL texts: what a query may be made of."""

from __future__ import annotations

from .model import Case, frames, queries

CASES: list[Case] = [
    *queries(
        "select 1",
        "SELECT 1 AS a;",
        "select 1 -- a comment",
        "select /* a comment */ 1 /* and /* another */ */",
        "select * from people where id = 1",
        "from people select id where id = 1",
        "from orders where order_id = 10",
        "table texts",
        "with t as (select 1 a) select * from t",
        "with t(x, y) as (select 1, 2), u as (select x + y z from t) select z from u",
        "with t as (select 1 a), t2 as (with t as (select 2 a) select * from t) select * from t2",
        "with people as (select 7 id) select id from people",
        "with recursive r(n) as (select 1 union all select n + 1 from r where n < 3) select n from r order by n",
        "select * from (select id from people where id > 3) order by id",
        "select s.k from (select id as k from people) as s where s.k < 3 order by s.k",
        "select t.a, t.b from (values (1, 'x'), (2, 'y')) as t(a, b) order by a",
        "select * from values (1, 'x'), (2, null) as t(a, b) order by a",
        "values (1, 2.5), (3, 4)",
        "values 1, 2, 3",
        "select col1, col2 from values (1, 'a')",
        "select id, case when age > 30 then 'x' else 'y' end as k from people order by id",
        "select id from people where age in (22, 45) or name like 'A%' order by id",
        "select id from people where age not between 30 and 40 order by id",
        "select id from people where name is null",
        "select id from people where not name = 'Ann' order by id",
        "select id from people where true and 1 = 1 and score is not null order by id",
        "select city, avg(age) a from people where age is not null group by city having avg(age) > 25 order by a",
        "select distinct city, age from people order by city, age",
        "select all city from people order by city",
        "select count(distinct city), count(*) from people",
        "select p.city, sum(o.amount) total from people p join orders o on p.id = o.person_id group by p.city order by total desc",
        "select * except (salary, score, born) from people order by id limit 1",
        "select id, name from people union select order_id, state from orders order by 1, 2",
        "select 1 a union all select 2 order by a desc",
        "select 1 a, 2 b union all select 3",
        "(select 1 a) union (select 2) order by a",
        "select a from (select 1 a union all select null) order by a nulls last",
        "select id, row_number() over (partition by city order by id desc) r from people order by id",
        "select id, sum(id) over w s from people window w as (order by id) order by id",
        "select city, id from people qualify row_number() over (partition by city order by id) = 1 order by id",
        "select id, e from people lateral view explode(array(1, 2)) t as e where id = 1 order by e",
        "select id, e from people, lateral (select id + 1 as e) where id < 3 order by id",
        "select * from range(3) order by id",
        "select * from range(1, 10, 4) order by id",
        "select id from range(0, 4, 1, 2) where id % 2 = 0 order by id",
        "select * from explode(array(10, 20)) order by 1",
        "select * from people pivot (count(id) for city in ('Oslo', 'Rome')) limit 0",
        "select * from (select 1 a, 2 b) unpivot (v for k in (a, b)) order by k",
        "select id from people tablesample (100 percent) order by id",
        "select * from people p where (p.id, p.age) in (select id, age from people where id = 1)",
        "select id as a, a + 1 as b from people where id = 1",
        "select 1 as a, a + 1 as b, b * 2 as c",
        "from people |> where id < 3 |> select id |> order by id",
        "select `id` from `people` where `people`.`id` = 1",
        "select 'a' = \"a\", 'It''s', 'tab\\tend'",
        "select interval 1 day = interval 24 hours, interval '2' month > interval '1' month",
        "select 1 where 1 = 0",
        "select sum(id) s, count(*) c from people where false",
        "select max(id) from people group by ()",
        "select date '2024-01-01' as d, timestamp '2024-01-01 00:00:00' as t",
        "select array(1, 2)[0] a, map('k', 'v')['k'] b, named_struct('x', 1).x c",
        "select if(count(*) > 3, 'many', 'few') from people",
        "select first_value(name) over (order by id), ntile(2) over (order by id) from people order by id",
        "select 1 as select_, 2 as `from`",
        "select id, lower(name) as name from people where name = 'Ann'",
        "select count(*) from people p1 join people p2 on p1.id = p2.id + 1",
        "select ifnull(max(age), 0) from people where id > 100",
        "select cast(sum(salary) as decimal(12,1)) from people",
        "select sum(salary), avg(salary), max(salary) - min(salary) from people",
        "select person_id, count(*) filter (where state = 'paid') paid from orders group by person_id order by person_id",
        "select floor(amount / 10) bucket, count(*) from orders group by bucket order by bucket",
        "select year(born) y, count(*) from people where born is not null group by year(born) order by y",
    ),
    *frames(
        {
            "named parameters": lambda spark, F: spark.sql(
                "select :a + 1 as x, :b as y, :c as z", args={"a": 1, "b": "it's", "c": None}
            ),
            "positional parameters": lambda spark, F: spark.sql("select ? as x, ? as y", args=[1.5, "b"]),
            "parameter in filter": lambda spark, F: spark.sql(
                "select id from people where city = :city", {"city": "Rome"}
            ),
            "parameter of a date": lambda spark, F: spark.sql(
                "select id from people where born < :day", args={"day": __import__("datetime").date(1980, 1, 1)}
            ),
            "parameter of a list": lambda spark, F: spark.sql(
                "select array_contains(:ids, 2) as x", args={"ids": F.array(F.lit(1), F.lit(2))}
            ),
            "parameter in limit": lambda spark, F: spark.sql(
                "select count(*) from (select * from people limit :n)", args={"n": 2}
            ),
            "parameter missing": lambda spark, F: spark.sql("select :a", args={"b": 1}),
            "parameters too few": lambda spark, F: spark.sql("select ?, ?", args=[1]),
            "parameter without args": lambda spark, F: spark.sql("select :a"),
            "frame in text": lambda spark, F: spark.sql("select count(*) from {df} where id > 1", df=spark.range(5)),
            "frame in text twice": lambda spark, F: spark.sql(
                "select a.id from {x} a join {y} b on a.id = b.id", x=spark.range(3), y=spark.range(2, 5)
            ),
            "column in text": lambda spark, F: spark.sql(
                "select {c} from people where {c} = 1", c=spark.table("people")["id"]
            ),
            "value in text": lambda spark, F: spark.sql("select {v} as v, {s} as s", v=3, s="x"),
            "frame then SQL": lambda spark, F: (
                spark.sql("select id from people").filter("id > 3").selectExpr("id * 2 as x")
            ),
            "nothing but space": lambda spark, F: spark.sql("   "),
        }
    ),
]
