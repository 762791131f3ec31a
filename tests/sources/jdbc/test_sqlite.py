"""SQLite, from files."""

from __future__ import annotations

import gc
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from sheetbend.errors import OptionError, SheetbendError, SourceConnectionError, TableNotFoundError
from sheetbend.options import Options, check_options
from sheetbend.plugin import ReadContext
from sheetbend.sources.jdbc import JDBCArrowDataSource
from tests.sources.jdbc.reading import batches, partitions, read

Database = Callable[..., dict[str, str]]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Makes a database of a script, and the options that read a table of it."""
    path = tmp_path / "it's a #1 'database' ü.db"

    def make(script: str, table: str = "t") -> dict[str, str]:
        connection = sqlite3.connect(path)
        connection.executescript(script)
        connection.close()
        return {"url": f"jdbc:sqlite:{path}", "dbtable": table}

    yield make
    gc.collect()
    open_files = [os.readlink(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd") if _is_link(name)]
    assert str(path) not in open_files


def _is_link(name: str) -> bool:
    return os.path.islink(f"/proc/self/fd/{name}")


NUMBERS = """
CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, price DECIMAL(10,2));
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
INSERT INTO t SELECT i, 'n' || i, i * 0.25 FROM n;
"""


def test_partitions(database: Database) -> None:
    options = database(NUMBERS) | {
        "PartitionColumn": "ID",
        "lowerBound": "0",
        "UPPERBOUND": "1000",
        "numPartitions": "4",
    }
    found = partitions(options)
    assert [table.num_rows for table in found] == [249, 250, 250, 251]
    assert sorted(value for table in found for value in table["id"].to_pylist()) == list(range(1, 1001))


def test_bounds_do_not_filter(database: Database) -> None:
    options = database(NUMBERS + "CREATE VIEW v AS SELECT id, CASE WHEN id > 10 THEN id END AS c FROM t", "v")
    found = partitions(
        options | {"partitionColumn": "c", "lowerBound": "400", "upperBound": "600", "numPartitions": "2"}
    )
    # The first partition has the ten NULLs, too.
    assert [table.num_rows for table in found] == [10 + 489, 501]


def test_a_partition_is_found_by_the_primary_key(database: Database) -> None:
    options = database(NUMBERS)
    options |= {"partitionColumn": "id", "lowerBound": "0", "upperBound": "1000", "numPartitions": "3"}
    specs = JDBCArrowDataSource().plan_partitions(Options(options))
    with sqlite3.connect(options["url"].removeprefix("jdbc:sqlite:")) as connection:
        for spec in specs:
            # The form of the statement that the source sends.
            sql = f"SELECT 0, '', 0 UNION ALL {spec['sql']}"
            plan = " ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}"))
            assert "SCAN t" not in plan
    connection.close()


@pytest.mark.parametrize(
    ("declared", "null_clause"),
    [
        ("id INTEGER PRIMARY KEY", False),
        ("id INT NOT NULL", False),
        ("id INT PRIMARY KEY", True),
        ("id INTEGER PRIMARY KEY DESC", True),
        ("id INTEGER", True),
        ("id INT, x INT, PRIMARY KEY (id, x)", True),
    ],
)
def test_only_a_column_that_may_be_null_is_asked_for_null(database: Database, declared: str, null_clause: bool) -> None:
    options = database(f"CREATE TABLE t ({declared})")
    options |= {"partitionColumn": "id", "lowerBound": "0", "upperBound": "10", "numPartitions": "2"}
    first, _ = JDBCArrowDataSource().plan_partitions(Options(options))
    assert first["where"] == '"id" < 5' + (' or "id" is null' if null_clause else "")


def test_predicates(database: Database) -> None:
    options = Options(database(NUMBERS), predicates=["id <= 10", "name = 'n500' -- one", "id > 999 or id < 0"])
    assert [table.num_rows for table in partitions(options)] == [10, 1, 1]


def test_an_empty_table_keeps_its_types(database: Database) -> None:
    table = read(database("CREATE TABLE t (a INTEGER, b TEXT, c DATE, d DECIMAL(5,1), e BLOB, f, g TIMESTAMP)"))
    types = ["int64", "string", "date32[day]", "decimal128(5, 1)", "binary", "string", "timestamp[us, tz=UTC]"]
    assert [str(kind) for kind in table.schema.types] == types
    assert table.num_rows == 0


def test_nulls_alone_keep_their_types(database: Database) -> None:
    table = read(
        database("CREATE TABLE t (a TEXT, b REAL, c BLOB, d BOOLEAN); INSERT INTO t VALUES (NULL, NULL, NULL, NULL)")
    )
    assert [str(kind) for kind in table.schema.types] == ["string", "double", "binary", "bool"]
    assert table.to_pylist() == [{"a": None, "b": None, "c": None, "d": None}]


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("main.t", {"id": "int64", "name": "string", "price": "decimal128(10, 2)"}),
        ('"main"."t"', {"id": "int64", "name": "string", "price": "decimal128(10, 2)"}),
        ("(SELECT price, id FROM t) x", {"price": "decimal128(10, 2)", "id": "int64"}),
        ("(SELECT count(*) AS n, avg(id) AS a, max(name) AS m FROM t) x", {"n": "int64", "a": "double", "m": "string"}),
        ("(SELECT NULL AS n, x'00' AS b FROM t) x", {"n": "string", "b": "binary"}),
        ("(SELECT CASE WHEN id % 2 THEN id ELSE name END AS mixed FROM t) x", {"mixed": "string"}),
        ("(SELECT id, id FROM t) x", {"id": "int64", "id:1": "int64"}),
    ],
)
def test_relations(database: Database, table: str, columns: dict[str, str]) -> None:
    found = read(database(NUMBERS, table))
    assert {field.name: str(field.type) for field in found.schema} == columns


def test_a_query(database: Database) -> None:
    options = database(NUMBERS)
    del options["dbtable"]
    assert read(options | {"query": "SELECT name FROM t WHERE id < 3 -- two;"}).to_pydict() == {"name": ["n1", "n2"]}


def test_columns_that_are_computed_or_untyped(database: Database) -> None:
    table = read(database("CREATE TABLE t (a INTEGER, b, c INTEGER AS (a + 1)); INSERT INTO t VALUES (1, 'x')"))
    assert table.to_pylist() == [{"a": 1, "b": "x", "c": 2}]


def test_hostile_names(database: Database) -> None:
    name = "a\"b'c; drop table t; -- {0} {{}} %s ü🦀"
    quoted = '"' + name.replace('"', '""') + '"'
    options = database(
        f"CREATE TABLE {quoted} ({quoted} INTEGER, x TEXT); INSERT INTO {quoted} VALUES (7, 'seven')", quoted
    )
    options |= {"partitionColumn": name, "lowerBound": "0", "upperBound": "10", "numPartitions": "2"}
    assert [table.to_pylist() for table in partitions(options)] == [[], [{name: 7, "x": "seven"}]]


def test_injection_by_the_partition_column(database: Database) -> None:
    options = database(NUMBERS) | {"lowerBound": "0", "upperBound": "9", "numPartitions": "2"}
    with pytest.raises(OptionError, match="is no column of the table"):
        partitions(options | {"partitionColumn": 'id"; drop table t; --'})


def test_fetchsize_is_the_size_of_a_batch(database: Database) -> None:
    options = Options(database(NUMBERS) | {"fetchsize": "300"})
    [spec] = JDBCArrowDataSource().plan_partitions(options)
    assert [batch.num_rows for batch in batches(spec, options)] == [299, 300, 300, 101]


def test_the_context_gives_the_size_of_a_batch_and_the_end(database: Database) -> None:
    options = Options(database(NUMBERS))
    source = JDBCArrowDataSource()
    [spec] = source.plan_partitions(options)
    context = ReadContext(batch_size=100, partition=0)
    found = source.read_partition(spec, options, context)
    assert next(iter(found)) is not None
    context.cancel()
    assert list(found) == []


def test_a_read_that_is_dropped_closes_the_file(database: Database) -> None:
    options = Options(database(NUMBERS) | {"fetchsize": "10"})
    source = JDBCArrowDataSource()
    [spec] = source.plan_partitions(options)
    found = iter(source.read_partition(spec, options))
    next(found)
    del found


def test_a_plain_dict_of_options_will_do(database: Database) -> None:
    source, options = JDBCArrowDataSource(), database(NUMBERS)
    assert source.infer_schema(options).names == ["id", "name", "price"]  # type: ignore[arg-type]
    [spec] = source.plan_partitions(options)  # type: ignore[arg-type]
    assert sum(batch.num_rows for batch in source.read_partition(spec, options)) == 1000  # type: ignore[arg-type]


def test_every_column_is_nullable(database: Database) -> None:
    schema = JDBCArrowDataSource().infer_schema(Options(database("CREATE TABLE t (a INTEGER NOT NULL)")))
    assert schema == pa.schema([pa.field("a", pa.int64(), nullable=True)])


def test_a_file_that_is_missing_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "missing.db"
    with pytest.raises(SourceConnectionError, match=r"missing\.db' does not exist or cannot be opened"):
        read({"url": f"jdbc:sqlite:{path}", "dbtable": "t"})
    assert not path.exists()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "text.db"
    path.write_text("no database at all " * 100)
    with pytest.raises(SourceConnectionError, match=r"text\.db' is no SQLite database"):
        read({"url": f"jdbc:sqlite:{path}", "dbtable": "t"})


@pytest.mark.parametrize("table", ["missing", "main.missing", "(SELECT * FROM missing) t"])
def test_a_table_that_is_missing(database: Database, table: str) -> None:
    with pytest.raises(TableNotFoundError, match="missing"):
        read(database(NUMBERS, table))


@pytest.mark.parametrize("table", ["(SELECT nope FROM t) x", "t; drop table t", "(SELECT 1"])
def test_sql_that_sqlite_refuses(database: Database, table: str) -> None:
    with pytest.raises((OptionError, SheetbendError), match="SQLite"):
        read(database(NUMBERS, table))
    assert read(database("", "t")).num_rows == 1000


def test_a_comment_does_not_swallow_the_partition(database: Database) -> None:
    options = database(NUMBERS) | {
        "partitionColumn": "id",
        "lowerBound": "0",
        "upperBound": "1000",
        "numPartitions": "2",
    }
    for table in ("t -- all", "t;", "t as x -- ;", "(select * from t) x -- y"):
        assert [part.num_rows for part in partitions(options | {"dbtable": table})] == [499, 501]
    for table in ("t /* all", "t; --"):
        with pytest.raises(OptionError, match="SQLite refuses"):
            partitions(options | {"dbtable": table})


def test_a_predicate_that_sqlite_refuses(database: Database) -> None:
    with pytest.raises(OptionError, match="no such column: nope"):
        read(Options(database(NUMBERS), predicates=["nope = 1"]))


def test_an_unknown_option_is_refused_with_the_nearest() -> None:
    options = Options({"url": "jdbc:sqlite:a.db", "dbtable": "t", "partitionColum": "id"})
    with pytest.raises(OptionError, match="Did you mean 'partitionColumn'"):
        check_options(JDBCArrowDataSource.OPTIONS, options, source="jdbc")


def test_options_of_another_database(database: Database) -> None:
    with pytest.raises(OptionError, match="'sslmode' is not one of jdbc:sqlite:"):
        read(database(NUMBERS) | {"sslmode": "require"})


def test_a_spec_of_another_version(database: Database) -> None:
    with pytest.raises(SheetbendError, match="version 1"):
        JDBCArrowDataSource().read_partition({"version": 1}, Options(database(NUMBERS)))
