"""Ways to cut a table without bounds, on real servers: every row is in one partition, also a row that comes later."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from sheetbend.errors import OptionError
from sheetbend.filters import Column, Comparison, Literal, Operator
from sheetbend.options import Options
from sheetbend.scan import ScanRequest
from sheetbend.sources.jdbc import JDBCArrowDataSource
from tests.sources.jdbc.reading import partitions
from tests.support.postgresql import PostgresServer

ROWS = 100_000


@pytest.fixture(scope="module")
def skewed(postgres: PostgresServer) -> Iterator[dict[str, str]]:
    """A table of 2000 pages whose key is skewed: half of the rows have 7; `few` is NULL or one of four texts."""
    name = f"skewed_{secrets.token_hex(4)}"
    postgres.execute(
        f"CREATE TABLE {name} AS SELECT i AS id, CASE WHEN i % 2 = 0 THEN 7 ELSE i END AS key, i / 8.0 AS price, "
        "CASE WHEN i % 5 > 0 THEN 'it''s' || i % 5 END AS few, now() + i * interval '1 s' AS at, repeat('x', 120) AS pad "
        f"FROM generate_series(1, {ROWS}) i"
    )
    postgres.execute(f"ALTER TABLE {name} ADD PRIMARY KEY (id)")
    postgres.execute(f"ANALYZE {name}")
    yield {**postgres.options, "dbtable": name}
    postgres.execute(f"DROP TABLE {name}")


def sizes(options: dict[str, str], **more: str) -> list[int]:
    found = partitions(options | more)
    ids = [value for part in found for value in part["id"].to_pylist()]
    assert sorted(ids) == list(range(1, ROWS + 1))
    return [part.num_rows for part in found]


@pytest.mark.parametrize("way", ["auto", "ctid"])
def test_pages(skewed: dict[str, str], way: str) -> None:
    found = sizes(skewed, numPartitions="2", partitioning=way)
    assert len(found) == 2
    assert max(found) < 0.6 * ROWS


def test_the_last_pages_are_open_ended(postgres: PostgresServer, skewed: dict[str, str]) -> None:
    source, options = JDBCArrowDataSource(), Options(skewed | {"numPartitions": "2", "consistency": "none"})
    specs = source.plan_partitions(options)
    postgres.execute(f"INSERT INTO {skewed['dbtable']} SELECT -i, 0, 0, '', now(), '' FROM generate_series(1, 5000) i")
    try:
        batches = [batch for spec in specs for batch in source.read_partition(spec, options)]
        assert sum(batch.num_rows for batch in batches) == ROWS + 5000
    finally:
        postgres.execute(f"DELETE FROM {skewed['dbtable']} WHERE id < 0")


@pytest.mark.parametrize(
    ("way", "column", "count"),
    [
        ("range", "", 4),
        ("range", "price", 4),
        ("range", "at", 4),
        ("hash", "few", 4),
        ("hash", "", 4),
        ("quantile", "price", 4),
        ("quantile", "at", 4),
        ("quantile", "few", 4),
        ("list", "few", 4),
    ],
)
def test_a_column(skewed: dict[str, str], way: str, column: str, count: int) -> None:
    found = sizes(skewed, numPartitions="4", partitioning=way, **({"partitionColumn": column} if column else {}))
    assert len(found) == count


def test_a_column_that_is_read_as_another_type(skewed: dict[str, str]) -> None:
    cut = {"customSchema": "id STRING, price DOUBLE", "numPartitions": "2"}
    found = partitions(skewed | cut | {"partitionColumn": "id", "lowerBound": "0", "upperBound": "100000"})
    assert [part.num_rows for part in found] == [49_999, 50_001]
    assert str(found[0].schema.field("id").type) == "string"
    assert len(partitions(skewed | cut | {"partitioning": "quantile", "partitionColumn": "price"})) == 2


def test_quantiles_are_not_skewed(skewed: dict[str, str]) -> None:
    found = sizes(skewed, numPartitions="8", partitioning="quantile", partitionColumn="key")
    # Half of the rows have one key, which is not divided; all others are.
    assert sorted(found)[-1] <= 0.55 * ROWS
    assert len([size for size in found if size < 0.2 * ROWS]) >= 3


def test_what_has_no_pages(postgres: PostgresServer, skewed: dict[str, str]) -> None:
    table = skewed["dbtable"]
    postgres.execute(f"CREATE VIEW {table}_v AS SELECT * FROM {table}")
    postgres.execute(f"CREATE TABLE {table}_p (id int PRIMARY KEY) PARTITION BY RANGE (id)")
    for number in range(2):
        postgres.execute(
            f"CREATE TABLE {table}_p{number} PARTITION OF {table}_p FOR VALUES FROM ({number * 500}) TO ({(number + 1) * 500})"
        )
    postgres.execute(f"INSERT INTO {table}_p SELECT generate_series(0, 999)")
    try:
        for relation in (f"{table}_v", f"{table}_p", f"(SELECT * FROM {table}) x"):
            options = skewed | {"dbtable": relation, "numPartitions": "3"}
            with pytest.raises(OptionError, match="is a view, a query or a parent of partitions"):
                partitions(options | {"partitioning": "ctid"})
        assert [part.num_rows for part in partitions(skewed | {"dbtable": f"{table}_v", "numPartitions": "3"})] == [
            ROWS
        ]
        # By the primary key.
        found = partitions(skewed | {"dbtable": f"{table}_p", "numPartitions": "4"})
        assert [part.num_rows for part in found] == [251, 249, 249, 251]
    finally:
        postgres.execute(f"DROP VIEW {table}_v")
        postgres.execute(f"DROP TABLE {table}_p")


def test_few_rows_are_read_at_once(skewed: dict[str, str]) -> None:
    source, options = JDBCArrowDataSource(), Options(skewed)
    schema = source.infer_schema(options)
    assert len(source.plan_scan(ScanRequest(schema, tuple(schema.names), target_partitions=2), options).partitions) == 2
    # Found by an index, and by going through the table.
    for name, value in (("id", 77), ("key", 78)):
        condition = Comparison(Operator.EQUAL, Column(name, pa.int32()), Literal(pa.scalar(value, pa.int32())))
        request = ScanRequest(schema, tuple(schema.names), (condition,), target_partitions=2)
        assert len(source.plan_scan(request, options).partitions) == 1


def test_small_tables_and_empty_ones_are_not_cut(postgres: PostgresServer, skewed: dict[str, str]) -> None:
    name = f"{skewed['dbtable']}_small"
    postgres.execute(f"CREATE TABLE {name} (id int, day date, name text)")
    options = skewed | {"dbtable": name, "numPartitions": "4"}
    try:
        for rows in (0, 1):
            for way in ("auto", "ctid", "none"):
                assert [part.num_rows for part in partitions(options | {"partitioning": way})] == [rows]
            for way in ("range", "hash", "quantile", "list"):
                column = "id" if way == "range" else "name"
                found = partitions(options | {"partitioning": way, "partitionColumn": column})
                assert sum(part.num_rows for part in found) == rows
            postgres.execute(f"INSERT INTO {name} VALUES (1, '2024-01-01', NULL)") if not rows else None
    finally:
        postgres.execute(f"DROP TABLE {name}")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"partitioning": "rowid"}, "jdbc:postgresql: has no 'rowid'"),
        ({"partitioning": "predicates"}, "there are none"),
        ({"partitioning": "list", "partitionColumn": "id"}, "more than 10000 values"),
        ({"partitioning": "range", "partitionColumn": "few"}, "must be a number, a date or a timestamp"),
        ({"partitioning": "hash", "partitionColumn": "nope"}, "'nope' is no column"),
    ],
)
def test_what_is_refused(skewed: dict[str, str], more: dict[str, str], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        partitions(skewed | {"numPartitions": "4"} | more)


@pytest.mark.parametrize(
    ("lower", "upper", "cut"),
    [("0.5", "12500.5", "6250.5"), ("0", "12500", "6250"), ("-1e2", "12700.00", "6300.00"), ("0.000001", "1.000001", "0.500001")],
)  # fmt: skip
def test_bounds_of_decimals_are_exact(skewed: dict[str, str], lower: str, upper: str, cut: str) -> None:
    options = Options(
        skewed | {"partitionColumn": "price", "lowerBound": lower, "upperBound": upper, "numPartitions": "2"}
    )
    first, last = JDBCArrowDataSource().plan_partitions(options)
    assert first["where"] == f'"price" < {cut} or "price" is null'
    assert last["where"] == f'"price" >= {cut}'


def test_row_numbers_of_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "numbers.db"
    connection = sqlite3.connect(path)
    connection.executescript(
        f"""
        CREATE TABLE t (id INTEGER, rowid TEXT);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {2 * ROWS})
        INSERT INTO t SELECT i, 'x' FROM n;
        CREATE TABLE w (id INTEGER PRIMARY KEY, name TEXT) WITHOUT ROWID;
        INSERT INTO w VALUES (1, 'a'), (2, 'b');
        CREATE VIEW v AS SELECT * FROM t;
        CREATE TABLE e (id INTEGER);
        """
    )
    connection.close()
    options = {"url": f"jdbc:sqlite:{path}", "dbtable": "t", "numPartitions": "4"}
    assert [part.num_rows for part in partitions(options)] == [66666, 66666, 66668]
    for relation, rows in (("w", 2), ("v", 2 * ROWS), ("e", 0), ("(SELECT id FROM t) x", 2 * ROWS)):
        assert [part.num_rows for part in partitions(options | {"dbtable": relation})] == [rows]
    for way in ("quantile", "list"):
        found = partitions(options | {"dbtable": "w", "partitioning": way, "partitionColumn": "id"})
        assert sorted(value for part in found for value in part["id"].to_pylist()) == [1, 2]
    with pytest.raises(OptionError, match="has no 'ctid'"):
        partitions(options | {"partitioning": "ctid"})
    with pytest.raises(OptionError, match="has no 'hash'"):
        partitions(options | {"partitioning": "hash", "partitionColumn": "id"})
