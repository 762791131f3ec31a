"""Writes to PostgreSQL, a real server: modes, columns, types, names, and what the options change."""

from __future__ import annotations

import datetime
import decimal
import math
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pytest

from sheetbend import testing
from sheetbend.context import TaskContext
from sheetbend.errors import (
    AuthenticationError,
    ColumnError,
    OptionError,
    SheetbendError,
    SourceConnectionError,
    TableExistsError,
)
from sheetbend.sources.jdbc import JDBCArrowDataSource
from sheetbend.write import SaveMode
from tests.sources.jdbc.reading import read
from tests.sources.jdbc.writing import Write, write
from tests.support.postgresql import PostgresServer
from tests.support.server import wait_until

Sql = Callable[[str], list[tuple[Any, ...]]]
IDS = pa.schema([("id", pa.int64()), ("name", pa.string())])


def ids(*values: int, name: str = "new") -> pa.Table:
    return pa.table([list(values), [name] * len(values)], schema=IDS)


@pytest.fixture
def place(postgres: PostgresServer) -> Iterator[str]:
    """A schema of the test's own; it is empty in the end, but for the tables that the test names."""
    name = f"w_{secrets.token_hex(4)}"
    postgres.execute(f"CREATE SCHEMA {name}")
    yield name
    left = postgres.execute(
        f"SELECT relname::text FROM pg_class WHERE relnamespace = '{name}'::regnamespace AND relname LIKE 'sheetbend%'"
    )
    postgres.execute(f"DROP SCHEMA {name} CASCADE")
    assert not left


@pytest.fixture
def options(postgres: PostgresServer, place: str) -> dict[str, str]:
    return {**postgres.options, "dbtable": f"{place}.t"}


def columns(postgres: PostgresServer, table: str) -> list[tuple[Any, ...]]:
    return postgres.execute(
        "SELECT attname::text, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute "
        f"WHERE attrelid = '{table}'::regclass AND attnum > 0 ORDER BY attnum"
    )


def test_modes(postgres: PostgresServer, options: dict[str, str]) -> None:
    def rows() -> list[tuple[Any, ...]]:
        return postgres.execute(f"SELECT id FROM {options['dbtable']} ORDER BY id")

    write(options, ids(1), ids(2), mode=SaveMode.ERROR)
    write(options, ids(3))
    with pytest.raises(TableExistsError, match=r"Table or view 'w_\w+\.t' already exists. SaveMode: ErrorIfExists."):
        write(options, ids(4), mode=SaveMode.ERROR)
    write(options, ids(4), mode=SaveMode.IGNORE)
    assert rows() == [(1,), (2,), (3,)]
    write(options, ids(5), mode=SaveMode.OVERWRITE)
    assert rows() == [(5,)]
    write({**options, "dbtable": options["dbtable"] + "2"}, ids(6), mode=SaveMode.IGNORE)
    assert postgres.execute(f"SELECT id FROM {options['dbtable']}2") == [(6,)]


@pytest.mark.parametrize("atomicity", ["write", "partition"])
def test_overwrite_replaces_the_table_or_empties_it(
    postgres: PostgresServer, options: dict[str, str], atomicity: str
) -> None:
    options |= {"atomicity": atomicity}
    table = options["dbtable"]
    postgres.execute(f"CREATE TABLE {table} (id bigint PRIMARY KEY, name text DEFAULT 'none')")
    postgres.execute(f"INSERT INTO {table} VALUES (1, 'old')")
    write({**options, "truncate": "true"}, ids(2).select(["id"]), ids(3).select(["id"]), mode=SaveMode.OVERWRITE)
    assert postgres.execute(f"SELECT * FROM {table} ORDER BY id") == [(2, "none"), (3, "none")]
    assert columns(postgres, table)[0][2]
    with pytest.raises(ColumnError, match='"BIGINT" column `z` is not defined in table'):
        write({**options, "truncate": "true"}, pa.table({"z": [1]}), mode=SaveMode.OVERWRITE)
    assert len(postgres.execute(f"SELECT * FROM {table}")) == 2
    write(options, pa.table({"z": [1]}), mode=SaveMode.OVERWRITE)
    assert columns(postgres, table) == [("z", "bigint", False)]
    assert postgres.execute(f"SELECT * FROM {table}") == [(1,)]


def test_truncate_of_a_table_that_others_refer_to(postgres: PostgresServer, options: dict[str, str]) -> None:
    table = options["dbtable"]
    options |= {"truncate": "true"}
    postgres.execute(f"CREATE TABLE {table} (id bigint PRIMARY KEY, name text)")
    postgres.execute(f"CREATE TABLE {table}2 (id bigint REFERENCES {table})")
    with pytest.raises(SheetbendError, match="cannot truncate a table referenced in a foreign key"):
        write(options, ids(1), mode=SaveMode.OVERWRITE)
    write({**options, "cascadeTruncate": "true"}, ids(1), mode=SaveMode.OVERWRITE)
    assert postgres.execute(f"SELECT id FROM {table}") == [(1,)]


def test_a_partitioned_table_is_emptied(postgres: PostgresServer, options: dict[str, str]) -> None:
    table = options["dbtable"]
    postgres.execute(f"CREATE TABLE {table} (id bigint, name text) PARTITION BY RANGE (id)")
    postgres.execute(f"CREATE TABLE {table}_1 PARTITION OF {table} FOR VALUES FROM (0) TO (100)")
    write(options, ids(1))
    write({**options, "truncate": "true"}, ids(2), mode=SaveMode.OVERWRITE)
    assert postgres.execute(f"SELECT id FROM {table}") == [(2,)]


def test_a_view_keeps_its_table_from_being_replaced(postgres: PostgresServer, options: dict[str, str]) -> None:
    write(options, ids(1))
    postgres.execute(f"CREATE VIEW {options['dbtable']}_v AS SELECT * FROM {options['dbtable']}")
    with pytest.raises(SheetbendError, match="other objects depend on it"):
        write(options, ids(2), mode=SaveMode.OVERWRITE)
    assert postgres.execute(f"SELECT id FROM {options['dbtable']}_v") == [(1,)]


def test_columns_are_matched_by_name(postgres: PostgresServer, options: dict[str, str]) -> None:
    table = options["dbtable"]
    postgres.execute(f"""CREATE TABLE {table} ("Id" bigint NOT NULL, name text DEFAULT 'none', "ID" int, note text)""")
    rows = pa.table({"NAME": ["a"], "ID": pa.array([7], pa.int32()), "Id": [1]})
    write(options, rows)
    write(options, pa.table({"Id": [2]}))
    assert postgres.execute(f'SELECT * FROM {table} ORDER BY "Id"') == [(1, "a", 7, None), (2, "none", None, None)]
    with pytest.raises(ColumnError, match="defined table columns are: `Id`, `name`, `ID`, `note`") as caught:
        write(options, pa.table({"Id": [1], "nope": [1]}))
    assert (caught.value.condition, caught.value.parameters["colName"]) == ("COLUMN_NOT_DEFINED_IN_TABLE", "`nope`")
    with pytest.raises(ColumnError, match="no value for them: `Id`"):
        write(options, pa.table({"name": ["a"]}))
    with pytest.raises(ColumnError, match="column `NAME` already exists"):
        write(options, pa.table({"Id": [1], "name": ["a"], "NAME": ["a"]}))


def test_a_new_table_has_the_types_of_spark(postgres: PostgresServer, options: dict[str, str]) -> None:
    fields = [
        ("b", pa.bool_(), "boolean"),
        ("i1", pa.int8(), "smallint"),
        ("i2", pa.int16(), "smallint"),
        ("i4", pa.int32(), "integer"),
        ("i8", pa.int64(), "bigint"),
        ("f4", pa.float32(), "real"),
        ("f8", pa.float64(), "double precision"),
        ("d", pa.decimal128(12, 3), "numeric(12,3)"),
        ("s", pa.string(), "text"),
        ("x", pa.binary(), "bytea"),
        ("day", pa.date32(), "date"),
        ("at", pa.timestamp("us", "Europe/Berlin"), "timestamp with time zone"),
        ("ntz", pa.timestamp("us"), "timestamp without time zone"),
        ("a", pa.list_(pa.string()), "text[]"),
        ("ad", pa.list_(pa.decimal128(5, 2)), "numeric(5,2)[]"),
    ]
    schema = pa.schema([pa.field(name, kind, nullable=name != "i4") for name, kind, _ in fields])
    moment = datetime.datetime(2024, 2, 29, 12, 30, 15, 123456)
    row = {
        "b": True,
        "i1": -128,
        "i2": 32767,
        "i4": 4,
        "i8": -(2**63),
        "f4": 1.5,
        "f8": -0.0,
        "s": "ü\U0001f980\\N\t\n",
    }
    row |= {"d": decimal.Decimal("-123456789.125"), "x": b"\0\xff", "day": datetime.date(1, 1, 1), "ntz": moment}
    row |= {"at": moment.replace(tzinfo=datetime.timezone.utc), "a": ["x", None], "ad": [decimal.Decimal("1.25")]}
    empty = dict.fromkeys(row) | {"i4": 5}
    rows = pa.Table.from_pylist([row, empty], schema=schema)
    write(options, rows)
    found = [(name, declared, name == "i4") for name, _, declared in fields]
    assert columns(postgres, options["dbtable"]) == found
    back = read(options).sort_by("i4")
    assert back.select(["d", "s", "x", "day", "ntz", "b", "i8", "f8"]).equals(
        rows.select(["d", "s", "x", "day", "ntz", "b", "i8", "f8"]).cast(
            back.select(["d", "s", "x", "day", "ntz", "b", "i8", "f8"]).schema
        )
    )
    assert back["at"].to_pylist() == [row["at"], None]
    assert back["a"].to_pylist() == [["x", None], None]


def test_numbers_that_are_none(postgres: PostgresServer, options: dict[str, str]) -> None:
    write(options, pa.table({"x": [math.nan, math.inf, -math.inf, None]}))
    assert postgres.execute(f"SELECT x::text FROM {options['dbtable']}") == [
        ("NaN",),
        ("Infinity",),
        ("-Infinity",),
        (None,),
    ]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (pa.map_(pa.string(), pa.int64()), "map<string,bigint>"),
        (pa.struct([("a", pa.int32())]), "struct<a:int>"),
        (pa.list_(pa.struct([("a", pa.int32())])), "array<struct<a:int>>"),
        (pa.duration("us"), "interval day to second"),
        (pa.null(), "void"),
    ],
)
def test_types_that_there_are_none_for(options: dict[str, str], kind: pa.DataType, name: str) -> None:
    rows = pa.table({"Nested One": pa.nulls(1, kind)})
    with pytest.raises(ColumnError, match=f"Column `Nested One`: Can't get JDBC type for {name}") as caught:
        write(options, rows)
    assert caught.value.condition == "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE"


@pytest.mark.parametrize(
    ("declared", "value", "expected"),
    [
        ("uuid", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "3f2504e0-4f89-11d3-9a0c-0305e82c3301"),
        ("jsonb", '{"a": [1]}', '{"a": [1]}'),
        ("inet", "10.0.0.1/8", "10.0.0.1/8"),
        ("timetz", "12:00+02", "12:00:00+02"),
        ("uuid[]", ["3f2504e0-4f89-11d3-9a0c-0305e82c3301"], "{3f2504e0-4f89-11d3-9a0c-0305e82c3301}"),
        ("varchar(3)", "abc", "abc"),
        ("char(3)", "a", "a"),
        ("smallint", 7, "7"),
        ("numeric(5,1)", 1.26, "1.3"),
        ("real", 0.5, "0.5"),
        ("bigint", pa.scalar(5, pa.int16()), "5"),
        ("timestamp", pa.scalar(0, pa.timestamp("us", "Asia/Tokyo")), "1970-01-01 00:00:00"),
        ("timestamptz", pa.scalar(0, pa.timestamp("us")), "1970-01-01 00:00:00+00"),
    ],
)
@pytest.mark.parametrize("atomicity", ["write", "partition"])
def test_the_server_converts_what_it_can(
    postgres: PostgresServer, options: dict[str, str], declared: str, value: Any, expected: str, atomicity: str
) -> None:
    postgres.execute(f"CREATE TABLE {options['dbtable']} (x {declared})")
    column = pa.array([value.as_py()], value.type) if isinstance(value, pa.Scalar) else pa.array([value])
    write({**options, "atomicity": atomicity, "options": "-c timezone=Asia/Tokyo"}, pa.table({"x": column}))
    assert postgres.execute(f"SELECT rtrim(x::text) FROM (SELECT x FROM {options['dbtable']}) t") == [(expected,)]


@pytest.mark.parametrize(
    ("declared", "value", "message"),
    [
        ("bigint", "5", 'column "x" is of type bigint but expression is of type text'),
        ("boolean", 1, 'column "x" is of type boolean but expression is of type bigint'),
        ("smallint", 40000, "smallint out of range"),
        ("varchar(3)", "abcd", r"value too long for type character varying\(3\)"),
        ("numeric(3,1)", decimal.Decimal("123.4"), "numeric field overflow"),
        ("uuid", "nonsense", "invalid input syntax for type uuid"),
        ("int GENERATED ALWAYS AS IDENTITY", 1, 'cannot insert a non-DEFAULT value into column "x"'),
        ("bigint CHECK (x < 5)", 5, "violates check constraint"),
        ("bigint NOT NULL", None, 'null value in column "x"'),
    ],
)
def test_values_that_do_not_fit(
    postgres: PostgresServer, options: dict[str, str], declared: str, value: Any, message: str
) -> None:
    postgres.execute(f"CREATE TABLE {options['dbtable']} (x {declared})")
    column = pa.array([value], pa.int64()) if value is None else pa.array([value])
    with pytest.raises(SheetbendError, match=message) as caught:
        write(options, pa.table({"x": column}))
    assert "INSERT INTO" not in str(caught.value)
    assert postgres.execute(f"SELECT count(*) FROM {options['dbtable']}") == [(0,)]


def test_a_null_byte_in_a_text(postgres: PostgresServer, options: dict[str, str]) -> None:
    rows = pa.table({"id": [1, 2], "bad one": ["a", "b\0c\0"]})
    with pytest.raises(SheetbendError, match="Column 'bad one' has a text with a NUL character") as caught:
        write(options, rows.slice(0, 1), rows.slice(1))
    assert "nullByteReplacement" in str(caught.value)
    with pytest.raises(SheetbendError, match="Column 'a' has a text with a NUL"):
        write(options, pa.table({"a": [["x", "\0"]]}))
    write({**options, "nullByteReplacement": "\N{REPLACEMENT CHARACTER}"}, rows)
    write({**options, "nullByteReplacement": ""}, rows)
    found = postgres.execute(f'SELECT "bad one" FROM {options["dbtable"]} WHERE id = 2 ORDER BY "bad one" COLLATE "C"')
    assert found == [("bc",), ("b\ufffdc\ufffd",)]


def test_a_huge_text(postgres: PostgresServer, options: dict[str, str]) -> None:
    write(options, pa.table({"x": ["ü" * 30_000_000, ""]}))
    assert postgres.execute(f"SELECT length(x) FROM {options['dbtable']} ORDER BY 1") == [(0,), (30_000_000,)]


NAMES = [
    'a"b',
    "a'b\\",
    "a b; DROP TABLE x --",
    "{0} %s $1 :x ?",
    "select",
    "Ünï🦀",
    "\n\t/*",
    "a.b",
    '""',
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("upsert", [False, True])
def test_hostile_names(postgres: PostgresServer, name: str, upsert: bool) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    options = {**postgres.options, "dbtable": f"{quoted}.{quoted}"}
    options |= {"writeMode": "upsert", "upsertKeys": "`" + name.replace("`", "``") + "`"} if upsert else {}
    postgres.execute(f"CREATE SCHEMA {quoted}")
    try:
        for value in (1, 2):
            write(options, pa.table({name: [value], name + "2": ["x"]}))
        write({**options, "atomicity": "partition"}, pa.table({name: [3], name + "2": ["x"]}))
        assert read(options)[name].to_pylist() == [1, 2, 3]
        if not upsert:
            types = "`" + name.replace("`", "``") + "` DECIMAL(5, 2)"
            write({**options, "createTableColumnTypes": types}, pa.table({name: [1]}), mode=SaveMode.OVERWRITE)
            assert columns(postgres, options["dbtable"].replace("'", "''")) == [(name, "numeric(5,2)", False)]
    finally:
        postgres.execute(f"DROP SCHEMA {quoted} CASCADE")


def test_random_names(postgres: PostgresServer, options: dict[str, str]) -> None:
    import random

    generator = random.Random(5)
    alphabet = "\"'`\\;-/*.,()[]{}$%:?@ \n\tabAB_09üß漢🦀"
    for _ in range(25):
        drawn = {"".join(generator.choices(alphabet, k=generator.randint(1, 12))) for _ in range(3)}
        # Names that differ in case alone are one to Spark.
        names = sorted({name.lower(): name for name in drawn}.values())
        rows = pa.table({name: [f"{name}1", f"{name}2"] for name in names})
        write(options, rows, mode=SaveMode.OVERWRITE)
        write(options, rows)
        back = read(options)
        assert back.schema.names == names
        assert sorted(back[names[0]].to_pylist()) == sorted(rows[names[0]].to_pylist() * 2)


def test_names_are_found_as_the_server_finds_them(postgres: PostgresServer, place: str) -> None:
    options = {**postgres.options, "currentSchema": place}
    write({**options, "dbtable": "UpPer"}, ids(1))
    write({**options, "dbtable": '"UpPer"'}, ids(2))
    write({**options, "dbtable": "upper"}, ids(3))
    assert postgres.execute(f"SELECT id FROM {place}.upper ORDER BY 1") == [(1,), (3,)]
    assert postgres.execute(f'SELECT id FROM {place}."UpPer"') == [(2,)]


@pytest.mark.parametrize("table", ["(SELECT 1) x", "a b", "x; DROP TABLE y", '"open', "a..b"])
def test_what_is_no_name_of_a_table(postgres: PostgresServer, table: str) -> None:
    with pytest.raises(OptionError):
        write({**postgres.options, "dbtable": table}, ids(1))


def test_types_that_the_user_gives(postgres: PostgresServer, options: dict[str, str]) -> None:
    rows = pa.table({"Name": ["a"], "note": ["b"], "n": [1], "doc": ['{"a": 1}'], "m": [1]})
    options |= {"createTableColumnTypes": "name CHAR(4), `note` varchar(9), n: DECIMAL(10, 2), doc jsonb, m int"}
    options |= {"createTableOptions": "WITH (fillfactor=70)"}
    write(options, rows)
    assert [row[1] for row in columns(postgres, options["dbtable"])] == [
        "character(4)",
        "character varying(9)",
        "numeric(10,2)",
        "jsonb",
        "integer",
    ]
    assert postgres.execute(f"SELECT reloptions FROM pg_class WHERE oid = '{options['dbtable']}'::regclass") == [
        (["fillfactor=70"],)
    ]
    assert postgres.execute(f"SELECT * FROM {options['dbtable']}") == [("a   ", "b", "1.00", '{"a": 1}', 1)]
    write({**options, "createTableColumnTypes": "name varchar(9)"}, rows, mode=SaveMode.OVERWRITE)
    assert columns(postgres, options["dbtable"])[0][1] == "character varying(9)"


@pytest.mark.parametrize(
    ("types", "message"),
    [
        ("nope INT", "column nope not found in schema: the columns are `id`, `name`"),
        ("id int, ID bigint", "The column `ID` already exists"),
        ("id", "expected a column and its type"),
        ("id INT) ; DROP TABLE x --", "expected a column and its type"),
        ("id INT DEFAULT (SELECT 1)", "expected a column and its type"),
        ("id nosuchtype", 'type "nosuchtype" does not exist'),
        ("id jsonb", 'column "id" is of type jsonb but expression is of type bigint'),
    ],
)
def test_types_that_cannot_be_given(options: dict[str, str], types: str, message: str) -> None:
    with pytest.raises(SheetbendError, match=message):
        Write({**options, "createTableColumnTypes": types}, IDS).begin()


def test_upsert(postgres: PostgresServer, options: dict[str, str]) -> None:
    table = options["dbtable"]
    options |= {"writeMode": "upsert", "upsertKeys": "ID"}
    write(options, ids(1, 2, name="old"), ids(3, name="old"))
    write(options, ids(2), ids(4))
    write({**options, "atomicity": "partition"}, ids(3, name="last"), ids(5, name="last"))
    expected = [(1, "old"), (2, "new"), (3, "last"), (4, "new"), (5, "last")]
    assert postgres.execute(f"SELECT * FROM {table} ORDER BY id") == expected
    write(options, ids(1, 9).select(["id"]))
    assert postgres.execute(f"SELECT * FROM {table} WHERE id IN (1, 9)") == [(1, "old"), (9, None)]
    with pytest.raises(SheetbendError, match="cannot affect row a second time"):
        write(options, ids(1), ids(1))
    with pytest.raises(OptionError, match="no unique or exclusion constraint matching"):
        write({**options, "upsertKeys": "name"}, ids(1))
    with pytest.raises(OptionError, match="'nope' is no column of the rows, which are: id, name"):
        write({**options, "upsertKeys": "id,nope"}, ids(1))


def test_a_key_that_comes_twice_in_a_new_table(options: dict[str, str]) -> None:
    options |= {"writeMode": "upsert", "upsertKeys": "id"}
    with pytest.raises(SheetbendError, match=r"Key \(id\)=\(1\) is duplicated"):
        write(options, ids(1), ids(1))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"writeMode": "upsert"}, "needs the columns of the key in option 'upsertKeys'"),
        ({"upsertKeys": "id"}, "'upsertKeys' is for option 'writeMode' upsert"),
        ({"query": "SELECT 1"}, "Option 'dbtable' is required. Option 'query' is not applicable while writing."),
        ({"dbtable": ""}, "Option 'dbtable' is required"),
        ({"batchsize": "0"}, "Option 'batchsize' must be at least 1"),
        ({"numPartitions": "0"}, "Option 'numPartitions' must be at least 1"),
    ],
)
def test_options_that_contradict(options: dict[str, str], given: dict[str, str], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Write({**options, **given}, IDS).begin()
    with pytest.raises(OptionError, match="mode overwrite does not"):
        Write({**options, "writeMode": "upsert", "upsertKeys": "id"}, IDS, SaveMode.OVERWRITE).begin()


@pytest.mark.parametrize("level", ["NONE", "read_uncommitted", "READ_COMMITTED", "REPEATABLE_READ", "SERIALIZABLE"])
def test_isolation(postgres: PostgresServer, options: dict[str, str], level: str) -> None:
    table = options["dbtable"]
    postgres.execute(
        f"CREATE TABLE {table} (id bigint, name text, level text DEFAULT current_setting('transaction_isolation'))"
    )
    for atomicity in ("write", "partition"):
        write({**options, "isolationLevel": level, "atomicity": atomicity}, ids(1))
    expected = "read committed" if level == "NONE" else level.replace("_", " ").lower()
    assert postgres.execute(f"SELECT level FROM {table}") == [(expected,)] * 2


def test_writers_are_capped(postgres: PostgresServer, options: dict[str, str]) -> None:
    most = [0]

    def slow() -> Iterator[pa.RecordBatch]:
        for batch in ids(1, 2, 3).to_batches(max_chunksize=1):
            copying = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY %FROM STDIN%' AND pid <> pg_backend_pid() AND state = 'active'"
            most[0] = max(most[0], postgres.execute(copying)[0][0])
            time.sleep(0.1)
            yield batch

    rows = [pa.RecordBatchReader.from_batches(IDS, slow()) for _ in range(4)]
    testing.write(JDBCArrowDataSource(), rows, {**options, "numPartitions": "2"}, schema=IDS)
    assert postgres.execute(f"SELECT count(*) FROM {options['dbtable']}") == [(12,)]
    assert most == [2]


def test_a_write_of_nothing_makes_the_table(postgres: PostgresServer, options: dict[str, str]) -> None:
    testing.write(JDBCArrowDataSource(), [], options, schema=IDS)
    assert [name for name, *_ in columns(postgres, options["dbtable"])] == ["id", "name"]


def test_worker_processes_leave_no_lock(postgres: PostgresServer, options: dict[str, str]) -> None:
    for _ in range(2):
        testing.write(JDBCArrowDataSource, [ids(1), ids(2)], options, isolation="process")
    assert postgres.execute(f"SELECT count(*) FROM {options['dbtable']}") == [(4,)]
    locks = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory'"
    wait_until(lambda: not postgres.execute(locks), 5, "every lock is released")


def test_a_query_timeout_is_that_of_a_statement(postgres: PostgresServer, options: dict[str, str]) -> None:
    postgres.execute(f"CREATE TABLE {options['dbtable']} (id bigint, name text, CHECK (pg_sleep(5) IS NOT NULL))")
    started = time.monotonic()
    with pytest.raises(SheetbendError, match="statement timeout"):
        write({**options, "queryTimeout": "1"}, ids(1))
    assert time.monotonic() - started < 4


def test_a_user_without_a_place_for_staging(postgres: PostgresServer, options: dict[str, str], place: str) -> None:
    table = options["dbtable"]
    user = f"u_{place}"
    postgres.execute(f"CREATE TABLE {table} (id bigint, name text)")
    postgres.execute(f"CREATE ROLE {user} LOGIN PASSWORD 'w'")
    postgres.execute(f"GRANT USAGE ON SCHEMA {place} TO {user}")
    options |= {"user": user, "password": "w"}
    try:
        with pytest.raises(AuthenticationError, match="stagingSchema"):
            write(options, ids(1))
        postgres.execute(f"CREATE SCHEMA {user} AUTHORIZATION {user}")
        with pytest.raises(AuthenticationError, match="permission denied for table t"):
            write({**options, "stagingSchema": user}, ids(1))
        postgres.execute(f"GRANT INSERT, SELECT ON {table} TO {user}")
        write({**options, "stagingSchema": user}, ids(1))
        write({**options, "atomicity": "partition"}, ids(2))
        assert postgres.execute(f"SELECT id FROM {table} ORDER BY 1") == [(1,), (2,)]
        assert postgres.execute(f"SELECT count(*) FROM pg_class WHERE relnamespace = '{user}'::regnamespace") == [(0,)]
        # A table that is made there and moved.
        postgres.execute(f"GRANT CREATE ON SCHEMA {place} TO {user}")
        write({**options, "stagingSchema": user, "dbtable": f"{place}.t2"}, ids(3))
        assert postgres.execute(f"SELECT id FROM {place}.t2") == [(3,)]
    finally:
        postgres.execute(f"DROP OWNED BY {user} CASCADE")
        postgres.execute(f"DROP ROLE {user}")


def test_no_secret_is_in_an_error(postgres: PostgresServer, options: dict[str, str]) -> None:
    postgres.execute(f"CREATE TABLE {options['dbtable']} (id bigint CHECK (id < 5), name text)")
    steps = Write(options, IDS).begin()
    assert postgres.password not in repr(steps.handle)
    for given in ({"password": "wr0ng-secret"}, {"url": "jdbc:postgresql://127.0.0.1:1/x"}):
        with pytest.raises((AuthenticationError, SourceConnectionError)) as caught:
            Write({**options, **given}, IDS).begin()
        assert "wr0ng-secret" not in str(caught.value)
        assert postgres.password not in str(caught.value)
    steps.abort()


def test_a_cancelled_task_ends_its_statement(postgres: PostgresServer, options: dict[str, str]) -> None:
    context = TaskContext(partition=0)
    copying = threading.Event()

    def endless() -> Iterator[pa.RecordBatch]:
        while True:
            yield from ids(1).to_batches()
            copying.set()

    steps = Write(options, IDS).begin()
    errors: list[Exception] = []

    def run() -> None:
        try:
            steps.task(pa.RecordBatchReader.from_batches(IDS, endless()), context)
        except SheetbendError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert copying.wait(10)
    context.cancel()
    thread.join(5)
    assert not thread.is_alive()
    assert "The write was cancelled" in str(errors[0])
    steps.abort()
