"""The tree of filters. Each class says its own SQL and its own expression of pyarrow."""

from __future__ import annotations

import abc
import enum
import operator
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from sheetbend.filters import expressions
from sheetbend.filters.kinds import Kind, kind_of
from sheetbend.filters.operands import Column, Literal, Operand, column_names, is_text, kind_of_operands, quoted
from sheetbend.filters.parts import Part  # noqa: TC001 - for whoever asks a filter for its types
from sheetbend.filters.patterns import Parts, Wildcard, parse
from sheetbend.filters.sql import SqlDialect, dialect_of

__all__ = [
    "MAX_DEPTH",
    "MAX_PATTERN",
    "And",
    "Comparison",
    "Contains",
    "EndsWith",
    "Filter",
    "In",
    "IsNotNull",
    "IsNull",
    "Like",
    "Not",
    "Operator",
    "Or",
    "PartIn",
    "StartsWith",
]

MAX_DEPTH = 100
"""How many levels a filter may have, as :attr:`Filter.depth` counts them."""

MAX_PATTERN = 10_000
"""How many characters the pattern of a :class:`Like` may have. RE2 refuses some that are ten times as long."""

_MAX_SQL_DEPTH = 16
"""SQLite's parser has room for about 30 levels, and the filter is not all of the statement."""

_GROUP = 32
"""How many conditions stand in one pair of brackets: for a parser a chain is as deep as it is long."""


class Operator(enum.Enum):
    """How two operands are compared."""

    EQUAL = "="
    NOT_EQUAL = "!="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="
    NULL_SAFE_EQUAL = "<=>"
    """Equal, where NULL equals NULL and nothing else; it is never NULL itself."""


_RISING = (Operator.LESS, Operator.LESS_OR_EQUAL)
_FALLING = (Operator.GREATER, Operator.GREATER_OR_EQUAL)


# --- Filters --------------------------------------------------------------------------------------


class Filter(abc.ABC):
    """A condition on a row."""

    __slots__ = ()

    @property
    def columns(self) -> frozenset[str]:
        """The names of the columns that it needs."""
        return self._columns()

    @property
    def depth(self) -> int:
        """How many levels it has: 1 for all but :class:`Not`, :class:`And` and :class:`Or`, which add theirs.

        The last two are one level with up to 32 children, two with up to 1024, and so on.
        """
        return 1

    def to_sql(self, dialect: SqlDialect | str, *, string_order: bool = False) -> str | None:
        """The condition as SQL that can be joined to others with AND; None where the dialect cannot say the same.

        It holds its literals itself, so it is run without parameters: a ``%`` or a ``?`` in it is no placeholder.

        Args:
            dialect: A dialect, or the name of one in :mod:`sheetbend.filters`.
            string_order: Whether the database orders these texts by their bytes in UTF-8, as Spark does. Most
                collations do not, so that ``<`` and the like on texts are None by default.

        Raises:
            ValueError: there is no dialect of that name.
        """
        dialect = dialect_of(dialect)
        return None if self.depth > _MAX_SQL_DEPTH else self._sql(dialect, string_order)

    def to_pyarrow(self) -> pc.Expression:
        """The condition as an expression of ``pyarrow.compute``, for tables and datasets with these columns."""
        return self._expression()

    @abc.abstractmethod
    def _columns(self) -> frozenset[str]: ...

    @abc.abstractmethod
    def _sql(self, dialect: SqlDialect, string_order: bool) -> str | None: ...

    @abc.abstractmethod
    def _expression(self) -> pc.Expression: ...


@dataclass(frozen=True, slots=True)
class Comparison(Filter):
    """Two operands of one type, compared; raises :class:`ValueError` for others."""

    operator: Operator
    left: Operand
    right: Operand

    def __post_init__(self) -> None:
        kind_of_operands(self.left, self.right)

    def __str__(self) -> str:
        return f"{self.left} {self.operator.value} {self.right}"

    def _columns(self) -> frozenset[str]:
        return column_names(self.left, self.right)

    def _sql(self, dialect: SqlDialect, string_order: bool) -> str | None:
        kind = kind_of_operands(self.left)
        is_range = self.operator in _RISING + _FALLING
        if kind is Kind.TEXT and is_range and not string_order:
            return None
        if kind.is_float and dialect.nan == "unordered" and self._differs_for_nan():
            return None
        left, right = (operand._sql(dialect, exact=not is_range) for operand in (self.left, self.right))
        if left is None or right is None:
            return None
        if self.operator is Operator.NULL_SAFE_EQUAL:
            return dialect.null_safe_equal.format(left, right)
        return f"{left} {'<>' if self.operator is Operator.NOT_EQUAL else self.operator.value} {right}"

    def _differs_for_nan(self) -> bool:
        """Whether a NaN in a column meets the condition only where it has a place in the order."""
        if isinstance(self.left, Column) and isinstance(self.right, Column):
            return True
        return self.operator in (_FALLING if isinstance(self.left, Column) else _RISING)

    def _expression(self) -> pc.Expression:
        return expressions.compare(self.operator.value, self.left._term(), self.right._term())


@dataclass(frozen=True, slots=True)
class _OnOperand(Filter):
    operand: Operand

    def _columns(self) -> frozenset[str]:
        return column_names(self.operand)


@dataclass(frozen=True, slots=True)
class In(_OnOperand):
    """Whether the operand equals one of the values; raises :class:`ValueError` for none, or one of another type."""

    values: tuple[Literal, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("IN has no values, expected at least one.")
        kind_of_operands(self.operand, *self.values)

    def __str__(self) -> str:
        return f"{self.operand} IN ({', '.join(map(str, self.values))})"

    def _sql(self, dialect: SqlDialect, string_order: bool) -> str | None:
        operand = self.operand._sql(dialect, exact=True)
        values = _all_or_none([value._sql(dialect, exact=True) for value in self.values])
        return None if operand is None or values is None else f"{operand} IN ({', '.join(values)})"

    def _expression(self) -> pc.Expression:
        return expressions.is_in(self.operand._term(), [literal.value for literal in self.values])


@dataclass(frozen=True, slots=True)
class _OfNull(_OnOperand):
    def _sql(self, dialect: SqlDialect, string_order: bool) -> str | None:
        # PostgreSQL takes a row for NULL whose fields all are.
        if isinstance(self.operand, Literal) or pa.types.is_struct(self.operand.type):
            return None
        name = dialect.identifier(self.operand.name)
        return None if name is None else f"{name} IS {'NULL' if isinstance(self, IsNull) else 'NOT NULL'}"


@dataclass(frozen=True, slots=True)
class IsNull(_OfNull):
    """Whether the operand, which may be of any type, is NULL."""

    def __str__(self) -> str:
        return f"{self.operand} IS NULL"

    def _expression(self) -> pc.Expression:
        return self.operand._term().values.is_null()


@dataclass(frozen=True, slots=True)
class IsNotNull(_OfNull):
    """Whether the operand, which may be of any type, is not NULL."""

    def __str__(self) -> str:
        return f"{self.operand} IS NOT NULL"

    def _expression(self) -> pc.Expression:
        return self.operand._term().values.is_valid()


@dataclass(frozen=True, slots=True)
class PartIn(_OnOperand):
    """Whether a part of a date, or of a timestamp without a zone, is one of some numbers.

    Raises :class:`ValueError` for another operand, for a part of the time of day of a date, and for no numbers.
    """

    part: Part
    values: tuple[int, ...]

    def __post_init__(self) -> None:
        kind = kind_of(self.operand.type)
        if kind is not Kind.TIMESTAMP and (kind is not Kind.DATE or self.part.is_of_time):
            raise ValueError(f"{self.operand.type} has no {self.part.value} of its own.")
        if not self.values:
            raise ValueError(f"There is no {self.part.value} to compare with, expected at least one.")

    def __str__(self) -> str:
        return f"{self.part.value}({self.operand}) IN ({', '.join(map(str, self.values))})"

    def _sql(self, dialect: SqlDialect, string_order: bool) -> str | None:
        operand, template = self.operand._sql(dialect), dialect.parts.get(self.part)
        if operand is None or template is None:
            return None
        return f"{template.format(operand)} IN ({', '.join(map(str, self.values))})"

    def _expression(self) -> pc.Expression:
        return expressions.part_in(self.operand._term().values, self.part, self.values)


# --- Patterns -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Pattern(_OnOperand):
    def __post_init__(self) -> None:
        if not is_text(self.operand):
            raise ValueError(f"{self.operand.type} is matched with a text, expected a text.")
        # Half of a surrogate pair is no character of any text.
        "".join(part for part in self._parts() if isinstance(part, str)).encode()

    @abc.abstractmethod
    def _parts(self) -> Parts: ...

    def _sql(self, dialect: SqlDialect, string_order: bool) -> str | None:
        sql = self.operand._sql(dialect)
        return None if sql is None else dialect.matches(sql, self._parts())

    def _expression(self) -> pc.Expression:
        return expressions.matches(self.operand._term().values, self._parts())


@dataclass(frozen=True, slots=True)
class Like(_Pattern):
    """Whether the whole text is like the pattern, where ``_`` is any one character and ``%`` any number of them.

    The character after ``escape`` stands for itself, and so does an ``escape`` at the end; with None no character
    escapes. With ``ignore_case`` two letters are one where Unicode's simple case folding makes them one.

    Raises :class:`ValueError` for an operand that is no text, an escape that is not one character, and a pattern of
    more than :data:`MAX_PATTERN` characters.
    """

    pattern: str
    escape: str | None = "\\"
    ignore_case: bool = False

    def __post_init__(self) -> None:
        _Pattern.__post_init__(self)
        if self.escape is not None and len(self.escape) != 1:
            raise ValueError(f"The escape of LIKE is {self.escape!r}, expected one character.")
        if len(self.pattern) > MAX_PATTERN:
            raise ValueError(f"The pattern of LIKE has {len(self.pattern)} characters, expected at most {MAX_PATTERN}.")

    def __str__(self) -> str:
        escape = "" if self.escape is None else f" ESCAPE {quoted(self.escape)}"
        return f"{self.operand} {'ILIKE' if self.ignore_case else 'LIKE'} {quoted(self.pattern)}{escape}"

    def _parts(self) -> Parts:
        return parse(self.pattern, self.escape)

    def _sql(self, dialect: SqlDialect, string_order: bool) -> str | None:
        # Which letters are one without their case differs from database to database.
        return None if self.ignore_case else _Pattern._sql(self, dialect, string_order)

    def _expression(self) -> pc.Expression:
        return expressions.matches(self.operand._term().values, self._parts(), ignore_case=self.ignore_case)


@dataclass(frozen=True, slots=True)
class StartsWith(_Pattern):
    """Whether the operand starts with a text; raises :class:`ValueError` for one that is no text."""

    text: str

    def __str__(self) -> str:
        return f"startswith({self.operand}, {quoted(self.text)})"

    def _parts(self) -> Parts:
        return (*_part(self.text), Wildcard.ANY)


@dataclass(frozen=True, slots=True)
class EndsWith(_Pattern):
    """Whether the operand ends with a text; raises :class:`ValueError` for one that is no text."""

    text: str

    def __str__(self) -> str:
        return f"endswith({self.operand}, {quoted(self.text)})"

    def _parts(self) -> Parts:
        return (Wildcard.ANY, *_part(self.text))


@dataclass(frozen=True, slots=True)
class Contains(_Pattern):
    """Whether the operand contains a text; raises :class:`ValueError` for one that is no text."""

    text: str

    def __str__(self) -> str:
        return f"contains({self.operand}, {quoted(self.text)})"

    def _parts(self) -> Parts:
        return (Wildcard.ANY, *_part(self.text), Wildcard.ANY) if self.text else (Wildcard.ANY,)


def _part(text: str) -> tuple[str, ...]:
    return (text,) if text else ()


# --- Logic ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Not(Filter):
    """True where the child is false; raises :class:`ValueError` beyond :data:`MAX_DEPTH`."""

    child: Filter
    depth: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "depth", _checked_depth(self.child.depth + 1))

    def __str__(self) -> str:
        return f"NOT ({self.child})"

    def _columns(self) -> frozenset[str]:
        return self.child.columns

    def _sql(self, dialect: SqlDialect, string_order: bool) -> str | None:
        sql = self.child._sql(dialect, string_order)
        return None if sql is None else f"NOT ({sql})"

    def _expression(self) -> pc.Expression:
        return ~self.child._expression()


@dataclass(frozen=True, slots=True)
class _Junction(Filter):
    children: tuple[Filter, ...]
    depth: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.children:
            raise ValueError(f"{self._word()} has no children, expected at least one.")
        deepest = max(child.depth for child in self.children)
        object.__setattr__(self, "depth", _checked_depth(deepest + _levels(len(self.children))))

    def __str__(self) -> str:
        return f"({f' {self._word()} '.join(map(str, self.children))})"

    def _word(self) -> str:
        return type(self).__name__.upper()

    def _columns(self) -> frozenset[str]:
        return frozenset().union(*(child.columns for child in self.children))

    def _sql(self, dialect: SqlDialect, string_order: bool) -> str | None:
        parts = _all_or_none([child._sql(dialect, string_order) for child in self.children])
        if parts is None:
            return None
        while len(parts) > _GROUP:
            groups = [parts[start : start + _GROUP] for start in range(0, len(parts), _GROUP)]
            parts = [f"({f' {self._word()} '.join(group)})" for group in groups]
        return f"({f' {self._word()} '.join(parts)})"


@dataclass(frozen=True, slots=True)
class And(_Junction):
    """True where all children are; raises :class:`ValueError` for none, or beyond :data:`MAX_DEPTH`."""

    def _expression(self) -> pc.Expression:
        return expressions.balanced([child._expression() for child in self.children], operator.and_)


@dataclass(frozen=True, slots=True)
class Or(_Junction):
    """True where one child is; raises :class:`ValueError` for none, or beyond :data:`MAX_DEPTH`."""

    def _expression(self) -> pc.Expression:
        return expressions.balanced([child._expression() for child in self.children], operator.or_)


def _levels(children: int) -> int:
    levels = 1
    while children > _GROUP:
        children, levels = -(-children // _GROUP), levels + 1
    return levels


def _checked_depth(depth: int) -> int:
    if depth > MAX_DEPTH:
        raise ValueError(f"A filter has more than {MAX_DEPTH} levels.")
    return depth


def _all_or_none(parts: Sequence[str | None]) -> list[str] | None:
    known = [part for part in parts if part is not None]
    return known if len(known) == len(parts) else None
