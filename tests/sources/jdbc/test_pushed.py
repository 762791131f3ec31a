"""Conditions, offsets and samples that a database takes over: the rows are those that the engine finds by itself."""

from __future__ import annotations

import datetime as dt
import random
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from pyspark.sql import SparkSession

from tests.support.explain import plan_of
from tests.support.mariadb import MariaDBServer
from tests.support.postgresql import PostgresServer

COLUMNS = (
    "id INTEGER PRIMARY KEY, small INTEGER, name VARCHAR(20), flag BOOLEAN, price DECIMAL(9, 2), day DATE, wall {0}"
)
ROWS = 400
LEAP, NEW_YEAR = dt.date(2024, 2, 29), dt.date(2023, 12, 31)
DATES: list[tuple[str, Callable[[Any], bool]]] = [
    ("year(day) = 2024", lambda day: day.year == 2024),
    ("year(day) <> 2024", lambda day: day.year != 2024),
    ("year(day) IN (2023, 2025)", lambda day: day.year in (2023, 2025)),
    ("year(wall) >= 2024", lambda wall: wall.year >= 2024),
    ("month(day) IN (1, 2)", lambda day: day.month in (1, 2)),
    ("month(wall) NOT IN (1, 2)", lambda wall: wall.month not in (1, 2)),
    ("month(day) > 6", lambda day: day.month > 6),
    ("NOT (quarter(day) = 1)", lambda day: day.month > 3),
    ("day(day) BETWEEN 28 AND 31", lambda day: day.day >= 28),
    ("weekofyear(day) = 52 OR weekofyear(day) < 2", lambda day: day.isocalendar().week in (52, 1)),
    ("dayofyear(wall) >= 365", lambda wall: wall.timetuple().tm_yday >= 365),
    ("hour(wall) = 0", lambda wall: wall.hour == 0),
    ("minute(wall) <> 59", lambda wall: wall.minute != 59),
    ("extract(MONTH FROM wall) = 12", lambda wall: wall.month == 12),
    ("to_date(wall) = DATE '2024-12-31'", lambda wall: wall.date() == dt.date(2024, 12, 31)),
    ("CAST(wall AS DATE) <= DATE '2024-02-29'", lambda wall: wall.date() <= LEAP),
    ("CAST(wall AS DATE) IN (DATE '2024-02-29', DATE '2023-12-31')", lambda wall: wall.date() in (LEAP, NEW_YEAR)),
    ("CAST(wall AS DATE) <=> DATE '2024-02-29'", lambda wall: wall.date() == LEAP),
    ("trunc(day, 'MONTH') = DATE '2024-02-01'", lambda day: (day.year, day.month) == (2024, 2)),
    ("trunc(day, 'WEEK') > DATE '2024-01-01'", lambda day: day > dt.date(2024, 1, 7)),
    ("trunc(day, 'YEAR') < DATE '2024-01-02'", lambda day: day.year <= 2024),
    ("date_add(day, 1) > DATE '2024-02-29'", lambda day: day >= LEAP),
    ("DATE '2024-01-01' = date_sub(day, 60)", lambda day: day == dt.date(2024, 3, 1)),
    ("day + INTERVAL '2' DAY <= DATE '2024-03-01'", lambda day: day <= dt.date(2024, 2, 28)),
    ("day >= trunc(DATE '2024-05-17', 'QUARTER')", lambda day: day >= dt.date(2024, 4, 1)),
]
"""Conditions on `day` or `wall`, and what they mean where it is not NULL. Whatever the time zone of the session is, they
are about columns without one."""
IN_THE_ENGINE = ["trunc(day, 'YEAR') < DATE '2024-01-02'"]
"""What is no comparison with the beginning of a unit."""
CONDITIONS = [
    "name LIKE 'a%'",
    "startswith(name, 'A') OR endswith(name, ' ')",
    "contains(name, 'b')",
    "name IN ('a', 'AB', 'missing')",
    "name <=> 'a'",
    "NOT (name <=> 'a')",
    "small <=> 3",
    "flag",
    "NOT flag",
    "flag IS NULL OR NOT flag",
    "month(day) > 6 OR day IS NULL",
    "coalesce(small, 0) = 0",
    "coalesce(small, 0) < 3",
    "NOT (coalesce(small, 5) >= 3)",
    "coalesce(name, 'none') <> 'a'",
    "ifnull(price, 1.25) > 0",
    "small > 2L AND price >= 1",
]
LEFT = ["small + 1 > 3", "abs(small) = 2", "upper(name) = 'A'", "length(name) = 2", "CASE WHEN flag THEN small END > 2"]
"""What the engine does, since the database does it another way: on an overflow, or for some letters."""


def rows() -> Iterator[tuple[str, ...]]:
    chosen = random.Random(11)
    days = [dt.date(2023, 12, 25) + dt.timedelta(days) for days in (*range(16), 66, 67, 160, 371, 372, 373, 400, 735)]
    times = ["00:00:00", "00:00:00.000001", "12:30:00", "23:59:59.999999"]
    names = ["a", "A", "ab", "AB", "b ", "\u00e4", "", "abc"]

    def some(value: str) -> str:
        return "NULL" if chosen.random() < 0.15 else value

    for number in range(ROWS):
        wall = f"{chosen.choice(days)} {chosen.choice(times)}"
        yield (
            str(number),
            some(str(chosen.randint(-5, 5))),
            some(f"'{chosen.choice(names)}'"),
            some(chosen.choice(["TRUE", "FALSE"])),
            some(f"{chosen.randint(-3, 3)}.25"),
            some(f"'{chosen.choice(days)}'"),
            some(f"'{wall}'"),
        )


@pytest.fixture(scope="module", params=["postgresql", "mariadb", "sqlite", "duckdb"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What reads the table `parts` of a database."""
    values = ", ".join(f"({', '.join(row)})" for row in rows())
    insert = f"INSERT INTO parts VALUES {values}"
    if request.param in ("postgresql", "mariadb"):
        server: PostgresServer | MariaDBServer = request.getfixturevalue(
            "postgres" if request.param == "postgresql" else "mariadb"
        )
        wall = "TIMESTAMP" if request.param == "postgresql" else "DATETIME(6)"
        server.execute(f"CREATE TABLE parts ({COLUMNS.format(wall)})")
        server.execute(insert)
        yield {**server.options, "dbtable": "parts"}
        server.execute("DROP TABLE parts")
        return
    path: Path = tmp_path_factory.mktemp("parts") / "parts.db"
    if request.param == "duckdb":
        with duckdb.connect(str(path)) as file:
            file.execute(f"CREATE TABLE parts ({COLUMNS.format('TIMESTAMP')})")
            file.execute(insert)
    else:
        connection = sqlite3.connect(path)
        connection.execute(f"CREATE TABLE parts ({COLUMNS.format('TEXT')})")
        connection.execute(insert)
        connection.commit()
        connection.close()
    yield {"url": f"jdbc:{request.param}:{path}", "dbtable": "parts"}


@pytest.fixture(params=["UTC", "America/Sao_Paulo"])
def zone(request: pytest.FixtureRequest, spark: SparkSession) -> Iterator[str]:
    before = spark.conf.get("spark.sql.session.timeZone")
    spark.conf.set("spark.sql.session.timeZone", request.param)
    yield request.param
    spark.conf.set("spark.sql.session.timeZone", before or "UTC")


def found(spark: SparkSession, options: dict[str, str], condition: str) -> list[int]:
    """The rows that meet the condition; they are the same whether the database looks for them or the engine."""
    frame = spark.read.format("jdbc").options(**options).load()
    if "wall" in condition and options["url"].startswith("jdbc:sqlite:"):
        frame = frame.withColumn("wall", frame["wall"].cast("timestamp_ntz"))
    return sorted(row.id for row in frame.filter(condition).select("id").collect())


OFF = {"pushDownPredicate": "false"}


def test_parts_of_dates(spark: SparkSession, database: dict[str, str], zone: str) -> None:
    frame = spark.read.format("jdbc").options(**database).load()
    frame = frame.withColumn("wall", frame["wall"].cast("timestamp_ntz"))
    known = frame.select("id", "day", "wall").collect()
    for condition, meaning in DATES:
        name = "wall" if "wall" in condition else "day"
        expected = sorted(row.id for row in known if row[name] is not None and meaning(row[name]))
        assert 0 < len(expected) < ROWS, condition
        for options in (database, {**database, **OFF}):
            assert found(spark, options, condition) == expected, condition
        if not database["url"].startswith("jdbc:sqlite:"):
            plan = plan_of(spark.read.format("jdbc").options(**database).load().filter(condition))
            assert ("FilterExec" in plan) == (condition in IN_THE_ENGINE), condition


def test_conditions(spark: SparkSession, database: dict[str, str]) -> None:
    for condition in [*CONDITIONS, *LEFT]:
        expected = found(spark, {**database, **OFF}, condition)
        assert 0 < len(expected) < ROWS, condition
        assert found(spark, database, condition) == expected, condition
        frame = spark.read.format("jdbc").options(**database).load().filter(condition)
        is_kept_in = database["url"].startswith("jdbc:sqlite:") and any(
            name in condition for name in ("flag", "price", "day")
        )
        if not is_kept_in:
            assert ("FilterExec" in plan_of(frame)) == (condition in LEFT), condition


DAYS: list[tuple[str, Callable[[dt.datetime], bool]]] = [
    ("to_date(at) = DATE '2018-11-04'", lambda local: local.date() == dt.date(2018, 11, 4)),
    ("CAST(at AS DATE) > DATE '2018-11-03'", lambda local: local.date() > dt.date(2018, 11, 3)),
    ("year(at) = 2018 AND month(at) = 11 AND hour(at) = 0", lambda local: (local.month, local.hour) == (11, 0)),
    ("date_trunc('DAY', at) = TIMESTAMP '2018-11-05 00:00:00'", lambda local: local.date() == dt.date(2018, 11, 5)),
    ("date_trunc('MONTH', at) = TIMESTAMP '2018-11-01 00:00:00'", lambda local: local.month == 11),
    ("date_trunc('WEEK', at) < TIMESTAMP '2018-11-05 00:00:00'", lambda local: local.date() < dt.date(2018, 11, 5)),
]
"""Conditions on an instant, and what they mean by the clocks of the session."""


@pytest.mark.parametrize("zone", ["UTC", "America/Sao_Paulo", "Europe/London", "America/Havana"], indirect=True)
def test_days_of_a_session(spark: SparkSession, postgres: PostgresServer, zone: str) -> None:
    start, step = dt.datetime(2018, 10, 30, tzinfo=dt.timezone.utc), dt.timedelta(minutes=37)
    postgres.execute(
        "CREATE TABLE instants AS SELECT n AS id, timestamptz '2018-10-30 00:00:00+00' + n * interval '37 minutes' AS at "
        "FROM generate_series(0, 1000) n"
    )
    options = {**postgres.options, "dbtable": "instants"}
    try:
        for condition, meaning in DAYS:
            expected = [number for number in range(1001) if meaning((start + number * step).astimezone(ZoneInfo(zone)))]
            assert expected, condition
            for asked in (options, {**options, **OFF}):
                assert found(spark, asked, condition) == expected, (zone, condition)
        plan = plan_of(spark.read.format("jdbc").options(**options).load().filter("to_date(at) = DATE '2018-11-04'"))
        # On that day the clocks of these two show midnight twice, or not at all.
        assert ("FilterExec" in plan) == zone.startswith("America/"), plan
    finally:
        postgres.execute("DROP TABLE instants")


def test_offsets(spark: SparkSession, database: dict[str, str]) -> None:
    frame = spark.read.format("jdbc").options(**database, partitioning="none").load()
    whole = [row.id for row in frame.orderBy("id").collect()]
    page = frame.orderBy("id").offset(20).limit(10)
    assert [row.id for row in page.collect()] == whole[20:30]
    plan = plan_of(page)
    assert "pushed_limit=30, pushed_offset=20" in plan
    assert "LIMIT 10 OFFSET 20" in plan
    assert "skip=" not in plan

    rest = frame.select("id").offset(ROWS - 3)
    assert rest.count() == 3
    assert len(rest.collect()) == 3
    assert f"pushed_offset={ROWS - 3}" in plan_of(rest)
    assert len(frame.filter("small > 0").limit(7).offset(5).collect()) == 2
    assert frame.offset(ROWS + 1).collect() == []
    assert frame.offset(3).filter("id >= 0").count() == ROWS - 3


def test_offsets_that_the_engine_does(spark: SparkSession, database: dict[str, str]) -> None:
    cuts = {"partitionColumn": "id", "lowerBound": "0", "upperBound": "400", "numPartitions": "4"}
    frame = spark.read.format("jdbc").options(**database, **cuts).load()
    plan = plan_of(frame.offset(5))
    assert "pushed_offset" not in plan
    assert "skip=5" in plan
    assert frame.offset(5).count() == ROWS - 5
    assert [row.id for row in frame.orderBy("id").offset(7).limit(2).collect()] == [7, 8]
    for off in ("pushDownOffset", "pushDownLimit"):
        frame = spark.read.format("jdbc").options(**database, **{off: "false"}).load()
        assert "pushed_offset" not in plan_of(frame.orderBy("id").offset(5).limit(2))
        assert [row.id for row in frame.orderBy("id").offset(5).limit(2).collect()] == [5, 6]
    # What is left of the filters comes before the offset.
    frame = spark.read.format("jdbc").options(**database, partitioning="none").load()
    kept = frame.filter("small + 1 > 2").count()
    assert len(frame.filter("small + 1 > 2").offset(4).collect()) == kept - 4


def test_samples(spark: SparkSession, postgres: PostgresServer) -> None:
    postgres.execute("CREATE TABLE many AS SELECT n AS id, n % 10 AS tenth FROM generate_series(1, 50000) n")
    postgres.execute("ANALYZE many")
    options = {**postgres.options, "dbtable": "many", "pushDownTableSample": "true"}
    try:
        frame = spark.read.format("jdbc").options(**options).load()
        sample = frame.sample(fraction=0.1, seed=7)
        assert "TABLESAMPLE BERNOULLI (10.0) REPEATABLE (7)" in plan_of(sample)
        assert "sample=[0.1 of seed 7]" in plan_of(sample)
        assert "Window" not in plan_of(sample)
        taken = {row.id for row in sample.collect()}
        assert 4500 < len(taken) < 5500
        assert {row.id for row in sample.collect()} == taken
        assert {row.id for row in frame.sample(fraction=0.1, seed=8).collect()} != taken

        # Of a sample in parts, each row is in one of them.
        cuts = {"partitionColumn": "id", "lowerBound": "0", "upperBound": "50000", "numPartitions": "4"}
        cut = spark.read.format("jdbc").options(**options, **cuts).load()
        assert sorted(row.id for row in cut.sample(fraction=0.1, seed=7).collect()) == sorted(taken)

        # Before the filters or after, and below what comes after them.
        fifth = sorted(row.id for row in sample.filter("tenth = 5").collect())
        assert fifth == sorted(number for number in taken if number % 10 == 5)
        assert sorted(row.id for row in frame.filter("tenth = 5").sample(fraction=0.1, seed=7).collect()) == fifth
        assert sample.count() == len(taken)
        assert len(sample.limit(3).collect()) == 3
        frame.createOrReplaceTempView("many")
        sql = spark.sql("SELECT count(*) AS n FROM many TABLESAMPLE (10 PERCENT) REPEATABLE (7)")
        assert sql.first() == (len(taken),)

        # The parts of a split have each row once, and a row may come twice where it is put back.
        for split in (frame.randomSplit([0.5, 0.5], seed=3)[1], frame.sample(True, 0.5, seed=3)):
            assert "TABLESAMPLE" not in plan_of(split)
        assert sum(part.count() for part in frame.randomSplit([0.3, 0.7], seed=3)) == 50000
        for other in ({"dbtable": "(SELECT * FROM many) q"}, {"pushDownTableSample": "false"}):
            plain = spark.read.format("jdbc").options(**{**options, **other}).load()
            assert "TABLESAMPLE" not in plan_of(plain.sample(fraction=0.1, seed=7))
            assert 4500 < plain.sample(fraction=0.1, seed=7).count() < 5500
    finally:
        postgres.execute("DROP TABLE many")


@pytest.mark.parametrize("name", ["mariadb", "sqlite", "duckdb"])
def test_no_other_database_keeps_a_sample(
    spark: SparkSession, mariadb: MariaDBServer, tmp_path: Path, name: str
) -> None:
    values = "VALUES (1), (2), (3), (4), (5), (6), (7), (8)"
    options = {"url": f"jdbc:{name}:{tmp_path / 'few.db'}", "dbtable": "few", "pushDownTableSample": "true"}
    if name == "mariadb":
        options |= {**mariadb.options, "dbtable": f"(SELECT 1 AS n UNION ALL {values}) few"}
    elif name == "duckdb":
        with duckdb.connect(str(tmp_path / "few.db")) as file:
            file.execute(f"CREATE TABLE few AS SELECT * FROM ({values}) t(n)")
    else:
        connection = sqlite3.connect(tmp_path / "few.db")
        connection.execute("CREATE TABLE few (n INTEGER)")
        connection.execute(f"INSERT INTO few {values}")
        connection.commit()
        connection.close()
    frame = spark.read.format("jdbc").options(**options).load()
    assert "TABLESAMPLE" not in plan_of(frame.sample(fraction=0.5, seed=1))
    assert frame.sample(fraction=0.5, seed=1).collect() == frame.sample(fraction=0.5, seed=1).collect()
