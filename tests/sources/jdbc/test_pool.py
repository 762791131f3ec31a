"""Connections that are kept: by whom, for how long, and in which state."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from sheetbend.errors import AuthenticationError, OptionError, SourceConnectionError
from sheetbend.options import Options
from sheetbend.sources.jdbc.dialects import dialect_of
from sheetbend.sources.jdbc.pool import Pool, lease
from tests.sources.jdbc.reading import read
from tests.support.postgresql import PostgresServer
from tests.support.server import wait_until

PID = "SELECT pg_backend_pid()"


@pytest.fixture
def pool() -> Iterator[Pool]:
    kept = Pool()
    yield kept
    kept.close()


def pid(pool: Pool, options: dict[str, str]) -> int:
    with lease(dialect_of(Options(options)), pool=pool) as session:
        return int(session.rows(PID)[0][0])


def is_there(server: PostgresServer, backend: int) -> bool:
    return bool(server.execute(f"SELECT 1 FROM pg_stat_activity WHERE pid = {backend}"))


def test_a_connection_is_used_again(postgres: PostgresServer, pool: Pool) -> None:
    assert pid(pool, postgres.options) == pid(pool, postgres.options)


def test_two_at_the_same_time_are_two(postgres: PostgresServer, pool: Pool) -> None:
    with lease(dialect_of(Options(postgres.options)), pool=pool) as first:
        assert first.rows(PID)[0][0] != pid(pool, postgres.options)


def test_other_credentials_have_others(postgres: PostgresServer, pool: Pool) -> None:
    postgres.execute("CREATE ROLE other LOGIN PASSWORD 'visitor'")
    ours = pid(pool, postgres.options)
    other = postgres.options | {"user": "other", "password": "visitor"}
    assert pid(pool, other) != ours
    with pytest.raises(AuthenticationError):
        pid(pool, postgres.options | {"password": "wrong"})
    with pytest.raises(AuthenticationError):
        pid(pool, other | {"password": postgres.password})
    assert pid(pool, postgres.options | {"application_name": "else"}) != ours
    assert pid(pool, postgres.options) == ours


def test_idle_ones_are_closed(postgres: PostgresServer) -> None:
    backend = pid(Pool(idle_seconds=0.3), postgres.options)
    wait_until(lambda: not is_there(postgres, backend), 3, "the idle connection is closed")


def test_there_are_few(postgres: PostgresServer, pool: Pool) -> None:
    dialect = dialect_of(Options(postgres.options))
    leases = [lease(dialect, pool=pool) for _ in range(12)]
    backends = [one.__enter__().rows(PID)[0][0] for one in leases]
    for one in leases:
        one.__exit__(None, None, None)
    assert sum(is_there(postgres, backend) for backend in backends) == 8


def test_a_session_leaves_nothing_to_the_next(postgres: PostgresServer, pool: Pool) -> None:
    dialect = dialect_of(Options(postgres.options))
    with lease(dialect, pool=pool) as session:
        session.execute("SET timezone = 'Asia/Tokyo'")
        session.execute("CREATE TEMP TABLE leftover (id int)")
        session.rows("SELECT pg_advisory_lock(7)::text")
    with lease(dialect, pool=pool) as session:
        assert session.rows("SELECT current_setting('timezone'), to_regclass('leftover')::text") != [
            ("Asia/Tokyo", "leftover")
        ]
        assert session.rows("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]


def test_a_session_in_a_transaction_is_not_kept(postgres: PostgresServer, pool: Pool) -> None:
    dialect = dialect_of(Options(postgres.options))
    with lease(dialect, pool=pool) as session:
        session.execute("BEGIN")
        backend = session.rows(PID)[0][0]
    wait_until(lambda: not is_there(postgres, backend), 1, "the connection is closed")
    assert pid(pool, postgres.options) != backend


def test_one_that_died_is_replaced(postgres: PostgresServer, pool: Pool) -> None:
    backend = pid(pool, postgres.options)
    postgres.execute(f"SELECT pg_terminate_backend({backend})")
    assert pid(pool, postgres.options) != backend


def test_one_that_failed_is_not_kept(postgres: PostgresServer, pool: Pool) -> None:
    dialect = dialect_of(Options(postgres.options))
    seen = []

    def fail() -> None:
        with lease(dialect, pool=pool) as session:
            seen.append(session.rows(PID)[0][0])
            session.rows("SELECT nonsense")

    with pytest.raises(OptionError, match="nonsense"):
        fail()
    wait_until(lambda: not is_there(postgres, seen[0]), 1, "the connection is closed")


def test_a_statement_for_each_session(postgres: PostgresServer) -> None:
    query = "SELECT current_setting('my.word', true) AS word, current_setting('lock_timeout') AS patience"
    options = {**postgres.options, "query": query}
    told = options | {"sessionInitStatement": "SET my.word = 'it''s'; "}
    assert read(told).to_pylist() == [{"word": "it's", "patience": "0"}]
    # Gone with the session.
    assert read(options)["word"].to_pylist() in ([None], [""])
    with pytest.raises(OptionError, match="syntax error"):
        read(options | {"sessionInitStatement": "SETT x"})


def test_what_stands_before_the_query(postgres: PostgresServer) -> None:
    options = {**postgres.options, "prepareQuery": "WITH few AS (SELECT generate_series(1, 3) AS n)"}
    with pytest.raises(OptionError, match="hint"):
        read({**options, "dbtable": "pg_class", "hint": "/*+ SeqScan */ x"})
    assert read({**options, "query": "SELECT n FROM few WHERE n > 1"})["n"].to_pylist() == [2, 3]


@pytest.mark.parametrize("name", ["keytab", "principal", "connectionProvider"])
def test_kerberos_of_java(postgres: PostgresServer, name: str) -> None:
    with pytest.raises(OptionError, match=f"Option '{name}' is not supported"):
        read({**postgres.options, "dbtable": "pg_class", name: "x"})


def test_from_many_threads(postgres: PostgresServer, pool: Pool) -> None:
    errors: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(10):
                pid(pool, postgres.options)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not errors


def test_an_unknown_host_is_an_error_at_once() -> None:
    started = time.monotonic()
    with pytest.raises(SourceConnectionError, match=r"nosuchhost\.invalid"):
        read({"url": "jdbc:postgresql://nosuchhost.invalid/db", "dbtable": "t", "user": "u"})
    assert time.monotonic() - started < 2
