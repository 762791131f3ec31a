"""How databases write a condition: what :meth:`sheetbend.filters.Filter.to_sql` takes.

A dialect is data. That of a database which is not here is one of these with some fields replaced::

    LEDGER = dataclasses.replace(ANSI, name="ledger", booleans=("1", "0"), nan="none")
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from sheetbend.filters.kinds import Kind, kind_of, plain
from sheetbend.filters.parts import Part
from sheetbend.filters.patterns import LIKE_ESCAPE, Parts, Wildcard, like_pattern, needs_escape

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ANSI", "DUCKDB", "MYSQL", "POSTGRESQL", "SQLITE", "SqlDialect", "dialect_of"]

_MOMENTS = frozenset({Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.INSTANT})
_MICROSECONDS = {"s": 1_000_000, "ms": 1_000, "us": 1}
"""By unit. Nanoseconds are missing: databases do not count them."""
_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - the zone is the template's
_EXACT_INTEGER = 2**53
_FACTOR_BITS = 48
_FACTOR = 2**_FACTOR_BITS


@dataclass(frozen=True, slots=True)
class SqlDialect:
    """The SQL of a database.

    Fields that are templates are filled by :meth:`str.format`. Where one is None the database has no such thing, or
    none that means the same, and a filter that needs it is not written.

    A column is taken to hold what the plug-in reads of it: a text is stored as text, a float of 64 bits as such.
    """

    name: str
    identifier_quote: str = '"'
    """Stands on both sides of a name, and twice for itself inside."""
    booleans: tuple[str, str] = ("TRUE", "FALSE")
    string: str = "'{quoted}'"
    """``{quoted}`` is the text with each quote doubled."""
    backslash_string: str = "'{quoted}'"
    """The same for a text with a backslash: ``{escaped}`` has quotes and backslashes doubled, ``{hex}`` is UTF-8."""
    binary: str | None = "X'{0}'"
    """``{0}`` is hexadecimal."""
    date: str | None = "DATE '{0}'"
    time: str | None = "TIME '{0}'"
    timestamp: str | None = "TIMESTAMP '{0}'"
    instant: str | None = "TIMESTAMP '{0}+00:00'"
    """A timestamp with a zone; ``{0}`` is in UTC."""
    decimal_digits: int = 38
    """The most digits of a decimal; 0 where there are no decimals."""
    singles: bool = True
    """Whether floats of 32 bits are stored as such."""
    nearest_doubles: bool = True
    """Whether a number of 17 digits is read as the nearest double. Where not, doubles are written as quotients."""
    infinity: str | None = None
    not_a_number: str | None = None
    nan: Literal["greatest", "unordered", "none"] = "unordered"
    """What NaN is: equal to itself and above all other numbers, as in PostgreSQL and Spark; neither equal to nor above
    or below anything, as in IEEE 754; or not to be stored at all."""
    null_safe_equal: str = "{0} IS NOT DISTINCT FROM {1}"
    exact_text: str = "{0}"
    """A column such that ``=`` compares all characters of its texts, their case and blanks at the end too."""
    exact_string: str = "{0}"
    """What that is compared with: ``{0}`` is a string."""
    like_text: str | None = "{0}"
    """A column such that ``LIKE`` compares all characters. Where it is None the next three are used."""
    starts_with: str | None = None
    """``{0}`` is the text, ``{1}`` its beginning, ``{length}`` the number of characters of that."""
    ends_with: str | None = None
    contains: str | None = None
    parts: Mapping[Part, str] = field(default_factory=dict, hash=False)
    """Whole numbers: parts of ``{0}``, which is a date or, where ``timestamp`` is not None, a timestamp."""

    def identifier(self, name: str) -> str | None:
        """The name as it stands in SQL; None where no name is like that."""
        if not name or "\0" in name:
            return None
        quote = self.identifier_quote
        return quote + name.replace(quote, quote * 2) + quote

    def text(self, text: str) -> str | None:
        """The text as a literal; None where it has a NUL character, which SQL cannot hold."""
        if "\0" in text:
            return None
        quoted = text.replace("'", "''")
        template = self.backslash_string if "\\" in text else self.string
        return template.format(quoted=quoted, escaped=quoted.replace("\\", "\\\\"), hex=text.encode().hex())

    def literal(self, value: pa.Scalar) -> str | None:
        """A value as a literal; None for a type or a value that the database does not have."""
        kind = kind_of(value.type)
        if kind is None or not self.has(value.type):
            return None
        if kind in _MOMENTS:
            return self._moment(value, kind)
        writers: dict[Kind, Callable[[Any], str | None]] = {
            Kind.BOOLEAN: lambda truth: self.booleans[not truth],
            Kind.INTEGER: str,
            Kind.SINGLE: self._float,
            Kind.DOUBLE: self._float,
            Kind.DECIMAL: self._decimal,
            Kind.TEXT: self.text,
            Kind.BINARY: lambda data: _filled(self.binary, data.hex()),
        }
        return writers[kind](value.as_py())

    def has(self, kind: pa.DataType) -> bool:
        """Whether a column of the database can hold what the type says, and a literal can be written of it."""
        of = kind_of(kind)
        if of is None or (of in _MOMENTS - {Kind.DATE} and plain(kind).unit not in _MICROSECONDS):
            return False
        return {
            Kind.SINGLE: self.singles,
            Kind.DECIMAL: self.decimal_digits > 0,
            Kind.BINARY: self.binary is not None,
            Kind.DATE: self.date is not None,
            Kind.TIME: self.time is not None,
            Kind.TIMESTAMP: self.timestamp is not None,
            Kind.INSTANT: self.instant is not None,
            Kind.DURATION: False,
        }.get(of, True)

    def matches(self, text: str, parts: Parts) -> str | None:
        """Whether ``text``, which is SQL, is like the pattern."""
        texts = [part for part in parts if isinstance(part, str)]
        if parts == tuple(texts):
            return self._with_text(f"{self.exact_text} = {self.exact_string.format('{1}')}", text, "".join(texts))
        if self.like_text is not None:
            escape = f" ESCAPE '{LIKE_ESCAPE}'" if needs_escape(parts) else ""
            return self._with_text(f"{self.like_text} LIKE {{1}}{escape}", text, like_pattern(parts))
        shape = tuple(part if isinstance(part, Wildcard) else str for part in parts)
        template = {
            (Wildcard.ANY,): self.starts_with,
            (str, Wildcard.ANY): self.starts_with,
            (Wildcard.ANY, str): self.ends_with,
            (Wildcard.ANY, str, Wildcard.ANY): self.contains,
        }.get(shape)
        return None if template is None else self._with_text(template, text, "".join(texts))

    def _with_text(self, template: str, text: str, other: str) -> str | None:
        literal = self.text(other)
        return None if literal is None else template.format(text, literal, length=len(other))

    def _float(self, value: float) -> str | None:
        if math.isnan(value):
            return self.not_a_number
        if math.isinf(value):
            return self.infinity if value > 0 or self.infinity is None else f"-{self.infinity}"
        if not self.nearest_doubles:
            return _quotient(value)
        # The two zeros are one; an exponent makes it a double where a plain number would be a decimal.
        text = repr(value or 0.0)
        return text if "e" in text else f"{text}e0"

    def _decimal(self, value: Decimal) -> str | None:
        return f"{value:f}" if len(value.as_tuple().digits) <= self.decimal_digits else None

    def _moment(self, value: pa.Scalar, kind: Kind) -> str | None:
        try:
            if kind is Kind.DATE:
                return _filled(self.date, value.as_py().isoformat())
            moment = _EPOCH + dt.timedelta(microseconds=value.value * _MICROSECONDS[value.type.unit])
        except OverflowError:  # before the year 1 or after 9999
            return None
        if kind is Kind.TIME:
            return _filled(self.time, moment.time().isoformat())
        return _filled(self.timestamp if kind is Kind.TIMESTAMP else self.instant, moment.isoformat(sep=" "))


def _filled(template: str | None, value: str) -> str | None:
    return None if template is None else template.format(value)


def _quotient(value: float) -> str:
    """A double as an integer that a double holds, times or over powers of two: exact whoever calculates it."""
    numerator, denominator = value.as_integer_ratio()
    doublings = 0
    while abs(numerator) > _EXACT_INTEGER:
        numerator, doublings = numerator // 2, doublings + 1
    text = f"CAST({numerator} AS REAL)"
    text += f" * {_FACTOR}" * (doublings // _FACTOR_BITS) + f" * {2 ** (doublings % _FACTOR_BITS)}" * (doublings > 0)
    halvings = denominator.bit_length() - 1
    text += f" / {_FACTOR}" * (halvings // _FACTOR_BITS) + f" / {2 ** (halvings % _FACTOR_BITS)}" * (halvings > 0)
    return f"({text})" if doublings or halvings else text


_PARTS = {part: f"EXTRACT({part.name} FROM {{0}})" for part in (Part.MONTH, Part.DAY, Part.HOUR, Part.MINUTE)}
_MORE_PARTS = {part: f"EXTRACT({part.value} FROM {{0}})" for part in Part}

ANSI = SqlDialect("ansi")
"""Standard SQL. It is taken to compare texts by all their characters, and not to order NaN."""

POSTGRESQL = SqlDialect(
    "postgresql",
    # Both forms mean the same whatever `standard_conforming_strings` says.
    backslash_string="E'{escaped}'",
    binary="decode('{0}', 'hex')",
    instant="TIMESTAMP WITH TIME ZONE '{0}+00:00'",
    decimal_digits=1000,
    infinity="CAST('Infinity' AS double precision)",
    not_a_number="CAST('NaN' AS double precision)",
    nan="greatest",
    parts=_MORE_PARTS,
)
"""PostgreSQL. Columns of type ``char(n)`` are not for it: blanks at their end do not count there."""

SQLITE = SqlDialect(
    "sqlite",
    booleans=("1", "0"),
    date=None,
    time=None,
    timestamp=None,
    instant=None,
    decimal_digits=0,
    singles=False,
    nearest_doubles=False,
    infinity="9e999",
    nan="none",
    null_safe_equal="{0} IS {1}",
    exact_text="{0} COLLATE BINARY",
    # LIKE takes a for A, and GLOB stops at a NUL character.
    like_text=None,
    starts_with="substr({0}, 1, {length}) = {1}",
    # The length of a text stops at a NUL character too, that of its bytes does not. What is cut from no bytes is NULL.
    ends_with="CASE WHEN {0} IS NOT NULL THEN "
    "substr(CAST({0} AS BLOB), -length(CAST({1} AS BLOB))) IS CAST({1} AS BLOB) END",
    contains="instr({0}, {1}) > 0",
)
"""SQLite. It has no types for dates, times, decimals and floats of 32 bits, so that it says nothing of them."""

MYSQL = SqlDialect(
    "mysql",
    identifier_quote="`",
    # Whether a backslash escapes depends on the session's `sql_mode`.
    backslash_string="_utf8mb4 X'{hex}'",
    # Its timestamps are written in the zone of the session.
    instant=None,
    decimal_digits=65,
    nan="none",
    null_safe_equal="{0} <=> {1}",
    # Its collations differ in case, accents and blanks at the end, and so does LIKE in the first two.
    exact_text="CAST(CONVERT({0} USING utf8mb4) AS BINARY)",
    exact_string="CAST(CONVERT({0} USING utf8mb4) AS BINARY)",
    like_text="CONVERT({0} USING utf8mb4) COLLATE utf8mb4_bin",
    parts=_PARTS | {Part.QUARTER: "QUARTER({0})", Part.WEEK: "WEEK({0}, 3)", Part.DAY_OF_YEAR: "DAYOFYEAR({0})"},
)
"""MySQL and MariaDB."""

DUCKDB = SqlDialect(
    "duckdb",
    binary="from_hex('{0}')",
    instant="TIMESTAMP WITH TIME ZONE '{0}+00:00'",
    infinity="CAST('Infinity' AS DOUBLE)",
    not_a_number="CAST('NaN' AS DOUBLE)",
    nan="greatest",
    parts=_MORE_PARTS,
)

_BY_NAME = {dialect.name: dialect for dialect in (ANSI, POSTGRESQL, SQLITE, MYSQL, DUCKDB)}


def dialect_of(dialect: SqlDialect | str) -> SqlDialect:
    """The dialect itself, or the one of that name; raises :class:`ValueError` where there is none."""
    if isinstance(dialect, SqlDialect):
        return dialect
    if dialect not in _BY_NAME:
        raise ValueError(f"There is no SQL dialect '{dialect}'. There are: {', '.join(sorted(_BY_NAME))}.")
    return _BY_NAME[dialect]
