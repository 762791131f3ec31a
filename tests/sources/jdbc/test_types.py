"""Every type of `tests/types/*.toml`: the Arrow type that is promised, and the value that arrives."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from sheetbend.errors import OptionError, SheetbendError
from tests.sources.jdbc.reading import cases, read
from tests.support.postgresql import PostgresServer


@pytest.fixture(scope="module")
def typed_postgres(postgres: PostgresServer) -> PostgresServer:
    postgres.execute("CREATE TYPE mood AS ENUM ('sad', 'glad')")
    postgres.execute("CREATE TYPE pair AS (a int, b text)")
    postgres.execute("CREATE DOMAIN cents AS numeric(7,2)")
    return postgres


def test_postgresql_types(typed_postgres: PostgresServer) -> None:
    wrong = []
    for number, case in enumerate(cases("postgresql", "type")):
        typed_postgres.execute(f"CREATE TABLE type_{number} (c {case['declared']})")
        typed_postgres.execute(
            f"INSERT INTO type_{number} VALUES (NULL), (CAST({case['literal']} AS {case['declared']}))"
        )
        column = read({**typed_postgres.options, "dbtable": f"type_{number}"}).column("c")
        found = (str(column.type), str(column[1].as_py()), column[0].as_py())
        if found != (case["arrow"], case["value"], None):
            wrong.append((case, found))
    assert not wrong


def test_postgresql_values_that_arrow_cannot_hold(typed_postgres: PostgresServer) -> None:
    for number, case in enumerate(cases("postgresql", "misfit")):
        table = f"misfit_{number}"
        typed_postgres.execute(f"CREATE TABLE {table} (c {case['declared']})")
        typed_postgres.execute(f"INSERT INTO {table} VALUES (NULL), (CAST({case['literal']} AS {case['declared']}))")
        # A stream is pulled by the engine itself, so its errors are the driver's.
        with pytest.raises((SheetbendError, OSError)) as caught:
            read({**typed_postgres.options, "dbtable": table})
        assert case["error"] in str(caught.value), case


def test_postgresql_values_that_become_null(typed_postgres: PostgresServer) -> None:
    wrong = []
    for number, case in enumerate(cases("postgresql", "lenient")):
        value = f"CAST({case['literal']} AS {case['declared']})"
        typed_postgres.execute(f"CREATE TABLE lenient_{number} AS SELECT {value} AS c")
        options = {**typed_postgres.options, "dbtable": f"lenient_{number}", "unrepresentable": "null"}
        if read(options).column("c").to_pylist() != [None]:
            wrong.append(case)
    assert not wrong


def test_postgresql_custom_schema(typed_postgres: PostgresServer) -> None:
    wrong = []
    for number, case in enumerate(cases("postgresql", "custom")):
        value = f"CAST({case['literal']} AS {case['declared']})"
        typed_postgres.execute(f"CREATE TABLE custom_{number} AS SELECT {value} AS c, 1 AS d")
        options = {**typed_postgres.options, "dbtable": f"custom_{number}", "customSchema": f"`C` {case['type']}"}
        column = read(options).column("c")
        found = (str(column.type), str(column[0].as_py()))
        if found != (case["arrow"], case["value"]):
            wrong.append((case, found))
    assert not wrong


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("c", "must be columns and their types"),
        ("c WIBBLE", "must be columns and their types, as in .* got 'c WIBBLE'"),
        ("c INT,", "must be columns and their types"),
        ("nope INT", "'nope' is no column of the table"),
        ("c TINYINT", "cannot read column 'c', which is int4, as int8"),
        ("c INT; DROP TABLE x", "must be columns and their types"),
    ],
)
def test_a_custom_schema_that_is_wrong(typed_postgres: PostgresServer, schema: str, message: str) -> None:
    options = {**typed_postgres.options, "dbtable": "(SELECT 1 AS c) x", "customSchema": schema}
    with pytest.raises(OptionError, match=message):
        read(options)


def test_timestamps_in_no_zone_may_be_taken_for_utc(typed_postgres: PostgresServer) -> None:
    query = "SELECT timestamp '2024-02-29 12:00' AS at, 'x' AS name"
    options = {
        **typed_postgres.options,
        "query": query,
        "preferTimestampNTZ": "false",
        "options": "-c timezone=Asia/Tokyo",
    }
    table = read(options)
    assert str(table.schema.field("at").type) == "timestamp[us, tz=UTC]"
    assert str(table["at"][0].as_py()) == "2024-02-29 12:00:00+00:00"


def test_sqlite_custom_schema(tmp_path: Path) -> None:
    options = _sqlite(tmp_path / "a.db", {"declared": "TEXT", "literal": "'2024-02-29'"})
    assert str(read(options | {"customSchema": "c DATE"}).column("c")[0].as_py()) == "2024-02-29"
    options = _sqlite(tmp_path / "b.db", {"declared": "INTEGER", "literal": "12"})
    assert read(options | {"customSchema": "c STRING"}).column("c").to_pylist() == ["12"]
    with pytest.raises(OptionError, match="cannot read column 'c', which is INTEGER, as timestamp"):
        read(options | {"customSchema": "c timestamp_ntz"})


def _sqlite(path: Path, case: dict[str, str], rows_before: int = 0) -> dict[str, str]:
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE t (c {case['declared']})")
        connection.executemany("INSERT INTO t VALUES (?)", [(None,)] * rows_before)
        connection.execute(f"INSERT INTO t VALUES ({case['literal']})")
    connection.close()
    return {"url": f"jdbc:sqlite:{path}", "dbtable": "t", "fetchsize": "10"}


def test_sqlite_types(tmp_path: Path) -> None:
    wrong = []
    # NULLs alone in the first batches tell the driver nothing about the type.
    for number, case in enumerate(cases("sqlite", "type")):
        options = _sqlite(tmp_path / f"{number}.db", case, rows_before=25)
        column = read(options).column("c")
        found = (str(column.type), str(column[25].as_py()), column.null_count)
        if found != (case["arrow"], case["value"], 25):
            wrong.append((case, found))
    assert not wrong


@pytest.mark.parametrize("rows_before", [0, 25], ids=["first batch", "later batch"])
def test_sqlite_values_that_do_not_fit(tmp_path: Path, rows_before: int) -> None:
    for number, case in enumerate(cases("sqlite", "misfit")):
        options = _sqlite(tmp_path / f"{number}.db", case, rows_before)
        with pytest.raises(SheetbendError) as caught:
            read(options)
        assert "Column 'c'" in str(caught.value), case
        assert case["error"] in str(caught.value), case
