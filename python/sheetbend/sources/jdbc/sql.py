"""Statements, put together of the parts that dialects and users give."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["all_of", "quote_identifier", "select"]


def quote_identifier(identifier: str) -> str:
    """The identifier in double quotes, as standard SQL has it."""
    return '"' + identifier.replace('"', '""') + '"'


def select(expressions: Iterable[str], relation: str, where: str | None = None, *, hint: str = "") -> str:
    """A SELECT statement. What stands after FROM and WHERE is the user's own SQL, as in Spark."""
    statement = f"SELECT {hint} " if hint else "SELECT "
    statement += f"{', '.join(expressions)} FROM {relation}"
    # The line break keeps a comment at the end of the relation from swallowing the clause.
    return f"{statement}\nWHERE {where}" if where else statement


def all_of(conditions: Sequence[str]) -> str | None:
    """The conditions joined by AND; None for none."""
    return " AND ".join(f"({one})" for one in conditions) if len(conditions) > 1 else next(iter(conditions), None)
