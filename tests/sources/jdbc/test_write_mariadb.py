"""Writes to MariaDB, a real server."""

from __future__ import annotations

import datetime
import decimal
import math
import random
import secrets
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from sheetbend import testing
from sheetbend.errors import AuthenticationError, ColumnError, OptionError, SheetbendError, TableExistsError
from sheetbend.sources.jdbc import JDBCArrowDataSource
from sheetbend.write import SaveMode
from tests.sources.jdbc.reading import read
from tests.sources.jdbc.writing import Write, write
from tests.support.mariadb import MariaDBServer
from tests.support.server import wait_until

IDS = pa.schema([("id", pa.int64()), ("name", pa.string())])


def ids(*values: int, name: str = "new") -> pa.Table:
    return pa.table([list(values), [name] * len(values)], schema=IDS)


@pytest.fixture
def place(mariadb: MariaDBServer) -> Iterator[str]:
    """A database of the test's own."""
    name = f"w_{secrets.token_hex(4)}"
    mariadb.execute(f"CREATE DATABASE {name}")
    yield name
    left = [row[0] for row in mariadb.execute(f"SHOW TABLES FROM {name}") if row[0].startswith("sheetbend")]
    mariadb.execute(f"DROP DATABASE {name}")
    assert not left


@pytest.fixture
def options(mariadb: MariaDBServer, place: str) -> dict[str, str]:
    return {**mariadb.options, "dbtable": f"{place}.t"}


def test_modes(mariadb: MariaDBServer, options: dict[str, str]) -> None:
    table = options["dbtable"]
    write(options, ids(1), ids(2), mode=SaveMode.ERROR)
    write(options, ids(3))
    with pytest.raises(TableExistsError, match="already exists"):
        write(options, ids(4), mode=SaveMode.ERROR)
    write(options, ids(4), mode=SaveMode.IGNORE)
    assert mariadb.execute(f"SELECT id FROM {table} ORDER BY id") == [(1,), (2,), (3,)]
    for atomicity in ("write", "partition"):
        write({**options, "truncate": "true", "atomicity": atomicity}, ids(5), ids(6), mode=SaveMode.OVERWRITE)
        assert mariadb.execute(f"SELECT * FROM {table} ORDER BY id") == [(5, "new"), (6, "new")]
        write({**options, "atomicity": atomicity}, pa.table({"id": [1], "name": ["z"]}), mode=SaveMode.OVERWRITE)
        assert mariadb.execute(f"SELECT * FROM {table}") == [(1, "z")]


def test_a_new_table_holds_what_is_written(mariadb: MariaDBServer, options: dict[str, str]) -> None:
    moment = datetime.datetime(2024, 2, 29, 12, 30, 15, 123456)
    fields: list[tuple[str, pa.DataType, str, Any]] = [
        ("at", pa.timestamp("us", "Europe/Berlin"), "timestamp(6)", moment.replace(tzinfo=datetime.timezone.utc)),
        ("b", pa.bool_(), "bit(1)", True),
        ("i1", pa.int8(), "tinyint(4)", -128),
        ("i2", pa.int16(), "smallint(6)", 32767),
        ("i4", pa.int32(), "int(11)", 5),
        ("i8", pa.int64(), "bigint(20)", -(2**63)),
        ("f4", pa.float32(), "float", 1.5),
        ("f8", pa.float64(), "double", 1.2345678901234567e-300),
        ("d", pa.decimal128(38, 3), "decimal(38,3)", decimal.Decimal("-12345678901234567890.125")),
        ("s", pa.string(), "longtext", "ü🦀'\\\0\n\"%s"),
        ("x", pa.binary(), "longblob", b"\0\xff'\\\n"),
        ("day", pa.date32(), "date", datetime.date(1000, 1, 1)),
        ("ntz", pa.timestamp("us"), "datetime(6)", moment),
    ]
    schema = pa.schema([pa.field(name, kind, nullable=name != "i4") for name, kind, _, _ in fields])
    row = {name: value for name, _, _, value in fields}
    write(options, pa.Table.from_pylist([row, dict.fromkeys(row) | {"i4": 1}], schema=schema))
    found = mariadb.execute(f"SHOW COLUMNS FROM {options['dbtable']}")
    assert [(one[0], one[1], one[2]) for one in found] == [
        (name, declared, "NO" if name == "i4" else "YES") for name, _, declared, _ in fields
    ]
    assert read(options).sort_by([("i4", "descending")]).to_pylist() == [row, dict.fromkeys(row) | {"i4": 1}]
    write(options, pa.Table.from_pylist([row], schema=schema))
    assert read(options).num_rows == 3


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_numbers_that_are_none(options: dict[str, str], value: float) -> None:
    with pytest.raises(SheetbendError, match="Column 'x' has NaN or an infinity"):
        write(options, pa.table({"x": [None, value]}))


@pytest.mark.parametrize(
    ("declared", "value", "message"),
    [
        ("bigint", "x", "Incorrect integer value: 'x' for column"),
        ("smallint", 40000, "Out of range value for column 'x'"),
        ("varchar(3)", "abcd", "Data too long for column 'x'"),
        ("bigint not null", None, "Column 'x' cannot be null"),
        ("bigint check (x < 5)", 5, "CONSTRAINT .* failed"),
        ("bigint unique", 0, "Duplicate entry '0'"),
        ("enum('a', 'b')", "c", "Data truncated for column 'x'"),
        ("date", "2024-02-30", "Incorrect date value"),
    ],
)
@pytest.mark.parametrize("atomicity", ["write", "partition"])
def test_values_that_do_not_fit(
    mariadb: MariaDBServer, options: dict[str, str], declared: str, value: Any, message: str, atomicity: str
) -> None:
    table = options["dbtable"]
    mariadb.execute(f"CREATE TABLE {table} (x {declared}, y int)")
    first = {"smallint": "1", "date": "'2024-01-01'", "enum('a', 'b')": "'a'"}.get(declared, "0")
    mariadb.execute(f"INSERT INTO {table} VALUES ({first}, 0)")
    rows = pa.table({"x": pa.array([value], None if value is not None else pa.int64())})
    with pytest.raises(SheetbendError, match=message) as caught:
        write({**options, "atomicity": atomicity}, rows.slice(1), rows)
    assert "INSERT" not in str(caught.value)
    assert mariadb.execute(f"SELECT count(*) FROM {table}") == [(1,)]


def test_columns(mariadb: MariaDBServer, options: dict[str, str]) -> None:
    table = options["dbtable"]
    mariadb.execute(f"CREATE TABLE {table} (id int auto_increment primary key, Name text not null, n int as (id + 1))")
    write(options, pa.table({"NAME": ["a"]}))
    assert mariadb.execute(f"SELECT id, Name FROM {table}") == [(1, "a")]
    with pytest.raises(ColumnError, match="defined table columns are: `id`, `Name`"):
        write(options, pa.table({"n": [1]}))
    with pytest.raises(ColumnError, match="no value for them: `Name`"):
        write(options, pa.table({"id": [1]}))
    with pytest.raises(ColumnError, match="Can't get JDBC type for array<bigint>"):
        write(options, pa.table({"Name": [[1]]}))


def test_upsert(mariadb: MariaDBServer, options: dict[str, str]) -> None:
    options |= {"writeMode": "upsert", "upsertKeys": "id"}
    write(options, ids(1, 2, name="old"))
    write(options, ids(2), ids(3))
    write({**options, "atomicity": "partition"}, ids(3, name="last"))
    expected = [(1, "old"), (2, "new"), (3, "last")]
    assert mariadb.execute(f"SELECT * FROM {options['dbtable']} ORDER BY id") == expected
    with pytest.raises(OptionError, match="has no unique index of name alone"):
        write({**options, "upsertKeys": "name"}, ids(2))


def test_types_and_options_that_the_user_gives(mariadb: MariaDBServer, options: dict[str, str]) -> None:
    given = {"createTableColumnTypes": "NAME varchar(9), id int", "createTableOptions": "COMMENT = 'x'"}
    write({**options, **given}, ids(1))
    shown = mariadb.execute(f"SHOW CREATE TABLE {options['dbtable']}")[0][1]
    assert "`name` varchar(9)" in shown
    assert "COMMENT='x'" in shown


def test_random_names(mariadb: MariaDBServer, options: dict[str, str], place: str) -> None:
    generator = random.Random(5)
    # No space at the end of a name, which the server does not take, and no character beyond 16 bits.
    alphabet = "\"'`\\;-*,()[]{}$%:?@\n\tabAB_09üß漢"
    for _ in range(20):
        drawn = {"".join(generator.choices(alphabet, k=generator.randint(1, 12))) + "_" for _ in range(4)}
        table, *names = sorted({name.lower(): name for name in drawn}.values())
        options["dbtable"] = f"{place}.`" + table.replace("`", "``") + "`"
        rows = pa.table({name: [f"{name}1"] for name in names})
        write(options, rows, mode=SaveMode.OVERWRITE)
        write(options, rows)
        assert read(options).to_pylist() == rows.to_pylist() * 2


def test_many_rows_in_partitions(mariadb: MariaDBServer, options: dict[str, str]) -> None:
    parts = [ids(*range(start, 40_000, 4), name="x" * 100) for start in range(4)]
    testing.write(JDBCArrowDataSource(), parts, options)
    testing.write(JDBCArrowDataSource(), parts, {**options, "isolationLevel": "SERIALIZABLE", "numPartitions": "2"})
    found = mariadb.execute(f"SELECT count(*), count(DISTINCT id) FROM {options['dbtable']}")
    assert found == [(80_000, 40_000)]


@pytest.mark.parametrize("mode", [SaveMode.APPEND, SaveMode.OVERWRITE])
def test_a_commit_is_repeated_harmlessly_and_an_abort_is_for_good(
    mariadb: MariaDBServer, options: dict[str, str], mode: SaveMode
) -> None:
    write(options, ids(0))
    steps = Write(options, IDS, mode).begin().task(ids(1))
    steps.commit()
    steps.commit()
    steps.abort()
    expected = [(0,), (1,)] if mode is SaveMode.APPEND else [(1,)]
    assert mariadb.execute(f"SELECT id FROM {options['dbtable']} ORDER BY id") == expected
    steps = Write(options, IDS, mode).begin().task(ids(2))
    steps.abort()
    steps.abort()
    with pytest.raises(SheetbendError, match=r"is gone|no such table"):
        steps.commit()
    assert mariadb.execute(f"SELECT id FROM {options['dbtable']} ORDER BY id") == expected


def test_a_commit_that_was_interrupted_after_its_transaction(mariadb: MariaDBServer, options: dict[str, str]) -> None:
    """The rows are in the table, and the staging table is left: the commit that comes again only drops it."""
    write(options, ids(0))
    steps = Write(options, IDS).begin().task(ids(1, 2))
    staging = steps.handle["load"]
    mariadb.execute(f"INSERT INTO {options['dbtable']} SELECT * FROM {staging}")
    mariadb.execute(f"DELETE FROM {staging} LIMIT 1")
    steps.commit()
    assert mariadb.execute(f"SELECT id FROM {options['dbtable']} ORDER BY id") == [(0,), (1,), (2,)]


def test_a_write_whose_lock_is_lost_gives_way_to_the_next(mariadb: MariaDBServer, options: dict[str, str]) -> None:
    write(options, ids(0))
    steps = Write(options, IDS).begin().task(ids(1))
    write(options, ids(2))
    name = steps.handle["staging"]
    [(holder,)] = mariadb.execute(f"SELECT IS_USED_LOCK('{name}')")
    mariadb.execute(f"KILL {holder}")
    wait_until(lambda: mariadb.execute(f"SELECT IS_FREE_LOCK('{name}')") == [(1,)], 5, "the lock is free")
    write(options, ids(3))
    with pytest.raises(SheetbendError, match="is gone"):
        steps.commit()
    with pytest.raises(SheetbendError):
        steps.task(ids(4))
    assert mariadb.execute(f"SELECT id FROM {options['dbtable']} ORDER BY id") == [(0,), (2,), (3,)]
    steps.abort()


def test_the_connection_of_a_task_is_ended(mariadb: MariaDBServer, options: dict[str, str]) -> None:
    def ended() -> Iterator[pa.RecordBatch]:
        yield from ids(1).to_batches()
        [[number]] = mariadb.execute("SELECT trx_mysql_thread_id FROM information_schema.innodb_trx LIMIT 1")
        mariadb.execute(f"KILL {number}")
        yield from ids(2).to_batches()

    write(options, ids(0))
    steps = Write(options, IDS).begin()
    with pytest.raises(SheetbendError):
        steps.task(pa.RecordBatchReader.from_batches(IDS, ended()))
    steps.abort()
    assert mariadb.execute(f"SELECT id FROM {options['dbtable']}") == [(0,)]


def test_worker_processes_leave_no_lock(mariadb: MariaDBServer, options: dict[str, str]) -> None:
    before = len(mariadb.execute("SHOW PROCESSLIST"))
    for _ in range(2):
        testing.write(JDBCArrowDataSource, [ids(1), ids(2)], options, isolation="process")
    assert mariadb.execute(f"SELECT count(*) FROM {options['dbtable']}") == [(4,)]
    holding = (
        "SELECT count(*) FROM information_schema.processlist WHERE info LIKE '%GET_LOCK%' AND id <> connection_id()"
    )
    wait_until(lambda: mariadb.execute(holding) == [(0,)], 5, "every lock is released")
    wait_until(
        lambda: len(mariadb.execute("SHOW PROCESSLIST")) <= before + 4, 5, "no connection is left but pooled ones"
    )


def test_no_secret_is_in_an_error(mariadb: MariaDBServer, options: dict[str, str]) -> None:
    steps = Write(options, IDS).begin()
    assert mariadb.password not in repr(steps.handle)
    steps.abort()
    with pytest.raises(AuthenticationError) as caught:
        write({**options, "password": "wr0ng-secret"}, ids(1))
    assert "wr0ng-secret" not in str(caught.value)


@pytest.mark.parametrize("table", ["(SELECT 1) x", "a b", "t; DROP TABLE t", "a.b.c"])
def test_what_is_no_name_of_a_table(options: dict[str, str], table: str) -> None:
    with pytest.raises(OptionError, match="name of a table"):
        write({**options, "dbtable": table}, ids(1))
