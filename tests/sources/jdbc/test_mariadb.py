"""MariaDB, a real server."""

from __future__ import annotations

import gc
import json
import logging
import random
import secrets
import socket
import subprocess
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sheetbend.errors import AuthenticationError, OptionError, SheetbendError, SourceConnectionError, TableNotFoundError
from sheetbend.filters import Column, Comparison, In, Literal, Operator
from sheetbend.options import Options
from sheetbend.plugin import ReadContext
from sheetbend.sources.jdbc import JDBCArrowDataSource
from sheetbend.sources.jdbc.dialects import dialect_of
from sheetbend.sources.jdbc.pool import lease
from tests.sources.jdbc.reading import partitions, read
from tests.support.mariadb import MariaDBServer

HOSTILE = "a\"b'c`d\\; drop table t; -- /* {0} {{column}} %s ü"
ENDLESS = "SELECT seq AS n, repeat('x', 100) AS s FROM seq_1_to_1000000000"


@pytest.fixture
def table(mariadb: MariaDBServer) -> Iterator[str]:
    """A table of 1000 rows: id, name, price and day."""
    name = f"t_{secrets.token_hex(4)}"
    mariadb.execute(
        f"CREATE TABLE {name} (id bigint PRIMARY KEY, name varchar(9), price decimal(10,2), day date) SELECT seq AS id, "
        "concat('n', seq) AS name, seq * 0.25 AS price, date '2024-01-01' + INTERVAL seq DAY AS day FROM seq_1_to_1000"
    )
    yield name
    mariadb.execute(f"DROP TABLE IF EXISTS {name}")


def backticks(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def wait_until_idle(server: MariaDBServer, seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while running := server.running():
        assert time.monotonic() < deadline, f"a statement is left behind: {running}"
        time.sleep(0.02)


def test_partitions(mariadb: MariaDBServer, table: str) -> None:
    options = {**mariadb.options, "dbtable": f"shop.{table}", "partitionColumn": "ID", "lowerBound": "0"}
    found = partitions(options | {"upperBound": "1000", "numPartitions": "4"})
    assert [part.num_rows for part in found] == [249, 250, 250, 251]
    assert sum(part["id"].to_numpy().sum() for part in found) == 500_500
    wait_until_idle(mariadb)


def test_partitions_by_dates_and_timestamps(mariadb: MariaDBServer, table: str) -> None:
    options = {**mariadb.options, "lowerBound": "2024-01-01", "upperBound": "2026-09-28", "numPartitions": "2"}
    found = partitions({**options, "dbtable": table, "partitionColumn": "day"})
    assert [part.num_rows for part in found] == [500, 500]
    view = f"(SELECT id, timestamp(day) AS at FROM {table}) x"
    found = partitions({**options, "dbtable": view, "partitionColumn": "at"})
    assert [part.num_rows for part in found] == [500, 500]


@pytest.mark.parametrize(
    "keys",
    [
        "SELECT seq AS k FROM seq_1_to_60000",
        "SELECT seq AS k FROM seq_1_to_30000 UNION ALL SELECT seq * 100000000000 FROM seq_1_to_30000",
        "SELECT 5 - cast(seq * seq AS signed) AS k FROM seq_1_to_60000",
    ],
    ids=["even", "skewed", "negative"],
)
def test_pieces_are_of_one_size_however_the_keys_are_spread(mariadb: MariaDBServer, keys: str) -> None:
    name = f"t_{secrets.token_hex(4)}"
    mariadb.execute(
        f"CREATE TABLE {name} (k bigint, part int, PRIMARY KEY (k, part)) SELECT k, 0 AS part FROM ({keys}) q"
    )
    mariadb.execute(f"ANALYZE TABLE {name}")
    dialect = dialect_of(Options(mariadb.options))
    with lease(dialect) as session:
        pieces = dialect.pieces(session, dialect.describe(session, name), 4)
    assert pieces is not None
    counts = [int(mariadb.execute(f"SELECT count(*) FROM {name} WHERE {piece}")[0][0]) for piece in pieces]
    assert sum(counts) == 60_000
    assert len(counts) == 4
    assert max(counts) < 1.5 * min(counts)


def test_small_tables_views_and_queries_are_not_cut(mariadb: MariaDBServer, table: str) -> None:
    mariadb.execute(f"CREATE VIEW v_{table} AS SELECT * FROM {table}")
    dialect = dialect_of(Options(mariadb.options))
    with lease(dialect) as session:
        assert dialect.pieces(session, dialect.describe(session, table), 4) == []
        for relation in (f"v_{table}", f"(SELECT * FROM {table}) x"):
            assert dialect.pieces(session, dialect.describe(session, relation), 4) is None
    mariadb.execute(f"DROP VIEW v_{table}")


def test_a_query_keeps_its_types_without_being_run(mariadb: MariaDBServer, table: str) -> None:
    query = f"SELECT price, price + 1 AS more, sleep(60) AS slow FROM {table} -- slow;"
    schema = JDBCArrowDataSource().infer_schema(Options({**mariadb.options, "query": query}))
    assert [str(kind) for kind in schema.types] == ["decimal128(10, 2)", "decimal128(11, 2)", "int32"]
    assert all(field.nullable for field in schema)


def test_rows_are_those_of_another_client(mariadb: MariaDBServer) -> None:
    chosen = random.Random(7)
    kinds = [
        "bigint",
        "int unsigned",
        "double",
        "varchar(300)",
        "decimal(20,4)",
        "date",
        "datetime(6)",
        "longblob",
        "tinyint(1)",
        "bit(1)",
    ]
    columns = [(f"c{number}", chosen.choice(kinds)) for number in range(23)]
    declared = ", ".join(f"{name} {kind}" for name, kind in columns)
    mariadb.execute(f"CREATE OR REPLACE TABLE mixed (n int PRIMARY KEY, {declared})")

    def value(kind: str) -> Any:
        if chosen.random() < 0.2:
            return None
        return {
            "bigint": lambda: chosen.randint(-(2**63), 2**63 - 1),
            "int unsigned": lambda: chosen.randint(0, 2**32 - 1),
            "double": lambda: chosen.uniform(-1e9, 1e9),
            "varchar(300)": lambda: "".join(chosen.choices("aé🦀'\\ ", k=chosen.choice([0, 3, 80, 251, 300]))),
            "decimal(20,4)": lambda: f"{chosen.randint(-(10**18), 10**18)}.{chosen.randint(0, 9999):04}",
            "date": lambda: f"{chosen.randint(1, 9999):04}-{chosen.randint(1, 12):02}-{chosen.randint(1, 28):02}",
            "datetime(6)": lambda: f"2024-02-29 {chosen.choice(['00:00:00', '01:02:03', '01:02:03.000004'])}",
            "longblob": lambda: chosen.randbytes(chosen.choice([0, 1, 250, 251, 70_000])),
            "tinyint(1)": lambda: chosen.randint(0, 1),
            "bit(1)": lambda: chosen.randint(0, 1),
        }[kind]()

    marks = ", ".join(["%s"] * (len(columns) + 1))
    for number in range(400):
        mariadb.execute(f"INSERT INTO mixed VALUES ({marks})", number, *(value(kind) for _, kind in columns))
    found = read({**mariadb.options, "query": "SELECT * FROM mixed ORDER BY n"})
    expected = mariadb.execute("SELECT * FROM mixed ORDER BY n")
    for at, (name, kind) in enumerate(columns, start=1):
        ours = found[name].to_pylist()
        theirs = [row[at] for row in expected]
        if kind in ("tinyint(1)", "bit(1)"):
            theirs = [None if cell is None else bool(cell if isinstance(cell, int) else cell[0]) for cell in theirs]
        assert ours == theirs, (name, kind)


@pytest.mark.parametrize("size", [250, 251, 65_535, 65_536, 16_777_190, 16_777_215, 40_000_000])
def test_values_of_every_length(mariadb: MariaDBServer, size: int) -> None:
    # The longest ones are sent in several packets.
    mariadb.execute("SET GLOBAL max_allowed_packet = 1073741824")
    query = (
        f"SELECT 1 AS a, repeat('é', {size // 2}) AS s, 2 AS b UNION ALL SELECT 3, NULL, 4 UNION ALL SELECT 5, 'x', 6"
    )
    found = read({**mariadb.options, "query": query})
    assert found["a"].to_pylist() == [1, 3, 5]
    assert found["b"].to_pylist() == [2, 4, 6]
    assert [None if text is None else len(text) for text in found["s"].to_pylist()] == [size // 2, None, 1]


def test_an_empty_result_and_a_column_of_nulls(mariadb: MariaDBServer, table: str) -> None:
    assert read({**mariadb.options, "query": f"SELECT * FROM {table} WHERE false"}).num_rows == 0
    found = read({**mariadb.options, "query": f"SELECT NULL AS n, id FROM {table} LIMIT 2"})
    assert found["n"].to_pylist() == [None, None]


def test_hostile_names(mariadb: MariaDBServer) -> None:
    quoted = backticks(HOSTILE)
    mariadb.execute(f"CREATE TABLE {quoted} ({quoted} integer, day date)")
    mariadb.execute(f"INSERT INTO {quoted} VALUES (7, '2024-01-01')")
    options = {
        **mariadb.options,
        "dbtable": quoted,
        "partitionColumn": HOSTILE,
        "lowerBound": "0",
        "upperBound": "10",
        "numPartitions": "2",
    }
    try:
        found = partitions(options)
        assert [part.num_rows for part in found] == [0, 1]
        assert found[0].schema.names == [HOSTILE, "day"]
    finally:
        mariadb.execute(f"DROP TABLE {quoted}")


@pytest.mark.parametrize(
    "mode", ["", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "ANSI,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT"]
)
def test_no_mode_of_the_server_changes_what_a_name_or_a_text_is(mariadb: MariaDBServer, mode: str) -> None:
    dialect = dialect_of(Options({**mariadb.options, "sessionVariables": f"sql_mode='{mode}'"}))
    chosen = random.Random(3)
    with lease(dialect) as session:
        for _ in range(60):
            text = "".join(chosen.choices("a'\"`\\;-/*%_{}é🦀\n\t", k=chosen.randint(1, 30)))
            # A name has no characters beyond 16 bits, and no blanks at its ends.
            name = "x" + text.replace("🦀", "") + "x"
            sql = f"SELECT {dialect.syntax.text(text)} AS {dialect.quote(name)}"
            assert session.rows(sql) == [(text,)]
            assert session.fields(sql)[0].name == name


def test_fetchsize_makes_smaller_batches(mariadb: MariaDBServer) -> None:
    options = Options({**mariadb.options, "query": "SELECT seq AS n FROM seq_1_to_100000"})
    source = JDBCArrowDataSource()
    [spec] = source.plan_partitions(options)
    for rows, most in (("0", 150_000), ("1000", 1000)):
        sizes = [batch.num_rows for batch in source.read_partition(spec, Options({**options, "fetchsize": rows}))]
        assert sum(sizes) == 100_000
        assert max(sizes) <= most


def test_memory_is_that_of_some_blocks(mariadb: MariaDBServer) -> None:
    options = Options({**mariadb.options, "query": "SELECT seq AS n, repeat('x', 100) AS s FROM seq_1_to_1000000"})
    source = JDBCArrowDataSource()
    before = pa.total_allocated_bytes()
    most = 0
    for batch in source.read_partition(source.plan_partitions(options)[0], options):
        most = max(most, pa.total_allocated_bytes() - before, batch.nbytes)
    assert most < 16 << 20


def test_a_read_that_is_dropped_leaves_nothing(mariadb: MariaDBServer) -> None:
    source = JDBCArrowDataSource()
    options = Options({**mariadb.options, "query": ENDLESS})
    [spec] = source.plan_partitions(options)
    found = source.read_partition(spec, options)
    assert next(iter(found)).num_rows > 0
    found.close()  # type: ignore[attr-defined]
    wait_until_idle(mariadb, 1.0)
    found = source.read_partition(spec, options)
    next(iter(found))
    del found
    gc.collect()
    wait_until_idle(mariadb, 1.0)


@pytest.mark.parametrize(
    "query",
    ["SELECT sleep(60) AS s", "SELECT sum(a.seq * b.seq) AS s FROM seq_1_to_100000 a, seq_1_to_100000 b", ENDLESS],
)
def test_cancel_ends_the_query_in_the_server(mariadb: MariaDBServer, query: str) -> None:
    source = JDBCArrowDataSource()
    options = Options({**mariadb.options, "query": query})
    [spec] = source.plan_partitions(options)
    context = ReadContext(batch_size=8192, partition=0)
    thread = threading.Thread(target=lambda: list(source.read_partition(spec, options, context)))
    thread.start()
    while not mariadb.running():
        time.sleep(0.02)
    context.cancel()
    context.cancel()
    wait_until_idle(mariadb, 1.0)
    thread.join(5)
    assert not thread.is_alive()


def test_query_timeout(mariadb: MariaDBServer) -> None:
    query = "SELECT sum(a.seq * b.seq) AS s FROM seq_1_to_100000 a, seq_1_to_100000 b"
    started = time.monotonic()
    with pytest.raises(SheetbendError, match="MariaDB ended the query after the 1 s of 'queryTimeout'"):
        read({**mariadb.options, "query": query, "queryTimeout": "1"})
    assert time.monotonic() - started < 3
    wait_until_idle(mariadb, 1.0)


def test_an_error_after_some_rows(mariadb: MariaDBServer) -> None:
    query = "SELECT seq, (SELECT 1 UNION SELECT if(seq > 50000, 2, 1)) AS c FROM seq_1_to_100000"
    options = Options({**mariadb.options, "query": query})
    source = JDBCArrowDataSource()
    found = iter(source.read_partition(source.plan_partitions(options)[0], options))
    assert next(found).num_rows > 0
    with pytest.raises(SheetbendError, match="Subquery returns more than 1 row"):
        list(found)


def test_a_connection_that_the_server_ends(mariadb: MariaDBServer) -> None:
    source = JDBCArrowDataSource()
    options = Options({**mariadb.options, "query": ENDLESS})
    found = iter(source.read_partition(source.plan_partitions(options)[0], options))
    next(found)
    [(number,)] = mariadb.execute(
        "SELECT id FROM information_schema.processlist WHERE info LIKE %s AND id <> connection_id()", "%1000000000%"
    )
    mariadb.execute(f"KILL {number}")
    with pytest.raises(SourceConnectionError, match="closed the connection"):
        list(found)
    wait_until_idle(mariadb)


@pytest.fixture(scope="module")
def secure() -> Iterator[tuple[MariaDBServer, Path]]:
    """A server with a certificate for localhost, and the file of it."""
    # Not below pytest's own folder, which another user cannot read.
    with tempfile.TemporaryDirectory(prefix="sheetbend-tls-", dir="/tmp") as folder:
        key, certificate = Path(folder) / "key.pem", Path(folder) / "certificate.pem"
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
        subprocess.run(command, check=True, capture_output=True)
        for path in (Path(folder), key):
            path.chmod(0o755)
        with MariaDBServer({"ssl-cert": str(certificate), "ssl-key": str(key)}) as server:
            yield server, certificate


def test_tls(secure: tuple[MariaDBServer, Path]) -> None:
    server, certificate = secure
    cipher = "SELECT variable_value AS c FROM information_schema.session_status WHERE variable_name = 'Ssl_cipher'"

    def attempt(host: str, parameters: str) -> str:
        url = f"jdbc:mariadb://{host}:{server.port}/shop?{parameters}"
        return str(read({**server.options, "url": url, "query": cipher})["c"][0].as_py())

    trusted = f"serverSslCert={certificate}"
    for parameters in ("sslMode=trust", "useSSL=true", f"sslMode=verify-full&{trusted}", trusted, ""):
        assert attempt("localhost", parameters), parameters
    assert attempt("localhost", "sslMode=disable") == ""
    assert attempt("127.0.0.1", f"sslMode=VERIFY_CA&{trusted}")
    for host, parameters in (("localhost", "sslMode=VERIFY_CA"), ("127.0.0.1", f"sslMode=VERIFY_IDENTITY&{trusted}")):
        with pytest.raises(SourceConnectionError, match="certificate verify failed"):
            attempt(host, parameters)
    with pytest.raises(OptionError, match="serverSslCert"):
        attempt("localhost", "serverSslCert=/nowhere.pem")
    # Rows of more than one record, and a row of more than one packet.
    url = f"jdbc:mariadb://localhost:{server.port}/shop?{trusted}"
    many = read({**server.options, "url": url, "query": "SELECT seq, repeat('x', 50) AS s FROM seq_1_to_200000"})
    assert many["seq"].to_pylist() == list(range(1, 200_001))


def test_a_server_that_is_killed(secure: tuple[MariaDBServer, Path]) -> None:
    server, _ = secure
    source = JDBCArrowDataSource()
    options = Options({**server.options, "query": ENDLESS})
    found = iter(source.read_partition(source.plan_partitions(options)[0], options))
    next(found)
    server.kill()
    started = time.monotonic()
    with pytest.raises(SourceConnectionError):
        list(found)
    assert time.monotonic() - started < 2
    with pytest.raises(SourceConnectionError, match="cannot be reached"):
        read({**server.options, "query": "SELECT 1 AS n"})


@pytest.mark.parametrize("relation", ["missing", "shop.missing", "(SELECT * FROM missing) t"])
def test_a_table_that_is_missing(mariadb: MariaDBServer, relation: str) -> None:
    with pytest.raises(TableNotFoundError, match="missing"):
        read({**mariadb.options, "dbtable": relation})
    wait_until_idle(mariadb)


@pytest.mark.parametrize(
    "relation", ["(SELECT nope FROM mysql.user) t", "t; drop table x", "(SELECT 1", "nofunction(1)"]
)
def test_sql_that_the_server_refuses(mariadb: MariaDBServer, relation: str) -> None:
    with pytest.raises(OptionError, match="MariaDB refuses the query made from the options: ") as caught:
        read({**mariadb.options, "dbtable": relation})
    assert "near" not in str(caught.value)


def test_a_table_that_is_altered_between_planning_and_reading(mariadb: MariaDBServer, table: str) -> None:
    options = Options({**mariadb.options, "dbtable": table})
    source = JDBCArrowDataSource()
    [spec] = source.plan_partitions(options)
    mariadb.execute(f"ALTER TABLE {table} MODIFY price varchar(20)")
    with pytest.raises(SheetbendError, match=r"Column 'price' is varchar\(20\) now, .* the table was altered"):
        list(source.read_partition(spec, options))
    mariadb.execute(f"DROP TABLE {table}")
    with pytest.raises(TableNotFoundError):
        list(source.read_partition(spec, options))


def test_invalid_text_in_a_latin1_table(mariadb: MariaDBServer) -> None:
    mariadb.execute(
        "CREATE OR REPLACE TABLE wrong (l varchar(9) CHARACTER SET latin1, u varchar(9) CHARACTER SET utf8mb3)"
    )
    mariadb.execute("INSERT INTO wrong VALUES (x'e9ff80', 'ok')")
    # Every byte is a character of latin1, and the server turns each into UTF-8.
    assert read({**mariadb.options, "dbtable": "wrong"}).to_pylist() == [{"l": "éÿ€", "u": "ok"}]
    options = {**mariadb.options, "sessionVariables": "character_set_results=latin1", "query": "SELECT 'é' AS c"}
    with pytest.raises(SheetbendError, match=r"(?s)Column 'c' is varchar.*[Ii]nvalid UTF"):
        read(options)


def test_a_wrong_password_is_tried_once(mariadb: MariaDBServer) -> None:
    aborted = "SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'Aborted_connects'"
    before = int(mariadb.execute(aborted)[0][0])
    started = time.monotonic()
    with pytest.raises(AuthenticationError, match="Access denied for user 'tester'"):
        read({**mariadb.options, "dbtable": "t", "password": "wrong"})
    assert time.monotonic() - started < 2
    assert int(mariadb.execute(aborted)[0][0]) == before + 1


def test_a_table_that_the_user_may_not_read(mariadb: MariaDBServer, table: str) -> None:
    mariadb.execute("CREATE OR REPLACE USER guest IDENTIFIED BY 'visitor'")
    mariadb.execute("GRANT USAGE ON *.* TO guest")
    guest = {**mariadb.options, "url": mariadb.url.removesuffix("shop"), "user": "guest", "password": "visitor"}
    with pytest.raises(AuthenticationError, match="denied"):
        read({**guest, "dbtable": f"shop.{table}"})


def test_a_closed_port(mariadb: MariaDBServer) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    started = time.monotonic()
    with pytest.raises(SourceConnectionError, match="Connection refused"):
        read({**mariadb.options, "url": f"jdbc:mysql://127.0.0.1:{port}/db", "dbtable": "t"})
    assert time.monotonic() - started < 2
    # The next host is tried.
    url = f"jdbc:mariadb:sequential://127.0.0.1:{port},127.0.0.1:{mariadb.port}/shop"
    assert read({**mariadb.options, "url": url, "query": "SELECT 1 AS n"}).num_rows == 1


def test_a_server_that_does_not_answer() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        url = f"jdbc:mariadb://127.0.0.1:{listener.getsockname()[1]}/db?connectTimeout=1000"
        started = time.monotonic()
        with pytest.raises(SourceConnectionError, match="timed out"):
            read({"url": url, "dbtable": "t", "user": "u"})
        assert time.monotonic() - started < 3


def test_a_server_without_tls(mariadb: MariaDBServer) -> None:
    for mode in ("sslMode=REQUIRED", "sslMode=verify-full", "useSSL=true", "sslMode=VERIFY_CA"):
        with pytest.raises(SourceConnectionError, match="SSL"):
            read({**mariadb.options, "url": f"{mariadb.url}?{mode}", "query": "SELECT 1 AS n"})
    for mode in ("sslMode=DISABLED", "sslMode=preferred", "useSSL=false"):
        assert read({**mariadb.options, "url": f"{mariadb.url}?{mode}", "query": "SELECT 1 AS n"}).num_rows == 1


def test_a_database_that_is_missing(mariadb: MariaDBServer) -> None:
    with pytest.raises(SourceConnectionError, match="Unknown database 'nope'"):
        read({**mariadb.options, "url": mariadb.url.replace("/shop", "/nope"), "dbtable": "t"})


def test_a_connection_is_used_again_in_its_first_state(mariadb: MariaDBServer) -> None:
    dialect = dialect_of(Options(mariadb.options))
    with lease(dialect) as session:
        [(first,)] = session.rows("SELECT connection_id()")
        session.execute("SET time_zone = '+09:00', @mine = 1")
        session.execute("CREATE TEMPORARY TABLE passing (n int)")
    with lease(dialect) as session:
        assert session.rows("SELECT connection_id(), @@time_zone, @mine, @@character_set_results") == [
            (first, "+00:00", None, "utf8mb4")
        ]
        with pytest.raises(dialect.errors):
            session.rows("SELECT * FROM passing")


@pytest.mark.parametrize("place", ["option", "url", "host"])
def test_no_secret_leaves(
    mariadb: MariaDBServer,
    table: str,
    place: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    canary = "canary" + secrets.token_hex(8)
    told: list[Any] = []
    caplog.set_level(logging.DEBUG)

    def attempt(**options: str) -> None:
        given = {"url": mariadb.url, "user": mariadb.user, "dbtable": table, **options}
        if place == "option":
            given["password"] = canary
        elif place == "url":
            given["url"] += f"{'&' if '?' in given['url'] else '?'}password={canary}"
        else:
            given["url"] = given["url"].replace("//", f"//{given['user']}:{canary}@").replace("mariadb", "mysql")
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
    attempt(url=f"jdbc:mariadb://[::1/{canary}")
    attempt(url=f"jdbc:mariadb://u:{canary}@127.0.0.1:port/db")
    attempt(url="jdbc:mariadb://nosuchhost.invalid/db")
    attempt(url=mariadb.url + "?sslMode=nonsense")
    attempt(user="")
    attempt(dbtable="missing")
    mariadb.execute(f"CREATE OR REPLACE USER canary IDENTIFIED BY '{canary}'")
    mariadb.execute("GRANT SELECT ON *.* TO canary")
    user = {"user": "canary"}
    attempt(**user)
    attempt(**user, dbtable="missing")
    attempt(**user, dbtable="(SELECT nope) t")
    attempt(**user, partitionColumn="id", lowerBound="0", upperBound="10", numPartitions="2")
    assert any(isinstance(item, dict) for item in told), "no login worked"
    output = capfd.readouterr()
    everything = " ".join(map(str, told)) + json.dumps([item for item in told if isinstance(item, dict)])
    assert canary not in everything + caplog.text + output.out + output.err


def test_other_types_are_asked_for(mariadb: MariaDBServer, table: str) -> None:
    options = {**mariadb.options, "dbtable": table, "customSchema": "id STRING, price DECIMAL(20,4), day TIMESTAMP_NTZ"}
    found = read(options)
    assert [str(kind) for kind in found.schema.types] == ["string", "string", "decimal128(20, 4)", "timestamp[us]"]
    assert found.slice(0, 1).to_pylist()[0]["id"] == "1"
    with pytest.raises(
        SheetbendError, match=r"Column 'name' is varchar\(9\) as int32, read as int32, which cannot hold"
    ):
        read({**mariadb.options, "dbtable": table, "customSchema": "name INT"})


def test_a_text_is_found_by_its_index(mariadb: MariaDBServer) -> None:
    mariadb.execute("CREATE OR REPLACE TABLE keyed (code varchar(20) PRIMARY KEY, n int)")
    mariadb.execute("INSERT INTO keyed SELECT concat('k', seq), seq FROM seq_1_to_5000")
    dialect = dialect_of(Options(mariadb.options))
    column = Column("code", pa.string())
    with lease(dialect) as session:
        table = dialect.describe(session, "keyed")
        for condition, rows in (
            (Comparison(Operator.EQUAL, column, Literal(pa.scalar("k7"))), [(7,)]),
            (Comparison(Operator.EQUAL, column, Literal(pa.scalar("K7"))), []),
            (In(column, (Literal(pa.scalar("k7")), Literal(pa.scalar("k8")))), [(7,), (8,)]),
        ):
            sql = f"SELECT n FROM keyed WHERE {dialect.condition(condition, table)}"
            assert session.rows(sql) == rows
            # Without a type where the look-up has found that there is none.
            assert session.rows(f"EXPLAIN {sql}")[0][3] in (("const", "range") if rows else (None,))
            expected = dialect.expected_rows(session, table, [str(dialect.condition(condition, table))])
            assert expected == len(rows)
        assert dialect.expected_rows(session, table, ["n = 7"]) is None


def test_a_snapshot_of_several_connections_is_refused(mariadb: MariaDBServer, table: str) -> None:
    bounds = {"partitionColumn": "id", "lowerBound": "0", "upperBound": "1000", "numPartitions": "2"}
    with pytest.raises(OptionError, match="consistency"):
        partitions({**mariadb.options, "dbtable": table, "consistency": "snapshot", **bounds})
    assert read({**mariadb.options, "dbtable": table, "isolationLevel": "REPEATABLE_READ"}).num_rows == 1000
