"""PostgreSQL, a real server."""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import secrets
import socket
import threading
import time
import traceback
import weakref
from collections.abc import Iterator
from functools import partial
from typing import Any

import pyarrow as pa
import pytest

from sheetbend.errors import AuthenticationError, OptionError, SheetbendError, SourceConnectionError, TableNotFoundError
from sheetbend.options import Options
from sheetbend.plugin import ReadContext
from sheetbend.sources.jdbc import JDBCArrowDataSource
from sheetbend.sources.jdbc.drivers.patience import Patience
from tests.bridge.plugins import eventually
from tests.sources.jdbc.reading import partitions, read
from tests.support.postgresql import PostgresServer


@pytest.fixture
def table(postgres: PostgresServer) -> Iterator[str]:
    """A table of 1000 rows: id, name, price and day."""
    name = f"t_{secrets.token_hex(4)}"
    postgres.execute(
        f"CREATE TABLE {name} AS SELECT i::bigint AS id, 'n' || i AS name, (i * 0.25)::numeric(10,2) AS price, "
        "date '2024-01-01' + i AS day FROM generate_series(1, 1000) i"
    )
    yield name
    postgres.execute(f"DROP TABLE IF EXISTS {name}")


def wait_until_idle(server: PostgresServer, seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while server.busy():
        assert time.monotonic() < deadline, "a statement is left behind"
        time.sleep(0.02)


def test_partitions(postgres: PostgresServer, table: str) -> None:
    options = {**postgres.options, "dbtable": f"public.{table}", "partitionColumn": "ID", "lowerBound": "0"}
    found = partitions(options | {"upperBound": "1000", "numPartitions": "4"})
    assert [part.num_rows for part in found] == [249, 250, 250, 251]
    assert sum(part["id"].to_numpy().sum() for part in found) == 500_500
    wait_until_idle(postgres)


def test_partitions_by_dates_and_timestamps(postgres: PostgresServer, table: str) -> None:
    options = {**postgres.options, "lowerBound": "2024-01-01", "upperBound": "2026-09-28", "numPartitions": "2"}
    found = partitions({**options, "dbtable": table, "partitionColumn": "day"})
    assert [part.num_rows for part in found] == [500, 500]
    # The zone of the session does not move the cut.
    view = f"(SELECT id, day::timestamp AT TIME ZONE 'UTC' AS at FROM {table}) x"
    found = partitions({**options, "dbtable": view, "partitionColumn": "at", "options": "-c timezone=Asia/Tokyo"})
    assert [part.num_rows for part in found] == [500, 500]


def test_nulls_are_in_the_first_partition(postgres: PostgresServer, table: str) -> None:
    relation = f"(SELECT nullif(id % 10, 0) AS c FROM {table}) x"
    options = {**postgres.options, "dbtable": relation, "partitionColumn": "c", "lowerBound": "0", "upperBound": "10"}
    assert [part["c"].null_count for part in partitions(options | {"numPartitions": "2"})] == [100, 0]


def test_predicates(postgres: PostgresServer, table: str) -> None:
    options = Options(
        {**postgres.options, "dbtable": table}, predicates=["id <= 10", "name = 'n500' -- one", "id > 999"]
    )
    assert [part.num_rows for part in partitions(options)] == [10, 1, 1]


def test_a_query_keeps_its_types_without_being_run(postgres: PostgresServer, table: str) -> None:
    query = f"SELECT price, price + 1 AS more, pg_sleep(60)::text AS slow FROM {table} -- slow;"
    schema = JDBCArrowDataSource().infer_schema(Options({**postgres.options, "query": query}))
    assert [str(kind) for kind in schema.types] == ["decimal128(10, 2)", "decimal128(38, 18)", "string"]
    assert all(field.nullable for field in schema)


def test_empty_tables_and_tables_without_columns(postgres: PostgresServer) -> None:
    assert (
        read({**postgres.options, "dbtable": "(SELECT 1::numeric(5,2) AS a, now() AS b WHERE false) x"}).num_rows == 0
    )


def test_hostile_names(postgres: PostgresServer) -> None:
    name = "a\"b'c\\; drop table t; {0} {{column}} %s ü🦀"
    quoted = '"' + name.replace('"', '""') + '"'
    postgres.execute(f"CREATE TABLE {quoted} ({quoted} integer, day date)")
    postgres.execute(f"INSERT INTO {quoted} VALUES (7, '2024-01-01')")
    options = {**postgres.options, "dbtable": quoted, "partitionColumn": name, "lowerBound": "0", "upperBound": "10"}
    try:
        found = partitions(options | {"numPartitions": "2"})
        assert [part.num_rows for part in found] == [0, 1]
        assert found[0].schema.names == [name, "day"]
        postgres.execute(f'ALTER TABLE {quoted} RENAME day TO "it\'s\\{{day}}"')
        assert read({**postgres.options, "dbtable": quoted}).schema.names == [name, "it's\\{day}"]
    finally:
        postgres.execute(f"DROP TABLE {quoted}")


def test_a_type_that_is_made_later(postgres: PostgresServer, table: str) -> None:
    read({**postgres.options, "dbtable": table})
    postgres.execute("CREATE TYPE late AS ENUM ('x')")
    found = read({**postgres.options, "dbtable": "(SELECT 'x'::late AS a, ARRAY['x'::late] AS b) t"})
    assert [str(kind) for kind in found.schema.types] == ["string", "list<item: string>"]


def test_fetchsize_makes_smaller_batches(postgres: PostgresServer) -> None:
    options = Options({**postgres.options, "query": "SELECT g::numeric(9,0) AS n FROM generate_series(1, 100000) g"})
    source = JDBCArrowDataSource()
    [spec] = source.plan_partitions(options)
    sizes = [len(list(source.read_partition(spec, Options({**options, "fetchsize": rows})))) for rows in ("0", "10000")]
    assert sizes[0] == 1
    assert 4 < sizes[1] < 50


def test_a_read_that_is_dropped_leaves_nothing(postgres: PostgresServer) -> None:
    source = JDBCArrowDataSource()
    for column in ("g", "g::numeric(9,0)"):
        query = f"SELECT {column} AS g, repeat('x', 100) AS s FROM (SELECT generate_series(1, 100000000) AS g) x"
        options = Options({**postgres.options, "query": query, "fetchsize": "1000"})
        [spec] = source.plan_partitions(options)
        found = iter(source.read_partition(spec, options))
        item = next(found)
        if not isinstance(item, pa.RecordBatch):
            assert pa.RecordBatchReader.from_stream(item).read_next_batch().num_rows > 0
        found.close()  # type: ignore[attr-defined]
        wait_until_idle(postgres, 1.0)
        found = iter(source.read_partition(spec, options))
        next(found)
        del found, item
        gc.collect()
        wait_until_idle(postgres, 1.0)


@pytest.mark.parametrize("column", ["g", "g::numeric(9,0)"])
def test_cancel_ends_the_query_in_the_server(postgres: PostgresServer, column: str) -> None:
    source = JDBCArrowDataSource()
    query = f"SELECT {column} AS g, pg_sleep(60)::text AS s FROM generate_series(1, 10) g"
    options = Options({**postgres.options, "query": query})
    [spec] = source.plan_partitions(options)
    context = ReadContext(batch_size=8192, partition=0)
    caught: list[BaseException] = []

    def pull() -> None:
        try:
            for item in source.read_partition(spec, options, context):
                if not isinstance(item, pa.RecordBatch):
                    pa.RecordBatchReader.from_stream(item).read_all()
        except OSError as error:
            caught.append(error)

    thread = threading.Thread(target=pull)
    thread.start()
    running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY%pg_sleep(60)%' AND state = 'active'"
    while not postgres.execute(running)[0][0]:
        time.sleep(0.02)
    started = time.monotonic()
    context.cancel()
    context.cancel()
    thread.join(5)
    assert not thread.is_alive()
    wait_until_idle(postgres, 1.0)
    assert time.monotonic() - started < 1.0
    assert not caught or "canceling statement due to user request" in str(caught[0])


def test_a_read_that_was_cancelled_before_it_began(postgres: PostgresServer) -> None:
    options = Options({**postgres.options, "query": "SELECT pg_sleep(60)::text AS s"})
    context = ReadContext(batch_size=8192, partition=0)
    context.cancel()
    source = JDBCArrowDataSource()
    assert list(source.read_partition(source.plan_partitions(options)[0], options, context)) == []


def test_query_timeout(postgres: PostgresServer) -> None:
    query = "SELECT pg_sleep(60)::text AS s, 1::numeric AS n"
    with pytest.raises(SheetbendError, match="statement timeout"):
        read({**postgres.options, "query": query, "queryTimeout": "1"})
    wait_until_idle(postgres)


def test_a_connection_that_the_server_ends(postgres: PostgresServer) -> None:
    source = JDBCArrowDataSource()
    query = "SELECT g::numeric(9,0) AS g FROM (SELECT generate_series(1, 100000000) AS g) x"
    options = Options({**postgres.options, "query": query, "fetchsize": "1000"})
    found = iter(source.read_partition(source.plan_partitions(options)[0], options))
    next(found)
    postgres.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY%100000000%' AND pid <> pg_backend_pid()"
    )
    with pytest.raises(SheetbendError, match="terminating connection due to administrator command"):
        list(found)
    wait_until_idle(postgres)


@pytest.mark.parametrize("relation", ["missing", "public.missing", "(SELECT * FROM missing) t"])
def test_a_table_that_is_missing(postgres: PostgresServer, relation: str) -> None:
    with pytest.raises(TableNotFoundError, match="missing"):
        read({**postgres.options, "dbtable": relation})
    wait_until_idle(postgres)


@pytest.mark.parametrize("relation", ["(SELECT nope FROM pg_class) t", "t; drop table x", "(SELECT 1", "nofunction(1)"])
def test_sql_that_the_server_refuses(postgres: PostgresServer, relation: str) -> None:
    with pytest.raises(OptionError, match="PostgreSQL refuses the query made from the options: ") as caught:
        read({**postgres.options, "dbtable": relation})
    assert "Query was" not in str(caught.value)


def test_a_comment_does_not_swallow_the_partition(postgres: PostgresServer, table: str) -> None:
    options = {
        **postgres.options,
        "partitionColumn": "id",
        "lowerBound": "0",
        "upperBound": "1000",
        "numPartitions": "2",
    }
    for relation in (f"{table} -- all", f"{table};", f"(select * from {table}) x -- y"):
        assert [part.num_rows for part in partitions(options | {"dbtable": relation})] == [499, 501]


def test_a_wrong_password_is_tried_once(postgres: PostgresServer) -> None:
    before = postgres.log.count("password authentication failed")
    started = time.monotonic()
    with pytest.raises(AuthenticationError, match='password authentication failed for user "tester"'):
        read({**postgres.options, "dbtable": "t", "password": "wrong"})
    assert time.monotonic() - started < 2
    assert postgres.log.count("password authentication failed") == before + 1


def test_a_table_that_the_user_may_not_read(postgres: PostgresServer, table: str) -> None:
    postgres.execute("CREATE ROLE guest LOGIN PASSWORD 'visitor'")
    with pytest.raises(AuthenticationError, match="permission denied"):
        read({**postgres.options, "user": "guest", "password": "visitor", "dbtable": table})


def test_a_closed_port(postgres: PostgresServer) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"jdbc:postgresql://127.0.0.1:{listener.getsockname()[1]}/db"
    started = time.monotonic()
    with pytest.raises(SourceConnectionError, match="Connection refused"):
        read({**postgres.options, "url": url, "dbtable": "t"})
    assert time.monotonic() - started < 2


def test_a_server_that_does_not_answer() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        url = f"jdbc:postgresql://127.0.0.1:{listener.getsockname()[1]}/db"
        started = time.monotonic()
        with pytest.raises(SourceConnectionError, match="timeout expired"):
            read({"url": url, "dbtable": "t", "user": "u", "connectTimeout": "2"})
        assert time.monotonic() - started < 5


def test_a_database_that_is_missing(postgres: PostgresServer) -> None:
    with pytest.raises(SourceConnectionError, match='database "nope" does not exist'):
        read({**postgres.options, "url": postgres.url.replace("/postgres", "/nope"), "dbtable": "t"})


@pytest.mark.parametrize("place", ["option", "url"])
def test_no_secret_leaves(
    postgres: PostgresServer,
    table: str,
    place: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    canary = "can'ary \\" + secrets.token_hex(8)
    told: list[Any] = []
    caplog.set_level(logging.DEBUG)

    def attempt(**options: str) -> None:
        given = {"url": postgres.url, "user": postgres.user, "dbtable": table, **options}
        if place == "option":
            given["password"] = canary
        else:
            separator = "&" if "?" in given["url"] else "?"
            given["url"] += f"{separator}password={canary.replace(' ', '+')}"
        source = JDBCArrowDataSource()
        checked = Options(given, secrets=[spec.name for spec in source.OPTIONS if spec.hides(given.get(spec.name, ""))])
        told.extend([repr(checked), repr(source)])
        try:
            told.append(source.infer_schema(checked))
            told.extend(source.plan_partitions(checked))
            told.extend(source.read_partition(told[-1], checked))
        except (SheetbendError, OSError) as error:
            told.append("".join(traceback.format_exception(error)))

    attempt()
    attempt(url=f"jdbc:postgresql://[::1/{canary.split()[-1]}")
    attempt(url="jdbc:postgresql://nosuchhost.invalid/db")
    attempt(url=postgres.url + "?sslmode=nonsense")
    attempt(options="-c nonsense")
    attempt(user="")
    attempt(dbtable="missing")
    postgres.execute(f"ALTER ROLE {postgres.user} PASSWORD '{canary.replace(chr(39), chr(39) * 2)}'")
    try:
        attempt()
        attempt(dbtable="missing")
        attempt(dbtable="(SELECT 1 / 0 AS a) t")
        attempt(partitionColumn="id", lowerBound="0", upperBound="10", numPartitions="2")
    finally:
        postgres.execute(f"ALTER ROLE {postgres.user} PASSWORD '{postgres.password}'")
    assert any(isinstance(item, dict) for item in told), "no login worked"
    output = capfd.readouterr()
    everything = " ".join(map(str, told)) + json.dumps([item for item in told if isinstance(item, dict)])
    assert canary.split()[-1].lstrip("\\") not in everything + caplog.text + output.out + output.err


def test_options_of_another_database(postgres: PostgresServer) -> None:
    with pytest.raises(OptionError, match="has no parameter 'mode'"):
        read({**postgres.options, "url": postgres.url + "?mode=ro", "dbtable": "t"})


def test_what_the_garbage_collector_ends_while_a_snapshot_is_made(
    postgres: PostgresServer, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def collecting(*arguments: Any) -> threading.Timer:
        gc.collect()
        return Timer(*arguments)

    def plan() -> None:
        cut = {"partitionColumn": "id", "lowerBound": "0", "upperBound": "1000", "numPartitions": "2"}
        for _ in range(3):
            options = Options({**postgres.options, "dbtable": table, "consistency": "snapshot", **cut})
            assert len(JDBCArrowDataSource().plan_partitions(options)) == 2
            options.kept["itself"] = options

    Timer = threading.Timer  # noqa: N806 - a class
    monkeypatch.setattr(threading, "Timer", collecting)
    planning = threading.Thread(target=plan, daemon=True)
    planning.start()
    planning.join(20)
    assert not planning.is_alive(), "it waits for itself"


def test_an_error_of_a_statement_with_a_time_limit_keeps_nothing() -> None:
    class Kept:
        pass

    def fail(_: Kept) -> None:
        raise ValueError

    kept = Kept()
    left = weakref.ref(kept)
    gc.disable()
    try:
        patience = Patience(10)
        with contextlib.suppress(ValueError):
            patience.call(partial(fail, kept))
        del kept
        eventually(lambda: left() is None, "nothing holds it")
        patience.end()
    finally:
        gc.enable()
