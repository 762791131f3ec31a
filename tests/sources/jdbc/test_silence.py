"""Servers and networks that stand still, crawl, break while rows are written, or come back, on both kinds of server."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from sheetbend.errors import SheetbendError, SourceConnectionError
from sheetbend.options import Options
from sheetbend.plugin import ReadContext
from sheetbend.sources.jdbc import JDBCArrowDataSource
from sheetbend.sources.jdbc.pool import _pool
from tests.sources.jdbc.reading import read
from tests.sources.jdbc.writing import write
from tests.support.database import DatabaseServer
from tests.support.mariadb import MariaDBServer
from tests.support.postgresql import PostgresServer
from tests.support.proxy import FaultyProxy, faulty_proxy
from tests.support.server import running_server, wait_until

ROWS = 20_000
NUMBERS = {
    "postgresql": f"SELECT g AS id, repeat('x', 50) AS pad FROM generate_series(1, {ROWS}) g",
    "mariadb": f"SELECT seq AS id, repeat('x', 50) AS pad FROM seq_1_to_{ROWS}",
}
GIVEN_UP = r"does not answer: .* 6 s"
"""After a 'queryTimeout' of a second, in which the server itself was to end the statement."""


@pytest.fixture(params=["postgres", "mariadb"])
def server(request: pytest.FixtureRequest) -> DatabaseServer:
    found: DatabaseServer = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def proxy(server: DatabaseServer) -> Iterator[FaultyProxy]:
    with faulty_proxy(server.port) as running:
        yield running
    _pool.close()


@pytest.fixture
def target(server: DatabaseServer) -> Iterator[str]:
    """A table of one row, 0."""
    name = f"t_{secrets.token_hex(4)}"
    server.execute(f"CREATE TABLE {name} (id bigint, pad text)")
    server.execute(f"INSERT INTO {name} VALUES (0, 'first')")
    yield name
    server.execute(f"DROP TABLE {name}")


def through(proxy: FaultyProxy, server: DatabaseServer, **more: str) -> Options:
    url = server.url.replace(f":{server.port}/", f":{proxy.port}/")
    return Options({**server.options, "url": url, "sslmode": "disable", **more})


def planned(options: Options) -> Any:
    """The one partition spec; the connection that planned it is closed."""
    [spec] = JDBCArrowDataSource().plan_partitions(options)
    _pool.close()
    return spec


def rows_of(server: DatabaseServer, table: str) -> list[int]:
    return [row[0] for row in server.execute(f"SELECT id FROM {table} ORDER BY id")]


def staged(server: DatabaseServer) -> int:
    """How many staging tables there are."""
    found = "SELECT count(*) FROM information_schema.tables WHERE table_name LIKE 'sheetbend%'"
    return int(server.execute(found)[0][0])


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["stall_at", "trickle_at"])
def test_a_result_that_stands_still_or_crawls(server: DatabaseServer, proxy: FaultyProxy, fault: str) -> None:
    options = through(proxy, server, query=NUMBERS[server.protocol], queryTimeout="1")
    spec = planned(options)
    setattr(proxy, fault, 500_000)
    started = time.monotonic()
    with pytest.raises(SheetbendError, match=GIVEN_UP) as caught:
        list(JDBCArrowDataSource().read_partition(spec, options))
    assert time.monotonic() - started < 12
    assert server.password not in str(caught.value)
    assert proxy.accepted < 5
    setattr(proxy, fault, None)
    assert read(options).num_rows == ROWS


@pytest.mark.slow
def test_a_kept_connection_that_stands_still_is_replaced(server: DatabaseServer, proxy: FaultyProxy) -> None:
    options = through(proxy, server, query=NUMBERS[server.protocol], queryTimeout="1")
    assert read(options).num_rows == ROWS
    proxy.stall_at = 0
    timer = threading.Timer(3, setattr, [proxy, "stall_at", None])
    timer.start()
    assert read(options).num_rows == ROWS


def test_a_login_that_crawls(server: DatabaseServer, proxy: FaultyProxy) -> None:
    timeout = "2" if server.protocol == "postgresql" else "2000"
    # A byte of the greeting every half second is no silence.
    proxy.trickle_at, proxy.trickle_seconds = 0, 0.5
    started = time.monotonic()
    with pytest.raises(SourceConnectionError, match=r"time(d out|out expired)") as caught:
        read(through(proxy, server, dbtable="t", connectTimeout=timeout))
    assert time.monotonic() - started < 5
    assert server.password not in str(caught.value)
    assert proxy.accepted == 1


@pytest.mark.parametrize("at", [0, 100, 1_000, 300_000])
def test_a_connection_that_is_reset_while_rows_are_written(
    server: DatabaseServer, proxy: FaultyProxy, target: str, at: int
) -> None:
    rows = pa.table({"id": list(range(1, ROWS)), "pad": ["x" * 50] * (ROWS - 1)})
    proxy.reset_sent_at = at
    with pytest.raises(SourceConnectionError) as caught:
        write(through(proxy, server, dbtable=target), rows)
    assert server.password not in str(caught.value)
    assert rows_of(server, target) == [0]
    _pool.close()
    # What could not be removed is, by the next write.
    write({**server.options, "dbtable": target}, rows.slice(0, 2))
    assert (rows_of(server, target), staged(server)) == ([0, 1, 2], 0)


@pytest.mark.slow
def test_a_write_that_stands_still(server: DatabaseServer, proxy: FaultyProxy, target: str) -> None:
    rows = pa.table({"id": list(range(1, 200_000)), "pad": ["x" * 50] * 199_999})
    proxy.stall_sent_at = 1_000_000
    started = time.monotonic()
    with pytest.raises(SheetbendError, match=GIVEN_UP) as caught:
        write(through(proxy, server, dbtable=target, queryTimeout="1"), rows)
    assert time.monotonic() - started < 15
    assert server.password not in str(caught.value)
    assert (rows_of(server, target), staged(server)) == ([0], 0)


@pytest.mark.slow
def test_a_source_that_takes_its_time_is_no_server_that_stands_still(server: DatabaseServer, target: str) -> None:
    def slowly() -> Iterator[pa.RecordBatch]:
        yield pa.record_batch({"id": [1], "pad": ["x"]})
        time.sleep(7)
        yield pa.record_batch({"id": [2], "pad": ["x"]})

    schema = pa.schema([("id", pa.int64()), ("pad", pa.string())])
    rows = pa.RecordBatchReader.from_batches(schema, slowly())
    options = {**server.options, "dbtable": target, "queryTimeout": "1"}
    if server.protocol == "mariadb":
        write(options, rows, schema=schema)
        assert rows_of(server, target) == [0, 1, 2]
    else:
        # COPY is one statement, which lasts as long as its source.
        with pytest.raises(SheetbendError, match="statement timeout"):
            write({**options, "spoolBytes": "0"}, rows, schema=schema)


def test_a_cancel_that_the_server_does_not_answer(mariadb: MariaDBServer) -> None:
    """It is made on a second connection, whose login the server takes."""
    with faulty_proxy(mariadb.port) as proxy:
        options = through(proxy, mariadb, query="SELECT SLEEP(60) AS s")
        spec = planned(options)
        proxy.overheard = b""
        context = ReadContext(batch_size=8192, partition=0)

        def reading() -> None:
            with contextlib.suppress(SheetbendError):
                list(JDBCArrowDataSource().read_partition(spec, options, context))

        thread = threading.Thread(target=reading, daemon=True)
        thread.start()
        wait_until(lambda: b"SLEEP" in proxy.overheard, 20, "the query runs")
        proxy.stall_on = b"KILL"
        context.cancel()
        assert proxy.stalled == 1
        thread.join(10)
        assert not thread.is_alive(), "it waits for ever"
    _pool.close()


@pytest.mark.slow
def test_a_server_that_is_stopped_and_goes_on() -> None:
    """A cancel waits for no answer of a server whose every process stands still."""
    with PostgresServer() as server:
        options = Options({**server.options, "query": "SELECT pg_sleep(60)::text AS s"})
        spec = planned(options)
        context = ReadContext(batch_size=8192, partition=0)
        source = JDBCArrowDataSource()
        thread = threading.Thread(target=lambda: list(source.read_partition(spec, options, context)))
        thread.start()
        while server.busy() == 0:
            time.sleep(0.02)
        os.kill(server.pid, signal.SIGSTOP)
        try:
            started = time.monotonic()
            context.cancel()
            assert time.monotonic() - started < 4
        finally:
            os.kill(server.pid, signal.SIGCONT)
        thread.join(10)
        assert not thread.is_alive()
        assert server.busy() == 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", [PostgresServer, MariaDBServer])
def test_a_server_that_is_started_again_between_plan_and_read(kind: type[PostgresServer | MariaDBServer]) -> None:
    with kind() as server:
        server.execute(f"CREATE TABLE t AS {NUMBERS[server.protocol]}")
        source = JDBCArrowDataSource()
        whole = Options({**server.options, "dbtable": "t"})
        cut = Options(
            {**whole, "partitionColumn": "id", "lowerBound": "0", "upperBound": "20000", "numPartitions": "2"}
        )
        [alone], parts = source.plan_partitions(whole), source.plan_partitions(cut)
        server.restart()
        assert sum(batch.num_rows for batch in source.read_partition(alone, whole)) == ROWS
        if server.protocol == "postgresql":
            # Its state went with the server: better no rows than those of another one.
            with pytest.raises(SheetbendError, match="the state that all partitions were to read is gone"):
                list(source.read_partition(parts[0], cut))
        else:
            assert sum(batch.num_rows for part in parts for batch in source.read_partition(part, cut)) == ROWS
        assert read(cut).num_rows == ROWS


@pytest.mark.slow
def test_a_query_that_stands_still_is_interrupted_and_the_server_ends(
    server: DatabaseServer, proxy: FaultyProxy
) -> None:
    given = dict(through(proxy, server, query=NUMBERS[server.protocol]))
    with running_server() as sheetbend:
        spark = SparkSession.builder.remote(sheetbend.url).create()
        frame = spark.read.format("jdbc").options(**given).load()
        proxy.stall_at = 500_000
        errors: list[Exception] = []

        def collect() -> None:
            try:
                frame.collect()
            except Exception as error:
                errors.append(error)

        thread = threading.Thread(target=collect)
        thread.start()
        wait_until(lambda: proxy.stalled > 0, 20, "the result stands still")
        started = time.monotonic()
        spark.interruptAll()
        thread.join(10)
        assert not thread.is_alive()
        assert time.monotonic() - started < 3
        assert "OPERATION_CANCELED" in str(errors[0])
        proxy.stall_at = None
        assert frame.count() == ROWS
        # With a thread that the driver never gives back, for PostgreSQL's waits as long as its connection lives.
        proxy.stall_at = 500_000
        thread = threading.Thread(target=collect)
        thread.start()
        wait_until(lambda: proxy.stalled > 1, 20, "the result stands still")
        spark.interruptAll()
        thread.join(10)
        spark.stop()
