"""What the engine asks of a scan and what a plug-in answers: ``plan_scan(request, options) -> ScanPlan``.

A plug-in takes over what it can do well, and says so. The engine does the rest: it applies every filter again that is
not answered :attr:`Pushdown.EXACT`, and always the order and the limit. So a plan can make a query slow, but not wrong,
unless it claims what it does not keep.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

if TYPE_CHECKING:
    import pyarrow as pa

    from sheetbend.filters import Filter

__all__ = [
    "Aggregate",
    "AggregateFunction",
    "Aggregation",
    "ColumnStatistics",
    "Exact",
    "Partition",
    "Pushdown",
    "Sample",
    "ScanPlan",
    "ScanRequest",
    "SortKey",
    "Statistics",
]

T = TypeVar("T")


# --- What is asked --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, init=False)
class SortKey:
    """A column to sort by. Where ``nulls_first`` is not given, NULL is below all values, as in Spark.

    NaN is above all other numbers, and texts are in the order of their bytes in UTF-8.
    """

    column: str
    descending: bool
    nulls_first: bool

    def __init__(self, column: str, descending: bool = False, nulls_first: bool | None = None) -> None:
        object.__setattr__(self, "column", column)
        object.__setattr__(self, "descending", descending)
        object.__setattr__(self, "nulls_first", not descending if nulls_first is None else nulls_first)


@dataclass(frozen=True, slots=True)
class AggregateFunction:
    """An aggregate of one column. It passes over NULL."""

    function: Literal["count", "sum", "min", "max"]
    column: str | None
    """None for ``count(*)``, which counts rows."""
    name: str
    """The column of the result."""
    type: pa.DataType
    """The type of the result."""


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Aggregates by group. Without ``group_by`` there is one group, with a row even where there are no rows."""

    group_by: tuple[str, ...]
    functions: tuple[AggregateFunction, ...]

    def schema(self, table: pa.Schema) -> pa.Schema:
        """The columns of the result: those of ``group_by`` as they are in the table, then the functions."""
        import pyarrow as pa  # noqa: PLC0415 - a server that plans nothing has no use for it

        groups = [table.field(name) for name in self.group_by]
        return pa.schema([*groups, *(pa.field(one.name, one.type) for one in self.functions)])


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows by chance."""

    fraction: float
    """The chance of each row, from 0 to 1, whichever others are taken."""
    seed: int
    """The same seed takes the same rows of the same table. It has 64 bits."""


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """What a query needs of a table. All but the projection may be left to the engine."""

    schema: pa.Schema
    """The schema of the table."""
    projection: tuple[str, ...]
    """The columns that the query goes on with, in the order of the schema; none at all for ``count(*)``."""
    filters: tuple[Filter, ...] = ()
    """Conditions that each row must meet, all of them. Their columns need not be in the projection."""
    limit: int | None = None
    """How many rows are wanted at most, of those that meet the filters."""
    order_by: tuple[SortKey, ...] = ()
    """By which keys they are the first ones; any will do where there are none."""
    aggregate: Aggregate | None = None
    """What is to be calculated from the rows that meet the filters."""
    target_partitions: int = 1
    """How many partitions the engine reads at the same time."""
    batch_size: int = 8192
    """How many rows a batch had best have."""
    offset: int | None = None
    """How many rows are passed over, the first in that order. They count for the limit: with a limit of 7 and an offset
    of 2, the query goes on with five rows at most."""
    sample: Sample | None = None
    """Which rows are wanted at all. Then there is neither a limit nor an aggregate."""

    def columns(self, answers: Mapping[int, Pushdown]) -> tuple[str, ...]:
        """The columns that the engine needs: the projection, and those of the filters that it applies again.

        Args:
            answers: What the plan answers to the filters, as in :attr:`ScanPlan.filters`.
        """
        needed = set(self.projection)
        for position, condition in enumerate(self.filters):
            if answers.get(position) is not Pushdown.EXACT:
                needed |= condition.columns
        return tuple(name for name in self.schema.names if name in needed)


# --- What is answered -----------------------------------------------------------------------------


class Pushdown(enum.Enum):
    """What a plug-in makes of a filter."""

    EXACT = "exact"
    """The rows are those for which the filter is true, and no others. The engine does not look at it again."""
    INEXACT = "inexact"
    """Some rows for which it is not true are left out, or none. The engine applies it again."""


class Aggregation(enum.Enum):
    """What a plug-in makes of :attr:`ScanRequest.aggregate`. Rows have the columns of :meth:`Aggregate.schema`."""

    NONE = "none"
    """Nothing: the rows are those of the table."""
    PARTIAL = "partial"
    """Each partition gives results for its own rows, which the engine merges."""
    FINAL = "final"
    """Each group is in one partition, and its result is complete."""


@dataclass(frozen=True, slots=True)
class Exact(Generic[T]):
    """Marks a figure as exact. The engine may leave out partitions, and answer a query, by an exact figure alone.

    A figure without the mark is an estimate, by which the engine chooses between plans that give the same rows.
    """

    value: T


@dataclass(frozen=True, slots=True)
class ColumnStatistics:
    """What is known of the values of a column; None is unknown.

    NaN is above all other numbers, so a column that may hold it has no other exact ``max``. Texts are in the order of
    their bytes in UTF-8.
    """

    min: Any = None
    """A value of the column's type: exactly the least one, or an estimate of it."""
    max: Any = None
    """A value of the column's type: exactly the greatest one, or an estimate of it."""
    nulls: int | Exact[int] | None = None
    """How many values are NULL."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """What is known of rows before they are read, as if nothing had been pushed; None is unknown."""

    rows: int | Exact[int] | None = None
    bytes: int | Exact[int] | None = None
    """What the rows take in memory."""
    columns: Mapping[str, ColumnStatistics] = field(default_factory=dict)
    """By the names of columns; any may be left out."""


@dataclass(frozen=True, slots=True)
class Partition:
    """One unit of reading: what ``read_partition`` gets, and what is known of it."""

    spec: Mapping[str, Any]
    statistics: Statistics = Statistics()


@dataclass(frozen=True, slots=True)
class ScanPlan:
    """How a scan will be done."""

    partitions: Sequence[Partition | Mapping[str, Any]]
    """The units of reading; a dict is one of which nothing is known. None at all is an empty table."""
    filters: Mapping[int, Pushdown] = field(default_factory=dict)
    """The answers, by position in :attr:`ScanRequest.filters`. A filter without one is left to the engine."""
    limited: bool = False
    """Whether each partition gives its first rows only, as many as the limit says, in the order of
    :attr:`ScanRequest.order_by`. All filters must be exact then: the first rows may be others where they are not."""
    aggregation: Aggregation = Aggregation.NONE
    """What the rows are. All filters must be exact for anything but :attr:`Aggregation.NONE`."""
    ordering: Sequence[SortKey] = ()
    """By which keys the rows of each partition are sorted."""
    statistics: Statistics | None = None
    """What is known of the whole table."""
    snapshot: str | None = None
    """Names the state of the table that the partitions are of. Two scans with one name read the same rows."""
    statements: Sequence[str] = ()
    """What the partitions ask of the system that they read, such as SQL, for EXPLAIN to show. Without secrets."""
    skipped: bool = False
    """Whether the rows of :attr:`ScanRequest.offset` are left out. There must be one partition at most, and all filters
    must be exact."""
    sampled: bool = False
    """Whether only rows of :attr:`ScanRequest.sample` are given. It is all the same whether they are taken before the
    filters or after."""
