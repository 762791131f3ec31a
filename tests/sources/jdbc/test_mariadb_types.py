"""Every type of `tests/types/mariadb.toml`: the Arrow type that is promised, and the value that arrives."""

from __future__ import annotations

import json

import pytest

from sheetbend.errors import SheetbendError
from tests.sources.jdbc.reading import cases, read
from tests.support.mariadb import MariaDBServer


@pytest.fixture(scope="module")
def lenient(mariadb: MariaDBServer) -> MariaDBServer:
    """The server, told to store dates that are none."""
    mariadb.execute("SET sql_mode = 'ALLOW_INVALID_DATES'")
    return mariadb


def options_of(case: dict[str, str], table: str, server: MariaDBServer) -> dict[str, str]:
    server.execute(f"CREATE OR REPLACE TABLE {table} (n int primary key auto_increment, c {case['declared']})")
    server.execute(f"INSERT INTO {table} (c) VALUES (NULL), ({case['literal']}), (NULL)")
    return {**server.options, "query": f"SELECT c FROM {table} ORDER BY n", **json.loads(case.get("options", "{}"))}


def test_types(lenient: MariaDBServer) -> None:
    wrong = []
    for case in cases("mariadb", "type"):
        column = read(options_of(case, "typed", lenient)).column("c")
        found = (str(column.type), str(column[1].as_py()), column[0].as_py(), column[2].as_py())
        if found != (case["arrow"], case["value"], None, None):
            wrong.append((case, found))
    assert not wrong


def test_values_that_arrow_cannot_hold(lenient: MariaDBServer) -> None:
    for case in cases("mariadb", "misfit"):
        with pytest.raises(SheetbendError) as caught:
            read(options_of(case, "misfit", lenient))
        assert case["error"] in str(caught.value), case
        assert "Column 'c' is" in str(caught.value), case
