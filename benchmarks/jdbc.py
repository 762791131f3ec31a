"""How long reads of PostgreSQL take here, by hand in ``psql``, by the bare ADBC driver, and on LakeSail's Sail.

python -m benchmarks.jdbc [--rows 6e6] [--repeats 3] [--folder DIRECTORY] [--only PART] [--spark sc://127.0.0.1:15102]

Where ``--spark`` says where a Spark Connect server with PostgreSQL's JDBC driver listens, that one scans too.

All read one server on loopback, in turns, and the best time of each counts. Tables are made once and stay in the
folder. CPU seconds are those of the process that reads: a server, or one that drains the driver.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
from pysail.spark.datasource.jdbc import JdbcDataSource
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from benchmarks.best import best
from sheetbend.sources.jdbc.dialects.postgresql_types import reading_of
from tests.support.postgresql import PostgresServer
from tests.support.sail import running_sail
from tests.support.server import ROOT, running_server

PARTS = ("queries", "lookups", "scans", "numerics", "memory")
SETTINGS = {"shared_buffers": "512MB", "max_wal_size": "8GB", "wal_level": "minimal", "max_wal_senders": "0"}
LINEITEM = """
CREATE TABLE lineitem AS SELECT (i + 3) / 4 AS l_orderkey, i * 7919 % 200000 + 1 AS l_partkey,
  i * 104729 % 10000 + 1 AS l_suppkey, (i % 7 + 1)::int AS l_linenumber, (i % 50 + 1)::numeric(15,2) AS l_quantity,
  ((i * 7919 % 10000000) / 100.0)::numeric(15,2) AS l_extendedprice, ((i % 11) / 100.0)::numeric(15,2) AS l_discount,
  ((i % 9) / 100.0)::numeric(15,2) AS l_tax, substr('ANR', (i % 3 + 1)::int, 1)::char(1) AS l_returnflag,
  substr('FO', (i % 2 + 1)::int, 1)::char(1) AS l_linestatus, date '1992-01-02' + (i % 2526)::int AS l_shipdate,
  date '1992-01-31' + (i % 2466)::int AS l_commitdate, date '1992-01-04' + (i % 2554)::int AS l_receiptdate,
  (ARRAY['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'])[i % 4 + 1]::char(25) AS l_shipinstruct,
  (ARRAY['AIR', 'FOB', 'MAIL', 'RAIL', 'REG AIR', 'SHIP', 'TRUCK'])[i % 7 + 1]::char(10) AS l_shipmode,
  substr(md5(i::text) || md5((i + 1)::text), 1, (10 + i % 34)::int)::varchar(44) AS l_comment
FROM generate_series(1::bigint, {rows}) i
"""
NARROW = "CREATE TABLE narrow AS SELECT i AS id, i * 1.5::float8 AS value FROM generate_series(1::bigint, {rows}) i"

OURS = {"pushDownAggregate": "false"}

Query = Callable[[DataFrame], object]
QUERIES: dict[str, tuple[str, Query]] = {
    "limit(10)": ("SELECT * FROM lineitem LIMIT 10", lambda frame: frame.limit(10).collect()),
    "count()": ("SELECT count(*) FROM lineitem", lambda frame: frame.count()),
    "sum of 2": (
        "SELECT sum(l_quantity), sum(l_extendedprice) FROM lineitem",
        lambda frame: frame.agg(f.sum("l_quantity"), f.sum("l_extendedprice")).collect(),
    ),
    "grouped": (
        "SELECT l_returnflag, l_linestatus, sum(l_quantity), count(*), max(l_shipdate) FROM lineitem GROUP BY 1, 2",
        lambda frame: (
            frame.groupBy("l_returnflag", "l_linestatus")
            .agg(f.sum("l_quantity"), f.count("*"), f.max("l_shipdate"))
            .collect()
        ),
    ),
    "IN filter": (
        "SELECT l_orderkey, l_extendedprice FROM lineitem WHERE l_suppkey IN (7, 77, 777, 7777, 1)",
        lambda frame: (
            frame.filter("l_suppkey IN (7, 77, 777, 7777, 1)").select("l_orderkey", "l_extendedprice").toArrow()
        ),
    ),
    "top 10": (
        "SELECT l_orderkey FROM lineitem ORDER BY l_extendedprice DESC NULLS LAST LIMIT 10",
        lambda frame: frame.orderBy(f.col("l_extendedprice").desc()).limit(10).select("l_orderkey").collect(),
    ),
}
DRAIN = """
import sys, time, resource
import adbc_driver_postgresql.dbapi as adbc
started = time.perf_counter()
with adbc.connect(sys.argv[1]) as connection, connection.cursor() as cursor:
    cursor.execute(sys.argv[2])
    for batch in cursor.fetch_record_batch():
        pass
used = resource.getrusage(resource.RUSAGE_SELF)
print(time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)
"""


@dataclass(frozen=True)
class Engine:
    """A server that reads by ``spark.read.format("jdbc")``."""

    spark: SparkSession
    pid: int | None
    """The process whose CPU time and memory count; None where it is unknown."""

    def read(self, server: PostgresServer, table: str, **options: str) -> DataFrame:
        """The table, with the options."""
        return self.spark.read.format("jdbc").options(**{**server.options, "dbtable": table, **options}).load()


def main() -> int:
    """Prints a table for each part."""
    parser = argparse.ArgumentParser(description="Compares reads of PostgreSQL.")
    parser.add_argument("--rows", type=float, default=6e6, help="rows of the wide table (default: 6e6)")
    parser.add_argument("--repeats", type=int, default=3, help="how often each read is timed (default: 3)")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp/sheetbend-bench"), help="where the tables stay")
    parser.add_argument("--spark", help="URL of a Spark Connect server to compare scans with")
    parser.add_argument("--only", choices=PARTS, action="append", help="by default all parts")
    arguments = parser.parse_args()
    rows = int(arguments.rows)
    parts = arguments.only or PARTS
    with PostgresServer(SETTINGS, keep=arguments.folder / f"rows-{rows}") as server:
        _create(server, rows)
        if "numerics" in parts:
            _numerics()
        with _engines() as (here, sail):
            if "queries" in parts:
                _queries(server, here, sail, arguments.repeats)
            if "lookups" in parts:
                _lookups(server, here, rows)
            if "scans" in parts:
                _scans(server, here, sail, arguments.repeats, arguments.spark)
        if "memory" in parts:
            _memory(server)
    return 0


def _create(server: PostgresServer, rows: int) -> None:
    for name, sql, count in (("lineitem", LINEITEM, rows), ("narrow", NARROW, rows * 10 // 6)):
        if server.execute(f"SELECT to_regclass('{name}') IS NULL")[0][0]:
            server.execute(sql.format(rows=count))
            server.execute(f"VACUUM ANALYZE {name}")
    server.execute("CREATE UNIQUE INDEX IF NOT EXISTS narrow_id ON narrow (id)")


@contextlib.contextmanager
def _engines() -> Iterator[tuple[Engine, Engine]]:
    with running_server(python_path=ROOT) as server, running_sail() as sail:
        here = Engine(SparkSession.builder.remote(server.url).create(), server.process.pid)
        there = Engine(SparkSession.builder.remote(sail).create(), _child(server.process.pid))
        there.spark.dataSource.register(JdbcDataSource)
        yield here, there
        here.spark.stop()
        there.spark.stop()


def _child(other: int) -> int | None:
    """The process of Sail: the child of this one that is neither ``other`` nor a database."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    named = {int(child): Path(f"/proc/{child}/cmdline").read_text() for child in children if int(child) != other}
    return next((child for child, command in named.items() if "tests.support.sail" in command), None)


def _queries(server: PostgresServer, here: Engine, sail: Engine, repeats: int) -> None:
    print(f"{'query':12}{'psql s':>9}{'here s':>9}{'1.3x + 30 ms':>14}{'Sail s':>9}{'Sail/here':>11}")
    for name, (sql, run) in QUERIES.items():
        command = [*server.psql, sql]
        seconds = best(repeats, partial(_by_hand, command), partial(_run, run, here, server))
        [peer] = best(1, partial(_run, run, sail, server))
        by_hand, ours = seconds
        limit = "kept" if ours <= 1.3 * by_hand + 0.03 else "MISSED"
        print(f"{name:12}{by_hand:>9.3f}{ours:>9.3f}{limit:>14}{peer:>9.2f}{peer / ours:>11.1f}", flush=True)


def _by_hand(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _run(query: Query, engine: Engine, server: PostgresServer) -> None:
    query(engine.read(server, "lineitem"))


def _lookups(server: PostgresServer, here: Engine, rows: int) -> None:
    chosen = random.Random(1)
    taken = []
    for _ in range(100):
        key = chosen.randint(1, rows)
        started = time.perf_counter()
        assert len(here.read(server, "narrow").filter(f"id = {key}").collect()) == 1
        taken.append((time.perf_counter() - started) * 1000)
    slow = sorted(taken)[94]
    print(f"look-up by key: median {statistics.median(taken):.1f} ms, 95 % within {slow:.1f} ms", flush=True)


def _scans(server: PostgresServer, here: Engine, sail: Engine, repeats: int, spark: str | None) -> None:
    print(f"{'scan':22}{'parts':>6}{'wall s':>9}{'CPU s':>8}{'ns/row CPU':>12}")
    for table, key in (("lineitem", "l_orderkey"), ("narrow", "id")):
        [(count, most)] = server.execute(f"SELECT count(*), max({key}) FROM {table}")
        bounds = {"partitionColumn": key, "lowerBound": "1", "upperBound": str(most), "numPartitions": "4"}
        ways: dict[str, Callable[[], tuple[float, float]]] = {
            "bare driver/1": partial(_drain, server, table),
            "here/1": partial(_scan, here, server, table, {**OURS, "partitioning": "none"}),
            "here/2 pages": partial(_scan, here, server, table, {**OURS, "numPartitions": "2"}),
            "here/4 pages": partial(_scan, here, server, table, {**OURS, "numPartitions": "4"}),
            "Sail/1": partial(_scan, sail, server, table, {}),
            "Sail/4": partial(_scan, sail, server, table, bounds),
        }
        if spark is not None:
            peer = Engine(SparkSession.builder.remote(spark).create(), None)
            for number, cuts in ((1, {}), (4, bounds)):
                ways[f"Spark/{number}"] = partial(_scan, peer, server, table, {"fetchsize": "10000", **cuts})
        found = {
            name: [way() for _ in range(1 if name.startswith(("Sail", "Spark")) else repeats)]
            for name, way in ways.items()
        }
        for name, taken in found.items():
            way, _, parts = name.partition("/")
            wall, cpu = min(taken)
            used = f"{cpu:>8.1f}{cpu / count * 1e9:>12.0f}" if cpu else f"{'-':>8}{'-':>12}"
            print(f"{table + ' ' + way:22}{parts:>8}{wall:>7.1f}{used}", flush=True)


def _scan(engine: Engine, server: PostgresServer, table: str, options: dict[str, str]) -> tuple[float, float]:
    frame = engine.read(server, table, **options)
    before, started = _cpu(engine.pid), time.perf_counter()
    frame.agg(*(f.count(name).alias(name) for name in frame.columns)).collect()
    return time.perf_counter() - started, _cpu(engine.pid) - before


def _drain(server: PostgresServer, table: str) -> tuple[float, float]:
    wall, cpu, _ = _drained(server, table)
    return wall, cpu


def _drained(server: PostgresServer, table: str) -> tuple[float, float, float]:
    command = [sys.executable, "-c", DRAIN, server.conninfo, f"SELECT * FROM {table}"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    wall, cpu, peak = (float(part) for part in done.stdout.split())
    return wall, cpu, peak


def _cpu(pid: int | None) -> float:
    if pid is None:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _numerics() -> None:
    values = pa.array([f"{number * 7919 % 10_000_000 / 100:.2f}" for number in range(1_000_000)])
    kind: Any = reading_of("numeric(15,2)").type
    [seconds] = best(5, lambda: values.cast(kind))
    print(f"numeric(15,2) of text: {seconds * 1000:.0f} ns a value (at most 80)", flush=True)


def _memory(server: PostgresServer) -> None:
    _, _, driver = _drained(server, "lineitem")
    with running_server(python_path=ROOT) as process:
        here = Engine(SparkSession.builder.remote(process.url).create(), process.process.pid)
        here.spark.range(1).count()
        idle = process.memory()
        _scan(here, server, "lineitem", {**OURS, "numPartitions": "2"})
        first = process.memory("VmHWM")
        for _ in range(30):
            for _, run in QUERIES.values():
                run(here.read(server, "lineitem").limit(100_000))
        print(
            f"memory MB: bare driver {driver / 1e6:.0f}; here idle {idle / 1e6:.0f}, peak of a scan {first / 1e6:.0f}, "
            f"peak after 30 rounds of queries {process.memory('VmHWM') / 1e6:.0f}",
            flush=True,
        )
        here.spark.stop()


if __name__ == "__main__":
    sys.exit(main())
