"""How long it takes to write a table to PostgreSQL, here and by Spark's JDBC writer, in one run.

python -m benchmarks.jdbc_write [--rows 1e6] [--repeats 3] [--spark sc://127.0.0.1:15102]

A PostgreSQL server is started for it. Each line has seconds, and rows a second, of a server of ours, and where
``--spark`` says where a Spark Connect server with PostgreSQL's JDBC driver listens, of that one in turns with it. The
exit status is 1 where Spark takes less than five times as long. Fsync is off, for both.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession

from benchmarks.best import best
from tests.support.postgresql import PostgresServer
from tests.support.server import ROOT, running_server

WANTED = 5.0
PARTITIONS = 4


def main() -> int:
    """Prints one line a way of writing; returns the exit status."""
    parser = argparse.ArgumentParser(description="Measures writes to PostgreSQL.")
    parser.add_argument("--rows", type=float, default=1e6, help="rows of the table (default: 1e6)")
    parser.add_argument("--repeats", type=int, default=3, help="how often each is timed (default: 3)")
    parser.add_argument("--spark", help="URL of a Spark Connect server to compare with")
    arguments = parser.parse_args()
    rows = int(arguments.rows)
    missed = 0
    with (
        tempfile.TemporaryDirectory(prefix="sheetbend-bench-") as folder,
        PostgresServer() as database,
        running_server(python_path=ROOT) as server,
    ):
        files(Path(folder), rows)
        here = SparkSession.builder.remote(server.url).create()
        there = SparkSession.builder.remote(arguments.spark).create() if arguments.spark else None
        print(f"{rows:,} rows of 7 columns, {PARTITIONS} partitions")
        print(f"{'':34}{'here s':>9}{'rows/s':>12}{'Spark s':>9}{'rows/s':>12}{'ratio':>8}")
        ours_frame, their_frame = here.read.parquet(folder), there.read.parquet(folder) if there else None
        for name, (mode, options) in WRITES.items():
            ours = partial(write, ours_frame, database, mode, options)
            theirs = partial(write, their_frame, database, mode, {}) if their_frame is not None else None
            taken = best(arguments.repeats, *(clean(database, work) for work in (ours, theirs) if work))
            shown = "".join(f"{seconds:>9.2f}{rows / seconds:>12,.0f}" for seconds in taken)
            ratio = taken[1] / taken[0] if theirs else None
            print(f"{name:34}{shown}" + (f"{ratio:>8.1f}" if ratio else ""), flush=True)
            missed += ratio is not None and ratio < WANTED
        here.stop()
        if there:
            there.stop()
    return 1 if missed else 0


def files(folder: Path, rows: int) -> None:
    """The rows as Parquet, a file a partition, which both read in no time."""
    for number in range(PARTITIONS):
        ids = np.arange(rows * number // PARTITIONS, rows * (number + 1) // PARTITIONS)
        columns: dict[str, pa.Array] = {
            "id": pa.array(ids),
            "customer": pa.array(ids % 1000),
            "weight": pa.array(ids * 0.5),
            "price": pa.array(ids % 100_000).cast(pa.decimal128(21, 2)).cast(pa.decimal128(15, 2)),
            "name": pa.array([f"name {number}" for number in ids]),
            "day": pa.array((ids % 1000 + 18_000).astype("int32")).cast(pa.date32()),
            "at": pa.array((1_600_000_000 + ids) * 1_000_000).cast(pa.timestamp("us", "UTC")),
        }
        pq.write_table(pa.table(columns), folder / f"{number}.parquet")


def write(rows: DataFrame, database: PostgresServer, mode: str, options: dict[str, str]) -> None:
    """Writes the rows to the table ``bench``."""
    properties = {"user": database.user, "password": database.password, **options}
    rows.write.jdbc(database.url, "bench", mode, properties)


def clean(database: PostgresServer, work: Callable[[], object]) -> Callable[[], object]:
    """The work on an empty table, and a database that has nothing else to do."""

    def run() -> None:
        database.execute("TRUNCATE bench")
        work()

    database.execute("DROP TABLE IF EXISTS bench")
    database.execute(
        "CREATE TABLE bench (id bigint, customer bigint, weight float8, price numeric(15,2), name text, day date, "
        "at timestamptz)"
    )
    return run


WRITES: dict[str, tuple[str, dict[str, str]]] = {
    "append, all at once": ("append", {}),
    "append, each partition": ("append", {"atomicity": "partition"}),
    "overwrite": ("overwrite", {}),
}


if __name__ == "__main__":
    sys.exit(main())
