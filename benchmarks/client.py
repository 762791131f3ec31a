"""What a client waits for beside its data: planning, frames that go up and come back, many sessions; here and on Sail.

python -m benchmarks.client [--repeats 5] [--only NAME ...]

Each line has seconds here, on LakeSail's Sail in the same run, how many times longer that takes, and the most seconds
that are wanted here, if there is such a limit. The exit status is 1 where one is exceeded.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from benchmarks.best import best
from tests.support.explain import plan_of
from tests.support.sail import running_sail
from tests.support.server import ROOT, running_server

FRAME_ROWS = 300_000
SESSIONS = 200
COLUMNS = 100
JOINS = 10
TABLES = {"narrow": 10, "wide": 100}
"""How many columns the tables have, beside a key, whose names begin so."""


def main() -> int:
    """Prints one line a figure; returns the exit status."""
    parser = argparse.ArgumentParser(description="Measures what a client waits for.")
    parser.add_argument("--repeats", type=int, default=5, help="how often each is timed (default: 5)")
    parser.add_argument("--only", choices=sorted(FIGURES), action="append", help="by default all")
    arguments = parser.parse_args()
    missed = 0
    print(f"{'':44}{'here s':>10}{'Sail s':>10}{'ratio':>8}{'want s':>8}")
    with running_server(python_path=ROOT) as server, running_sail() as sail:
        here, there = Target.of(server.url), Target.of(sail)
        for name in arguments.only or FIGURES:
            label, wanted, work = FIGURES[name]
            ours, theirs = best(arguments.repeats, partial(work, here), partial(work, there))
            limit = "-" if wanted is None else f"{wanted:.3f}"
            print(f"{label:44}{ours:>10.3f}{theirs:>10.3f}{theirs / ours:>8.2f}{limit:>8}", flush=True)
            missed += wanted is not None and ours > wanted
        # A client whose server is gone would go on trying to end its session.
        here.session.stop()
        there.session.stop()
    return 1 if missed else 0


@dataclass(frozen=True)
class Target:
    """A server, a session there, and what :func:`planning` plans in it, by the names of :data:`TABLES`."""

    url: str
    session: SparkSession
    joins: dict[str, DataFrame]

    @classmethod
    def of(cls, url: str) -> Target:
        """Opens the session."""
        session = SparkSession.builder.remote(url).create()
        for name, width in TABLES.items():
            columns = ", ".join(f"id + {number} AS c{number}" for number in range(width))
            for number in range(JOINS + 1):
                table = session.sql(f"SELECT id AS k{number}, {columns} FROM range(10)")
                table.createOrReplaceTempView(f"{name}{number}")
        return cls(url, session, {name: session.sql(_join(name)) for name in TABLES})


def frame(target: Target) -> None:
    """A pandas frame of numbers, times and texts, to the server and back."""
    numbers = np.arange(FRAME_ROWS)
    sent = pd.DataFrame(
        {
            "id": numbers,
            "price": numbers / 7,
            "at": pd.Timestamp("2024-01-01") + pd.to_timedelta(numbers, unit="s"),
            "name": [f"name {number % 1000}" for number in numbers],
        }
    )
    assert len(target.session.createDataFrame(sent).toPandas()) == FRAME_ROWS


def sessions(target: Target) -> None:
    """As many sessions as there are, each with a query, at the same time."""

    def query(number: int) -> int:
        session = SparkSession.builder.remote(target.url).create()
        try:
            return int(session.range(1000 + number).agg(f.count("id")).collect()[0][0])
        finally:
            session.stop()

    with ThreadPoolExecutor(SESSIONS) as pool:
        assert list(pool.map(query, range(SESSIONS))) == [1000 + number for number in range(SESSIONS)]


def planning(target: Target, name: str) -> None:
    """The plan of a query with many columns and joins, from its text on."""
    assert "Join" in plan_of(target.joins[name])


def _join(name: str) -> str:
    joins = "".join(f" JOIN {name}{number} ON {name}0.k0 = {name}{number}.k{number}" for number in range(1, JOINS + 1))
    columns = ", ".join(f"{name}{number % (JOINS + 1)}.c{number // (JOINS + 1)}" for number in range(COLUMNS))
    return f"SELECT {columns} FROM {name}0{joins}"


FIGURES: dict[str, tuple[str, float | None, Callable[[Target], None]]] = {
    "frame": (f"a pandas frame of {FRAME_ROWS:,} rows, up and down", 1.0, frame),
    "sessions": (f"{SESSIONS} sessions with a query each, at once", 10.0, sessions),
    "planning": (f"to plan {COLUMNS} columns of {JOINS} joins", 0.02, partial(planning, name="narrow")),
    "wide": (f"the same, of tables of {TABLES['wide']} columns", None, partial(planning, name="wide")),
}


if __name__ == "__main__":
    sys.exit(main())
