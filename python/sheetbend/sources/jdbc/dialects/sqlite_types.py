"""SQLite's declared types: the Arrow type of each, the SQL that fetches it and the step that converts it.

SQLite does not enforce a declared type, and its Arrow driver knows four types: int64, double, string and binary. Every
column is fetched as one of them (its ``wire`` type), and converted batch by batch where it is another type in truth.
A value that does not fit raises ``pyarrow.ArrowInvalid``, never turns into another value.

Why these types:

- Every integer name is int64, since SQLite stores 64 bits under any of them; SMALLINT and TINYINT are int16, wide
  enough for both readings of TINYINT.
- DATETIME and TIMESTAMP are instants in UTC: SQLite's own functions give and take UTC, a text may carry an offset, and
  an integer is Unix time. An integer counts seconds, as SQLite documents.
- A decimal is stored as an integer or a double; it is what the double shows at the declared scale. Any digit beyond
  that scale is refused, but for the last bits of a double, which are rounding noise.
- TIME, JSON, UUID and names that mean nothing to SQLite are strings.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from sheetbend.sources.jdbc.types import INSTANT, UNBOUNDED_DECIMAL, WALL_CLOCK, decimal_type

__all__ = ["REFUSED", "Reading", "arrow_type", "declared_type", "has_text_affinity", "reading_of"]

_DECLARED = re.compile(r"\s*([^(]*?)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\).*)?", re.DOTALL)

_NAMED: dict[str, pa.DataType] = {
    "BIT": pa.bool_(),
    "BOOL": pa.bool_(),
    "BOOLEAN": pa.bool_(),
    "BYTE": pa.int16(),
    "DATE": pa.date32(),
    "INTERVAL": pa.string(),
    "POINT": pa.string(),
    "INT2": pa.int16(),
    "SMALLINT": pa.int16(),
    "TINYINT": pa.int16(),
}
_DECIMALS = frozenset({"DEC", "DECIMAL", "NUMBER", "NUMERIC"})
_AFFINITIES: tuple[tuple[tuple[str, ...], pa.DataType], ...] = (
    # Before INT: SQLite itself finds an INT in FLOATING POINT.
    (("REAL", "FLOA", "DOUB"), pa.float64()),
    (("INT",), pa.int64()),
    (("CHAR", "CLOB", "TEXT"), pa.string()),
    (("BLOB", "BINARY"), pa.binary()),
)
_EXACT_DOUBLE_DIGITS = 15
"""A decimal of this many digits survives the way through a double and back."""
_NOISE = 2.0**-50
"""The relative error of a few additions on doubles."""


def arrow_type(declared: str) -> pa.DataType:
    """The Arrow type of a declared type."""
    match = _DECLARED.fullmatch(declared)
    name, precision, scale = match.groups() if match else (declared, None, None)
    name = " ".join(name.upper().split())
    if name in _NAMED:
        return _NAMED[name]
    if name.startswith(("TIMESTAMP", "DATETIME")):
        return INSTANT
    if name in _DECIMALS:
        return decimal_type(int(precision), int(scale or 0)) if precision else UNBOUNDED_DECIMAL
    for parts, kind in _AFFINITIES:
        if any(part in name for part in parts):
            return kind
    return pa.string()


def declared_type(kind: pa.DataType) -> str | None:
    """A declared type that is read as ``kind``; None where there is none."""
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision}, {kind.scale})"
    return _DECLARED_AS.get(kind)


def has_text_affinity(declared: str) -> bool:
    """Whether SQLite turns what is stored in a column of this type into text."""
    name = declared.upper()
    return "INT" not in name and any(part in name for part in ("CHAR", "CLOB", "TEXT")) and "(SAMPLED)" not in name


@dataclass(frozen=True, slots=True)
class Reading:
    """How values of one Arrow type are fetched."""

    wire: pa.DataType
    """The type that the driver gives."""
    sql: str = "{0}"
    """The expression to select; ``{0}`` is the quoted column."""
    stored: tuple[str, ...] = ("integer",)
    """What ``typeof`` may say of a value."""
    convert: Callable[[pa.Array, pa.DataType], pa.Array] | None = None
    """Turns the wire type into the Arrow type; None where they are one. Raises ``pa.ArrowInvalid``."""


def reading_of(kind: pa.DataType) -> Reading:
    """The way to fetch values of ``kind``."""
    if pa.types.is_decimal(kind):
        return _DECIMAL if kind.precision <= _EXACT_DOUBLE_DIGITS else _LONG_DECIMAL
    return _READINGS[kind]


def _cast(values: pa.Array, kind: pa.DataType) -> pa.Array:
    return values.cast(kind)


def _to_decimal(values: pa.Array, kind: pa.DataType) -> pa.Array:
    decimals = values.cast(kind)
    back = decimals.cast(values.type)
    if values.equals(back):
        return decimals
    error = pc.abs(pc.subtract(values, back))
    if pc.any(pc.greater(error, pc.multiply(pc.abs(values), _NOISE))).as_py():
        raise pa.ArrowInvalid("more digits than the scale has")
    return decimals


def _to_long_decimal(values: pa.Array, kind: pa.DataType) -> pa.Array:
    # The cast wraps around beyond 128 bits, without an error.
    limit = 10.0 ** (kind.precision - kind.scale)
    if pc.any(pc.greater_equal(pc.abs(values.cast(pa.float64())), limit)).as_py():
        raise pa.ArrowInvalid("more digits than the precision has")
    return values.cast(kind)


def _to_instant(values: pa.Array, kind: pa.DataType) -> pa.Array:
    try:
        # A text without an offset is UTC, so that this only sets the zone.
        return values.cast(WALL_CLOCK).cast(kind)
    except pa.ArrowInvalid:
        zoned = pc.match_substring_regex(values, r"(?:Z|[+-]\d\d:?\d\d|[+-]\d\d)$")
        zoned = pc.and_(zoned, pc.match_substring(values, ":"))
        nothing = pa.scalar(None, values.type)
        local = pc.if_else(zoned, nothing, values).cast(WALL_CLOCK).cast(kind)
        return pc.coalesce(pc.if_else(zoned, values, nothing).cast(kind), local)


_TEXT = ("text", "integer", "real")
# A bad JSON path: an error that SQLite raises where it comes upon the row.
REFUSED = "json_extract('{{}}', typeof({0}))"
"""An expression that is an error, for the quoted column."""

_DECLARED_AS = {
    pa.bool_(): "BOOLEAN",
    pa.int16(): "SMALLINT",
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE",
    # Not a name by which SQLite would turn what it compares into text: the column may hold numbers.
    pa.string(): "STRING",
    pa.binary(): "BLOB",
    pa.date32(): "DATE",
    INSTANT: "TIMESTAMP",
}

_READINGS: dict[pa.DataType, Reading] = {
    pa.int64(): Reading(pa.int64()),
    pa.int16(): Reading(pa.int64(), convert=_cast),
    pa.float64(): Reading(pa.float64(), stored=("real", "integer")),
    # The driver would take the bytes of a blob for a text, cut a number to 7 digits, and take a number or a text for
    # the bytes of a blob.
    pa.string(): Reading(
        pa.string(),
        f"CASE typeof({{0}}) WHEN 'text' THEN {{0}} WHEN 'blob' THEN {REFUSED} ELSE CAST({{0}} AS TEXT) END",
        stored=_TEXT,
    ),
    pa.binary(): Reading(
        pa.binary(),
        f"CASE WHEN typeof({{0}}) IN ('blob', 'null') THEN {{0}} ELSE {REFUSED} END",
        stored=("blob",),
    ),
    # As text, since 0 and 1 may stand beside true and false.
    pa.bool_(): Reading(pa.string(), stored=_TEXT, convert=_cast),
    pa.date32(): Reading(
        pa.string(),
        "CASE WHEN typeof({0}) = 'integer' AND {0} % 86400 = 0 THEN coalesce(date({0}, 'unixepoch'), {0}) ELSE {0} END",
        stored=("text", "integer"),
        convert=_cast,
    ),
    INSTANT: Reading(
        pa.string(),
        "CASE typeof({0}) WHEN 'integer' THEN coalesce(datetime({0}, 'unixepoch'), {0}) ELSE {0} END",
        stored=("text", "integer"),
        convert=_to_instant,
    ),
}

_DECIMAL = Reading(pa.float64(), stored=("real", "integer"), convert=_to_decimal)

# A double shows 17 digits at most; where 15 of them are not the value, they are all asked for.
_LONG_DECIMAL = Reading(
    pa.string(),
    "CASE WHEN typeof({0}) = 'real' AND CAST(CAST({0} AS TEXT) AS REAL) <> {0} THEN printf('%!.17g', {0}) "
    "ELSE CAST({0} AS TEXT) END",
    stored=_TEXT,
    convert=_to_long_decimal,
)
