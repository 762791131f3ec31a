"""Writes to PostgreSQL that go wrong: the table is as it was, and what is staged is gone, or goes with the next write."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sheetbend.errors import SheetbendError, SourceConnectionError
from sheetbend.write import SaveMode
from tests.sources.jdbc.writing import Write, write
from tests.support.database import DatabaseServer
from tests.support.mariadb import MariaDBServer
from tests.support.postgresql import PostgresServer
from tests.support.server import running_server, wait_until

SCHEMA = pa.schema([("id", pa.int64())])


def ids(*values: int) -> pa.Table:
    return pa.table([list(values)], schema=SCHEMA)


class Place:
    """A table of one row, 0, in a schema of its own."""

    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self.schema = f"f_{secrets.token_hex(4)}"
        # So that rows go to the staging table as they come.
        self.options = {**server.options, "dbtable": f"{self.schema}.t", "spoolBytes": "0"}
        server.execute(f"CREATE SCHEMA {self.schema}")
        server.execute(f"CREATE TABLE {self.schema}.t (id bigint PRIMARY KEY)")
        server.execute(f"INSERT INTO {self.schema}.t VALUES (0)")

    def rows(self) -> list[int]:
        return [row[0] for row in self.server.execute(f"SELECT id FROM {self.schema}.t ORDER BY id")]

    def staged(self) -> int:
        """How many staging tables there are."""
        count = f"SELECT count(*) FROM pg_class WHERE relnamespace = '{self.schema}'::regnamespace AND relname ~ 'sheetbend'"
        return int(self.server.execute(count)[0][0])

    @property
    def keeping(self) -> dict[str, str]:
        """The options of a write whose rows are kept until the commit."""
        return {key: value for key, value in self.options.items() if key != "spoolBytes"}

    def terminate(self, condition: str) -> int:
        """Ends connections; returns how many."""
        ended = self.server.execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND {condition}"
        )
        return len(ended)


@pytest.fixture
def place(postgres: PostgresServer) -> Iterator[Place]:
    made = Place(postgres)
    yield made
    postgres.execute(f"DROP SCHEMA {made.schema} CASCADE")


@pytest.fixture(scope="module")
def own() -> Iterator[PostgresServer]:
    """A server that the test may harm."""
    with PostgresServer({"max_wal_senders": "2"}) as running:
        yield running


@pytest.mark.parametrize("atomicity", ["write", "partition"])
def test_a_row_that_is_there_in_the_middle_of_a_partition(place: Place, atomicity: str) -> None:
    options = {**place.options, "atomicity": atomicity}
    with pytest.raises(SheetbendError, match=r"duplicate key value.*Key \(id\)=\(0\) already exists"):
        write(options, ids(10, 11, 12), ids(20, 0, 21), ids(30))
    assert place.rows() == ([0] if atomicity == "write" else [0, 10, 11, 12])
    assert place.staged() == 0


def test_a_source_that_fails_in_the_middle(place: Place) -> None:
    def failing() -> Iterator[pa.RecordBatch]:
        yield from ids(1).to_batches()
        raise ValueError("page 2 is torn")

    steps = Write(place.options, SCHEMA).begin()
    with pytest.raises(SheetbendError, match="page 2 is torn"):
        steps.task(pa.RecordBatchReader.from_batches(SCHEMA, failing()))
    steps.abort()
    write(place.options, ids(1))
    assert place.rows() == [0, 1]


@pytest.mark.parametrize("mode", [SaveMode.APPEND, SaveMode.OVERWRITE])
def test_a_commit_is_repeated_harmlessly(place: Place, mode: SaveMode) -> None:
    steps = Write(place.options, SCHEMA, mode).begin().task(ids(1))
    steps.commit()
    steps.commit()
    steps.abort()
    assert place.rows() == ([0, 1] if mode is SaveMode.APPEND else [1])
    assert place.staged() == 0


def test_an_abort_leaves_nothing_and_cannot_be_committed(place: Place) -> None:
    steps = Write(place.options, SCHEMA).begin().task(ids(1))
    assert place.staged() == 1
    steps.abort()
    steps.abort()
    assert place.staged() == 0
    with pytest.raises(SheetbendError, match=r"staging table .* is gone"):
        steps.commit()
    assert place.rows() == [0]


def test_the_connection_of_a_task_is_ended(place: Place) -> None:
    def ended() -> Iterator[pa.RecordBatch]:
        yield from ids(1).to_batches()
        wait_until(lambda: place.terminate("query LIKE 'COPY %FROM STDIN%'") > 0, 10, "the copy runs")
        yield from ids(*range(2, 100_000)).to_batches()

    steps = Write(place.options, SCHEMA).begin()
    with pytest.raises(SourceConnectionError):
        steps.task(pa.RecordBatchReader.from_batches(SCHEMA, ended()))
    steps.abort()
    assert (place.rows(), place.staged()) == ([0], 0)


def test_a_write_whose_lock_is_lost_gives_way_to_the_next(place: Place) -> None:
    steps = Write(place.options, SCHEMA).begin().task(ids(1))
    write(place.options, ids(2))
    assert place.staged() == 1
    assert place.terminate("query LIKE '%pg_advisory_lock(%'") >= 1
    wait_until(lambda: not place.server.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'"), 5, "it is free")
    write(place.options, ids(3))
    assert place.staged() == 0
    with pytest.raises(SheetbendError, match="Look at the table before you write again"):
        steps.commit()
    with pytest.raises(SheetbendError):
        steps.task(ids(4))
    assert place.rows() == [0, 2, 3]


def test_a_table_that_is_changed_before_the_commit(place: Place) -> None:
    steps = Write(place.options, SCHEMA).begin().task(ids(1))
    place.server.execute(f"ALTER TABLE {place.schema}.t RENAME id TO key")
    with pytest.raises(SheetbendError, match='column "id" of relation "t" does not exist'):
        steps.commit()
    steps.abort()
    place.server.execute(f"ALTER TABLE {place.schema}.t RENAME key TO id")
    assert (place.rows(), place.staged()) == ([0], 0)


def test_a_table_that_another_has_made_meanwhile(place: Place) -> None:
    options = {**place.options, "dbtable": f"{place.schema}.new"}
    mine, yours = (Write(options, SCHEMA, SaveMode.ERROR).begin().task(ids(n)) for n in (1, 2))
    yours.commit()
    with pytest.raises(SheetbendError, match="already exists"):
        mine.commit()
    mine.abort()
    assert place.server.execute(f"SELECT id FROM {place.schema}.new") == [(2,)]


def folders() -> list[Path]:
    """Those in which rows are kept."""
    return list(Path(tempfile.gettempdir()).glob("postgresql.sheetbend-*"))


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other processes of the machine have theirs elsewhere."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_rows_are_kept_until_the_commit(place: Place) -> None:
    steps = Write(place.keeping, SCHEMA, partitions=2).begin().task(ids(1)).task(ids(2, 3))
    [folder] = folders()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert place.rows() == [0]
    steps.commit()
    steps.commit()
    assert (place.rows(), place.staged(), folders()) == ([0, 1, 2, 3], 0, [])
    steps = Write(place.keeping, SCHEMA).begin().task(ids(4))
    steps.abort()
    steps.abort()
    assert (place.rows(), place.staged(), folders()) == ([0, 1, 2, 3], 0, [])


def test_rows_that_are_kept_and_rows_that_are_staged(place: Place) -> None:
    """What is more than was asked to be kept is staged, and all of a task on another machine."""
    options = {**place.keeping, "spoolBytes": "3000", "truncate": "true"}
    many = pa.table([list(range(1000))], schema=SCHEMA)
    steps = Write(options, SCHEMA, SaveMode.OVERWRITE, partitions=3).begin()
    steps.task(pa.RecordBatchReader.from_batches(SCHEMA, many.to_batches(max_chunksize=100)))
    [folder] = folders()
    folder.rename(folder.with_name("elsewhere"))
    steps.task(ids(2001, 2002))
    folder.with_name("elsewhere").rename(folder)
    steps.task(ids(3001))
    table = place.server.execute(
        f"SELECT relname FROM pg_class WHERE relnamespace = '{place.schema}'::regnamespace AND relname ~ 'sheetbend'"
    )[0][0]
    assert place.server.execute(f"SELECT count(*) FROM {place.schema}.{table}") == [(802,)]
    steps.commit()
    assert place.rows() == [*range(1000), 2001, 2002, 3001]
    assert (place.staged(), folders()) == (0, [])


def test_a_kept_row_that_is_there_already(place: Place) -> None:
    with pytest.raises(SheetbendError, match=r"duplicate key value.*Key \(id\)=\(0\) already exists"):
        write(place.keeping, ids(10, 11), ids(20, 0, 21))
    assert (place.rows(), place.staged(), folders()) == ([0], 0, [])


def test_kept_rows_that_are_lost(place: Place) -> None:
    steps = Write(place.keeping, SCHEMA).begin().task(ids(1))
    [folder] = folders()
    shutil.rmtree(folder)
    with pytest.raises(SheetbendError, match="The rows of the write are gone"):
        steps.commit()
    steps.abort()
    assert (place.rows(), place.staged()) == ([0], 0)


@pytest.mark.parametrize(
    "ddl",
    [
        "CREATE TABLE {0}.v (id bigint); CREATE RULE r AS ON INSERT TO {0}.v DO INSTEAD INSERT INTO {0}.t VALUES (NEW.id)",
        "CREATE VIEW {0}.v AS SELECT * FROM {0}.t",
    ],
)
def test_what_copy_does_otherwise_is_inserted(place: Place, ddl: str) -> None:
    for statement in ddl.format(place.schema).split("; "):
        place.server.execute(statement)
    steps = Write({**place.keeping, "dbtable": f"{place.schema}.v"}, SCHEMA).begin().task(ids(7))
    assert folders() == []
    steps.commit()
    assert place.rows() == [0, 7]


def test_a_crash_of_the_server_loses_no_rows_silently(own: PostgresServer) -> None:
    place = Place(own)
    steps = Write(place.options, SCHEMA).begin().task(ids(1, 2, 3))
    own.execute("CHECKPOINT")
    [(victim,)] = own.execute(
        "SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_advisory_lock(%' AND pid <> pg_backend_pid()"
    )
    os.kill(victim, signal.SIGKILL)
    wait_until(
        lambda: "database system is ready" in own.log.partition("was terminated by signal 9")[2], 30, "it recovers"
    )
    own.reconnect()
    # A pooled connection is trusted as long.
    time.sleep(1.1)
    # Staged without a log, the rows are gone.
    with pytest.raises(SheetbendError, match="has 0 rows where 3 were written: the server has lost them"):
        steps.commit()
    steps.abort()
    assert (place.rows(), place.staged()) == ([0], 0)


WAITING = "wait_event = 'SyncRep'"


@contextlib.contextmanager
def missing_standby(own: PostgresServer) -> Iterator[None]:
    """Commits of others wait for a standby that there is not."""
    own.execute("SET synchronous_commit = local")
    own.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    own.execute("SELECT pg_reload_conf()")
    try:
        wait_until(lambda: commits_wait(own), 30, "the server knows of the standby")
        yield
    finally:
        own.execute("ALTER SYSTEM RESET synchronous_standby_names")
        own.execute("SELECT pg_reload_conf()")


def commits_wait(own: PostgresServer) -> bool:
    """Tries a commit: the process that tells the others of a standby reads its settings some time after a reload."""

    def commit() -> None:
        with contextlib.suppress(Exception), contextlib.closing(own.connect()) as connection:
            connection.cursor().execute("SELECT pg_logical_emit_message(true, 'tests', '')").close()

    trial = threading.Thread(target=commit)
    trial.start()
    while trial.is_alive():
        if own.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {WAITING}"):
            trial.join()
            return True
        trial.join(0.01)
    return False


def test_a_commit_whose_answer_is_lost(own: PostgresServer) -> None:
    """The server commits and waits for a standby; its connection is ended meanwhile."""
    place = Place(own)
    steps = Write(place.options, SCHEMA).begin().task(ids(1))
    errors: list[BaseException] = []

    def commit() -> None:
        try:
            steps.commit()
        except BaseException as error:
            errors.append(error)

    with missing_standby(own):
        thread = threading.Thread(target=commit)
        thread.start()
        wait_until(lambda: bool(place.terminate(WAITING)), 10, "the commit waits")
        thread.join(10)
    assert not errors
    assert place.rows() == [0, 1]
    steps.commit()
    assert place.rows() == [0, 1]


@pytest.mark.slow
def test_a_commit_that_is_given_up(own: PostgresServer) -> None:
    """The time of a statement does not count while its commit waits for a standby."""
    place = Place(own)
    steps = Write({**place.options, "queryTimeout": "1"}, SCHEMA).begin().task(ids(1))
    with missing_standby(own):
        started = time.monotonic()
        steps.commit()
    assert time.monotonic() - started < 12
    assert (place.rows(), place.staged()) == ([0, 1], 0)


def test_a_commit_that_is_refused_at_its_end(place: Place) -> None:
    """A constraint that is checked at COMMIT, by the connection's end."""
    name = f"{place.schema}.die"
    place.server.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5); RETURN NULL; END $$"
    )
    place.server.execute(
        f"CREATE CONSTRAINT TRIGGER die AFTER INSERT ON {place.schema}.t DEFERRABLE INITIALLY DEFERRED "
        f"FOR EACH ROW EXECUTE FUNCTION {name}()"
    )
    with pytest.raises(SourceConnectionError, match="closed the connection"):
        write(place.options, ids(1))
    assert (place.rows(), place.staged()) == ([0], 0)


@contextlib.contextmanager
def small_disk(path: Path, server: DatabaseServer) -> Iterator[None]:
    """A file system of 8 MB at the path, that the server may write to, where the tests may make one."""
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(path)], capture_output=True)
    if made.returncode:
        pytest.skip("a small file system can be mounted by root alone, outside of a container")
    try:
        server.give(path)
        yield
    finally:
        # Also where a test has failed, and the server is there yet.
        subprocess.run(["umount", "--lazy", str(path)], check=True)


TEXTS = pa.table({"id": list(range(40_000)), "name": ["x" * 500] * 40_000})


@pytest.mark.slow
def test_a_disk_that_is_full() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="sheetbend-disk-", dir="/tmp") as folder,
        PostgresServer() as own,
        small_disk(Path(folder), own),
    ):
        place = Place(own)
        own.execute(f"CREATE TABLESPACE small LOCATION '{folder}'")
        full = {**place.options, "options": "-c default_tablespace=small"}
        own.execute(f"ALTER TABLE {place.schema}.t ADD name text")
        with pytest.raises(SheetbendError, match="No space left on device"):
            write(full, TEXTS.slice(0, 10), TEXTS)
        assert (place.rows(), place.staged()) == ([0], 0)
        write(full, TEXTS.slice(1, 9))
        assert place.rows() == list(range(10))
        own.stop()


@pytest.mark.slow
def test_a_disk_that_is_full_under_mariadb() -> None:
    with MariaDBServer() as own:
        own.execute("CREATE DATABASE small")
        # The tables of a database are files in a folder.
        [(data,)] = own.execute("SELECT @@datadir")
        with small_disk(Path(data) / "small", own):
            own.execute("CREATE TABLE small.t (id bigint PRIMARY KEY, name text)")
            own.execute("INSERT INTO small.t VALUES (0, 'first')")
            options = {**own.options, "dbtable": "small.t"}
            with pytest.raises(SheetbendError, match=r"The table .* is full"):
                write(options, TEXTS.slice(1, 10), TEXTS)
            assert own.execute("SELECT id FROM small.t") == [(0,)]
            assert own.execute("SHOW TABLES FROM small") == [("t",)]
            write(options, TEXTS.slice(1, 9))
            assert own.execute("SELECT count(*) FROM small.t") == [(10,)]
            own.stop()


CLIENT = """
import json, sys
from pyspark.sql import SparkSession

url, options = sys.argv[1], json.loads(sys.argv[2])
spark = SparkSession.builder.remote(url).getOrCreate()
reader = spark.read.format("python").option("python_module", "tests.support.tables").option("python_class", "Endless")
rows = reader.option("log", sys.argv[3]).load()
rows.selectExpr(f"cast({rows.columns[0]} as bigint) AS id").write.format("jdbc").options(**options).mode("append").save()
"""


@pytest.mark.slow
def test_a_sheetbend_that_is_killed(place: Place, tmp_path: Path) -> None:
    script = tmp_path / "client.py"
    script.write_text(CLIENT)
    copying = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'COPY %FROM STDIN%' AND pid <> pg_backend_pid()"
    with running_server() as server:
        arguments: list[Any] = [sys.executable, script, server.url, json.dumps(place.options), tmp_path / "log"]
        client = subprocess.Popen(arguments, stderr=subprocess.DEVNULL)
        wait_until(lambda: bool(place.server.execute(copying)), 30, "the write has begun")
        assert place.staged() == 1
        server.process.kill()
        server.process.wait(10)
    client.kill()
    client.wait(10)
    wait_until(lambda: not place.server.execute(copying), 10, "the copy has ended")
    assert (place.rows(), place.staged()) == ([0], 1)
    write(place.options, ids(1))
    assert (place.rows(), place.staged()) == ([0, 1], 0)
