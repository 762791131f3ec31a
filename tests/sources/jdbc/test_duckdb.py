"""DuckDB, files."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from sheetbend.errors import OptionError, SheetbendError, SourceConnectionError, TableNotFoundError
from sheetbend.options import Options
from sheetbend.plugin import ReadContext
from sheetbend.sources.jdbc import JDBCArrowDataSource
from sheetbend.sources.jdbc.dialects.duckdb import parse_duckdb
from tests.sources.jdbc.reading import cases, partitions, read

HOSTILE = "a\"b'c`d\\; drop table t; -- /* {0} {{column}} %s ü🦀"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with a table of 1000 rows: id, name, price and day."""
    path = tmp_path / "a b#.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "CREATE TABLE t AS SELECT i::BIGINT AS id, 'n' || i AS name, (i * 0.25)::DECIMAL(10,2) AS price, "
            "DATE '2024-01-01' + i::INTEGER AS day FROM range(1, 1001) r(i)"
        )
    return path


def options_of(path: Path, **options: str) -> dict[str, str]:
    return {"url": f"jdbc:duckdb:{path}", "dbtable": "t", **options}


def typed(path: Path, kind: str) -> list[tuple[dict[str, str], dict[str, str]]]:
    """The cases, and the options that read the table of each."""
    found = []
    with duckdb.connect(str(path)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for number, case in enumerate(cases("duckdb", kind)):
            connection.execute(f"CREATE TABLE t{number} (c {case['declared']})")
            connection.execute(f"INSERT INTO t{number} VALUES (NULL), ({case['literal']}), (NULL)")
            found.append((case, options_of(path, dbtable=f"t{number}")))
    return found


def test_types(tmp_path: Path) -> None:
    wrong = []
    for case, options in typed(tmp_path / "types", "type"):
        column = read(options).column("c")
        found = (str(column.type), str(column[1].as_py()), column.null_count)
        if found != (case["arrow"], case["value"], 2):
            wrong.append((case, found))
    assert not wrong


def test_values_that_arrow_cannot_hold(tmp_path: Path) -> None:
    for case, options in typed(tmp_path / "misfits", "misfit"):
        with pytest.raises(SheetbendError) as caught:
            read(options)
        assert case["error"] in str(caught.value), case


def test_partitions(path: Path) -> None:
    bounds = {"partitionColumn": "id", "lowerBound": "0", "upperBound": "1000", "numPartitions": "4"}
    found = partitions(options_of(path, **bounds))
    assert [part.num_rows for part in found] == [249, 250, 250, 251]
    hashed = partitions(options_of(path, partitioning="hash", partitionColumn="name", numPartitions="3"))
    assert sum(part.num_rows for part in hashed) == 1000
    assert min(part.num_rows for part in hashed) > 200


def test_hostile_names(tmp_path: Path) -> None:
    path = tmp_path / 'it\'s a "file"'
    quoted = '"' + HOSTILE.replace('"', '""') + '"'
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"CREATE TABLE {quoted} ({quoted} INTEGER, day DATE)")
        connection.execute(f"INSERT INTO {quoted} VALUES (7, '2024-01-01')")
    bounds = {"partitionColumn": HOSTILE, "lowerBound": "0", "upperBound": "10", "numPartitions": "2"}
    found = partitions(options_of(path, dbtable=quoted, **bounds))
    assert [part.num_rows for part in found] == [0, 1]
    assert found[0].schema.names == [HOSTILE, "day"]


def test_a_query_keeps_its_types_without_being_run(path: Path) -> None:
    options = options_of(path, query="SELECT price + 1 AS more, error('run')::INTEGER AS e FROM t -- all;")
    del options["dbtable"]
    schema = JDBCArrowDataSource().infer_schema(Options(options))
    assert [str(kind) for kind in schema.types] == ["decimal128(13, 2)", "int32"]


def test_the_file_can_be_written_to_after_a_read(path: Path) -> None:
    assert read(options_of(path)).num_rows == 1000
    with duckdb.connect(str(path)) as connection:
        connection.execute("INSERT INTO t SELECT * FROM t")
    assert read(options_of(path)).num_rows == 2000


@pytest.mark.parametrize(
    "relation", ["t; DROP TABLE t", "t; COPY t TO 'stolen.csv'", "(SELECT nope FROM t) x", "(SELECT 1", "nofunction(1)"]
)
def test_sql_that_is_refused(path: Path, relation: str) -> None:
    with pytest.raises(OptionError, match="DuckDB refuses the query made from the options: "):
        read(options_of(path, dbtable=relation))
    assert not Path("stolen.csv").exists()


def test_what_cannot_be_opened(path: Path, tmp_path: Path) -> None:
    with pytest.raises(TableNotFoundError, match="missing"):
        read(options_of(path, dbtable="missing"))
    with pytest.raises(SourceConnectionError, match="database does not exist"):
        read(options_of(tmp_path / "none"))
    assert not (tmp_path / "none").exists()
    (tmp_path / "text").write_text("x" * 5000)
    with pytest.raises(SourceConnectionError, match="not a valid DuckDB database"):
        read(options_of(tmp_path / "text"))


def test_cancel(path: Path) -> None:
    source = JDBCArrowDataSource()
    options = Options(
        {"url": f"jdbc:duckdb:{path}", "query": "SELECT sum(a.id * b.i) AS s FROM t a, range(100000000) b(i)"}
    )
    [spec] = source.plan_partitions(options)
    context = ReadContext(batch_size=8192, partition=0)
    thread = threading.Thread(target=lambda: list(source.read_partition(spec, options, context)))
    thread.start()
    time.sleep(0.3)
    started = time.monotonic()
    context.cancel()
    thread.join(5)
    assert not thread.is_alive()
    assert time.monotonic() - started < 1.0


def test_batches_come_while_the_query_runs(path: Path) -> None:
    source = JDBCArrowDataSource()
    options = Options(
        {"url": f"jdbc:duckdb:{path}", "query": "SELECT i, repeat('x', 100) AS s FROM range(10000000000) r(i)"}
    )
    [spec] = source.plan_partitions(options)
    before = pa.total_allocated_bytes()
    found = source.read_partition(spec, options)
    for _, batch in zip(range(500), found, strict=False):
        assert batch.num_rows <= 16_384
    assert pa.total_allocated_bytes() - before < 64 << 20
    found.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("/data/x.db", ("/data/x.db", {})),
        ("x.db;threads=2;access_mode=READ_WRITE", ("x.db", {"threads": "2"})),
        ("x.db;MAX_MEMORY=1GB;", ("x.db", {"memory_limit": "1GB"})),
    ],
)
def test_urls(rest: str, expected: tuple[str, dict[str, str]]) -> None:
    assert parse_duckdb(rest) == expected


@pytest.mark.parametrize(
    ("rest", "error"),
    [
        ("", "needs the path"),
        (":memory:", "needs the path"),
        (":memory:x", "needs the path"),
        ("x.db;allow_unsigned_extensions=true", "has no setting 'allow_unsigned_extensions'"),
        ("x.db;custom_extension_repository=http://evil", "has no setting 'custom_extension_repository'"),
    ],
)
def test_urls_that_are_refused(rest: str, error: str) -> None:
    with pytest.raises(OptionError, match=error):
        parse_duckdb(rest)
