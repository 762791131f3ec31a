"""Plans a scan: which statements the database runs, and what of a query they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sheetbend.sources.jdbc.partitioning import partition_clauses
from sheetbend.sources.jdbc.pool import lease
from sheetbend.sources.jdbc.read import Work
from sheetbend.sources.jdbc.sql import select

if TYPE_CHECKING:
    from sheetbend.options import Options
    from sheetbend.sources.jdbc.dialects.base import Dialect, S
    from sheetbend.sources.jdbc.table import Table

__all__ = ["describe", "whole"]


def describe(dialect: Dialect[S], relation: str) -> Table:
    """The table as the catalog has it."""
    with lease(dialect) as session:
        return dialect.describe(session, relation)


def whole(dialect: Dialect[S], table: Table, options: Options) -> list[Work]:
    """The table with all its columns, one statement for each WHERE clause."""
    items = [dialect.item(column) for column in table.columns]
    clauses = partition_clauses(options, table.columns, dialect)
    source = dialect.source(table.relation)
    return [Work(select(items, source, where), table.columns, where) for where in clauses]
