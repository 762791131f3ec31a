"""What the zoo is made of: a plug-in that keeps the contract, and cases that say what becomes of one that does not.

Every plug-in is a class of a module and takes no arguments, so that a worker process can import it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

THREAD = ("thread",)
PROCESS = ("process",)
BOTH = THREAD + PROCESS

NUMBERS = pa.schema([pa.field("n", pa.int64(), nullable=False), ("text", pa.string())])


def numbers(*values: int) -> pa.RecordBatch:
    """Rows as :data:`NUMBERS` promises them."""
    return pa.record_batch([pa.array(values, pa.int64()), [str(value) for value in values]], schema=NUMBERS)


class Tame:
    """Keeps the contract. What the others break is what they override."""

    schema = NUMBERS
    partitions = 1

    def infer_schema(self, options: Mapping[str, str]) -> Any:
        return self.schema

    def plan_partitions(self, options: Mapping[str, str]) -> Any:
        return [{"at": at} for at in range(self.partitions)]

    def read_partition(self, spec: Mapping[str, Any], options: Mapping[str, str]) -> Any:
        yield numbers(1, 2)


@dataclass(frozen=True)
class Gives:
    """The read gives these values of a column, in some order, and no others."""

    values: Sequence[Any]
    column: str | int = "n"


@dataclass(frozen=True)
class Fails:
    """The read ends with one error: of this method (and partition), with these words."""

    at: str
    words: tuple[str, ...]


def fails(at: str, *words: str) -> Fails:
    """An error at ``at``: a method, or a number for the partition that ``read_partition`` reads."""
    return Fails(f"read_partition of partition {at} " if at.isdecimal() else at, words)


@dataclass(frozen=True)
class Case:
    """One bad habit."""

    name: str
    plugin: type
    expected: Gives | Fails
    modes: tuple[str, ...] = BOTH
    """Where the plug-in's code may run for this to make sense."""
    options: Mapping[str, str] = field(default_factory=dict)
    limit: int | None = None
    """How many rows are read; all by default."""
    slow: bool = False
    in_worker: Gives | Fails | None = None
    """What a worker makes of it where that is something else: there pyarrow looks at the data first."""
    deadly: bool = False
    """Whether a bridge that does not hold takes its process down: then it is read in a process of its own."""
