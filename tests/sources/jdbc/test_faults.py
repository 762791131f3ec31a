"""What breaks while a table is read: an error that says so, soon, and never a row twice or missing."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator

import adbc_driver_postgresql.dbapi  # type: ignore[import-untyped]
import pytest

from sheetbend.errors import OptionError, SheetbendError, SourceConnectionError, TableNotFoundError
from sheetbend.options import Options
from sheetbend.plugin import ReadContext
from sheetbend.sources.jdbc import JDBCArrowDataSource
from sheetbend.sources.jdbc.pool import _pool
from tests.sources.jdbc.reading import read
from tests.support.postgresql import PostgresServer
from tests.support.proxy import FaultyProxy, faulty_proxy
from tests.support.server import wait_until

ROWS = 20_000


@pytest.fixture
def table(postgres: PostgresServer) -> Iterator[str]:
    name = f"f_{secrets.token_hex(4)}"
    postgres.execute(f"CREATE TABLE {name} AS SELECT i AS id, repeat('x', 50) AS pad FROM generate_series(1, {ROWS}) i")
    yield name
    postgres.execute(f"DROP TABLE IF EXISTS {name}")


@pytest.fixture
def proxy(postgres: PostgresServer) -> Iterator[FaultyProxy]:
    with faulty_proxy(postgres.port) as running:
        yield running


def through(proxy: FaultyProxy, postgres: PostgresServer, table: str, **more: str) -> Options:
    url = postgres.url.replace(f":{postgres.port}/", f":{proxy.port}/")
    return Options({**postgres.options, "url": url, "dbtable": table, "sslmode": "disable", **more})


@pytest.mark.parametrize("at", [0, 1, 100, 400, 1_000, 3_000, 100_000, 500_000])
def test_a_connection_that_is_reset(postgres: PostgresServer, table: str, proxy: FaultyProxy, at: int) -> None:
    proxy.reset_at = at
    started = time.monotonic()
    with pytest.raises(SourceConnectionError) as caught:
        read(through(proxy, postgres, table))
    assert time.monotonic() - started < 2
    assert postgres.password not in str(caught.value)


def test_a_reset_before_the_first_row_is_repeated_once(
    postgres: PostgresServer, table: str, proxy: FaultyProxy
) -> None:
    source, options = JDBCArrowDataSource(), through(proxy, postgres, table)
    [spec] = source.plan_partitions(options)
    _pool.close()
    proxy.reset_at, proxy.resets = 3_000, 1
    assert sum(batch.num_rows for batch in source.read_partition(spec, options)) == ROWS


def test_a_reset_after_the_first_row_is_not_repeated(postgres: PostgresServer, table: str, proxy: FaultyProxy) -> None:
    source, options = JDBCArrowDataSource(), through(proxy, postgres, table, fetchsize="100")
    [spec] = source.plan_partitions(options)
    _pool.close()
    proxy.reset_at, proxy.resets = 1_000_000, 1
    rows: list[int] = []
    with pytest.raises(SourceConnectionError):
        rows.extend(batch.num_rows for batch in source.read_partition(spec, options))
    assert 0 < sum(rows) < ROWS
    assert proxy.resets == 0


def test_a_cancel_while_the_server_is_slow(postgres: PostgresServer, table: str) -> None:
    source = JDBCArrowDataSource()
    query = f"SELECT id, pg_sleep(0.01)::text AS s FROM {table}"
    options = Options({**postgres.options, "query": query})
    [spec] = source.plan_partitions(options)
    context = ReadContext(batch_size=8192, partition=0)
    thread = threading.Thread(target=lambda: list(source.read_partition(spec, options, context)))
    thread.start()
    wait_until(lambda: postgres.busy() == 1, 5, "the query runs")
    started = time.monotonic()
    context.cancel()
    wait_until(lambda: postgres.busy() == 0, 5, "the query is gone")
    assert time.monotonic() - started < 1
    thread.join(5)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ("DROP TABLE {table}", TableNotFoundError, "PostgreSQL has no such table"),
        ("ALTER TABLE {table} DROP COLUMN pad", OptionError, '"pad" does not exist'),
        ("ALTER TABLE {table} RENAME id TO number", OptionError, '"id" does not exist'),
        ("ALTER TABLE {table} ALTER id TYPE text USING 'x' || id", SheetbendError, "Column 'id' is int4"),
    ],
)
def test_a_table_that_changes_before_it_is_read(
    postgres: PostgresServer, table: str, change: str, error: type[Exception], message: str
) -> None:
    source, options = JDBCArrowDataSource(), Options({**postgres.options, "dbtable": table})
    [spec] = source.plan_partitions(options)
    postgres.execute(change.format(table=table))
    with pytest.raises(error, match=message):
        list(source.read_partition(spec, options))


def test_a_column_that_grows_is_read_while_its_values_fit(postgres: PostgresServer, table: str) -> None:
    source, options = JDBCArrowDataSource(), Options({**postgres.options, "dbtable": table})
    [spec] = source.plan_partitions(options)
    postgres.execute(f"ALTER TABLE {table} ALTER id TYPE bigint")
    postgres.execute(f"ALTER TABLE {table} ADD COLUMN more int")
    found = [value for batch in source.read_partition(spec, options) for value in batch.column("id").to_pylist()]
    assert sorted(found) == list(range(1, ROWS + 1))
    postgres.execute(f"UPDATE {table} SET id = id + (1::bigint << 40)")
    with pytest.raises(SheetbendError, match="Column 'id' is int4"):
        list(source.read_partition(spec, options))


def test_a_table_that_is_locked(postgres: PostgresServer, table: str) -> None:
    holder = adbc_driver_postgresql.dbapi.connect(postgres.conninfo)
    try:
        with holder.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            started = time.monotonic()
            with pytest.raises(SheetbendError, match="lock timeout"):
                read({**postgres.options, "dbtable": table, "options": "-c lock_timeout=200"})
            with pytest.raises(SheetbendError, match="statement timeout"):
                read({**postgres.options, "dbtable": table, "queryTimeout": "1"})
            assert time.monotonic() - started < 5
    finally:
        holder.rollback()
        holder.close()
    assert read({**postgres.options, "dbtable": table}).num_rows == ROWS


def test_a_server_that_stands_still_while_connecting(postgres: PostgresServer, proxy: FaultyProxy) -> None:
    proxy.stall_at = 5
    started = time.monotonic()
    with pytest.raises(SourceConnectionError, match="timeout expired"):
        read(through(proxy, postgres, "t", connectTimeout="2"))
    assert time.monotonic() - started < 6
    assert proxy.accepted == 1


def test_a_value_that_fails_in_the_middle(postgres: PostgresServer, table: str) -> None:
    query = f"SELECT id, 1 / (id - {ROWS}) AS broken FROM {table}"
    with pytest.raises(SheetbendError, match="division by zero"):
        read({**postgres.options, "query": query})
    wait_until(lambda: postgres.busy() == 0, 2, "nothing is left")
