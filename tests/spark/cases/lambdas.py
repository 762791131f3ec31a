"""Functions of functions, and functions of JSON."""

from __future__ import annotations

from .model import Case, expressions, frames

NESTED = '{"a": [1, {"b": "x"}, 1.10], "a b": 1, "n": null}'

CASES: list[Case] = [
    *expressions(
        "transform(array(1, 2), (x, i) -> x * i)",
        "zip_with(array(1, 2), array(3), (x, y) -> coalesce(x, 0) + coalesce(y, 0))",
        "map_filter(map('a', 1, 'b', 2), (k, v) -> v > 1)",
        "transform_keys(map('a', 1), (k, v) -> upper(k)), transform_values(map('a', 1), (k, v) -> v + 1)",
        "transform_keys(map('a', 1, 'b', 2), (k, v) -> 'c')",
        "map_zip_with(map('a', 1), map('a', 2, 'b', 3), (k, x, y) -> coalesce(x, 0) + y)",
        "aggregate(array(1, 2, 3), 0, (a, x) -> a + x, a -> a * 10), reduce(array(1), 0L, (a, x) -> a + x)",
        "aggregate(array(), 7, (a, x) -> a), aggregate(cast(null as array<int>), 7, (a, x) -> a + x)",
        "aggregate(array(1.5D), 0, (a, x) -> a + x)",
        "forall(array(1, null), x -> x > 0), forall(array(0, null), x -> x > 0), forall(array(), x -> false)",
        "exists(array(0, null), x -> x > 0), exists(array(1, null), x -> x > 0), exists(array(), x -> true)",
        "array_sort(array('bb', 'a', 'ccc'), (l, r) -> length(r) - length(l))",
        "array_sort(array(3, 1, 2, 5, 4), (a, b) -> if(a % 2 = b % 2, a - b, a % 2 - b % 2))",
        "array_sort(array(2, 1), (a, b) -> null)",
        "filter(array(0, 2, 3), (x, i) -> x > i), filter(array(1, null, 3), x -> x is not null)",
        "transform(cast(null as array<int>), x -> x), transform(array(), x -> 1)",
        "transform(array(array(1), array(2, 3)), a -> transform(a, y -> y + size(a)))",
        "transform(array(named_struct('q', 1)), s -> s.q + 1)",
        "to_json(map('a', 1.50)), to_json(array(1, null)), to_json(named_struct('a', array('\\\\\"', 'é\\\\n')))",
        "to_json(struct(cast(null as int) a, date'2024-01-01' d, array(1.0D) x, X'0102' b, true c)) j",
        "to_json(named_struct('t', timestamp'2024-01-01 10:00:00.5', 'n', timestamp_ntz'2024-01-01 10:00:00'))",
        "from_json('{\"a\": \"x\"}', 'a int'), from_json('nope', 'a int'), from_json('[1, 2]', 'array<int>')",
        'from_json(\'{"a": [1, {"b": 2}], "d": "2024-01-01"}\', \'a string, d date, m decimal(5,2)\')',
        "from_json(null, 'a int'), from_json('{\"s\": {\"t\": 1}}', 's struct<t: bigint>')",
        f"get_json_object('{NESTED}', '$.a[1].b'), get_json_object('{NESTED}', '$.a'), get_json_object('{NESTED}', '$.n')",
        "get_json_object('x', '$.a'), get_json_object('\"x\"', '$'), get_json_object('{\"a\": 1}', 'a')",
        'get_json_object(\'{"a": [{"b": 1}, {"b": 2}]}\', \'$.a[*].b\')',
        'schema_of_json(\'{"b": [1.5], "a": 1, "c": {"d": "x"}, "e": null, "f": true, "g": 12345678901}\')',
        "json_array_length('[1,2]'), json_array_length('{}'), json_object_keys('{\"a\": 1, \"b\": 2}')",
    ),
    *frames(
        {
            "lambda of a column": lambda spark, F: spark.range(2).select(
                F.transform(F.array("id", F.lit(5)), lambda x: x + F.col("id")).alias("t")
            ),
            "lambda of two parameters": lambda spark, F: spark.range(1).select(
                F.aggregate(F.array(F.lit(1), F.lit(2)), F.lit(0), lambda acc, x: acc + x).alias("sum"),
                F.map_filter(F.create_map(F.lit("a"), F.lit(1)), lambda k, v: v > 1).alias("none"),
            ),
            "from_json of a schema": lambda spark, F: spark.range(1).select(
                F.from_json(F.lit('{"a": 1}'), spark.createDataFrame([], "a int").schema).alias("s")
            ),
        }
    ),
]
