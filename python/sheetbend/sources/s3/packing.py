"""Objects in groups of about equal size: one group is one partition."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sheetbend.sources.s3.listing import PinnedObject

__all__ = ["pack"]

OPEN_COST_BYTES = 4 * 1024 * 1024
"""What opening an object costs, in bytes that could be read meanwhile: Spark's ``openCostInBytes``."""


def pack(objects: Sequence[PinnedObject], *, max_bytes: int, minimum: int) -> list[list[PinnedObject]]:
    """Every object in exactly one group, no group empty, the groups about equally heavy and in a fixed order.

    There are as many groups as it takes for ``max_bytes`` on average, opening costs included, and ``minimum`` at
    least, but no more than objects. The largest object first goes to the group that is lightest by then.
    """
    if not objects:
        return []
    total = sum(item.size + OPEN_COST_BYTES for item in objects)
    count = min(len(objects), max(minimum, -(-total // max(max_bytes, OPEN_COST_BYTES))))
    groups: list[list[PinnedObject]] = [[] for _ in range(count)]
    weights = [(0, index) for index in range(count)]
    for item in sorted(objects, key=lambda item: (-item.size, item.bucket, item.key)):
        weight, index = weights[0]
        groups[index].append(item)
        heapq.heapreplace(weights, (weight + item.size + OPEN_COST_BYTES, index))
    return [sorted(group, key=lambda item: (item.bucket, item.key)) for group in groups]
