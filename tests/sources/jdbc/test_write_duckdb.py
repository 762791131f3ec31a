"""Writes to DuckDB files."""

from __future__ import annotations

import datetime
import decimal
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from sheetbend import testing
from sheetbend.errors import ColumnError, OptionError, SheetbendError, SourceConnectionError, TableExistsError
from sheetbend.sources.jdbc import JDBCArrowDataSource
from sheetbend.write import SaveMode
from tests.sources.jdbc.reading import read
from tests.sources.jdbc.writing import Write, write

IDS = pa.schema([("id", pa.int64()), ("name", pa.string())])


def ids(*values: int, name: str = "new") -> pa.Table:
    return pa.table([list(values), [name] * len(values)], schema=IDS)


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "shop 1.duckdb"
    # Nothing is left beside the database.
    assert [entry.name for entry in tmp_path.iterdir() if ".sheetbend-" in entry.name] == []


@pytest.fixture
def options(path: Path) -> dict[str, str]:
    return {"url": f"jdbc:duckdb:{path}", "dbtable": "t"}


def sql(path: Path, statement: str) -> list[Any]:
    with duckdb.connect(str(path)) as connection:
        return connection.execute(statement).fetchall()


def test_modes(path: Path, options: dict[str, str]) -> None:
    write(options, ids(1), ids(2), mode=SaveMode.ERROR)
    write(options, ids(3))
    with pytest.raises(TableExistsError):
        write({**options, "dbtable": 'MAIN."T"'}, ids(4), mode=SaveMode.ERROR)
    write(options, ids(4), mode=SaveMode.IGNORE)
    assert sql(path, "SELECT id FROM t ORDER BY id") == [(1,), (2,), (3,)]
    write({**options, "truncate": "true"}, ids(5), mode=SaveMode.OVERWRITE)
    assert sql(path, "SELECT * FROM t") == [(5, "new")]
    write(options, pa.table({"z": [1]}), mode=SaveMode.OVERWRITE)
    assert sql(path, "SELECT * FROM t") == [(1,)]


def test_a_new_table_holds_what_is_written(path: Path, options: dict[str, str]) -> None:
    moment = datetime.datetime(2024, 2, 29, 12, 30, 15, 123456)
    fields: list[tuple[str, pa.DataType, str, Any]] = [
        ("b", pa.bool_(), "BOOLEAN", True),
        ("i1", pa.int8(), "TINYINT", -128),
        ("i8", pa.int64(), "BIGINT", 2**63 - 1),
        ("f4", pa.float32(), "FLOAT", 1.5),
        ("d", pa.decimal128(38, 3), "DECIMAL(38,3)", decimal.Decimal("-12345678901234567890.125")),
        ("s", pa.string(), "VARCHAR", "ü🦀'\n"),
        ("x", pa.binary(), "BLOB", b"\0\xff"),
        ("day", pa.date32(), "DATE", datetime.date(1, 1, 1)),
        ("at", pa.timestamp("us", "UTC"), "TIMESTAMP WITH TIME ZONE", moment.replace(tzinfo=datetime.timezone.utc)),
        ("ntz", pa.timestamp("us"), "TIMESTAMP", moment),
        ("l", pa.list_(pa.list_(pa.int32())), "INTEGER[][]", [[1, None], None]),
        ("st", pa.struct([("a b", pa.string())]), 'STRUCT("a b" VARCHAR)', {"a b": "c"}),
        ("m", pa.map_(pa.string(), pa.int64()), "MAP(VARCHAR, BIGINT)", [("k", 1)]),
    ]
    schema = pa.schema([(name, kind) for name, kind, _, _ in fields])
    row = {name: value for name, _, _, value in fields}
    write(options, pa.Table.from_pylist([row, dict.fromkeys(row)], schema=schema))
    assert sql(path, "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 't'") == [
        (name, declared) for name, _, declared, _ in fields
    ]
    assert read(options).to_pylist() == [row, dict.fromkeys(row)]


@pytest.mark.parametrize(
    ("declared", "value", "message"),
    [
        ("BIGINT", "x", "Could not convert string 'x' to INT64"),
        ("SMALLINT", 40000, "out of range"),
        ("BIGINT NOT NULL", None, "NOT NULL constraint failed: t.x"),
        ("BIGINT CHECK (x < 5)", 5, "CHECK constraint failed"),
        ("BIGINT UNIQUE", 0, 'Duplicate key "x: 0"'),
    ],
)
def test_values_that_do_not_fit(path: Path, options: dict[str, str], declared: str, value: Any, message: str) -> None:
    sql(path, f"CREATE TABLE t (x {declared})")
    sql(path, "INSERT INTO t VALUES (0)")
    rows = pa.table({"x": pa.array([value], None if value is not None else pa.int64())})
    with pytest.raises(SheetbendError, match=message):
        write(options, rows.slice(1), rows)
    assert sql(path, "SELECT * FROM t") == [(0,)]


def test_columns(path: Path, options: dict[str, str]) -> None:
    sql(path, "CREATE TABLE t (id BIGINT DEFAULT 7, Name VARCHAR NOT NULL)")
    write(options, pa.table({"NAME": ["a"]}))
    assert sql(path, "SELECT * FROM t") == [(7, "a")]
    with pytest.raises(ColumnError, match="defined table columns are: `id`, `Name`"):
        write(options, pa.table({"n": [1]}))
    with pytest.raises(ColumnError, match="no value for them: `Name`"):
        write(options, pa.table({"id": [1]}))
    with pytest.raises(ColumnError, match="Can't get JDBC type for void"):
        write({**options, "dbtable": "u"}, pa.table({"n": pa.nulls(1)}))


def test_upsert(path: Path, options: dict[str, str]) -> None:
    options |= {"writeMode": "upsert", "upsertKeys": "id"}
    write(options, ids(1, 2, name="old"))
    write(options, ids(2), ids(3))
    assert sql(path, "SELECT * FROM t ORDER BY id") == [(1, "old"), (2, "new"), (3, "new")]


def test_random_names(path: Path, options: dict[str, str]) -> None:
    generator = random.Random(5)
    alphabet = "\"'`\\;-/*.,()[]{}$%:?@ \n\tabAB_09üß漢🦀"
    for _ in range(20):
        drawn = {"".join(generator.choices(alphabet, k=generator.randint(1, 12))) for _ in range(4)}
        table, *names = sorted({name.lower(): name for name in drawn}.values())
        options["dbtable"] = '"' + table.replace('"', '""') + '"'
        rows = pa.table({name: [f"{name}1"] for name in names})
        write(options, rows, mode=SaveMode.OVERWRITE)
        write(options, rows)
        assert read(options).to_pylist() == rows.to_pylist() * 2


def test_partitions_and_commits(path: Path, options: dict[str, str]) -> None:
    parts = [ids(*range(start, 20_000, 8)) for start in range(8)]
    testing.write(JDBCArrowDataSource(), parts, options)
    assert sql(path, "SELECT count(*), sum(id) FROM t") == [(20_000, sum(range(20_000)))]
    steps = Write(options, IDS).begin().task(ids(-1))
    steps.commit()
    steps.commit()
    steps.abort()
    assert sql(path, "SELECT count(*) FROM t") == [(20_001,)]


def test_a_file_that_another_has_open(path: Path, options: dict[str, str]) -> None:
    write(options, ids(1))
    with duckdb.connect(str(path), read_only=True):
        with pytest.raises(SourceConnectionError, match="cannot be opened"):
            write(options, ids(2))
    assert sql(path, "SELECT id FROM t") == [(1,)]


@pytest.mark.parametrize("given", [{"dbtable": "(SELECT 1)"}, {"atomicity": "partition"}, {"stagingSchema": "x"}])
def test_options_that_are_refused(options: dict[str, str], given: dict[str, str]) -> None:
    with pytest.raises(OptionError):
        write({**options, **given}, ids(1))
