"""How a table is cut into partitions: each row meets the clause of exactly one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic

from sheetbend.errors import OptionError
from sheetbend.sources.jdbc.drivers.base import S
from sheetbend.sources.jdbc.pool import lease
from sheetbend.sources.jdbc.sql import select
from sheetbend.sources.jdbc.strides import bounded_clauses
from sheetbend.sources.jdbc.table import find_column

if TYPE_CHECKING:
    import pyarrow as pa

    from sheetbend.options import Options
    from sheetbend.sources.jdbc.dialects.base import Dialect
    from sheetbend.sources.jdbc.scan import Push
    from sheetbend.sources.jdbc.table import Column, Table

__all__ = ["partition_clauses"]

_BOUNDS = ("partitionColumn", "lowerBound", "upperBound")
_MOST_VALUES = 10_000
_FEW_ROWS = 100_000
"""So few rows come faster by one query: the server finds them by an index, or with all its cores."""


def partition_clauses(
    dialect: Dialect[S], table: Table, options: Options, target: int, push: Push | None = None
) -> list[str | None]:
    """One WHERE clause for each partition; None is the whole table.

    Args:
        dialect: The database. It is asked for what the options do not say.
        table: The table.
        options: The reader's options.
        target: How many partitions to make where the options do not say it.
        push: What the database does of the query. Where it gives few rows of those that it reads, a server that
            spreads its work over its cores by itself is asked once, whatever the options say but predicates: they may
            overlap. A table is not cut by itself where few rows are expected.

    Raises:
        OptionError: the options contradict each other, are incomplete, or have values that are no bounds.
    """
    given = [name for name in _BOUNDS if options.get(name)]
    partitions = options.integer("numPartitions", minimum=1)
    way = options.get("partitioning", "auto").lower()
    if options.predicates:
        if given or way not in ("auto", "predicates"):
            other = given[0] if given else "partitioning"
            raise OptionError(f"Predicates and option '{other}' exclude each other: give one of them.")
        return [_predicate(predicate) for predicate in options.predicates]
    if way == "auto" and given:
        missing = [name for name in (*_BOUNDS, "numPartitions") if not options.get(name)]
        if missing:
            raise OptionError(
                "Options 'partitionColumn', 'lowerBound', 'upperBound' and 'numPartitions' are given all or none, "
                f"unless 'partitioning' says how to cut; missing: {', '.join(missing)}."
            )
        way = "range"
    cut = _Cut(dialect, table, options, partitions or target)
    if way == "predicates":
        raise OptionError("Option 'partitioning' is 'predicates', but there are none: give them to spark.read.jdbc().")
    checked = cut.check(way)
    is_small = push is not None and ((push.is_small and dialect.parallel_queries) or (push.is_page and way == "auto"))
    if way == "none" or cut.partitions == 1 or is_small:
        return [None]
    if way == "auto":
        return cut.automatic(list(push.conditions.values()) if push else []) or [None]
    return (cut.by(way) if checked is None else checked) or [None]


@dataclass(frozen=True, slots=True)
class _Cut(Generic[S]):
    """A table that is to be cut."""

    dialect: Dialect[S]
    table: Table
    options: Options
    partitions: int

    def check(self, way: str) -> list[str | None] | None:
        """Refuses what cannot be done, also where nothing is to be cut; the clauses, where that made them."""
        if way in ("ctid", "rowid") and way != self.dialect.pieces_by:
            raise OptionError(f"Option 'partitioning': jdbc:{self.dialect.name}: has no '{way}'.")
        return self._by_range() if way == "range" and self.options.get("lowerBound") else None

    def by(self, way: str) -> list[str | None]:
        """The clauses, none of them where the table is too small to be cut."""
        if way in ("ctid", "rowid"):
            pieces = self._pieces()
            if pieces is None:
                raise OptionError(
                    f"Option 'partitioning': '{way}' is for tables that store their rows, and '{self.table.relation}' "
                    "is a view, a query or a parent of partitions. Give a column to cut by."
                )
            return pieces
        return {"range": self._by_range, "hash": self._by_hash, "quantile": self._by_quantile, "list": self._by_list}[
            way
        ]()

    def automatic(self, conditions: Sequence[str]) -> list[str | None]:
        """The clauses of a table for which the user has not said how to cut it, and where the rest is to be met too."""
        pieces = None
        if self.table.is_plain and self.dialect.pieces_by:
            with self._session() as session:
                # Before the pieces, for which some databases answer many questions.
                if conditions and self._are_few(session, conditions):
                    return []
                found = self.dialect.pieces(session, self.table, self.partitions)
            pieces = None if found is None else list[str | None](found)
        if pieces is None and self.table.key is not None:
            return self._by_range()
        return pieces or []

    def _are_few(self, session: S, conditions: Sequence[str]) -> bool:
        expected = self.table.rows
        if expected is None or expected >= _FEW_ROWS:
            expected = self.dialect.expected_rows(session, self.table, conditions)
        return expected is not None and expected < _FEW_ROWS

    def _pieces(self) -> list[str | None] | None:
        with self._session() as session:
            pieces = self.dialect.pieces(session, self.table, self.partitions)
        return None if pieces is None else list(pieces)

    @property
    def _column(self) -> Column:
        name = self.options.get("partitionColumn") or self.table.key
        if name is None:
            raise OptionError(
                "Option 'partitionColumn' is required: the table has no primary key of one whole number to cut by."
            )
        return self.dialect.uncast(find_column(name, self.table.columns, "partitionColumn"))

    def _by_range(self) -> list[str | None]:
        column = self._column
        lower, upper = self.options.get("lowerBound"), self.options.get("upperBound")
        if not lower or not upper:
            name = self.dialect.quote(column.name)
            least, most = (self._values(column, f"{function}({name})") for function in ("min", "max"))
            if not least or not most:
                return []
            lower, upper = lower or _text(least[0]), upper or _text(most[0])
        return bounded_clauses(self.dialect, column, lower, upper, self.partitions)

    def _by_hash(self) -> list[str | None]:
        column = self._column
        buckets = [self.dialect.bucket(column, self.partitions, number) for number in range(self.partitions)]
        if None in buckets:
            raise OptionError(f"Option 'partitioning': jdbc:{self.dialect.name}: has no 'hash'.")
        return buckets

    def _by_quantile(self) -> list[str | None]:
        column = self._column
        with self._session() as session:
            sql = self.dialect.quantiles(session, self.table, column, self.partitions)
            values = self._scalars(session, column, sql) if sql else self._sorted(session, column)
        cuts = Counter(self._literal(column, value) for value in values)
        if not cuts:
            return []
        name = self.dialect.quote(column.name)
        start, clauses = "", []
        for cut, times in cuts.items():
            clauses.append(f"{start}{name} < {cut}")
            start = f"{name} >= {cut} AND "
            if times > 1:
                # A value that fills parts alone has one of its own.
                clauses.append(f"{name} = {cut}")
                start = f"{name} > {cut} AND "
        clauses[0] += f" or {name} is null"
        return [*clauses, start.removesuffix(" AND ")]

    def _by_list(self) -> list[str | None]:
        column = self._column
        values = self._values(column, f"DISTINCT {self.dialect.quote(column.name)}", most=_MOST_VALUES + 1)
        if len(values) > _MOST_VALUES:
            raise OptionError(
                f"Option 'partitioning': column '{column.name}' has more than {_MOST_VALUES} values, too many for "
                "'list'. Use 'hash' or 'quantile'."
            )
        literals = sorted(self._literal(column, value) for value in values)
        name = self.dialect.quote(column.name)
        groups = [group for group in (literals[at :: self.partitions] for at in range(self.partitions)) if group]
        if len(groups) < 2:
            return []
        known = [f"{name} IN ({', '.join(group)})" for group in groups[:-1]]
        others = ", ".join(literal for group in groups[:-1] for literal in group)
        return [*known, f"{name} NOT IN ({others}) or {name} is null"]

    def _values(self, column: Column, expression: str, most: int = 1) -> list[pa.Scalar]:
        name = self.dialect.quote(column.name)
        inner = select([f"{expression} AS {name}"], self.dialect.source(self.table.relation))
        sql = select([self.dialect.item(column)], f"({inner}\n) sheetbend_values")
        with self._session() as session:
            return self._scalars(session, column, self.dialect.prepared(self.dialect.limited(sql, most)))

    def _sorted(self, session: S, column: Column) -> list[pa.Scalar]:
        """Quantiles by sorting, with one query for each."""
        source, name = self.dialect.source(self.table.relation), self.dialect.quote(column.name)
        [(count,)] = session.rows(self.dialect.prepared(select([f"count({name})"], source)))
        found = []
        for number in range(1, self.partitions):
            inner = f"{select([name], source, f'{name} IS NOT NULL')}\nORDER BY {name}"
            skipped = self.dialect.limited(inner, 1) + f" OFFSET {int(count) * number // self.partitions}"
            sql = select([self.dialect.item(column)], f"({skipped}\n) sheetbend_values")
            found += self._scalars(session, column, self.dialect.prepared(sql))
        return found

    def _scalars(self, session: S, column: Column, sql: str) -> list[pa.Scalar]:
        batches = self.dialect.batches(session, sql, [column], 0)
        return [value for batch in batches for value in batch.column(0) if value.is_valid]

    def _literal(self, column: Column, value: pa.Scalar) -> str:
        literal = self.dialect.syntax.literal(value)
        if literal is None:
            raise OptionError(
                f"Option 'partitioning': column '{column.name}' of type {column.declared} cannot be cut by its values "
                f"in jdbc:{self.dialect.name}:. Use another column, or predicates."
            )
        return literal

    @contextmanager
    def _session(self) -> Iterator[S]:
        with lease(self.dialect) as session:
            yield session


def _text(value: pa.Scalar) -> str:
    found: Any = value.as_py()
    return str(found)


def _predicate(text: str) -> str:
    if not text.strip():
        raise OptionError("A predicate is empty; each one is a WHERE clause, such as \"country = 'NZ'\".")
    # The line break keeps a comment at the end from swallowing the parenthesis.
    return f"({text}\n)"
