"""Conditions over columns that are no plain names: the SQL of a filter for one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from sheetbend.filters.sql import SqlDialect

if TYPE_CHECKING:
    from sheetbend.filters import Filter

__all__ = ["condition_sql"]


@dataclass(frozen=True, slots=True)
class _OverExpressions(SqlDialect):
    """A dialect in which the name of a column stands for an expression."""

    expressions: Mapping[str, str | None] = field(default_factory=dict)

    def identifier(self, name: str) -> str | None:
        return self.expressions.get(name)


def condition_sql(
    condition: Filter, syntax: SqlDialect, expressions: Mapping[str, str | None], *, string_order: bool = False
) -> str | None:
    """The condition as SQL; None where the dialect cannot say the same.

    Args:
        condition: The filter.
        syntax: The SQL of the database.
        expressions: What stands for each column: an expression that has the values which are read. None where there is
            no such expression.
        string_order: Whether the expressions of texts order them by their bytes in UTF-8.
    """
    plain = {one.name: getattr(syntax, one.name) for one in fields(syntax)}
    return condition.to_sql(_OverExpressions(**plain, expressions=expressions), string_order=string_order)
