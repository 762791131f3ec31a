"""Filters of a scan as the objects that ``DataSourceReader.pushFilters`` gets, and what it answers."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa
from pyspark.errors import PySparkValueError
from pyspark.sql import datasource as spark

from sheetbend import filters
from sheetbend.filters.patterns import Wildcard, parse
from sheetbend.scan import Pushdown

if TYPE_CHECKING:
    from pyspark.sql.datasource import DataSourceReader

_COMPARISONS = {
    filters.Operator.EQUAL: spark.EqualTo,
    filters.Operator.NULL_SAFE_EQUAL: spark.EqualNullSafe,
    filters.Operator.LESS: spark.LessThan,
    filters.Operator.LESS_OR_EQUAL: spark.LessThanOrEqual,
    filters.Operator.GREATER: spark.GreaterThan,
    filters.Operator.GREATER_OR_EQUAL: spark.GreaterThanOrEqual,
}
_TURNED = {
    filters.Operator.LESS: filters.Operator.GREATER,
    filters.Operator.LESS_OR_EQUAL: filters.Operator.GREATER_OR_EQUAL,
    filters.Operator.GREATER: filters.Operator.LESS,
    filters.Operator.GREATER_OR_EQUAL: filters.Operator.LESS_OR_EQUAL,
}
_TEXTS: dict[type[filters.Filter], type[Any]] = {
    filters.StartsWith: spark.StringStartsWith,
    filters.EndsWith: spark.StringEndsWith,
    filters.Contains: spark.StringContains,
}
_PATTERNS: dict[str, tuple[type[Any], ...]] = {
    "text": (spark.EqualTo,),
    "text%": (spark.StringStartsWith,),
    "%text": (spark.StringEndsWith,),
    "%text%": (spark.StringContains,),
    "text%text": (spark.StringStartsWith, spark.StringEndsWith),
}
"""By the shape of a pattern of LIKE, a filter for each text in it."""

_TRUE_FOR_NULL = (spark.IsNull, spark.IsNotNull, spark.EqualNullSafe)
"""Filters that are true or false for NULL; for the others Spark says beside them that the column is not NULL."""


class _Offer(NamedTuple):
    """What a reader is offered for one filter of the scan: to keep only rows for which all of these are true."""

    filters: list[Any]
    complete: bool
    """Whether the filter is true then. Else it has a part that cannot be said."""


_NOTHING = _Offer([], complete=False)


def push_filters(
    reader: DataSourceReader, conditions: Sequence[filters.Filter], schema: pa.Schema
) -> dict[int, Pushdown]:
    """Offers the conditions to a reader that takes filters; the answers by the position of the condition.

    What the reader returns, it does not handle or not wholly. It is trusted with the rest, as by Spark.

    Raises:
        PySparkValueError: The reader returns something that is not one of the filters that it was given.
    """
    offers = {position: offer for position, one in enumerate(conditions) if (offer := _offer(one)).filters}
    if not offers or getattr(reader.pushFilters, "__func__", None) is spark.DataSourceReader.pushFilters:
        return {}
    not_null = {one.attribute: one for offer in offers.values() for one in _not_null(offer, schema)}
    # A condition may say of a column what others need of it: it is given once.
    offered = {
        position: [
            not_null.get(one.attribute, one) if isinstance(one, spark.IsNotNull) else one for one in offer.filters
        ]
        for position, offer in offers.items()
    }
    given = list({id(one): one for one in [*not_null.values(), *chain.from_iterable(offered.values())]}.values())
    left = {id(one) for one in reader.pushFilters(given)}
    if not left <= set(map(id, given)):
        raise PySparkValueError(
            errorClass="DATA_SOURCE_EXTRANEOUS_FILTERS", messageParameters={"type": type(reader).__name__}
        )
    answers = {}
    for position, offer in offers.items():
        needed = [*offered[position], *(not_null[one.attribute] for one in _not_null(offer, schema))]
        exact = offer.complete and not any(id(one) in left for one in needed)
        answers[position] = Pushdown.EXACT if exact else Pushdown.INEXACT
    return answers


def _not_null(offer: _Offer, schema: pa.Schema) -> list[spark.IsNotNull]:
    """That columns are not NULL: part of what a comparison says, which is said by itself too, as in Spark."""
    columns = []
    for one in offer.filters:
        inner = one
        while isinstance(inner, spark.Not):
            inner = inner.child
        (name,) = inner.attribute
        if not isinstance(inner, _TRUE_FOR_NULL) and schema.field(name).nullable:
            columns.append(spark.IsNotNull(inner.attribute))
    return columns


def _offer(condition: filters.Filter) -> _Offer:
    if isinstance(condition, filters.And):
        offers = [_offer(child) for child in condition.children]
        return _Offer([one for offer in offers for one in offer.filters], all(offer.complete for offer in offers))
    if isinstance(condition, filters.Like):
        return _of_pattern(condition)
    if isinstance(condition, filters.Not):
        inner = _offer(condition.child)
        return _Offer([spark.Not(*inner.filters)], True) if inner.complete and len(inner.filters) == 1 else _NOTHING
    one = _of_comparison(condition) if isinstance(condition, filters.Comparison) else _of_column(condition)
    return _NOTHING if one is None else _Offer([one], complete=True)


def _of_comparison(condition: filters.Comparison) -> spark.Filter | None:
    operator, left, right = condition.operator, condition.left, condition.right
    if isinstance(left, filters.Literal):
        operator, left, right = _TURNED.get(operator, operator), right, left
    if not (isinstance(left, filters.Column) and isinstance(right, filters.Literal) and _has_value(right)):
        return None
    if operator is filters.Operator.NOT_EQUAL:
        return spark.Not(spark.EqualTo((left.name,), _value(right)))
    return _COMPARISONS[operator]((left.name,), _value(right))


def _of_column(condition: filters.Filter) -> spark.Filter | None:
    match condition:
        case filters.In(filters.Column(name), values) if all(map(_has_value, values)):
            # A list, as Spark gives one, whatever the annotation says.
            return spark.In((name,), [_value(value) for value in values])  # type: ignore[arg-type]
        case filters.IsNull(filters.Column(name)):
            return spark.IsNull((name,))
        case filters.IsNotNull(filters.Column(name)):
            return spark.IsNotNull((name,))
        case filters.StartsWith() | filters.EndsWith() | filters.Contains():
            return _of_text(condition)
    return None


def _of_text(condition: filters.StartsWith | filters.EndsWith | filters.Contains) -> spark.Filter | None:
    if not isinstance(condition.operand, filters.Column):
        return None
    found: spark.Filter = _TEXTS[type(condition)]((condition.operand.name,), condition.text)
    return found


def _of_pattern(like: filters.Like) -> _Offer:
    """The patterns that are a beginning, an end or both, a part, or the whole."""
    parts = parse(like.pattern, like.escape)
    shape = "".join(part.value if isinstance(part, Wildcard) else "text" for part in parts)
    if like.ignore_case or not isinstance(like.operand, filters.Column) or shape not in _PATTERNS:
        return _NOTHING
    path = (like.operand.name,)
    texts = [part for part in parts if isinstance(part, str)]
    found = [kind(path, text) for kind, text in zip(_PATTERNS[shape], texts, strict=True)]
    # Beginning and end may not share characters, which no filter of Spark says.
    return _Offer(found, complete=len(found) == 1)


def _has_value(literal: filters.Literal) -> bool:
    """Whether Spark gives values of the type to a reader, and Python has this one."""
    if pa.types.is_duration(literal.type) or pa.types.is_interval(literal.type) or pa.types.is_time(literal.type):
        return False
    try:
        literal.value.as_py()
    except (ValueError, OverflowError):  # a date beyond the year 9999
        return False
    return True


def _value(literal: filters.Literal) -> object:
    value = literal.value.as_py()
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        return value.astimezone(ZoneInfo("UTC"))
    return value
