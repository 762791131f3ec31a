"""Spark's rule to cut a table by a column and two bounds.

Bounds do not filter, they only say where to cut, so that the first partition also takes what is smaller and NULL, and
the last one what is larger. Bounds that are decimals are cut by the same rule, in units of their last digit.
"""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import pyarrow as pa

from sheetbend.errors import OptionError

if TYPE_CHECKING:
    from sheetbend.sources.jdbc.dialects.base import Dialect
    from sheetbend.sources.jdbc.drivers.base import S
    from sheetbend.sources.jdbc.table import Column

__all__ = ["bounded_clauses", "stride_clauses"]

_MOST_DIGITS = 38
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_MICROSECOND = datetime.timedelta(microseconds=1)

# Scala's BigDecimal computes with 34 digits; setting a scale of 18 on a 64-bit integer needs 37.
_SCALA = decimal.Context(prec=34, rounding=decimal.ROUND_HALF_EVEN)
_WIDE = decimal.Context(prec=60, rounding=decimal.ROUND_HALF_EVEN)
_SCALE_18 = decimal.Decimal(1).scaleb(-18)


def bounded_clauses(dialect: Dialect[S], column: Column, lower: str, upper: str, partitions: int) -> list[str | None]:
    """Spark's clauses for a column between two bounds, as they stand in the options or in the table.

    Args:
        dialect: The database, for its way to write a name and a timestamp.
        column: The column, of numbers, dates or timestamps.
        lower: Where the cuts begin.
        upper: Where they end.
        partitions: How many partitions to make at most.

    Raises:
        OptionError: the column is of another type, or a bound is none of its values.
    """
    low, high, scale = _bounds(column, lower, upper)
    if low > high:
        raise OptionError(f"Option 'lowerBound' must not be larger than 'upperBound', got {lower} and {upper}.")
    name = dialect.quote(column.name)
    clauses = stride_clauses(
        name, low, high, partitions, lambda value: _literal(value, scale, column.type, dialect.utc_suffix)
    )
    if column.never_null and clauses[0] is not None:
        # SQLite does not use an index for the disjunction.
        clauses[0] = clauses[0].removesuffix(f" or {name} is null")
    return clauses


def stride_clauses(
    column: str, lower: int, upper: int, partitions: int, literal: Callable[[int], str] = str
) -> list[str | None]:
    """Spark's clauses for ``column`` between two bounds, ``lower <= upper``, in ``partitions`` strides at most.

    There are no more partitions than whole numbers between the bounds, and one alone where the bounds are equal.
    """
    if partitions <= 1 or lower == upper:
        return [None]
    partitions = min(partitions, upper - lower)
    precise = _SCALA.subtract(_stride(upper, partitions), _stride(lower, partitions))
    stride = int(precise)
    start = lower + _half_slack(precise, stride, partitions)
    cuts = [literal(start + stride * index) for index in range(1, partitions)]
    if not cuts:
        return [None]
    middle = [f"{column} >= {low} AND {column} < {high}" for low, high in pairwise(cuts)]
    return [f"{column} < {cuts[0]} or {column} is null", *middle, f"{column} >= {cuts[-1]}"]


def _stride(bound: int, partitions: int) -> decimal.Decimal:
    quotient = _SCALA.divide(decimal.Decimal(bound), decimal.Decimal(partitions))
    return quotient.quantize(_SCALE_18, rounding=decimal.ROUND_HALF_EVEN, context=_WIDE)


def _half_slack(precise: decimal.Decimal, stride: int, partitions: int) -> int:
    """How far to move the first cut, so that the last partition is not the only one to take what strides leave over."""
    lost = _SCALA.multiply(_SCALA.subtract(precise, decimal.Decimal(stride)), decimal.Decimal(partitions))
    lost = _SCALA.divide(lost, decimal.Decimal(stride))
    slack = _SCALA.multiply(_SCALA.divide(lost, decimal.Decimal(2)), decimal.Decimal(stride))
    return int(slack.quantize(decimal.Decimal(1), rounding=decimal.ROUND_HALF_UP, context=_WIDE))


def _bounds(column: Column, lower: str, upper: str) -> tuple[int, int, int]:
    """Both as whole numbers, in units of ten to the power of minus the third one."""
    kind = column.type
    if not (pa.types.is_decimal(kind) or pa.types.is_floating(kind)):
        return _bound(lower, column, "lowerBound"), _bound(upper, column, "upperBound"), 0
    numbers = [_number(text, column, option) for text, option in ((lower, "lowerBound"), (upper, "upperBound"))]
    scale = max(0, *(-int(number.as_tuple().exponent) for number in numbers))
    low, high = (int(number.scaleb(scale, context=_WIDE)) for number in numbers)
    return low, high, scale


def _number(text: str, column: Column, option: str) -> decimal.Decimal:
    try:
        number = decimal.Decimal(text.strip())
        if number.is_finite() and abs(number.adjusted()) <= _MOST_DIGITS:
            return number
    except decimal.InvalidOperation:
        pass
    raise OptionError(
        f"Option '{option}' must be a number of at most {_MOST_DIGITS} digits for column '{column.name}' of type "
        f"{column.declared}, got '{text}'."
    )


def _bound(text: str, column: Column, option: str) -> int:
    """A bound as a whole number: the number itself, days since 1970-01-01, or microseconds since then in UTC."""
    kind = column.type
    try:
        if pa.types.is_date(kind):
            return datetime.date.fromisoformat(text.strip()).toordinal() - _EPOCH.date().toordinal()
        if pa.types.is_timestamp(kind):
            return _instant(text.strip())
        if pa.types.is_integer(kind):
            number = int(text.strip())
            if not -(2**63) <= number < 2**63:
                raise ValueError("out of range")
            return number
    except (ValueError, OverflowError):
        raise OptionError(
            f"Option '{option}' must be {_expected(kind)} for column '{column.name}' of type {column.declared}, "
            f"got '{text}'."
        ) from None
    raise OptionError(
        f"Option 'partitionColumn': column '{column.name}' is of type {column.declared}; it must be a number, a date "
        "or a timestamp. For any other type, give predicates."
    )


def _expected(kind: pa.DataType) -> str:
    if pa.types.is_date(kind):
        return "a date such as 2024-01-31"
    return "a timestamp such as 2024-01-31 12:00:00" if pa.types.is_timestamp(kind) else "a whole number of 64 bits"


def _instant(text: str) -> int:
    # Python 3.10 reads neither a Z nor fractions of other than 3 or 6 digits.
    text = text[:-1] + "+00:00" if text[-1:] in ("Z", "z") else text
    moment = datetime.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    return (moment - _EPOCH) // _MICROSECOND


def _literal(value: int, scale: int, kind: pa.DataType, utc_suffix: str) -> str:
    """A bound as it stands in a clause. Only digits, signs and separators can come out of it."""
    if pa.types.is_date(kind):
        return f"'{datetime.date.fromordinal(value + _EPOCH.date().toordinal()).isoformat()}'"
    if pa.types.is_timestamp(kind):
        moment = _EPOCH + value * _MICROSECOND
        text = f"{moment:%H:%M:%S}" + (f".{moment.microsecond:06}".rstrip("0") if moment.microsecond else "")
        return f"'{moment.date().isoformat()} {text}{utc_suffix if kind.tz else ''}'"
    return f"{decimal.Decimal(value).scaleb(-scale, context=_WIDE):f}"
