"""Queries while executors are killed and started by chance: each is right or fails with a clear error; none hangs."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 - as everybody calls it

from tests.cluster_faults.watching import Beside, alive, held
from tests.support.cluster import Cluster, running_cluster
from tests.support.session import cluster_session

Query = Callable[[DataFrame], bool]

PARTS, ROWS = 6, 500
KEYS = range(PARTS * ROWS)
SECONDS = 90.0
"""The longest that a query may take."""
KILLS = 3
"""The most executors that are killed in a query, however long a slow machine takes for it: a job is begun five times."""


def scan(numbers: DataFrame) -> bool:
    return sorted(row.k for row in numbers.collect()) == list(KEYS)


def count(numbers: DataFrame) -> bool:
    return numbers.filter("k % 3 = 0").count() == len(KEYS[::3])


def group(numbers: DataFrame) -> bool:
    rows = numbers.groupBy("g").agg(F.sum("k").alias("total")).collect()
    return sorted(map(tuple, rows)) == [(g, sum(KEYS[g::7])) for g in range(7)]


def join(numbers: DataFrame) -> bool:
    return numbers.alias("a").join(numbers.alias("b"), "k").count() == len(KEYS)


def last(numbers: DataFrame) -> bool:
    return [row.k for row in numbers.orderBy(F.desc("k")).limit(3).collect()] == list(KEYS[:-4:-1])


QUERIES: list[Query] = [scan, count, group, join, last]


def run(folder: Path, queries: int, seed: int) -> list[str]:
    """The errors of those queries that failed; fails the test where one is wrong or hangs."""
    chance = random.Random(seed)
    errors = []
    with (
        (folder / "log").open("w") as log,
        running_cluster(folder, executors=3, log=log) as cluster,
        cluster_session(cluster) as session,
    ):
        begun, over = list[Query](), threading.Event()
        chaos = Beside(lambda: disturb(cluster, random.Random(seed + 1), begun, over))
        for number in range(queries):
            query = chance.choice(QUERIES)
            begun.append(query)
            numbers = held(session, folder, parts=PARTS, rows=ROWS)
            try:
                assert Beside(partial(query, numbers)).result(SECONDS), (number, query)
            except PySparkException as error:
                errors.append(str(error))
        over.set()
        chaos.result(30)
    return errors


def disturb(cluster: Cluster, chance: random.Random, begun: list[Query], over: threading.Event) -> None:
    """Kills an executor now and then, and starts another one."""
    killed = Counter[int]()
    while not over.wait(chance.uniform(0.05, 0.5)):
        query = len(begun)
        if killed[query] < KILLS:
            killed[query] += 1
            chance.choice(alive(cluster)).kill()
            cluster.join()


def check(errors: list[str], queries: int) -> None:
    assert [error for error in errors if "un the query again" not in error] == [], "each says what to do"
    assert len(errors) <= queries // 5


def test_some_queries(folder: Path) -> None:
    check(run(folder, 15, seed=4), 15)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_many_queries(folder: Path) -> None:
    check(run(folder, 200, seed=5), 200)
