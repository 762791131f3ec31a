"""How long the same reads take here and on LakeSail's Sail, the nearest peer, in one run.

python -m benchmarks.peer [--rows 4e6] [--repeats 3]

Both run the same plug-ins, unchanged: Sail through ``sheetbend.interop.pyspark``. Each read is repeated in turns, and
the best time of each counts. The ratio is what to look at: a shared machine makes seconds what it likes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

import orders_db
from benchmarks.best import best
from benchmarks.wide import WideDataSource
from sheetbend.interop.pyspark import as_data_source
from sheetbend.sources.jdbc import JDBCArrowDataSource
from tests.support.sail import running_sail
from tests.support.server import ROOT, running_server

Read = Callable[[DataFrame], object]

READS: dict[str, Read] = {
    "count of every column": lambda frame: frame.agg(*(f.count(name) for name in frame.columns)).collect(),
    "two columns": lambda frame: frame.select(*frame.columns[:2]).agg(f.max(frame.columns[0])).collect(),
    "limit 10": lambda frame: frame.limit(10).collect(),
    "all rows to the client": lambda frame: frame.toArrow().num_rows,
}


def main() -> int:
    """Prints one line per source and read."""
    parser = argparse.ArgumentParser(description="Compares reads with Sail.")
    parser.add_argument("--rows", type=float, default=4e6, help="rows of each table (default: 4e6)")
    parser.add_argument("--repeats", type=int, default=3, help="how often each read is timed (default: 3)")
    arguments = parser.parse_args()
    rows = int(arguments.rows)

    with tempfile.TemporaryDirectory(prefix="sheetbend-bench-") as directory:
        path = Path(directory) / "orders.db"
        orders_db.create(path, rows)
        database = {"url": f"jdbc:sqlite:{path}", "dbtable": "orders", "partitionColumn": "id", "lowerBound": "1"}
        database |= {"upperBound": str(rows + 1), "numPartitions": "4"}
        sources: dict[str, tuple[type, dict[str, str]]] = {
            "wide": (WideDataSource, {"rows": str(rows)}),
            "database": (JDBCArrowDataSource, database),
        }
        with (
            running_server("--register", "wide=benchmarks.wide:WideDataSource", python_path=ROOT) as server,
            running_sail() as sail,
        ):
            here = SparkSession.builder.remote(server.url).create()
            there = SparkSession.builder.remote(sail).create()
            print(f"{'source':10}{'read':24}{'here s':>9}{'Sail s':>9}{'ratio':>8}")
            for name, (plugin, options) in sources.items():
                there.dataSource.register(as_data_source(plugin, f"bench_{name}"))
                ours = here.read.format("jdbc" if name == "database" else name).options(**options).load()
                theirs = there.read.format(f"bench_{name}").options(**options).load()
                for label, read in READS.items():
                    here_s, sail_s = best(arguments.repeats, partial(read, ours), partial(read, theirs))
                    print(f"{name:10}{label:24}{here_s:>9.3f}{sail_s:>9.3f}{sail_s / here_s:>8.2f}", flush=True)
            here.stop()
            there.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
