"""What filters compare: columns and values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import pyarrow as pa

from sheetbend.filters import expressions
from sheetbend.filters.kinds import Kind, kind_of, plain

if TYPE_CHECKING:
    from sheetbend.filters.expressions import Term
    from sheetbend.filters.sql import SqlDialect

__all__ = ["Column", "Literal", "Operand", "column_names", "is_text", "kind_of_operands", "quoted"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table. Raises :class:`ValueError` for a name that is no Unicode."""

    name: str
    type: pa.DataType

    def __post_init__(self) -> None:
        self.name.encode()

    def __str__(self) -> str:
        return self.name

    def _sql(self, dialect: SqlDialect, exact: bool = False) -> str | None:
        sql = dialect.identifier(self.name) if dialect.has(self.type) else None
        return dialect.exact_text.format(sql) if exact and sql is not None and is_text(self) else sql

    def _term(self) -> Term:
        return expressions.column(self.name, self.type)


@dataclass(frozen=True, slots=True, repr=False)
class Literal:
    """A value; raises :class:`ValueError` for NULL.

    Its type is as plain as can be: ``string`` for a text whose column is a ``large_string``, a ``string_view`` or a
    dictionary of them.
    """

    value: pa.Scalar

    def __post_init__(self) -> None:
        value = self.value.value if isinstance(self.value, pa.DictionaryScalar) else self.value
        if not value.is_valid:
            raise ValueError("A literal is NULL, expected a value.")
        object.__setattr__(self, "value", value.cast(plain(value.type)))

    @property
    def type(self) -> pa.DataType:
        """The type of the value."""
        return self.value.type

    def __str__(self) -> str:
        kind = kind_of(self.type)
        if kind is Kind.TEXT:
            return quoted(self.value.as_py())
        if kind is Kind.BINARY:
            return f"X'{self.value.as_py().hex()}'"
        # By Arrow, since Python's dates end with the year 9999.
        return str(self.value if kind is None else self.value.cast(pa.string()).as_py())

    def __repr__(self) -> str:
        return f"Literal({self}, {self.type})"

    def _sql(self, dialect: SqlDialect, exact: bool = False) -> str | None:
        sql = dialect.literal(self.value)
        return dialect.exact_string.format(sql) if exact and sql is not None and is_text(self) else sql

    def _term(self) -> Term:
        return expressions.literal(self.value)


Operand: TypeAlias = "Column | Literal"


def kind_of_operands(*operands: Operand) -> Kind:
    """The one kind of the operands; raises :class:`ValueError` where they cannot be compared."""
    kind = kind_of(operands[0].type)
    if kind is None:
        raise ValueError(f"Values of type {operands[0].type} cannot be compared.")
    for other in operands[1:]:
        if plain(other.type) != plain(operands[0].type):
            raise ValueError(f"{operands[0].type} is compared with {other.type}, expected operands of one type.")
    return kind


def is_text(operand: Operand) -> bool:
    """Whether its values are texts."""
    return kind_of(operand.type) is Kind.TEXT


def column_names(*operands: Operand) -> frozenset[str]:
    """The columns among the operands."""
    return frozenset(operand.name for operand in operands if isinstance(operand, Column))


def quoted(text: str) -> str:
    """The text as people read it in SQL."""
    return "'" + text.replace("'", "''") + "'"
