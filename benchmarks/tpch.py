"""How long the 22 queries of TPC-H take here, on LakeSail's Sail, and on a Spark that runs already.

python -m benchmarks.tpch [--scale 1] [--repeats 3] [--folder DIRECTORY] [--spark sc://127.0.0.1:15002]

All read the same Parquet files by ``spark.read.parquet``, on the same machine, in turns; the best time of each query
counts. The ratios say how many times longer the others take.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from functools import partial
from pathlib import Path

from pyspark.sql import SparkSession

from benchmarks.best import best
from tests.support.sail import running_sail
from tests.support.server import ROOT, running_server
from tests.tpch import data, sql


def main() -> int:
    """Prints one line a query, and the sum."""
    parser = argparse.ArgumentParser(description="Compares TPC-H with Sail and Spark.")
    parser.add_argument("--scale", type=float, default=1, help="gigabytes of data, about (default: 1)")
    parser.add_argument("--repeats", type=int, default=3, help="how often each query is timed (default: 3)")
    parser.add_argument("--folder", type=Path, help="where the files are, or come to be (default: a temporary folder)")
    parser.add_argument("--spark", metavar="URL", help="a Spark to compare with, as sc://host:port")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = arguments.folder
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sheetbend-tpch-")))
        if not (folder / "lineitem.parquet").exists():
            data.generate(folder, arguments.scale)
        urls = {
            "here": stack.enter_context(running_server(python_path=ROOT)).url,
            "Sail": stack.enter_context(running_sail()),
        }
        if arguments.spark:
            urls["Spark"] = arguments.spark
        sessions = {name: _session(url, folder) for name, url in urls.items()}
        _print_header(list(sessions))
        totals = [0.0] * len(sessions)
        for number in sorted(sql.QUERIES):
            works = [partial(_run, session, number) for session in sessions.values()]
            seconds = best(arguments.repeats, *works)
            totals = [total + taken for total, taken in zip(totals, seconds, strict=True)]
            _print_line(f"Q{number}", seconds)
        _print_line("all", totals)
        for session in sessions.values():
            session.stop()
    return 0


def _session(url: str, folder: Path) -> SparkSession:
    session = SparkSession.builder.remote(url).create()
    data.register(session, folder)
    return session


def _run(session: SparkSession, number: int) -> object:
    return session.sql(sql.QUERIES[number]).toArrow()


def _print_header(names: list[str]) -> None:
    columns = [f"{name} s" for name in names] + [f"{name} / here" for name in names[1:]]
    print(f"{'query':8}" + "".join(f"{column:>14}" for column in columns))


def _print_line(label: str, seconds: list[float]) -> None:
    here, *others = seconds
    figures = [f"{taken:.3f}" for taken in seconds] + [f"{taken / here:.2f}" for taken in others]
    print(f"{label:8}" + "".join(f"{figure:>14}" for figure in figures), flush=True)


if __name__ == "__main__":
    sys.exit(main())
