"""Plans a scan: which statements the database runs, and what of a query they do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sheetbend.scan import Aggregation, Partition, Pushdown, ScanPlan, Statistics
from sheetbend.sources.jdbc.pool import lease
from sheetbend.sources.jdbc.read import Work
from sheetbend.sources.jdbc.sql import all_of, select

if TYPE_CHECKING:
    from sheetbend.scan import Aggregate, ScanRequest
    from sheetbend.sources.jdbc.dialects.base import Dialect
    from sheetbend.sources.jdbc.drivers.base import S
    from sheetbend.sources.jdbc.options import Settings
    from sheetbend.sources.jdbc.table import Column, Table

__all__ = ["Push", "describe", "pushed", "works"]

_ROWS = "sheetbend_rows"
"""The alias of a subquery."""


def describe(dialect: Dialect[S], relation: str) -> Table:
    """The table as the catalog has it."""
    with lease(dialect) as session:
        return dialect.describe(session, relation)


@dataclass(frozen=True, slots=True)
class Push:
    """What the database does of a query, in each partition."""

    conditions: dict[int, str]
    """By position of the filter. All are exact."""
    columns: tuple[Column, ...]
    """The columns of the rows that it gives."""
    inner: tuple[str, ...] | None = None
    """What a subquery selects, of which ``columns`` are fetched; None where they are fetched from the table."""
    groups: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    limit: int | None = None
    offset: int | None = None
    """How many rows are passed over, of those that the limit counts: only one partition can do it."""
    aggregated: bool = False
    sample: str | None = None
    """What stands after FROM in the place of the table."""

    @property
    def is_small(self) -> bool:
        """Whether the database gives few rows of what it reads, so that more connections bring nothing."""
        return self.aggregated or self.limit is not None or self.sample is not None

    @property
    def is_page(self) -> bool:
        """Whether rows are counted in any order: two connections would pass over as many each."""
        return self.limit is not None and self.offset is not None and not self.order

    def of_partitions(self, count: int) -> Push:
        """What the database does where there are so many partitions."""
        return self if count == 1 else replace(self, offset=None)

    def plan(self, partitions: Sequence[Work], table: Table) -> ScanPlan:
        """The answer to the engine."""
        return ScanPlan(
            [Partition(work.spec) for work in partitions],
            filters=dict.fromkeys(self.conditions, Pushdown.EXACT),
            limited=self.limit is not None,
            skipped=self.offset is not None,
            sampled=self.sample is not None,
            aggregation=Aggregation.PARTIAL if self.aggregated else Aggregation.NONE,
            statistics=Statistics(rows=table.rows),
            snapshot=partitions[0].snapshot.name if partitions[0].snapshot else None,
            statements=[work.sql for work in partitions],
        )


def pushed(dialect: Dialect[S], table: Table, request: ScanRequest, settings: Settings) -> Push:
    """As much of the request as the database can do, and the options allow."""
    conditions: dict[int, str] = {}
    if settings.push_predicate:
        written = {at: dialect.condition(condition, table) for at, condition in enumerate(request.filters)}
        conditions = {at: sql for at, sql in written.items() if sql is not None}
    answers = dict.fromkeys(conditions, Pushdown.EXACT)
    # For count(*) the engine needs no column at all; one is read to count its rows.
    columns = tuple(table.column(name) for name in request.columns(answers)) or (_narrowest(table),)
    push = Push(conditions, columns)
    if request.sample is not None and settings.push_sample:
        push = replace(push, sample=dialect.sampled(table, request.sample))
    if len(conditions) < len(request.filters):
        return push
    if request.aggregate is not None:
        return (settings.push_aggregate and _aggregated(dialect, table, request.aggregate, push)) or push
    if request.offset is not None and settings.push_offset and dialect.no_limit is not None:
        push = replace(push, offset=request.offset)
    if request.limit is not None and settings.push_limit:
        return _limited(dialect, table, request, push)
    return replace(push, offset=None) if request.limit is not None else push


def works(
    dialect: Dialect[S], table: Table, push: Push, clauses: Sequence[str | None], settings: Settings
) -> list[Work]:
    """The statement of each partition, which are the rows that meet its clause."""
    made = []
    for clause in clauses:
        where = all_of([*([clause] if clause else []), *push.conditions.values()])
        sql = _statement(dialect, table, push, where, settings)
        made.append(Work(sql, push.columns, None if push.aggregated else where))
    return made


def _statement(dialect: Dialect[S], table: Table, push: Push, where: str | None, settings: Settings) -> str:
    items = [dialect.item(column) for column in push.columns]
    source = push.sample or dialect.source(table.relation)
    sql = select(items if push.inner is None else push.inner, source, where, hint=settings.hint)
    if push.groups:
        sql += f"\nGROUP BY {', '.join(push.groups)}"
    if push.order:
        sql += f"\nORDER BY {', '.join(push.order)}"
    if push.offset is not None:
        count = dialect.no_limit if push.limit is None else push.limit - push.offset
        sql += f"\nLIMIT {count} OFFSET {push.offset}"
    elif push.limit is not None:
        sql = dialect.limited(sql, push.limit)
    if push.inner is not None:
        sql = select(items, f"({sql}\n) {_ROWS}")
    return dialect.prepared(sql)


def _narrowest(table: Table) -> Column:
    def width(column: Column) -> int:
        try:
            return int(column.type.bit_width)
        except ValueError:
            return 1 << 10

    return min(table.columns, key=width)


def _limited(dialect: Dialect[S], table: Table, request: ScanRequest, push: Push) -> Push:
    if not request.order_by:
        return replace(push, limit=request.limit)
    order = [dialect.order(table.column(key.column), key) for key in request.order_by]
    terms = tuple(term for term in order if term is not None)
    if len(terms) < len(order):
        return replace(push, offset=None)
    # In a subquery, since ORDER BY prefers what is selected, and that may be the text of a number.
    inner = tuple(dialect.quote(column.name) for column in push.columns)
    return replace(push, inner=inner, order=terms, limit=request.limit)


def _aggregated(dialect: Dialect[S], table: Table, aggregate: Aggregate, push: Push) -> Push | None:
    columns: list[Column] = []
    inner: list[str] = []
    groups: list[str] = []
    for name in aggregate.group_by:
        found = dialect.group(table.column(name))
        if found is None:
            return None
        expression, declared = found
        groups.append(expression)
        inner.append(f"{expression} AS {dialect.quote(name)}")
        columns.append(dialect.column(name, declared))
    for function in aggregate.functions:
        column = None if function.column is None else table.column(function.column)
        found = dialect.aggregate(function, column)
        if found is None:
            return None
        expression, declared = found
        inner.append(f"{expression} AS {dialect.quote(function.name)}")
        columns.append(dialect.column(function.name, declared))
        if columns[-1].type != function.type:
            return None
    return replace(push, columns=tuple(columns), inner=tuple(inner), groups=tuple(groups), aggregated=True)
