"""Answers to requests for scans, checked: an answer that is not allowed is a :class:`PluginError`, "returned ..."."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

import pyarrow as pa

from sheetbend._bridge.describe import describe
from sheetbend.errors import PluginError
from sheetbend.scan import (
    Aggregation,
    ColumnStatistics,
    Exact,
    Partition,
    Pushdown,
    ScanPlan,
    ScanRequest,
    SortKey,
    Statistics,
)

__all__ = ["answer_to_wire"]

_LARGEST_COUNT = 2**63 - 1

_Place: TypeAlias = str
"""What a figure is about, as in "of partition 3"."""


def answer_to_wire(
    plan: object, request: ScanRequest, spec_to_json: Callable[[object, int], str]
) -> tuple[str, pa.RecordBatch]:
    """The answer as JSON, and a batch with a row for each partition and a last one for the table.

    Args:
        plan: What ``plan_scan`` returned.
        request: What it was asked.
        spec_to_json: Writes a partition spec, which it is given with its position; raises :class:`PluginError`.
    """
    if not isinstance(plan, ScanPlan):
        raise PluginError(f"returned {describe(plan)}, expected a sheetbend.scan.ScanPlan")
    answers = _answers(plan, len(request.filters))
    inexact = [position for position in range(len(request.filters)) if answers.get(position) is not Pushdown.EXACT]
    _check_claims(plan, request, inexact)
    answer = {
        "filters": {str(position): answer.value for position, answer in sorted(answers.items())},
        "limited": plan.limited,
        "skipped": plan.skipped,
        "sampled": plan.sampled,
        "aggregation": plan.aggregation.value,
        "ordering": _ordering(plan, request),
        "snapshot": plan.snapshot,
        "statements": [_of_type(text, str, "a statement") for text in _list(plan.statements, "statements")],
    }
    return json.dumps(answer), _batch(plan, request.schema, spec_to_json)


# --- What was taken over --------------------------------------------------------------------------


def _answers(plan: ScanPlan, filters: int) -> Mapping[int, Pushdown]:
    answers: Mapping[int, Pushdown] = _of_type(plan.filters, Mapping, "filters")
    for position, answer in answers.items():
        if not isinstance(position, int) or isinstance(position, bool) or not 0 <= position < filters:
            raise PluginError(
                f"returned a ScanPlan that answers filter {position!r}, expected a position below {filters}, which is "
                "how many filters the request has"
            )
        _of_type(answer, Pushdown, f"answer to filter {position}")
    return answers


def _check_claims(plan: ScanPlan, request: ScanRequest, inexact: Sequence[int]) -> None:
    """What is claimed to be done must have been asked for, and be done to rows that meet all filters."""
    for name in ("limited", "skipped", "sampled"):
        _of_type(getattr(plan, name), bool, name)
    _of_type(plan.aggregation, Aggregation, "aggregation")
    _of_type(plan.snapshot, (str, type(None)), "snapshot")
    if plan.sampled and request.sample is None:
        raise PluginError("returned a ScanPlan with sampled=True, but the request has no sample")
    claims: list[tuple[str, str, object]] = []
    if plan.limited:
        claims.append(("limited=True", "limit", request.limit))
    if plan.skipped:
        claims.append(("skipped=True", "offset", request.offset))
    if plan.aggregation is not Aggregation.NONE:
        claims.append((f"aggregation={plan.aggregation.name}", "aggregate", request.aggregate))
    for claim, name, asked in claims:
        if asked is None:
            raise PluginError(f"returned a ScanPlan with {claim}, but the request has no {name}")
        if inexact:
            raise PluginError(
                f"returned a ScanPlan with {claim} that does not answer filter {inexact[0]} EXACT: the {name} comes "
                "after all filters, so it is taken over with all of them or left to the engine"
            )
    if plan.skipped and len(_list(plan.partitions, "partitions")) > 1:
        raise PluginError(
            f"returned a ScanPlan with skipped=True and {len(plan.partitions)} partitions, expected one: of several, "
            "each would leave out rows of its own"
        )


def _ordering(plan: ScanPlan, request: ScanRequest) -> list[dict[str, object]]:
    schema = request.schema
    if plan.aggregation is not Aggregation.NONE and request.aggregate is not None:
        schema = request.aggregate.schema(schema)
    keys = [_of_type(key, SortKey, "a key of ordering") for key in _list(plan.ordering, "ordering")]
    for key in keys:
        if key.column not in schema.names:
            raise PluginError(f"returned a ScanPlan with ordering by '{key.column}', which is no column of the rows")
    return [{"column": key.column, "descending": key.descending, "nulls_first": key.nulls_first} for key in keys]


def _list(values: object, name: str) -> Sequence[Any]:
    if isinstance(values, (str, bytes, bytearray)) or not isinstance(values, Sequence):
        raise PluginError(f"returned a ScanPlan with {describe(values)} as {name}, expected a list")
    return values


def _of_type(value: Any, kinds: type | tuple[type, ...], name: str) -> Any:  # noqa: ANN401 - what is wrong is of any type
    if not isinstance(value, kinds):
        names = [kind.__name__ for kind in (kinds if isinstance(kinds, tuple) else (kinds,))]
        expected = " or ".join(names).replace("NoneType", "None")
        raise PluginError(f"returned a ScanPlan with {describe(value)} as {name}, expected {expected}")
    return value


# --- Partitions and statistics --------------------------------------------------------------------


def _batch(plan: ScanPlan, schema: pa.Schema, spec_to_json: Callable[[object, int], str]) -> pa.RecordBatch:
    specs: list[str | None] = []
    about: list[tuple[_Place, Statistics]] = []
    for position, one in enumerate(_list(plan.partitions, "partitions")):
        spec, statistics = (one.spec, one.statistics) if isinstance(one, Partition) else (one, Statistics())
        specs.append(spec_to_json(spec, position))
        about.append((f"of partition {position}", statistics))
    specs.append(None)
    about.append(("of the table", Statistics() if plan.statistics is None else plan.statistics))
    for place, statistics in about:
        _check_statistics(statistics, place, schema)
    columns = {"spec": pa.array(specs, pa.string())}
    columns |= _counts("rows", [(place, one.rows) for place, one in about], "rows")
    columns |= _counts("bytes", [(place, one.bytes) for place, one in about], "bytes")
    named = {name for _, one in about for name in one.columns}
    for position, field in enumerate(schema):
        if field.name in named:
            known = [
                (f"of column '{field.name}' {place}", one.columns.get(field.name, ColumnStatistics()))
                for place, one in about
            ]
            columns |= _column(position, field.type, known)
    return pa.record_batch(columns)


def _check_statistics(statistics: object, place: _Place, schema: pa.Schema) -> None:
    checked = _of_type(statistics, Statistics, f"statistics {place}")
    for name, column in _of_type(checked.columns, Mapping, f"columns of the statistics {place}").items():
        if name not in schema.names:
            raise PluginError(f"returned statistics {place} with {name!r}, which is no column of the table")
        _of_type(column, ColumnStatistics, f"statistics of column '{name}' {place}")


def _column(position: int, kind: pa.DataType, about: Sequence[tuple[_Place, ColumnStatistics]]) -> dict[str, pa.Array]:
    least = partial(_bound, kind=kind, name="minimum")
    most = partial(_bound, kind=kind, name="maximum")
    return {
        **_figures(f"{position}.min", kind, [(place, one.min) for place, one in about], least),
        **_figures(f"{position}.max", kind, [(place, one.max) for place, one in about], most),
        **_counts(f"{position}.nulls", [(place, one.nulls) for place, one in about], "nulls"),
    }


def _counts(column: str, figures: Sequence[tuple[_Place, object]], name: str) -> dict[str, pa.Array]:
    return _figures(column, pa.int64(), figures, partial(_count, name=name))


def _figures(
    column: str,
    kind: pa.DataType,
    figures: Sequence[tuple[_Place, object]],
    convert: Callable[[object, _Place], object],
) -> dict[str, pa.Array]:
    """The figures as a column, and which of them are exact; both are NULL for what is unknown."""
    values: list[object] = []
    marks: list[bool | None] = []
    for place, figure in figures:
        value = figure.value if isinstance(figure, Exact) else figure
        known = value is not None and not (isinstance(value, pa.Scalar) and not value.is_valid)
        values.append(convert(value, place) if known else None)
        marks.append(isinstance(figure, Exact) if known else None)
    return {column: pa.array(values, kind), f"{column}_exact": pa.array(marks, pa.bool_())}


def _count(value: object, place: _Place, *, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise PluginError(f"returned a ScanPlan with {describe(value)} as {name} {place}, expected int, Exact or None")
    if not 0 <= value <= _LARGEST_COUNT:
        raise PluginError(f"returned a ScanPlan with {value} as {name} {place}, expected 0 to {_LARGEST_COUNT}")
    return value


def _bound(value: object, place: _Place, *, kind: pa.DataType, name: str) -> pa.Scalar:
    try:
        if isinstance(value, pa.Scalar):
            return value.cast(kind)
        (bound,) = pa.array([value], kind)
        kept = _is_kept(value, bound.as_py(), kind)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        kept = False
    if not kept:
        raise PluginError(
            f"returned a ScanPlan with {describe(value)} as {name} {place}, expected a value that fits into {kind}"
        )
    return bound


def _is_kept(value: Any, bound: Any, kind: pa.DataType) -> bool:  # noqa: ANN401 - of the column's type
    """Whether a bound is what it was before it was a value of Arrow, which makes 1 of 1.5. A float may be rounded."""
    if pa.types.is_floating(kind):
        return not isinstance(value, bool) and (math.isfinite(bound) or not math.isfinite(value))
    return bool(bound == value)
