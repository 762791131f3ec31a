"""The names that columns get when nobody names them, and what printSchema makes of the types."""

from __future__ import annotations

from .model import Case, Run, expressions, frames, over, queries

NESTED = """
    select struct(1 x, 'a' y, struct(2 w) z) s, map('k', 'v') m,
           array(struct(1 x, struct(2 w) z), null, struct(3 x, struct(4 w) z)) l
"""


def _nested(expression: str) -> Run:
    return lambda spark, F: spark.sql(f"select {expression} from ({NESTED}) t")


CASES: list[Case] = [
    *over(
        "people",
        "id + 1, id - 1, id * 2, id / 2, id % 2, id div 2, -id, +id, ~id",
        "id = 1, id <> 1, id != 1, id <=> 1, id < 1, id >= 1, not (id = 1), id = 1 and age = 2, id = 1 or age = 2",
        "(id + 1) * 2, id + 1 * 2, ((id)), (id)",
        "cast(id as string), cast(id as decimal(10,2)), id :: double, try_cast(id as int), string(id)",
        "upper(name), UPPER(name), substring(name, 1, 2), substr(name, 1), concat(name, '-', city), name || city",
        "trim(name), trim(both 'x' from name), ltrim(name), trim(leading 'x' from name), lpad(name, 2, 'x')",
        "case when id = 1 then 'a' else 'b' end, case id when 1 then 'a' end, if(id = 1, 2, 3), nvl(age, 1)",
        "id in (1, 2), id not in (1), id between 1 and 2, id not between 1 and 2, name like 'a%', name not like 'a'",
        "name rlike 'a', name ilike 'a', name like 'a' escape '!'",
        "age is null, age is not null, isnull(age), isnotnull(age)",
        "coalesce(age, 1), nullif(age, 1), nvl2(age, 1, 2), greatest(id, age), ifnull(age, 1)",
        "year(born), date_add(born, 1), datediff(born, born), to_date(born), extract(year from born), born + 1, born - born",
        "abs(id), round(score), round(score, 1), ceil(score), ceiling(score), floor(score), sqrt(id), pow(id, 2), power(id, 2)",
        "log(id), ln(id), log(2, id), log10(id), exp(id), sign(id), mod(id, 2), pmod(id, 2), negative(id), positive(id)",
        "array(id, 1), map('a', id), struct(id, name), named_struct('x', id), array(id)[0], map('a', id)['a'], struct(id).id",
        "1, 1L, 1S, 1Y, 1.5, 1.5D, 1.5F, 1e3, 'x', true, null, -1, X'0A'",
        "date'2024-01-01', timestamp'2024-01-01 01:02:03', interval 1 day, timestamp_ntz'2024-01-01'",
        "length(name), char_length(name), left(name, 1), right(name, 1), instr(name, 'a'), locate('a', name), position('a' in name)",
        "split(name, ','), replace(name, 'a', 'b'), regexp_replace(name, 'a', 'b'), startswith(name, 'A'), contains(name, 'a')",
        "transform(array(1), x -> x + id), id & 1, id | 1, id ^ 1, id << 1, shiftleft(id, 1), hash(id)",
        "date_format(born, 'yyyy'), unix_timestamp(born), trunc(born, 'month'), add_months(born, 1), dayofmonth(born), day(born)",
    ),
    *over(
        "people",
        "count(*), count(1), count(id), count(distinct id), count(distinct id, age), count(id, age)",
        "sum(id), sum(id + 1), sum(distinct id), avg(id), mean(id), min(id), max(id)",
        "stddev(id), stddev_samp(id), stddev_pop(id), std(id), variance(id), var_samp(id), var_pop(id)",
        "sort_array(collect_list(id)), sort_array(collect_set(id)), max(id) + 1, sum(id) / count(*), count(*) > 1",
        "count(id) filter (where id > 1), approx_count_distinct(id), max_by(id, age), percentile(id, 0.5), median(id)",
        "first(id, true), first(id) ignore nulls, bool_and(id > 0), every(id > 0), count_if(id > 0)",
    ),
    *expressions(
        "1 + 2 * 3, (1 + 2) * 3, 'a''b', 'a\\'b', \"x\", 'a\\nb'",
        "cast('1' as int) + 1, -1, - 1, -(1), 1 - -1",
        "CASE WHEN 1 = 1 THEN 'x' ELSE 'y' END, CASE 1 WHEN 1 THEN 2 END",
        "interval 1 day + interval 2 hours, interval '1' day",
        "1 as `a.b`, 2 as `A B`, 3 `ünï`",
        "array(1, 2), map(1, 2), struct(1, 'a'), named_struct('a', 1)",
        "row_number() over (order by 1), sum(1) over (), rank() over (partition by 1 order by 2 desc nulls last)",
    ),
    *queries(
        "select count(*), max(id) as m, city from people group by city order by city",
        "select sum(amount) over (partition by person_id order by order_id) from orders order by order_id",
        "select lag(id) over (order by id), lead(id, 2, 0) over (order by id) from people order by id",
        "select sum(id) over (order by id rows between 1 preceding and current row) from people order by id",
        "select (select 1), exists (select 1), 1 in (select 1)",
        "select * from values (1, 'a')",
        "values (1, 'a'), (2, 'b')",
    ),
    *frames(
        {
            "frame expressions": lambda spark, F: (
                spark.table("people")
                .select(
                    F.col("id") + 1,
                    F.col("id").cast("string"),
                    F.upper("name"),
                    F.col("id") == 1,
                    F.col("id").isin(1, 2),
                    F.col("id").between(1, 2),
                    F.col("name").startswith("A"),
                    F.col("age").isNull(),
                    ~F.col("id").isNull(),
                    F.when(F.col("id") == 1, "a").otherwise("b"),
                    F.lit("x"),
                    F.lit(1.5),
                    -F.col("id"),
                )
                .columns
            ),
            "frame aggregates": lambda spark, F: (
                spark.table("people")
                .agg(
                    F.count("*"),
                    F.count(F.lit(1)),
                    F.countDistinct("id"),
                    F.sum("id"),
                    F.avg("id"),
                    F.mean("id"),
                    F.stddev("id"),
                    F.collect_list("id"),
                    F.first("id"),
                    F.first("id", True),
                    F.max(F.col("id") + 1),
                    F.sum_distinct("id"),
                )
                .columns
            ),
            "tree of people": lambda spark, F: spark.table("people").schema.treeString(),
            "tree of nested": lambda spark, F: spark.sql(
                "select array(1) a, map('k', struct(1 x, array('s') y)) m, named_struct('q', timestamp'2024-01-01') s, "
                "1.5 d, interval 1 day i, interval 1 month j, X'00' b, null n, timestamp_ntz'2024-01-01' z"
            ).schema.treeString(),
            "interval literals": lambda spark, F: (
                spark.sql(
                    "select interval 2 months, interval '1' year, interval '1-2' year to month, interval 1 year 2 months, "
                    "- interval 1 month, interval 1 week, interval '1 02:03:04.5' day to second, interval 90 minutes"
                ).columns
            ),
            **{
                f"{text} of nested columns": _nested(text)
                for text in (
                    "upper(s.x); cast(s.x as string); t.s.x; upper(t.s.y); s.x + 1; S.X; upper(S.X); s.z.w; upper(s.z.w)",
                    "count(s.x); sum(s.x) over (); s.x is null; m.k; upper(m.k); t.m.k; l.x; size(l.x); l.x[0]; l.z.w",
                    "array(s).x; max(t.s.x) + 1; m['k']; concat(m.k, s.y); struct(s.x); s.*",
                )
                for text in text.split("; ")
            },
            "a key inside of a column": lambda spark, F: spark.sql(NESTED).groupBy("s.x").count(),
            "names of now": lambda spark, F: (
                spark.sql("select current_date, current_timestamp, current_date(), now()").columns
            ),
            "simple strings": lambda spark, F: [
                list(pair)
                for pair in spark.sql(
                    "select array(1) a, map('k', struct(1 x)) m, 1.5 d, interval 1 day i, X'00' b, null n, 1Y t, 1.5F f, "
                    "timestamp_ntz'2024-01-01' z, timestamp'2024-01-01' w, cast('a' as varchar(3)) v, cast('a' as char(3)) c"
                ).dtypes
            ],
        }
    ),
]
