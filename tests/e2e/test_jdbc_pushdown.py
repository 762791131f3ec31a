"""Whatever a database does of a query, the rows are those that the engine finds by itself."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from pyspark.sql import SparkSession

from tests.support.explain import plan_of
from tests.support.mariadb import MariaDBServer
from tests.support.postgresql import PostgresServer

HOSTILE = 'it\'s; "--" /* \\ */ %s {} ü'
QUOTED = '"' + HOSTILE.replace('"', '""') + '"'
TEXTS = (
    "",
    "a",
    "A",
    "b",
    "B",
    "ab",
    "ä",
    "Z",
    "it's",
    "x\\y",
    "a%",
    "a_",
    "--",
    "/*",
    "a; DROP TABLE pushed",
    "日本",
    "ab  ",
)
COLUMNS = (
    "id",
    "whole",
    "money",
    "ratio",
    "name",
    "loose",
    "padded",
    "flag",
    "day",
    "at",
    "wall",
    "loosely",
    "key",
    "any",
)
CONDITIONS = (
    "id > <n>",
    "id BETWEEN 3 AND <n>",
    "whole IN (<n>, 5, NULL)",
    "whole IS NULL",
    "NOT (whole <> <n> OR name = '<t>')",
    "money >= <n>.25",
    "any < <n>",
    "ratio > 0",
    "ratio = CAST('NaN' AS DOUBLE)",
    "name = '<t>'",
    "name <> '<t>'",
    "name >= '<t>'",
    "name < '<t>' OR whole = 1",
    "name LIKE 'a%'",
    "name LIKE '%\\\\\\\\%'",
    "name IN ('<t>', 'a')",
    "loosely = '<t>'",
    "loosely < '<t>'",
    "loosely LIKE 'A%'",
    "padded = '<t>'",
    "padded IN ('<t>', 'ab  ', 'a')",
    "key LIKE 'a0%'",
    "flag",
    "NOT flag AND name IS NOT NULL",
    "day >= DATE '2024-01-20'",
    "at < TIMESTAMP '2024-01-20 00:00:00+00:00'",
    "year(day) = 2024",
    "`<hostile>` = '<t>'",
    "`<hostile>` > '<t>'",
    "upper(name) = 'A'",
)  # fmt: skip
QUERIES = (
    "SELECT * FROM <table> WHERE <p>",
    "SELECT id, `<hostile>` FROM <table> WHERE <p> AND <p>",
    "SELECT name FROM <table> WHERE <p> ORDER BY name, id LIMIT 7",
    "SELECT id, money FROM <table> WHERE <p> ORDER BY <key> NULLS FIRST, id LIMIT 5",
    "SELECT id, any FROM <table> WHERE <p> ORDER BY <key> DESC NULLS LAST, id DESC LIMIT 6 OFFSET 2",
    "SELECT count(*) FROM <table> WHERE <p>",
    "SELECT count(whole), sum(whole), sum(id), sum(money), min(any), max(money) FROM <table> WHERE <p>",
    "SELECT min(name), max(name), min(loosely), max(padded), min(key), max(`<hostile>`), min(day), max(at) FROM <table> WHERE <p>",
    "SELECT max(ratio), min(flag), max(flag) FROM <table> WHERE <p>",
    "SELECT <key>, count(*), sum(whole), max(name) FROM <table> WHERE <p> GROUP BY <key>",
    "SELECT DISTINCT loosely, flag FROM <table> WHERE <p>",
    "SELECT padded, whole, count(id) FROM <table> WHERE <p> GROUP BY padded, whole HAVING count(*) > 1",
)
KEYS = ("name", "loosely", "padded", "whole", "money", "day", "any", "flag", "key")


def rows(number: int = 300) -> list[str]:
    """Rows as SQL that both databases read: some values are NULL, texts are hostile."""
    chosen = random.Random(5)

    def quoted(text: str) -> str:
        return "'" + text.replace("'", "''") + "'"

    def some(value: str) -> str:
        return "NULL" if chosen.random() < 0.15 else value

    made = []
    for at in range(number):
        text = [some(quoted(chosen.choice(TEXTS))) for _ in range(4)]
        day = f"2024-01-{chosen.randint(1, 31):02}"
        made.append(
            f"({at}, {some(str(chosen.randint(-9, 9)))}, {some(f'{chosen.randint(-9, 9)}.25')}, "
            f"{some(str(chosen.choice([-1.5, 0.0, 2.5, 1e300])))}, {text[0]}, {text[1]}, "
            f"{some(quoted(chosen.choice(('a', 'ab', 'AB', 'abcd'))))}, {some(chosen.choice(['true', 'false']))}, "
            f"{some(quoted(day))}, {some(quoted(f'{day} 12:30:00'))}, "
            f"{some(quoted(f'a{at % 3}eebc99-9c0b-4ef8-bb6d-6bb9bd380a1{at % 7}'))}, {some(str(chosen.randint(-30, 30) / 8))}, {text[2]})"
        )
    return made


NAMES = f"id, whole, money, ratio, name, loosely, padded, flag, day, at, key, any, {QUOTED}"


@pytest.fixture(
    scope="module",
    params=["postgresql", "postgresql cast", "sqlite", "mariadb", "mariadb cast", "duckdb", "duckdb cast"],
)
def options(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What reads the table `pushed` of a database."""
    names = NAMES.replace("any", '"any"')
    if request.param.startswith("postgresql"):
        postgres: PostgresServer = request.getfixturevalue("postgres")
        postgres.execute("CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
        postgres.execute(
            "CREATE TABLE pushed (id int PRIMARY KEY, whole int, money numeric(9,2), ratio float8, "
            'name text COLLATE "en-x-icu", loosely text COLLATE loose, padded char(4), flag bool, day date, '
            f'at timestamptz, key uuid, "any" numeric, {QUOTED} varchar(99))'
        )
        postgres.execute(f"INSERT INTO pushed ({names}) VALUES {', '.join(rows())}")
        postgres.execute("UPDATE pushed SET ratio = 'NaN' WHERE id % 11 = 0")
        postgres.execute(
            "UPDATE pushed SET day = 'infinity', money = 'NaN' WHERE id % 13 = 0"
            if "cast" in request.param
            else "ANALYZE pushed"
        )
        cast = {"customSchema": "whole BIGINT, money DECIMAL(12, 3), name STRING", "unrepresentable": "null"}
        yield {**postgres.options, "dbtable": "pushed", **(cast if "cast" in request.param else {})}
        postgres.execute("DROP TABLE pushed")
        postgres.execute("DROP COLLATION loose")
        return
    widened = {"customSchema": "whole DECIMAL(20, 2), money DECIMAL(12, 3), day TIMESTAMP_NTZ, id BIGINT"}
    widened = widened if "cast" in request.param else {}
    if request.param.startswith("mariadb"):
        mariadb: MariaDBServer = request.getfixturevalue("mariadb")
        names = ", ".join("`" + name.replace("`", "``") + "`" for name in [*NAMES.split(", ")[:12], HOSTILE])
        mariadb.execute(
            "CREATE TABLE pushed (id int PRIMARY KEY, whole int, money decimal(9,2), ratio double, name varchar(20) "
            "COLLATE utf8mb4_unicode_ci, loosely varchar(20) CHARACTER SET utf8mb3, padded char(4), flag boolean, day "
            f"date, at timestamp NULL, `key` uuid, `any` decimal(30,8), `{HOSTILE}` varchar(99) COLLATE utf8mb4_bin)"
        )
        mariadb.execute("SET sql_mode = 'NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES', time_zone = '+00:00'")
        mariadb.execute(f"INSERT INTO pushed ({names}) VALUES {', '.join(rows())}")
        yield {**mariadb.options, "dbtable": "pushed", **widened}
        mariadb.execute("DROP TABLE pushed")
        return
    path: Path = tmp_path_factory.mktemp("pushed") / "pushed.db"
    if request.param.startswith("duckdb"):
        with duckdb.connect(str(path)) as file:
            file.execute(
                "CREATE TABLE pushed (id INTEGER PRIMARY KEY, whole INTEGER, money DECIMAL(9,2), ratio DOUBLE, "
                "name VARCHAR, loosely VARCHAR COLLATE NOCASE, padded VARCHAR COLLATE NOACCENT, flag BOOLEAN, day DATE, "
                f'"at" TIMESTAMPTZ, key UUID, "any" DECIMAL(30,8), {QUOTED} VARCHAR)'
            )
            file.execute("SET TimeZone = 'UTC'")
            names = names.replace(" at,", ' "at",')
            file.execute(f"INSERT INTO pushed ({names}) VALUES {', '.join(rows())}")
            file.execute("UPDATE pushed SET ratio = 'NaN' WHERE id % 11 = 0")
        yield {"url": f"jdbc:duckdb:{path}", "dbtable": "pushed", **widened}
        return
    connection = sqlite3.connect(path)
    connection.execute(
        "CREATE TABLE pushed (id INTEGER PRIMARY KEY, whole INT, money DECIMAL(9,2), ratio REAL, name TEXT, "
        'loosely TEXT COLLATE NOCASE, padded CHAR(4), flag BOOLEAN, day DATE, at TIMESTAMP, key STRING, "any" REAL, '
        f"{QUOTED} TEXT COLLATE RTRIM)"
    )
    connection.execute(f"INSERT INTO pushed ({names}) VALUES {', '.join(rows())}")
    connection.commit()
    connection.close()
    yield {"url": f"jdbc:sqlite:{path}", "dbtable": "pushed"}


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow)])
def test_queries(spark: SparkSession, options: dict[str, str], seed: int) -> None:
    chosen = random.Random(seed)
    cuts = {"partitionColumn": "id", "lowerBound": "0", "upperBound": "300", "numPartitions": "3"}
    spark.read.format("jdbc").options(**options).load().createOrReplaceTempView("pushed")
    spark.read.format("jdbc").options(**options, **cuts).load().createOrReplaceTempView("cut")
    off = {"pushDownPredicate": "false", "pushDownAggregate": "false", "pushDownLimit": "false"}
    spark.read.format("jdbc").options(**options, **off).load().createOrReplaceTempView("plain")
    for query in QUERIES * (4 if seed else 1):
        sql = query
        while "<p>" in sql:
            text = chosen.choice(TEXTS).replace("\\", "\\\\").replace("'", "\\'")
            values = {"n": str(chosen.randint(-9, 40)), "t": text}
            sql = sql.replace("<p>", f"({filled(chosen.choice(CONDITIONS), values)})", 1)
        sql = filled(sql, {"key": chosen.choice(KEYS), "hostile": HOSTILE})
        found = {
            table: sorted(map(repr, spark.sql(sql.replace("<table>", table)).collect()))
            for table in ("plain", "pushed", "cut")
        }
        assert found["pushed"] == found["plain"], sql
        assert found["cut"] == found["plain"], sql


def filled(template: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        template = template.replace(f"<{name}>", value)
    return template


def test_what_explain_shows(spark: SparkSession, options: dict[str, str]) -> None:
    frame = spark.read.format("jdbc").options(**options).load()
    plan = plan_of(frame.filter("name >= 'a' AND whole IN (1, 2)").select("id").limit(3))
    assert "name >= 'a'" in plan
    assert "FilterExec" not in plan
    assert "pushed_limit=3" in plan
    plan = plan_of(frame.groupBy("name").agg({"whole": "sum"}))
    assert "aggregate=[" in plan
    plan = plan_of(frame.orderBy("name").limit(2))
    assert "sort=[name" in plan
    assert "statements=[SELECT " in plan
    assert "LIMIT 2" in plan


def test_explain_shows_the_first_statements(spark: SparkSession, options: dict[str, str]) -> None:
    cut = {"partitionColumn": "id", "lowerBound": "0", "upperBound": "30", "numPartitions": "10"}
    plan = plan_of(spark.read.format("jdbc").options(**options).options(**cut).load().filter("whole = 1\n"))
    assert plan.count("SELECT ") == 8
    assert "2 more]" in plan


def test_what_is_not_to_be_pushed(spark: SparkSession, options: dict[str, str]) -> None:
    frame = spark.read.format("jdbc").options(**options).option("pushDownPredicate", "false").load()
    assert "FilterExec" in plan_of(frame.filter("whole = 1"))
    frame = spark.read.format("jdbc").options(**options).option("pushDownAggregate", "false").load()
    assert "aggregate=" not in plan_of(frame.groupBy().count())
    frame = spark.read.format("jdbc").options(**options).option("pushDownLimit", "false").load()
    assert "pushed_limit" not in plan_of(frame.limit(1))
