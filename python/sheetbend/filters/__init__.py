"""Filters of a scan: a small closed tree, and the two forms in which most sources take it.

``filter.to_sql("postgresql")`` is a condition for a WHERE clause, ``filter.to_pyarrow()`` one for a table or a dataset
of pyarrow. Both mean what the filter means, which is what Spark means by it:

- Logic has three values: a comparison with NULL is neither true nor false. A row is kept where the filter is true.
- Two floats that are NaN are equal, and NaN is above all other numbers. The two zeros are equal.
- Texts are compared by all their characters: case, accents and blanks at the end count.

A source with a language of its own takes the tree apart::

    match condition:
        case Comparison(Operator.EQUAL, Column(name), Literal(value)):
            parameters[name] = value.as_py()
"""

from sheetbend.filters.operands import Column, Literal, Operand
from sheetbend.filters.parts import Part
from sheetbend.filters.sql import ANSI, DUCKDB, MYSQL, POSTGRESQL, SQLITE, SqlDialect
from sheetbend.filters.tree import (
    MAX_DEPTH,
    MAX_PATTERN,
    And,
    Comparison,
    Contains,
    EndsWith,
    Filter,
    In,
    IsNotNull,
    IsNull,
    Like,
    Not,
    Operator,
    Or,
    PartIn,
    StartsWith,
)

__all__ = [
    "ANSI",
    "DUCKDB",
    "MAX_DEPTH",
    "MAX_PATTERN",
    "MYSQL",
    "POSTGRESQL",
    "SQLITE",
    "And",
    "Column",
    "Comparison",
    "Contains",
    "EndsWith",
    "Filter",
    "In",
    "IsNotNull",
    "IsNull",
    "Like",
    "Literal",
    "Not",
    "Operand",
    "Operator",
    "Or",
    "Part",
    "PartIn",
    "SqlDialect",
    "StartsWith",
]
