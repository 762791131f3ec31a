"""What is never NULL, in the words of the schema: of columns, elements, members and values of maps."""

from __future__ import annotations

from .model import Case, Run, frames

OF_A_NUMBER = """
    id; id + 1; id * 1.5; id / 2; id % 2; id div 2; -id; abs(id); id & 1; shiftleft(id, 1); pmod(id, 2); id = 1; id <=> 1
    cast(id as string); cast(id as int); cast(id as decimal(30, 2)); cast(string(id) as int); try_cast(id as int)
    upper(string(id)); substring(string(id), 1, 2); concat(string(id), 'x'); concat_ws('-', string(id)); split('a', ',')
    length(string(id)); trim(string(id)); regexp_replace(string(id), 'a', 'b'); regexp_extract(string(id), 'a', 0)
    string(id) rlike 'a'; string(id) like 'a'; locate('a', string(id)); md5(string(id)); base64(string(id)); hex(id)
    array(id); array(id, null); array(id)[0]; map('k', id); map('k', null); map('k', id)['k']; struct(id); struct(id).id
    named_struct('a', id, 'b', null); array(struct(id)); map('k', array(id)); struct(struct(id) s); array(array(null))
    size(array(id)); array_join(array('a'), ','); array_distinct(array(id)); element_at(array(id), 1); explode(array(id))
    explode(array(id, null)); explode_outer(array(id)); inline(array(struct(id, 'x' y))); posexplode(array(id))
    map_keys(map('k', id)); sequence(1, id); slice(array(id), 1, 1); flatten(array(array(id))); sort_array(array(id))
    coalesce(null, id); coalesce(null, cast(null as int)); nvl(null, 1); nullif(id, 1); greatest(id, null)
    if(id > 1, 1, 2); if(id > 1, 1, null); case when id > 1 then 1 end; case when id > 1 then 'a' else 'b' end
    date'2024-01-01'; timestamp'2024-01-01'; interval 1 day; null; 1; 'x'; 1.5; X'00'; true
    year(date'2024-01-01'); date_add(date'2024-01-01', 1); datediff(date'2024-01-01', date'2024-01-02')
    date_format(timestamp'2024-01-01', 'yyyy'); to_date('2024-01-01'); timestamp'2024-01-01' + interval 1 day
    unix_date(date'2024-01-01'); current_date(); hour(timestamp'2024-01-01'); last_day(date'2024-01-01')
    sqrt(id); pow(id, 2); round(id / 2); hash(id); to_json(struct(id)); from_json('{}', 'a int'); id in (1, 2)
    count(id); sum(id); max(id); collect_list(id); collect_set(id); first(id); avg(id); count_if(id > 1); min(struct(id))
    row_number() over (order by id); sum(id) over (); lag(id) over (order by id); rank() over (order by id)
    (select 1); (select id from range(1)); exists (select 1); id in (select 1)
    array(id)[id]; array(id, null)[0]; split('a', ',')[0]; element_at(array(id), -1); get(array(id), 0); get(array(id), id)
    try_element_at(array(id), 1); flatten(array(array(id, null))); posexplode(map('k', id))
    posexplode(array(id, null)); posexplode_outer(array(id)); explode(map('k', id)); min(array(id)); max(struct(id))
    id not in (select 1); id in (select cast(null as int)); id in (select id from range(3)); input_file_name()
"""


def _of(expression: str) -> Run:
    return lambda spark, F: spark.sql(f"select {expression} from range(3)").schema.treeString()


def _tree(query: str) -> Run:
    return lambda spark, F: spark.sql(query).schema.treeString()


CASES: list[Case] = frames(
    {
        **{text.strip(): _of(text.strip()) for line in OF_A_NUMBER.strip().splitlines() for text in line.split("; ")},
        "left join": _tree("select * from range(3) a left join (select 1 k, array(1) v) b on a.id = b.k"),
        "right join": _tree("select * from range(3) a right join (select 1 k, array(1) v) b on a.id = b.k"),
        "full join": _tree("select * from range(3) a full join (select 1 k, array(1) v) b on a.id = b.k"),
        "inner join": _tree("select * from range(3) a join (select 1 k, array(1) v) b on a.id = b.k"),
        "union": _tree("select array(1) a, 1 b union all select array(null), null"),
        "union of the same": _tree("select array(1) a, struct(1) b union all select array(2), struct(2)"),
        "groups": _tree("select array(id) a, count(*) c, collect_list(struct(id)) l from range(3) group by array(id)"),
        "rollup": _tree("select id, count(*) from range(3) group by id with rollup"),
        "subquery": _tree("select a.x, b from (select struct(1 x) a, map('k', 1) b where 1 = 1) order by 1 limit 1"),
        "values": _tree("select * from values (1, array(1), null), (2, array(2), null) t(a, b, c)"),
        "view": lambda spark, F: (
            spark.sql("select array(1) a, struct(1 x) s").createOrReplaceTempView("nullability"),
            spark.table("nullability").schema.treeString(),
        )[1],
        "rows of the client": lambda spark, F: (
            spark.createDataFrame([(1, [1], {"k": 1})], "a int not null, b array<int>, c map<string, int>")
            .select("a", "b", "c", F.struct("a", "b").alias("s"))
            .schema.treeString()
        ),
        "filled": lambda spark, F: spark.table("people").na.fill(0).select("id", "age", "name").schema.treeString(),
        "distinct": lambda spark, F: spark.sql("select array(1) a, 1 b").distinct().schema.treeString(),
        "unpivot": lambda spark, F: spark.sql("select 1 a, 2 b").unpivot([], ["a", "b"], "k", "v").schema.treeString(),
        "with field": lambda spark, F: (
            spark.sql("select struct(1 x) s").select(F.col("s").withField("y", F.lit(1)).alias("s")).schema.treeString()
        ),
    }
)
