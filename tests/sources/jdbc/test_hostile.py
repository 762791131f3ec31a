"""Names and values made of whatever ends a name, a string or a statement: they are data, never SQL."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from sheetbend.filters import Column, Comparison, Filter, In, Literal, Not, Operator, StartsWith
from sheetbend.options import Options
from sheetbend.scan import Aggregate, AggregateFunction, Partition, Pushdown, ScanRequest, SortKey
from sheetbend.sources.jdbc import JDBCArrowDataSource
from tests.support.mariadb import MariaDBServer
from tests.support.postgresql import PostgresServer

PIECES = ("'", '"', "`", "\\", ";", "--", "/*", "*/", "$$", "%s", "%", "_", "{}", "{0}", "?", ":a", "\n", "\t", "a", "B", " ", "ü", "🦀", "]", "[", "DROP TABLE t", "NULL", "")  # fmt: skip
COLUMNS = 8
ROWS = 40


def text(chosen: random.Random, most: int = 5) -> str:
    return "".join(chosen.choice(PIECES) for _ in range(chosen.randint(1, most)))


def backticks(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@pytest.fixture(params=range(4))
def seed(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(params=["postgresql", "sqlite", "mariadb", "duckdb"])
def made(
    request: pytest.FixtureRequest, seed: int, tmp_path: Path
) -> Iterator[tuple[dict[str, str], list[dict[str, str]]]]:
    """The options that read a table of hostile names, and its rows."""
    chosen = random.Random(seed)
    # Shorter than what PostgreSQL cuts, and not the same in another case.
    names = [f"{text(chosen)[:20]}{number}" for number in range(COLUMNS)]
    table = f"{text(chosen)[:20]}t"
    rows = [{name: text(chosen) for name in names} for _ in range(ROWS)]
    columns = ", ".join(f"{quoted(name)} text" for name in names)
    if request.param == "sqlite":
        path = tmp_path / "hostile.db"
        connection = sqlite3.connect(path)
        connection.execute(f"CREATE TABLE {quoted(table)} ({columns})")
        places = ", ".join("?" * COLUMNS)
        connection.executemany(f"INSERT INTO {quoted(table)} VALUES ({places})", [list(row.values()) for row in rows])
        connection.commit()
        connection.close()
        yield {"url": f"jdbc:sqlite:{path}", "dbtable": quoted(table)}, rows
        return
    if request.param == "duckdb":
        path = tmp_path / "hostile.duckdb"
        with duckdb.connect(str(path)) as file:
            file.execute(f"CREATE TABLE {quoted(table)} ({columns})")
            places = ", ".join("?" * COLUMNS)
            file.executemany(f"INSERT INTO {quoted(table)} VALUES ({places})", [list(row.values()) for row in rows])
        yield {"url": f"jdbc:duckdb:{path}", "dbtable": quoted(table)}, rows
        return
    if request.param == "mariadb":
        mariadb: MariaDBServer = request.getfixturevalue("mariadb")
        # A name has no characters beyond 16 bits here, and one that begins with a blank loses it in a subquery.
        rows = [{name.replace("🦀", "é").lstrip(): value for name, value in row.items()} for row in rows]
        table = backticks(table.replace("🦀", "é"))
        mariadb.execute(f"CREATE TABLE {table} ({', '.join(f'{backticks(name)} varchar(99)' for name in rows[0])})")
        marks = ", ".join(["%s"] * COLUMNS)
        for row in rows:
            mariadb.execute(f"INSERT INTO {table.replace('%', '%%')} VALUES ({marks})", *row.values())
        yield {**mariadb.options, "dbtable": table}, rows
        mariadb.execute(f"DROP TABLE {table}")
        return
    postgres: PostgresServer = request.getfixturevalue("postgres")
    postgres.execute(f"CREATE TABLE {quoted(table)} ({columns})")
    for row in rows:
        values = ", ".join("E'" + value.replace("\\", "\\\\").replace("'", "''") + "'" for value in row.values())
        postgres.execute(f"INSERT INTO {quoted(table)} VALUES ({values})")
    yield {**postgres.options, "dbtable": quoted(table)}, rows
    postgres.execute(f"DROP TABLE {quoted(table)}")


def answer(options: Options, request: ScanRequest) -> tuple[list[dict[str, str]], dict[int, Pushdown]]:
    source = JDBCArrowDataSource()
    plan = source.plan_scan(request, options)
    specs = [partition.spec for partition in plan.partitions if isinstance(partition, Partition)]
    batches = [batch for spec in specs for batch in source.read_partition(spec, options)]
    return pa.Table.from_batches(batches).to_pylist() if batches else [], dict(plan.filters)


def test_conditions(made: tuple[dict[str, str], list[dict[str, str]]], seed: int) -> None:
    given, rows = made
    options = Options(given)
    schema = JDBCArrowDataSource().infer_schema(options)
    assert schema.names == list(rows[0])
    chosen = random.Random(seed)
    for _ in range(12):
        name = chosen.choice(schema.names)
        values = [chosen.choice([chosen.choice(rows)[name], text(chosen)]) for _ in range(3)]
        column, literals = Column(name, pa.string()), tuple(Literal(pa.scalar(value)) for value in values)
        conditions: list[tuple[Filter, list[bool]]] = [
            (Comparison(Operator.EQUAL, column, literals[0]), [row[name] == values[0] for row in rows]),
            (Comparison(Operator.NOT_EQUAL, column, literals[0]), [row[name] != values[0] for row in rows]),
            (
                Comparison(Operator.LESS, column, literals[0]),
                [row[name].encode() < values[0].encode() for row in rows],
            ),
            (Not(In(column, literals)), [row[name] not in values for row in rows]),
            (StartsWith(column, values[0][:2]), [row[name].startswith(values[0][:2]) for row in rows]),
        ]
        for condition, expected in conditions:
            found, answers = answer(options, ScanRequest(schema, tuple(schema.names), (condition,)))
            assert answers == {0: Pushdown.EXACT}
            wanted = [row for row, is_wanted in zip(rows, expected, strict=True) if is_wanted]
            assert sorted(map(repr, found)) == sorted(map(repr, wanted)), condition


def test_orders_and_groups(made: tuple[dict[str, str], list[dict[str, str]]]) -> None:
    given, rows = made
    options = Options(given)
    schema = JDBCArrowDataSource().infer_schema(options)
    for name in schema.names:
        found, _ = answer(options, ScanRequest(schema, (name,), limit=5, order_by=(SortKey(name, descending=True),)))
        best = sorted((row[name] for row in rows), key=str.encode, reverse=True)[:5]
        assert sorted(row[name] for row in found) == sorted(best)
        count = AggregateFunction("count", None, 'it\'s "n"', pa.int64())
        least = AggregateFunction("min", name, "le;ast--", pa.string())
        groups, _ = answer(options, ScanRequest(schema, (name,), aggregate=Aggregate((name,), (count, least))))
        texts = [row[name] for row in rows]
        expected = [{name: one, count.name: texts.count(one), least.name: one} for one in set(texts)]
        assert sorted(map(repr, groups)) == sorted(map(repr, expected))


def test_cuts(made: tuple[dict[str, str], list[dict[str, str]]]) -> None:
    given, rows = made
    for name in rows[0]:
        for way in ("list", "quantile"):
            cut = {"partitioning": way, "partitionColumn": name, "numPartitions": "3"}
            options = Options(given | cut)
            source = JDBCArrowDataSource()
            specs = source.plan_partitions(options)
            found = [
                row for spec in specs for batch in source.read_partition(spec, options) for row in batch.to_pylist()
            ]
            assert sorted(map(repr, found)) == sorted(map(repr, rows))
