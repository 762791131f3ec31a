"""Filters as SQL mean the same in the databases themselves, or are not written."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import random
import struct
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from sheetbend.filters import (
    ANSI,
    DUCKDB,
    MYSQL,
    POSTGRESQL,
    SQLITE,
    And,
    Column,
    Comparison,
    Contains,
    EndsWith,
    Filter,
    In,
    IsNotNull,
    IsNull,
    Like,
    Literal,
    Not,
    Operator,
    Or,
    StartsWith,
)
from tests.plugin import logic
from tests.plugin.databases import Database, DuckDb, Postgres, Sqlite
from tests.support.postgresql import PostgresServer

NAN = float("nan")
ROWS = 50


@pytest.fixture(scope="module")
def postgresql(postgres: PostgresServer) -> Iterator[Postgres]:
    database = Postgres(postgres)
    yield database
    database.close()


@pytest.fixture(params=["sqlite", "duckdb", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    if request.param == "postgresql":
        found: Database = request.getfixturevalue("postgresql")
        return found
    return Sqlite() if request.param == "sqlite" else DuckDb()


def agrees(database: Database, name: str, data: pa.Table, condition: Filter, **options: bool) -> bool:
    """Whether the condition can be written; where it can, it and its negation mean the same as the filter."""
    sql = condition.to_sql(database.dialect, **options)
    negation = Not(condition).to_sql(database.dialect, **options)
    assert (sql is None) == (negation is None)
    if sql is None or negation is None:
        return False
    rows = data.to_pylist()
    assert database.answers(name, sql) == [logic.truth(condition, row) for row in rows], sql
    assert database.answers(name, negation) == [logic.truth(Not(condition), row) for row in rows], negation
    return True


def table(database: Database, name: str, seed: str) -> pa.Table:
    data = logic.table(random.Random(seed), database.columns, ROWS, database.without)
    database.create(name, data)
    return data


# --- Meaning --------------------------------------------------------------------------------------


def test_leaves_of_each_type(database: Database) -> None:
    data = table(database, "leaves", "leaves")
    random_ = random.Random("leaves")
    for name in database.columns:
        leaves = [logic.leaf(random_, name, database.columns, ignore_case=False) for _ in range(50)]
        written = sum(agrees(database, "leaves", data, leaf) for leaf in leaves)
        assert written > 25, name


def test_trees(database: Database) -> None:
    data = table(database, "trees", "trees")
    random_ = random.Random("trees")
    trees = [logic.tree(random_, database.columns) for _ in range(300)]
    assert sum(agrees(database, "trees", data, tree) for tree in trees) > 150


def test_joined_by_and(database: Database) -> None:
    """As a plug-in joins them."""
    data = table(database, "joined", "joined")
    random_ = random.Random("joined")
    for _ in range(100):
        filters = [logic.tree(random_, database.columns, 1, ignore_case=False) for _ in range(3)]
        parts = [(condition, sql) for condition in filters if (sql := condition.to_sql(database.dialect)) is not None]
        where = " AND ".join(sql for _, sql in parts) or "1 = 1"
        kept = [row["id"] for row in data.to_pylist() if all(logic.truth(condition, row) for condition, _ in parts)]
        assert [row[0] for row in database.query(f"SELECT id FROM joined WHERE {where} ORDER BY id")] == kept, where


def test_ranges_of_texts(database: Database) -> None:
    if database.dialect is SQLITE:
        database.query("CREATE TABLE texts (id INTEGER, s TEXT)")
        data = logic.table(random.Random(1), ["s"], ROWS)
        for row in data.to_pylist():
            database._connection.execute("INSERT INTO texts VALUES (:id, :s)", row)  # type: ignore[attr-defined]
    else:
        data = logic.table(random.Random(1), ["s"], ROWS)
        database.create("texts", data)
    column = Column("s", pa.string())
    for operator in (Operator.LESS, Operator.LESS_OR_EQUAL, Operator.GREATER, Operator.GREATER_OR_EQUAL):
        for text in logic.TEXTS:
            condition = Comparison(operator, column, Literal(pa.scalar(text)))
            assert condition.to_sql(database.dialect) is None
            assert agrees(database, "texts", data, condition, string_order=True)


def test_texts_with_nul_in_the_data() -> None:
    texts = [*logic.NUL_TEXTS, "a", "b", "ab", "", None]
    data = pa.table({"id": range(len(texts)), "s": texts})
    column = Column("s", pa.string())
    for database in (Sqlite(), DuckDb()):
        database.create("nuls", data)
        for text in ("a", "b", "ab", "ba", ""):
            for make in (StartsWith, EndsWith, Contains):
                assert agrees(database, "nuls", data, make(column, text))
            for pattern in (text, f"{text}%", f"%{text}", f"%{text}%"):
                assert agrees(database, "nuls", data, Like(column, pattern))
            assert agrees(database, "nuls", data, Comparison(Operator.EQUAL, column, Literal(pa.scalar(text))))
        for text in logic.NUL_TEXTS:
            assert not agrees(database, "nuls", data, StartsWith(column, text))
            assert not agrees(database, "nuls", data, In(column, (Literal(pa.scalar(text)), Literal(pa.scalar("a")))))


def test_sqlite_stored_as_utf_16() -> None:
    database = Sqlite()
    database.query("PRAGMA encoding = 'UTF-16le'")
    data = table(database, "wide", "wide")
    random_ = random.Random("wide")
    written = [agrees(database, "wide", data, logic.on_text(random_, Column("s", pa.string()))) for _ in range(200)]
    assert sum(written) > 100


def test_doubles_to_the_last_bit(database: Database) -> None:
    random_ = random.Random("doubles")
    drawn = [struct.unpack("<d", random_.randbytes(8))[0] for _ in range(400)]
    drawn += [round(random_.uniform(-1000, 1000), random_.randint(1, 12)) for _ in range(400)]
    drawn += [5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 2.0**53 + 2, -(2.0**63), 2.0**100]
    values = [value for value in drawn if math.isfinite(value)]
    data = pa.table({"id": range(len(values)), "x": values})
    database.create("doubles", data)
    column = Column("x", pa.float64())
    for position, value in enumerate(values):
        below, above = math.nextafter(value, -math.inf), math.nextafter(value, math.inf)
        sql = {other: Comparison(Operator.EQUAL, column, Literal(pa.scalar(other))) for other in (value, below, above)}
        written = ", ".join(str(condition.to_sql(database.dialect)) for condition in sql.values() if abs(value) < 1e308)
        if written:
            (row,) = database.query(f"SELECT {written} FROM doubles WHERE id = {position}")
            assert [bool(cell) for cell in row] == [True, False, False], written


def test_singles_are_compared_as_such() -> None:
    data = pa.table({"id": range(3), "f": pa.array([0.1, 16777216.0, 1e-45], pa.float32())})
    database = DuckDb()
    database.create("singles", data)
    for value in data.column("f"):
        assert agrees(database, "singles", data, Comparison(Operator.EQUAL, Column("f", pa.float32()), Literal(value)))


# --- Literals and names that would be something else ----------------------------------------------

PIECES = [
    "'",
    '"',
    "\\",
    "`",
    ";",
    "--",
    "/*",
    "*/",
    "%",
    "_",
    "!",
    "?",
    "$1",
    ":x",
    "{0}",
    "\n",
    "\r",
    "\u2028",
    "é",
    "😀",
    " ",
]
PIECES += ["x", "' OR 1=1 --", "'); DROP TABLE victim; --", "$$", "E'", "\x1b", "\x7f", "\ufeff", "\U0010ffff"]


def hostile(random_: random.Random) -> str:
    if random_.random() < 0.5:
        return "".join(random_.choices(PIECES, k=random_.randint(1, 6)))
    characters = (random_.choice([random_.randrange(1, 0xD800), random_.randrange(0xE000, 0x110000)]) for _ in range(8))
    return "".join(map(chr, characters))


def test_hostile_texts(database: Database) -> None:
    random_ = random.Random("texts")
    texts = [hostile(random_) for _ in range(300)]
    data = pa.table({"id": range(len(texts)), "s": texts})
    database.create("victim", data)
    column = Column("s", pa.string())
    for position, text in enumerate(texts):
        conditions = [
            Comparison(Operator.EQUAL, column, Literal(pa.scalar(text))),
            In(column, (Literal(pa.scalar(text)), Literal(pa.scalar("no")))),
            Comparison(Operator.NULL_SAFE_EQUAL, Literal(pa.scalar(text)), column),
            StartsWith(column, text),
            EndsWith(column, text),
            Contains(column, text),
            Like(column, text, None if "%" not in text and "_" not in text else "\ue000"),
        ]
        for condition in conditions:
            sql = condition.to_sql(database.dialect)
            if sql is None:
                assert isinstance(condition, Like)
                continue
            assert database.query(f"SELECT ({sql}), 'end' FROM victim WHERE id = {position}")[0][0] in (True, 1), sql
    assert database.query("SELECT count(*) FROM victim") == [(len(texts),)]


def test_hostile_bytes(database: Database) -> None:
    random_ = random.Random("bytes")
    values = [random_.randbytes(random_.randint(0, 9)) for _ in range(100)]
    data = pa.table({"id": range(len(values)), "raw": pa.array(values, pa.binary())})
    database.create("bytes_", data)
    for value in values:
        assert agrees(
            database, "bytes_", data, Comparison(Operator.EQUAL, Column("raw", pa.binary()), Literal(pa.scalar(value)))
        )


def test_hostile_names(database: Database) -> None:
    random_ = random.Random("names")
    names = {hostile(random_).lower()[:12] for _ in range(60)} | {"a.b", "select", "order by", "é", '"', '""', "x" * 63}
    kept = sorted(names - {"id"})
    data = pa.table({"id": range(2), **{name: [0, None] for name in kept}})
    database.create("named", data)
    for name in kept:
        assert agrees(
            database, "named", data, Comparison(Operator.EQUAL, Column(name, pa.int64()), Literal(pa.scalar(0)))
        )
        assert agrees(database, "named", data, IsNotNull(Column(name, pa.int64())))
    for name in ("", "a\0b"):
        assert IsNull(Column(name, pa.int64())).to_sql(database.dialect) is None


# --- Size -----------------------------------------------------------------------------------------


def test_five_thousand_conditions(database: Database) -> None:
    column = Column("n", pa.int64())
    data = pa.table({"id": range(3), "n": [-1, 10, None]})
    database.create("wide_", data)
    differs = tuple(Comparison(Operator.NOT_EQUAL, column, Literal(pa.scalar(n))) for n in range(5_000))
    assert agrees(database, "wide_", data, And(differs))
    assert agrees(database, "wide_", data, Or(tuple(map(Not, differs))))
    assert agrees(database, "wide_", data, In(column, tuple(Literal(pa.scalar(n)) for n in range(5_000))))


def test_depth(database: Database) -> None:
    data = pa.table({"id": range(3), "n": [1, 2, None], "s": ["a", "b", None]})
    database.create("deep", data)
    condition: Filter = EndsWith(Column("s", pa.string()), "a")
    other = Comparison(Operator.LESS, Column("n", pa.int64()), Literal(pa.scalar(2)))
    while condition.depth < 15:
        condition = Not(And((other, condition))) if condition.depth % 4 == 1 else Or((other, condition, other))
    assert agrees(database, "deep", data, condition)
    while condition.depth < 17:
        condition = Not(condition)
    assert condition.to_sql(database.dialect) is None


# --- What is not written --------------------------------------------------------------------------

S, N, X = Column("s", pa.string()), Column("n", pa.int64()), Column("x", pa.float64())
DIALECTS = {dialect.name: dialect for dialect in (ANSI, POSTGRESQL, SQLITE, MYSQL, DUCKDB)}


def equal(value: Any, kind: pa.DataType) -> Filter:
    scalar = value if isinstance(value, pa.Scalar) else pa.scalar(value, kind)
    return Comparison(Operator.EQUAL, Column("c", kind), Literal(scalar))


DAY = dt.date(2024, 1, 1)
NOON = dt.datetime(2024, 1, 1, 12)
SAYABLE: list[tuple[Filter, str]] = [
    (equal(1, pa.int64()), "ansi duckdb mysql postgresql sqlite"),
    (equal(1.5, pa.float32()), "ansi duckdb mysql postgresql"),
    (equal(NAN, pa.float64()), "duckdb postgresql"),
    (equal(math.inf, pa.float64()), "duckdb postgresql sqlite"),
    (Comparison(Operator.LESS, X, Literal(pa.scalar(1.0))), "ansi duckdb mysql postgresql sqlite"),
    (Comparison(Operator.GREATER, X, Literal(pa.scalar(1.0))), "duckdb mysql postgresql sqlite"),
    (Comparison(Operator.LESS, Literal(pa.scalar(1.0)), X), "duckdb mysql postgresql sqlite"),
    (Comparison(Operator.EQUAL, X, X), "duckdb mysql postgresql sqlite"),
    (equal(Decimal("1.50"), pa.decimal128(9, 2)), "ansi duckdb mysql postgresql"),
    (equal(Decimal(10) ** 40, pa.decimal256(50, 0)), "mysql postgresql"),
    (equal(Decimal(10) ** 70, pa.decimal256(76, 0)), "postgresql"),
    (equal(DAY, pa.date32()), "ansi duckdb mysql postgresql"),
    (equal(pa.scalar(9_000_000, pa.int32()).cast(pa.date32()), pa.date32()), ""),
    (equal(pa.scalar(-9_000_000, pa.int32()).cast(pa.date32()), pa.date32()), ""),
    (equal(dt.time(12), pa.time32("s")), "ansi duckdb mysql postgresql"),
    (equal(dt.time(12), pa.time64("ns")), ""),
    (equal(NOON, pa.timestamp("ms")), "ansi duckdb mysql postgresql"),
    (equal(NOON, pa.timestamp("ns")), ""),
    (equal(pa.scalar(2**62, pa.int64()).cast(pa.timestamp("us")), pa.timestamp("us")), ""),
    (equal(NOON, pa.timestamp("us", "Asia/Tokyo")), "ansi duckdb postgresql"),
    (equal(dt.timedelta(1), pa.duration("us")), ""),
    (equal(b"a", pa.binary()), "ansi duckdb mysql postgresql sqlite"),
    (equal("a", pa.string()), "ansi duckdb mysql postgresql sqlite"),
    (equal("a\0", pa.string()), ""),
    (Comparison(Operator.LESS, S, Literal(pa.scalar("a"))), ""),
    (Comparison(Operator.LESS, S, S), ""),
    (Like(S, "a%b"), "ansi duckdb mysql postgresql"),
    (Like(S, "a\\%b%"), "ansi duckdb mysql postgresql sqlite"),
    (Like(S, "a", ignore_case=True), ""),
    (IsNull(Column("c", pa.date32())), "ansi duckdb mysql postgresql sqlite"),
    (IsNull(Column("c", pa.list_(pa.int64()))), "ansi duckdb mysql postgresql sqlite"),
    (IsNull(Column("c", pa.struct([("a", pa.int64())]))), ""),
    (And((IsNull(N), equal(dt.timedelta(1), pa.duration("us")))), ""),
    (Or((IsNull(N), Like(S, "a%b"))), "ansi duckdb mysql postgresql"),
    (In(S, (Literal(pa.scalar("a")), Literal(pa.scalar("\0")))), ""),
]


@pytest.mark.parametrize(("condition", "dialects"), SAYABLE, ids=[str(condition) for condition, _ in SAYABLE])
def test_who_can_say_it(condition: Filter, dialects: str) -> None:
    assert {name for name in DIALECTS if condition.to_sql(name) is not None} == set(dialects.split())


def test_standard_sql() -> None:
    """Run by a database that keeps to the standard, but for timestamps with a zone."""
    database = DuckDb()
    database.dialect = ANSI
    database.columns = tuple(name for name in logic.VALUES if name != "at")
    data = table(database, "standard", "standard")
    random_ = random.Random("standard")
    assert sum(agrees(database, "standard", data, logic.tree(random_, database.columns, 2)) for _ in range(200)) > 80


def test_mysql_compares_characters() -> None:
    """What each form means there: https://dev.mysql.com/doc/refman/8.4/en/string-comparison-functions.html."""
    column = "CAST(CONVERT(`s` USING utf8mb4) AS BINARY)"
    text = "CAST(CONVERT('it''s' USING utf8mb4) AS BINARY)"
    assert Comparison(Operator.EQUAL, S, Literal(pa.scalar("it's"))).to_sql(MYSQL) == f"{column} = {text}"
    assert Comparison(Operator.NULL_SAFE_EQUAL, N, Literal(pa.scalar(1))).to_sql(MYSQL) == "`n` <=> 1"
    pattern = "CONVERT(`s` USING utf8mb4) COLLATE utf8mb4_bin LIKE"
    assert Contains(S, "5%").to_sql(MYSQL) == f"{pattern} '%5!%%' ESCAPE '!'"
    # A backslash is an escape or not, by the session's mode.
    assert StartsWith(S, "\\").to_sql(MYSQL) == f"{pattern} _utf8mb4 X'5c25' ESCAPE '!'"
    assert IsNull(Column("a`b", pa.int64())).to_sql(MYSQL) == "`a``b` IS NULL"


def test_dialects_of_ones_own() -> None:
    condition = And((Comparison(Operator.GREATER, X, Literal(pa.scalar(0.5))), IsNull(Column("a]b", pa.int64()))))
    own = dataclasses.replace(ANSI, name="own", identifier_quote="^", nan="none")
    assert condition.to_sql(own) == "(^x^ > 0.5e0 AND ^a]b^ IS NULL)"
    with pytest.raises(
        ValueError, match=r"no SQL dialect 'sqlit'\. There are: ansi, duckdb, mysql, postgresql, sqlite"
    ):
        condition.to_sql("sqlit")
