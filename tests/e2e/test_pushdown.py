"""Whatever a source takes over of a query, the rows are the same."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from pyspark.sql import SparkSession

from tests.support.explain import plan_of
from tests.support.pushing import connect

WAYS = ("exact", "final", "known", "inexact", "all", "nothing")
CONDITIONS = (
    "{t}a > {small}",
    "{small} <= {t}a",
    "{t}a = {small}",
    "{t}a <> {small}",
    "{t}b BETWEEN {small} AND {large}",
    "{t}b IN ({small}, {large}, 2)",
    "{t}a NOT IN (1, {small}, 3, -2, 0)",
    "{t}a < {t}b",
    "{t}text = '{text}'",
    "{t}text LIKE 'a%'",
    "{t}text LIKE '%b'",
    "{t}text LIKE '%b%'",
    "{t}text NOT LIKE 'a_'",
    "{t}text IS NULL",
    "{t}flag",
    "NOT {t}flag",
    "{t}flag IS NOT NULL",
    "{t}real > 0",
    "{t}real <= 1.5",
    "{t}real = 0.0",
    "{t}real < CAST('Infinity' AS DOUBLE)",
    "{t}price >= 0.01",
    "{t}price <> 12.50",
    "{t}day >= DATE '2024-01-03'",
    "{t}moment < TIMESTAMP '2024-01-01 03:00:00'",
    "{t}a + 1 > {small}",
    "upper({t}text) = 'A'",
)
QUERIES = (
    "SELECT id, a, text, real FROM {known} WHERE {p}",
    "SELECT * FROM {known} WHERE {p}",
    "SELECT a, a, id AS a FROM {known} WHERE {p}",
    "SELECT id FROM {known} WHERE {p} AND {p}",
    "SELECT id, b FROM {known} WHERE {p} ORDER BY {key}, id LIMIT {few}",
    "SELECT id, b + 1 FROM {known} WHERE {p} ORDER BY {key}, id LIMIT {few} OFFSET 3",
    "SELECT id FROM (SELECT * FROM {known} WHERE {p} ORDER BY id DESC LIMIT 30) s WHERE {p}",
    "SELECT count(*) FROM (SELECT id, a, b, text, flag, real, price, day, moment FROM {known} ORDER BY {key}, id LIMIT 50) s "
    "WHERE {p}",
    "SELECT count(*) FROM {known} WHERE {p}",
    "SELECT count(*), count(a), sum(a), sum(b), min(text), max(day), sum(price), min(price) FROM {known} WHERE {p}",
    "SELECT flag, count(*), sum(b), max(moment) FROM {known} WHERE {p} GROUP BY flag",
    "SELECT a, text, count(b) FROM {known} WHERE {p} GROUP BY a, text HAVING count(*) > 1",
    "SELECT count(*) FROM (SELECT DISTINCT a, text FROM {known} WHERE {p}) s",
    "SELECT DISTINCT a, flag FROM {known} WHERE {p}",
    "SELECT a, sum(b) AS total FROM {known} GROUP BY a ORDER BY total, a NULLS FIRST LIMIT {few}",
    "SELECT count(DISTINCT text), count(*) FROM {known} WHERE {p}",
    "SELECT l.id, r.id FROM {known} l JOIN {known} r ON l.b = r.b AND l.id < r.id WHERE {lp} AND r.flag",
    "SELECT l.id, r.a FROM {known} l LEFT JOIN {known} r ON l.id = r.b AND r.a > 0 WHERE {lp}",
    "SELECT id FROM {known} WHERE {p} UNION ALL SELECT b FROM {known} WHERE {p}",
    "SELECT id FROM {known} WHERE b IN (SELECT id FROM {known} WHERE {p}) AND {p}",
    "SELECT id FROM {known} WHERE b > (SELECT min(b) + 5 FROM {known} WHERE {p})",
    "SELECT id FROM {known} s WHERE EXISTS (SELECT 1 FROM {known} r WHERE r.b = s.id AND r.flag)",
)


@pytest.fixture(scope="module")
def known(spark: SparkSession) -> SparkSession:
    """A session with the table once for each way to read it."""
    for way in WAYS:
        reader = spark.read.format("python").option("python_module", "tests.support.pushing")
        reader.option("python_class", "Pushing").option("pushes", way).load().createOrReplaceTempView(f"known_{way}")
    return spark


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect() as connection:
        yield connection


def condition(chosen: random.Random, table: str = "", depth: int = 2) -> str:
    kind = chosen.random()
    if depth and kind < 0.45:
        left, right = condition(chosen, table, depth - 1), condition(chosen, table, depth - 1)
        return f"({left} {chosen.choice(('AND', 'OR'))} {right})"
    if depth and kind < 0.6:
        return f"NOT ({condition(chosen, table, depth - 1)})"
    text = chosen.choice(("a", "abc", "it''s", ""))
    small, large = chosen.randint(-3, 3), chosen.randint(4, 20)
    return chosen.choice(CONDITIONS).format(t=table, small=small, large=large, text=text)


def query(seed: int) -> str:
    chosen = random.Random(seed)
    column = chosen.choice(("a", "b", "text", "day", "price", "flag"))
    key = f"{column} {chosen.choice(('ASC', 'DESC'))} NULLS {chosen.choice(('FIRST', 'LAST'))}"
    text = QUERIES[seed % len(QUERIES)]
    while "{p}" in text:
        text = text.replace("{p}", condition(chosen), 1)
    return (
        text.replace("{lp}", condition(chosen, "l.")).replace("{key}", key).replace("{few}", str(chosen.randint(0, 20)))
    )


def comparable(rows: list[Any]) -> list[str]:
    def cell(value: Any) -> str:
        if isinstance(value, float):
            return "nan" if math.isnan(value) else str(value + 0.0)
        return str(value)

    return sorted("|".join(cell(value) for value in row) for row in rows)


@pytest.mark.parametrize("seed", [*range(88), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(88, 528))])
def test_a_query_gives_the_same_however_it_is_read(
    known: SparkSession, database: duckdb.DuckDBPyConnection, seed: int
) -> None:
    text = query(seed)
    expected = comparable(database.cursor().execute(text.replace("{known}", "known")).fetchall())
    for way in WAYS:
        found = comparable([tuple(row) for row in known.sql(text.replace("{known}", f"known_{way}")).collect()])
        assert found == expected, f"{way}: {text}"


@pytest.mark.parametrize(
    ("text", "pushed"),
    [
        ("SELECT id FROM {known} WHERE a > 1 AND text LIKE 'a%'", "filters=[a > 1, startswith(text, 'a')]"),
        ("SELECT id FROM {known} WHERE real > 0 OR NOT flag", "filters=[real > 0.0 OR NOT (flag = true)]"),
        ("SELECT id FROM {known} WHERE a <=> 1", "filters=[a <=> 1]"),
        ("SELECT id FROM {known} WHERE id IN (1, 2, 3, 4, 5)", "filters=[id IN (1, 2, 3, 4, 5)]"),
        ("SELECT id FROM {known} WHERE day BETWEEN DATE'2024-01-02' AND DATE'2024-01-03'", "day >= '2024-01-02'"),
        ("SELECT id FROM {known} WHERE price = 12.50", "filters=[price = 12.50]"),
        ("SELECT id FROM {known} WHERE flag LIMIT 3", "pushed_limit=3"),
        (
            "SELECT id FROM {known} ORDER BY a DESC, id LIMIT 3 OFFSET 2",
            "sort=[a DESC NULLS LAST, id ASC NULLS FIRST], pushed_limit=5",
        ),
        ("SELECT flag, count(*), sum(a) FROM {known} GROUP BY flag", "aggregate=[count(*), sum(a) by flag]"),
        ("SELECT count(*), max(day) FROM {known} WHERE a = 1", "filters=[a = 1], aggregate=[count(*), max(day)]"),
        ("SELECT DISTINCT text FROM {known}", "aggregate=[by text]"),
        ("SELECT count(*) FROM (SELECT id FROM {known} LIMIT 3) s", "pushed_limit=3"),
    ],
)
def test_a_plan_shows_what_was_pushed(known: SparkSession, text: str, pushed: str) -> None:
    plan = plan_of(known.sql(text.replace("{known}", "known_exact")))
    assert pushed in plan
    assert "FilterExec" not in plan


@pytest.mark.parametrize(
    ("condition", "left"),
    [
        ("a + 1 > 2", "FilterExec"),
        ("upper(text) = 'A'", "FilterExec: upper(text@1) = A"),
        ("CAST(text AS STRING) = 'a' AND CAST(a AS STRING) = '1'", "filters=[text = 'a']"),
        ("text = 1", "FilterExec: spark_cast_ansi(text"),
        ("10 / a > 2", "FilterExec"),
        ("rand() < 2", "random()) < 2"),
    ],
)
def test_what_a_source_cannot_be_told_stays_above_the_scan(known: SparkSession, condition: str, left: str) -> None:
    plan = plan_of(known.sql(f"SELECT id FROM known_exact WHERE {condition}"))
    assert left in plan
    assert "FilterExec" in plan


def test_a_filter_that_is_not_exact_is_applied_again(known: SparkSession) -> None:
    plan = plan_of(known.sql("SELECT id FROM known_inexact WHERE a > 1 AND flag"))
    assert "FilterExec: a@1 > 1 AND flag@2" in plan
    assert "projection=[id, a, flag], inexact=[a > 1, flag = true]" in plan


def test_partitions_are_left_out_by_what_is_known_of_them(known: SparkSession) -> None:
    assert "specs=1, partitions=1, projection=[id], pruned=3" in plan_of(
        known.sql("SELECT id FROM known_known WHERE a < -1")
    )
    assert "dynamic_filters=[" in plan_of(
        known.sql("SELECT l.id FROM known_known l JOIN known_known r ON l.id = r.b WHERE r.flag")
    )
