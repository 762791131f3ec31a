"""A table of rows that are known, read by a database, and as much of a query pushed to it as the option `pushes` says."""

from __future__ import annotations

import datetime as dt
import math
import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa

from sheetbend.plugin import ReadContext
from sheetbend.scan import (
    Aggregate,
    Aggregation,
    ColumnStatistics,
    Exact,
    Partition,
    Pushdown,
    ScanPlan,
    ScanRequest,
    Statistics,
)

ROWS = 400
PARTS = 3
SCHEMA = pa.schema(
    [
        pa.field("id", pa.int64(), nullable=False),
        ("a", pa.int32()),
        ("b", pa.int64()),
        ("text", pa.string()),
        ("flag", pa.bool_()),
        ("real", pa.float64()),
        ("price", pa.decimal128(10, 2)),
        ("day", pa.date32()),
        ("moment", pa.timestamp("us")),
    ]
)
TEXTS = ("", "a", "A", "ab", "abc", "b%", "b_", "it's", "ä", "x\\y")
REALS = (0.0, -0.0, 1.5, -1.5, 1e300, math.inf, -math.inf, math.nan)


def rows() -> pa.Table:
    """The rows, the same in every process."""
    chosen = random.Random(7)

    def some(values: Sequence[Any]) -> Any:
        return None if chosen.random() < 0.15 else chosen.choice(values)

    days = [dt.date(2024, 1, 1) + dt.timedelta(days) for days in range(8)]
    table = [
        {
            "id": number,
            "a": some(range(-3, 4)),
            "b": some((*range(20), 2**40)),
            "text": some(TEXTS),
            "flag": some((True, False)),
            "real": some(REALS),
            "price": some([Decimal(cents) / 100 for cents in (-150, 0, 1, 99, 1250)]),
            "day": some(days),
            "moment": some([dt.datetime(2024, 1, 1, hour, microsecond=hour) for hour in range(6)]),
        }
        for number in range(ROWS)
    ]
    return pa.Table.from_pylist(table, schema=SCHEMA)


def connect() -> duckdb.DuckDBPyConnection:
    """A database with the rows as the table `known`."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.register("rows", rows())
    connection.execute("CREATE TABLE known AS SELECT * FROM rows")
    return connection


class Pushing:
    """The option `pushes` is `exact` for all that the database can say, `inexact` for filters of which only every other
    is applied, `all` for all columns whatever is asked, `nothing` for no filter. `final` computes complete groups.
    `known` pushes exact filters, says all that is known of each partition, and reads but what is wanted meanwhile."""

    def __init__(self) -> None:
        self._database = connect()

    def infer_schema(self, options: Any) -> pa.Schema:
        return SCHEMA

    def plan_partitions(self, options: Any) -> list[dict[str, Any]]:
        raise AssertionError("plan_scan takes its place")

    def plan_scan(self, request: ScanRequest, options: Any) -> ScanPlan:
        pushes = options["pushes"]
        answers = {} if pushes in ("nothing", "all") else _answers(request, exactly=pushes != "inexact")
        applied = [position for position in answers if pushes != "inexact" or position % 2 == 0]
        conditions = [request.filters[position].to_sql("duckdb") for position in applied]
        exact = all(answers.get(position) is Pushdown.EXACT for position in range(len(request.filters)))
        aggregation = Aggregation.NONE
        if request.aggregate is not None and exact and pushes in ("exact", "final", "known"):
            aggregation = Aggregation.FINAL if pushes == "final" else Aggregation.PARTIAL
        limited = request.limit is not None and exact and pushes == "exact"
        columns = ", ".join(SCHEMA.names if pushes == "all" else request.columns(answers))
        tail = _first(request) if limited else ""
        if request.aggregate is not None and aggregation is not Aggregation.NONE:
            columns, tail = _grouped(request.aggregate)
        parts = [f"id % {PARTS} = {part}" for part in range(PARTS)]
        if aggregation is Aggregation.FINAL:
            parts = ["TRUE"]
        if pushes == "known":
            parts = ["a < 0", "a = 0", "a > 0", "a IS NULL"]
        specs = [{"columns": columns, "where": [part, *conditions], "tail": tail} for part in parts]
        if pushes != "known":
            return ScanPlan(specs, filters=answers, limited=limited, aggregation=aggregation)
        partitions = [Partition(spec, self._statistics(part)) for spec, part in zip(specs, parts, strict=True)]
        return ScanPlan(partitions, filters=answers, aggregation=aggregation)

    def read_partition(self, partition_spec: Any, options: Any, context: ReadContext) -> pa.Table:
        conditions = list(partition_spec["where"])
        wanted = context.dynamic_filter() if options["pushes"] == "known" else None
        conditions += filter(None, [wanted and wanted.to_sql("duckdb", string_order=True)])
        where = " AND ".join(f"({condition})" for condition in conditions)
        columns = partition_spec["columns"] or "NULL"
        text = f"SELECT {columns} FROM known WHERE {where}{partition_spec['tail']}"
        # A cursor of its own: a connection runs one query at a time.
        found = self._database.cursor().sql(text).to_arrow_table()
        return found if partition_spec["columns"] else found.select([])

    def _statistics(self, part: str) -> Statistics:
        known = ", ".join(f"min({name}), max({name}), count(*) - count({name})" for name in SCHEMA.names)
        cursor = self._database.cursor().execute(f"SELECT count(*), {known} FROM known WHERE {part}")
        rows, *figures = cursor.fetchall()[0]
        marked = [None if figure is None else Exact(figure) for figure in figures]
        columns = [ColumnStatistics(*marked[at : at + 3]) for at in range(0, len(marked), 3)]
        return Statistics(rows=Exact(rows), columns=dict(zip(SCHEMA.names, columns, strict=True)))


def _answers(request: ScanRequest, *, exactly: bool) -> dict[int, Pushdown]:
    answer = Pushdown.EXACT if exactly else Pushdown.INEXACT
    said = [position for position, one in enumerate(request.filters) if one.to_sql("duckdb") is not None]
    return dict.fromkeys(said, answer)


def _first(request: ScanRequest) -> str:
    keys = [
        f"{key.column} {'DESC' if key.descending else 'ASC'} NULLS {'FIRST' if key.nulls_first else 'LAST'}"
        for key in request.order_by
    ]
    return f"{' ORDER BY ' if keys else ''}{', '.join(keys)} LIMIT {request.limit}"


def _grouped(aggregate: Aggregate) -> tuple[str, str]:
    # The database widens sums in its own way.
    types = {pa.int64(): "BIGINT", pa.decimal128(20, 2): "DECIMAL(20, 2)"}
    calls = [(f"{one.function}({one.column or '*'})", one) for one in aggregate.functions]
    computed = [
        f"{f'CAST({call} AS {types[one.type]})' if one.type in types else call} AS {one.name}" for call, one in calls
    ]
    keys = aggregate.group_by
    return ", ".join([*keys, *computed]), f" GROUP BY {', '.join(keys)}" if keys else ""
