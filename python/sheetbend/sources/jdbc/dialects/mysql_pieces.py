"""Where to cut a table by its primary key, so that each part has about as many rows, however the keys are spread."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sheetbend.sources.jdbc.sql import select

if TYPE_CHECKING:
    from sheetbend.sources.jdbc.drivers.mysql import MySqlSession

__all__ = ["Estimate", "cuts", "estimate", "key_cuts"]

_LEAST_ROWS = 10_000
"""Rows that are worth a part of their own."""
_WINDOWS = 16
"""For each part, into how many ranges of keys the table is divided to see how its rows are spread."""
_COLUMNS = {10: (3, 8), 12: (4, 9)}
"""Where EXPLAIN has the way and the estimate, by its number of columns: MariaDB's and MySQL's."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """How the server would run a query over one table."""

    rows: int
    reads_all: bool
    """Whether it goes through the whole table, or a whole index."""


def estimate(session: MySqlSession, sql: str) -> Estimate:
    """What EXPLAIN says of a query; that it reads all where it says nothing that is understood."""
    plan = session.rows(f"EXPLAIN {sql}")[0]
    if len(plan) not in _COLUMNS:
        return Estimate(0, reads_all=True)
    way, rows = (plan[at] for at in _COLUMNS[len(plan)])
    return Estimate(int(rows or 0), way in ("ALL", "index"))


def key_cuts(session: MySqlSession, relation: str, key: str, rows: int, parts: int) -> list[int]:
    """Keys at which parts begin, in order: fewer than ``parts``, and none where the table is small.

    The server estimates the rows of a range by two descents of the index, which takes as long as a look-up.
    """
    parts = min(parts, rows // _LEAST_ROWS)
    if parts < 2:
        return []
    low, high = session.rows(select([f"min({key})", f"max({key})"], relation))[0]
    if low is None:
        return []

    def rows_of(first: int, end: int) -> int:
        # Were the index not forced, the server might decide to read the whole table, and estimate that.
        window = select(["1"], f"{relation} FORCE INDEX (PRIMARY)", f"{key} >= {first} AND {key} < {end}")
        return estimate(session, window).rows

    return cuts(int(low), int(high), parts, rows_of)


def cuts(low: int, high: int, parts: int, rows_of: Callable[[int, int], int]) -> list[int]:
    """Where to cut the keys from ``low`` to ``high``, so that each part has about as many rows.

    The range that seems to have the most rows is halved again and again. So it does not matter that the server takes
    none for more than half of the table, nor that all its estimates may be too large by the same factor.

    Args:
        low: The least key.
        high: The greatest key.
        parts: How many parts there shall be, at most.
        rows_of: Estimates the rows of a range of keys, its end not included.
    """
    windows = [(-rows_of(low, high + 1), low, high + 1)]
    while len(windows) < parts * _WINDOWS:
        _, first, end = windows[0]
        middle = (first + end) // 2
        if middle == first:
            break
        heapq.heapreplace(windows, (-rows_of(first, middle), first, middle))
        heapq.heappush(windows, (-rows_of(middle, end), middle, end))
    windows.sort(key=lambda window: window[1])
    total = -sum(count for count, _, _ in windows)
    found: list[int] = []
    passed = 0
    for negative, first, end in windows:
        count = -negative
        while count and len(found) + 1 < parts and passed + count >= total * (len(found) + 1) / parts:
            share = total * (len(found) + 1) / parts - passed
            # In a range, keys are taken to be spread evenly.
            found.append(first + int((end - first) * share / count))
        passed += count
    return sorted({cut for cut in found if low < cut <= high})
