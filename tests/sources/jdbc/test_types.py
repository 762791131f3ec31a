"""Every type of `tests/types/*.toml`: the Arrow type that is promised, and the value that arrives."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from sheetbend.errors import SheetbendError
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
