"""How a table is cut into partitions: by Spark's rule for a column and two bounds, or by the user's own predicates.

The clauses are those of Spark: bounds do not filter, they only say where to cut, so that the first partition also
takes what is smaller and NULL, and the last one what is larger.
"""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import pyarrow as pa

from sheetbend.errors import OptionError
from sheetbend.sources.jdbc.table import Column, find_column

if TYPE_CHECKING:
    from sheetbend.options import Options
    from sheetbend.sources.jdbc.dialects.base import Dialect, S

__all__ = ["partition_clauses", "stride_clauses"]

_PARTITION_OPTIONS = ("partitionColumn", "lowerBound", "upperBound", "numPartitions")
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_MICROSECOND = datetime.timedelta(microseconds=1)

# Scala's BigDecimal computes with 34 digits; setting a scale of 18 on a 64-bit integer needs 37.
_SCALA = decimal.Context(prec=34, rounding=decimal.ROUND_HALF_EVEN)
_WIDE = decimal.Context(prec=60, rounding=decimal.ROUND_HALF_EVEN)
_SCALE_18 = decimal.Decimal(1).scaleb(-18)


def partition_clauses(options: Options, columns: Sequence[Column], dialect: Dialect[S]) -> list[str | None]:
    """One WHERE clause for each partition; None is the whole table.

    Args:
        options: The reader's options.
        columns: The columns of the table.
        dialect: The database, for its way to write an identifier and a timestamp.

    Raises:
        OptionError: the options contradict each other, are incomplete, or have values that are no bounds.
    """
    given = [name for name in _PARTITION_OPTIONS[:3] if options.get(name)]
    partitions = options.integer("numPartitions", minimum=1)
    if options.predicates:
        if given:
            raise OptionError(f"Predicates and option '{given[0]}' exclude each other: give one of them.")
        return [_predicate(predicate) for predicate in options.predicates]
    if not given:
        return [None]
    missing = [name for name in _PARTITION_OPTIONS if not options.get(name)]
    if missing or partitions is None:
        raise OptionError(
            "Options 'partitionColumn', 'lowerBound', 'upperBound' and 'numPartitions' are given all or none; "
            f"missing: {', '.join(missing)}."
        )
    column = find_column(options["partitionColumn"], columns, "partitionColumn")
    lower = _bound(options["lowerBound"], column, "lowerBound")
    upper = _bound(options["upperBound"], column, "upperBound")
    if lower > upper:
        raise OptionError(
            f"Option 'lowerBound' must not be larger than 'upperBound', got {options['lowerBound']} and "
            f"{options['upperBound']}."
        )

    def literal(value: int) -> str:
        return _literal(value, column.type, dialect.utc_suffix)

    name = dialect.quote(column.name)
    clauses = stride_clauses(name, lower, upper, partitions, literal)
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


def _predicate(text: str) -> str:
    if not text.strip():
        raise OptionError("A predicate is empty; each one is a WHERE clause, such as \"country = 'NZ'\".")
    # The line break keeps a comment at the end from swallowing the parenthesis.
    return f"({text}\n)"


def _bound(text: str, column: Column, option: str) -> int:
    """A bound as a whole number: the number itself, days since 1970-01-01, or microseconds since then in UTC."""
    kind = column.type
    try:
        if pa.types.is_date(kind):
            return datetime.date.fromisoformat(text.strip()).toordinal() - _EPOCH.date().toordinal()
        if pa.types.is_timestamp(kind):
            return _instant(text.strip())
        if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
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


def _literal(value: int, kind: pa.DataType, utc_suffix: str) -> str:
    """A bound as it stands in a clause. Only digits, signs and separators can come out of it."""
    if pa.types.is_date(kind):
        return f"'{datetime.date.fromordinal(value + _EPOCH.date().toordinal()).isoformat()}'"
    if pa.types.is_timestamp(kind):
        moment = _EPOCH + value * _MICROSECOND
        text = f"{moment:%H:%M:%S}" + (f".{moment.microsecond:06}".rstrip("0") if moment.microsecond else "")
        return f"'{moment.date().isoformat()} {text}{utc_suffix if kind.tz else ''}'"
    return str(value)
