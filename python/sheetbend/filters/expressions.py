"""Filters as expressions of ``pyarrow.compute``, with Spark's NULL and NaN.

A dataset leaves out files and row groups by what their statistics make of an expression, and statistics know nothing
of NaN. With a greatest value of 5 they take ``x < 9`` for true and its negation for false, so each comparison of floats
says itself what a NaN makes of it. Where all values are 5 but for NaN they put 5 in the place of ``x``: see ``_NEVER``.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from sheetbend.filters.kinds import decoded
from sheetbend.filters.parts import Part
from sheetbend.filters.patterns import Parts, Wildcard, regex

__all__ = ["Term", "balanced", "column", "compare", "is_in", "literal", "matches", "part_in"]

_FEW = 32
"""Up to so many values a list is a chain of comparisons, which statistics understand best."""

_COMPARE: dict[str, Callable[[pc.Expression, pc.Expression], pc.Expression]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
}

_NULL = pc.scalar(pa.scalar(None, pa.bool_()))

_NEVER = pc.Expression._call("random", [], pc.RandomOptions(initializer=0)) < pc.scalar(-1.0)
"""False, by a function that nothing calculates beforehand: it keeps ``is_nan`` from being answered by statistics."""


@dataclass(frozen=True, slots=True)
class Term:
    """A column or a literal in an expression."""

    values: pc.Expression
    nan: pc.Expression | None
    """Whether the value is NaN, for floats."""


def column(name: str, kind: pa.DataType) -> Term:
    """A column, in a type that all functions take."""
    kind, declared = decoded(kind), kind
    values = pc.field(name) if kind == declared else pc.field(name).cast(kind)
    return Term(values, pc.is_nan(values) | _NEVER if pa.types.is_floating(kind) else None)


def literal(value: pa.Scalar) -> Term:
    """A value that is not NULL."""
    return Term(pc.scalar(value), pc.scalar(math.isnan(value.as_py())) if pa.types.is_floating(value.type) else None)


def compare(symbol: str, left: Term, right: Term) -> pc.Expression:
    """The two, compared by an operator of :class:`sheetbend.filters.Operator`."""
    if symbol == "<=>":
        both_null = left.values.is_null() & right.values.is_null()
        return both_null | (left.values.is_valid() & right.values.is_valid() & compare("=", left, right))
    if symbol == "!=":
        return ~compare("=", left, right)
    if symbol in (">", ">="):
        return compare(symbol.replace(">", "<"), right, left)
    found = _COMPARE[symbol](left.values, right.values)
    if left.nan is None or right.nan is None:
        return found
    by_nan = {
        "=": left.nan & right.nan,
        # The second terms are no more than NULL beside NULL, where the other side is NaN too.
        "<": (~left.nan & right.nan) | (right.nan & ~right.nan),
        "<=": right.nan & (left.nan | ~left.nan),
    }
    return (found & ~left.nan & ~right.nan) | by_nan[symbol]


def is_in(term: Term, among: Sequence[pa.Scalar]) -> pc.Expression:
    """Whether the value equals one of ``among``."""
    if len(among) <= _FEW:
        return balanced([compare("=", term, literal(one)) for one in among], operator.or_)
    kind = among[0].type
    if term.nan is None:
        found = term.values.isin(pa.array(among, kind))
    else:
        numbers = [one.as_py() for one in among]
        # A set tells the two zeros apart.
        ordered = [number for number in numbers if not math.isnan(number)] + [0.0, -0.0] * (0.0 in numbers)
        found = term.values.isin(pa.array(ordered, kind)) & ~term.nan
        if any(map(math.isnan, numbers)):
            found |= term.nan
    # To be in no set is not yet to be known.
    return found | (term.values.is_null() & _NULL)


_PARTS: dict[Part, Callable[[pc.Expression], pc.Expression]] = {
    Part.QUARTER: pc.quarter,
    Part.MONTH: pc.month,
    Part.WEEK: pc.iso_week,
    Part.DAY: pc.day,
    Part.DAY_OF_YEAR: pc.day_of_year,
    Part.HOUR: pc.hour,
    Part.MINUTE: pc.minute,
}


def part_in(values: pc.Expression, part: Part, among: Sequence[int]) -> pc.Expression:
    """Whether a part of each date or timestamp is one of ``among``."""
    return is_in(Term(_PARTS[part](values), None), [pa.scalar(number, pa.int64()) for number in among])


def matches(texts: pc.Expression, parts: Parts, *, ignore_case: bool = False) -> pc.Expression:
    """Whether each text is like the pattern."""
    if not ignore_case:
        match parts:
            case (str(text),):
                return texts == pc.scalar(text)
            case (str(text), Wildcard.ANY):
                return pc.starts_with(texts, pattern=text)
            case (Wildcard.ANY, str(text)):
                return pc.ends_with(texts, pattern=text)
            case (Wildcard.ANY, str(text), Wildcard.ANY):
                return pc.match_substring(texts, pattern=text)
    return pc.match_substring_regex(texts, pattern=regex(parts), ignore_case=ignore_case)


def balanced(
    parts: Sequence[pc.Expression], join: Callable[[pc.Expression, pc.Expression], pc.Expression]
) -> pc.Expression:
    """The parts, joined pair by pair: expressions are walked recursively, and a chain is as deep as it is long."""
    while len(parts) > 1:
        pairs = [join(first, second) for first, second in zip(parts[::2], parts[1::2], strict=False)]
        parts = pairs + list(parts[2 * len(pairs) :])
    return parts[0]
