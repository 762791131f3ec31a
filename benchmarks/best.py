"""How long a piece of work takes, on a machine that is shared."""

from __future__ import annotations

import time
from collections.abc import Callable


def best(repeats: int, *works: Callable[[], object]) -> list[float]:
    """The shortest time of each, which are done in turns, in seconds."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(repeats):
        for work, seconds in zip(works, taken, strict=True):
            started = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - started)
    return [min(seconds) for seconds in taken]
