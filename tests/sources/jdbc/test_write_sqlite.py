"""Writes to SQLite files."""

from __future__ import annotations

import datetime
import decimal
import math
import random
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sheetbend import testing
from sheetbend.errors import ColumnError, OptionError, SheetbendError, SourceConnectionError, TableExistsError
from sheetbend.sources.jdbc import JDBCArrowDataSource
from sheetbend.write import SaveMode
from tests.sources.jdbc.reading import read
from tests.sources.jdbc.writing import Write, write
from tests.support.server import ROOT

IDS = pa.schema([("id", pa.int64()), ("name", pa.string())])


def ids(*values: int, name: str = "new") -> pa.Table:
    return pa.table([list(values), [name] * len(values)], schema=IDS)


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "shop [1].db"
    # Nothing is left beside the database.
    assert [entry.name for entry in tmp_path.iterdir() if ".sheetbend-" in entry.name] == []


@pytest.fixture
def options(path: Path) -> dict[str, str]:
    return {"url": f"jdbc:sqlite:{path}", "dbtable": "t"}


def sql(path: Path, statement: str) -> list[Any]:
    connection = sqlite3.connect(path)
    try:
        with connection:
            return connection.execute(statement).fetchall()
    finally:
        connection.close()


def test_modes(path: Path, options: dict[str, str]) -> None:
    write(options, ids(1), ids(2), mode=SaveMode.ERROR)
    write(options, ids(3))
    with pytest.raises(TableExistsError, match=r"Table or view 't' already exists. SaveMode: ErrorIfExists."):
        write(options, ids(4), mode=SaveMode.ERROR)
    write({**options, "dbtable": 'MAIN."T"'}, ids(4), mode=SaveMode.IGNORE)
    assert sql(path, "SELECT id FROM t ORDER BY id") == [(1,), (2,), (3,)]
    write({**options, "truncate": "true"}, ids(5), mode=SaveMode.OVERWRITE)
    assert sql(path, "SELECT * FROM t") == [(5, "new")]
    write(options, pa.table({"z": [1]}), mode=SaveMode.OVERWRITE)
    assert sql(path, "SELECT * FROM t") == [(1,)]


def test_a_new_table_has_the_types_of_spark(path: Path, options: dict[str, str]) -> None:
    moment = datetime.datetime(2024, 2, 29, 12, 30, 15, 123456)
    fields: list[tuple[str, pa.DataType, str, Any]] = [
        ("b", pa.bool_(), "BIT(1)", True),
        ("i1", pa.int8(), "BYTE", -128),
        ("i2", pa.int16(), "INTEGER", 32767),
        ("i4", pa.int32(), "INTEGER", -5),
        ("i8", pa.int64(), "BIGINT", 2**63 - 1),
        ("f4", pa.float32(), "REAL", 1.5),
        ("f8", pa.float64(), "DOUBLE PRECISION", math.inf),
        ("d", pa.decimal128(12, 3), "DECIMAL(12,3)", decimal.Decimal("-123456789.125")),
        ("s", pa.string(), "TEXT", "ü🦀'\n"),
        ("x", pa.binary(), "BLOB", b"\0\xff"),
        ("day", pa.date32(), "DATE", datetime.date(1, 1, 1)),
        ("at", pa.timestamp("us", "Europe/Berlin"), "TIMESTAMP", moment.replace(tzinfo=datetime.timezone.utc)),
        ("ntz", pa.timestamp("us"), "TIMESTAMP", moment),
    ]
    schema = pa.schema([pa.field(name, kind, nullable=name != "i4") for name, kind, _, _ in fields])
    row = {name: value for name, _, _, value in fields}
    write(options, pa.Table.from_pylist([row, dict.fromkeys(row) | {"i4": 1}], schema=schema))
    declared = sql(path, "SELECT name, type, \"notnull\" FROM pragma_table_info('t')")
    assert declared == [(name, kind, int(name == "i4")) for name, _, kind, _ in fields]
    back = read(options).to_pylist()
    assert back[0] == row | {"ntz": moment.replace(tzinfo=datetime.timezone.utc)}
    assert back[1] == dict.fromkeys(row) | {"i4": 1}


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pa.array([math.nan]), "Column 'x' is of type DOUBLE PRECISION .* SQLite has no NaN"),
        (pa.array([decimal.Decimal("1234567890123.4567")]), "SQLite keeps 15 digits of a decimal"),
        (pa.array([[1]]), r"Can't get JDBC type for array<bigint>"),
        (pa.array([{"a": 1}]), r"Can't get JDBC type for struct<a:bigint>"),
        (pa.nulls(1), "Can't get JDBC type for void"),
    ],
)
def test_values_that_are_not_stored(options: dict[str, str], column: pa.Array, message: str) -> None:
    with pytest.raises(SheetbendError, match=message):
        write(options, pa.table({"x": column}))


@pytest.mark.parametrize(
    ("declared", "value", "message"),
    [
        ("BIGINT", "5", "Column `x` is of type BIGINT, the rows have STRING: cast the column"),
        ("BLOB", 5, "Column `x` is of type BLOB, the rows have BIGINT"),
        ("DATE", 5, "Column `x` is of type DATE, the rows have BIGINT"),
        ("SMALLINT", 40000, "Column 'x' is of type SMALLINT and cannot hold a value of a row: .*40000"),
        ("BIGINT NOT NULL", None, "NOT NULL constraint failed: t.x"),
        ("BIGINT CHECK (x < 5)", 5, "CHECK constraint failed"),
        ("BIGINT UNIQUE", 0, "UNIQUE constraint failed: t.x"),
    ],
)
def test_values_that_do_not_fit(path: Path, options: dict[str, str], declared: str, value: Any, message: str) -> None:
    sql(path, f"CREATE TABLE t (x {declared})")
    sql(path, "INSERT INTO t VALUES (0)")
    rows = pa.table({"x": pa.array([value], None if value is not None else pa.int64())})
    with pytest.raises(SheetbendError, match=message):
        write(options, rows.slice(1), rows)
    assert sql(path, "SELECT * FROM t") == [(0,)]


def test_values_are_converted_to_what_the_column_is_read_as(path: Path, options: dict[str, str]) -> None:
    sql(path, "CREATE TABLE t (d DECIMAL(10,2), r REAL, s TEXT, at DATETIME)")
    day = datetime.date(2024, 2, 29)
    write(options, pa.table({"d": [5], "r": [7], "s": [8], "at": [day]}))
    at = datetime.datetime(2024, 2, 29, tzinfo=datetime.timezone.utc)
    assert read(options).to_pylist() == [{"d": decimal.Decimal("5.00"), "r": 7.0, "s": "8", "at": at}]


def test_columns_are_matched_by_name(path: Path, options: dict[str, str]) -> None:
    sql(path, "CREATE TABLE t (id INTEGER PRIMARY KEY, Name TEXT NOT NULL, note TEXT DEFAULT 'none', n AS (id + 1))")
    write(options, pa.table({"NAME": ["a"]}))
    assert sql(path, "SELECT * FROM t") == [(1, "a", "none", 2)]
    with pytest.raises(ColumnError, match="defined table columns are: `id`, `Name`, `note`"):
        write(options, pa.table({"n": [1]}))
    with pytest.raises(ColumnError, match="no value for them: `Name`"):
        write(options, pa.table({"id": [1]}))


def test_upsert(path: Path, options: dict[str, str]) -> None:
    options |= {"writeMode": "upsert", "upsertKeys": "id"}
    write(options, ids(1, 2, name="old"))
    write(options, ids(2), ids(3))
    assert sql(path, "SELECT * FROM t ORDER BY id") == [(1, "old"), (2, "new"), (3, "new")]
    with pytest.raises(SheetbendError, match="does not match any PRIMARY KEY or UNIQUE constraint"):
        write({**options, "upsertKeys": "name"}, ids(2))


def test_types_and_options_that_the_user_gives(path: Path, options: dict[str, str]) -> None:
    given = {"createTableColumnTypes": "NAME varchar(9), id int", "createTableOptions": "STRICT"}
    with pytest.raises(SheetbendError, match="unknown datatype"):
        write({**options, **given}, ids(1))
    write({**options, **given, "createTableOptions": ""}, ids(1))
    assert sql(path, "SELECT type FROM pragma_table_info('t')") == [("INTEGER",), ("varchar(9)",)]


def test_random_names(path: Path, options: dict[str, str]) -> None:
    generator = random.Random(5)
    alphabet = "\"'`\\;-/*.,()[]{}$%:?@ \n\tabAB_09üß漢🦀"
    for number in range(40):
        drawn = {"".join(generator.choices(alphabet, k=generator.randint(1, 12))) for _ in range(4)}
        table, *names = sorted({name.lower(): name for name in drawn}.values())
        options["dbtable"] = (
            '"' + table.replace('"', '""') + '"' if number % 2 else "`" + table.replace("`", "``") + "`"
        )
        rows = pa.table({name: [f"{name}1"] for name in names})
        write(options, rows, mode=SaveMode.OVERWRITE)
        write(options, rows)
        back = read({**options, "dbtable": '"' + table.replace('"', '""') + '"'})
        assert back.to_pylist() == rows.to_pylist() * 2


@pytest.mark.parametrize("table", ["(SELECT 1)", "a b", "other.t", "t; DROP TABLE t"])
def test_what_is_no_name_of_a_table(options: dict[str, str], table: str) -> None:
    with pytest.raises(OptionError, match="name of a table"):
        write({**options, "dbtable": table}, ids(1))


def test_texts_keep_their_null_bytes(path: Path, options: dict[str, str]) -> None:
    write(options, pa.table({"s": ["a\0b"]}))
    write({**options, "nullByteReplacement": "-"}, pa.table({"s": ["a\0b"]}))
    assert read(options)["s"].to_pylist() == ["a\0b", "a-b"]


def test_many_partitions_at_once(path: Path, options: dict[str, str]) -> None:
    parts = [ids(*range(start, 20_000, 8)) for start in range(8)]
    testing.write(JDBCArrowDataSource(), parts, {**options, "batchsize": "1000", "numPartitions": "3"})
    assert sql(path, "SELECT count(*), sum(id) FROM t") == [(20_000, sum(range(20_000)))]


def test_writes_at_the_same_time(path: Path, options: dict[str, str]) -> None:
    write(options, ids(0))
    threads = [threading.Thread(target=write, args=(options, ids(n))) for n in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sql(path, "SELECT id FROM t ORDER BY id") == [(n,) for n in range(9)]


def test_a_commit_is_repeated_harmlessly_and_an_abort_is_for_good(path: Path, options: dict[str, str]) -> None:
    steps = Write(options, IDS).begin().task(ids(1))
    steps.commit()
    steps.commit()
    steps.abort()
    assert sql(path, "SELECT id FROM t") == [(1,)]
    steps = Write(options, IDS).begin().task(ids(2))
    steps.abort()
    steps.abort()
    with pytest.raises(SheetbendError, match="are gone from"):
        steps.commit()
    assert sql(path, "SELECT id FROM t") == [(1,)]


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    options = {"url": f"jdbc:sqlite:{tmp_path}/missing/shop.db", "dbtable": "t"}
    with pytest.raises(SheetbendError, match="cannot be made: No such file or directory"):
        write(options, ids(1))


def test_a_file_that_is_no_database(path: Path, options: dict[str, str]) -> None:
    path.write_text("hello, this is no database but a text of some length" * 40)
    with pytest.raises(SourceConnectionError, match="is no SQLite database"):
        write(options, ids(1))


KILLED = """
import os, signal, sys
import pyarrow as pa
from tests.sources.jdbc.writing import Write

rows = pa.table({"id": [7], "name": ["x"]})
Write({"url": "jdbc:sqlite:" + sys.argv[1], "dbtable": "t"}, rows.schema).begin().task(rows)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_has_left_goes_with_the_next_write(path: Path, options: dict[str, str]) -> None:
    write(options, ids(1))
    live = Write(options, IDS).begin().task(ids(2))
    subprocess.run([sys.executable, "-c", KILLED, str(path)], cwd=ROOT, timeout=60)
    assert len(list(path.parent.glob("*.sheetbend-*"))) == 2
    write(options, ids(3))
    assert len(list(path.parent.glob("*.sheetbend-*"))) == 1
    live.commit()
    assert sql(path, "SELECT id FROM t ORDER BY id") == [(1,), (2,), (3,)]
