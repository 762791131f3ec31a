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

from sheetbend.scan import Aggregation, Pushdown, ScanPlan, ScanRequest

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
    is applied, `all` for all columns whatever is asked, `nothing` for no filter. `final` computes complete groups."""

    def __init__(self) -> None:
        self._database = connect()

    def infer_schema(self, options: Any) -> pa.Schema:
        return SCHEMA

    def plan_partitions(self, options: Any) -> list[dict[str, Any]]:
        raise AssertionError("plan_scan takes its place")

    def plan_scan(self, request: ScanRequest, options: Any) -> ScanPlan:
        pushes = options["pushes"]
        answers = {} if pushes in ("nothing", "all") else self._answers(request, exactly=pushes != "inexact")
        applied = [position for position in answers if pushes != "inexact" or position % 2 == 0]
        parts = [f"id % {PARTS} = {part}" for part in range(PARTS)]
        exact = all(answers.get(position) is Pushdown.EXACT for position in range(len(request.filters)))
        aggregation = Aggregation.NONE
        if request.aggregate is not None and exact and pushes in ("exact", "final"):
            aggregation = Aggregation.FINAL if pushes == "final" else Aggregation.PARTIAL
            parts = ["TRUE"] if pushes == "final" else parts
        limited = request.limit is not None and exact and pushes == "exact"
        columns = request.columns(answers)
        specs = []
        for part in parts:
            conditions = [part, *(str(request.filters[position].to_sql("duckdb")) for position in applied)]
            where = " AND ".join(f"({condition})" for condition in conditions)
            listed = ", ".join(SCHEMA.names if pushes == "all" else columns) or "NULL AS nothing"
            tail = ""
            if aggregation is not Aggregation.NONE:
                listed, tail = self._grouped(request)
            elif limited:
                keys = ", ".join(
                    f"{key.column} {'DESC' if key.descending else 'ASC'} NULLS {'FIRST' if key.nulls_first else 'LAST'}"
                    for key in request.order_by
                )
                tail = f"{f' ORDER BY {keys}' if keys else ''} LIMIT {request.limit}"
            specs.append(
                {"sql": f"SELECT {listed} FROM known WHERE {where}{tail}", "empty": listed.startswith("NULL AS")}
            )
        return ScanPlan(specs, filters=answers, limited=limited, aggregation=aggregation)

    def read_partition(self, partition_spec: Any, options: Any) -> pa.Table:
        # A cursor of its own: a connection runs one query at a time.
        found = self._database.cursor().sql(partition_spec["sql"]).to_arrow_table()
        return found.select([]) if partition_spec["empty"] else found

    @staticmethod
    def _answers(request: ScanRequest, *, exactly: bool) -> dict[int, Pushdown]:
        answer = Pushdown.EXACT if exactly else Pushdown.INEXACT
        said = [position for position, one in enumerate(request.filters) if one.to_sql("duckdb") is not None]
        return dict.fromkeys(said, answer)

    @staticmethod
    def _grouped(request: ScanRequest) -> tuple[str, str]:
        assert request.aggregate is not None
        keys = request.aggregate.group_by
        # The database widens sums in its own way.
        types = {pa.int64(): "BIGINT", pa.decimal128(20, 2): "DECIMAL(20, 2)"}
        calls = [(f"{one.function}({one.column or '*'})", one) for one in request.aggregate.functions]
        computed = [
            f"{f'CAST({call} AS {types[one.type]})' if one.type in types else call} AS {one.name}"
            for call, one in calls
        ]
        return ", ".join([*keys, *computed]), f" GROUP BY {', '.join(keys)}" if keys else ""
