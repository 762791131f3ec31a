"""Plug-ins that write down each read, for the process of a server and for those of its executors."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import os
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sheetbend import OptionSpec
from sheetbend.scan import ScanPlan, ScanRequest

ROWS = 40
TEXTS = (None, "", "a", "B", "ab", "ä", "it's", "x\\y")
START = dt.datetime(2024, 3, 9, 22, tzinfo=dt.timezone.utc)
SCHEMA = pa.schema(
    [
        pa.field("k", pa.int64(), nullable=False),
        ("g", pa.int32()),
        ("s", pa.string()),
        ("d", pa.decimal128(12, 2)),
        ("f", pa.float64()),
        ("b", pa.bool_()),
        ("day", pa.date32()),
        ("at", pa.timestamp("us", "UTC")),
        ("xs", pa.list_(pa.int32())),
        ("m", pa.map_(pa.string(), pa.int32())),
        ("st", pa.struct([("x", pa.int32()), ("y", pa.string())])),
    ]
)


def row(k: int) -> dict[str, Any]:
    """The row of this key: each column has NULL in it, no order and some values more than once."""
    return {
        "k": k,
        "g": None if k % 11 == 10 else k % 7,
        "s": TEXTS[k * 5 % len(TEXTS)],
        "d": None if k % 13 == 5 else Decimal(k * 37 % 1001 - 500) / 4,
        "f": None if k % 17 == 3 else (k * 29 % 64 - 32) / 8,
        "b": (None, True, False)[k % 3],
        "day": dt.date(2024, 2, 27) + dt.timedelta(k % 5),
        # Around the hour that New York leaves out.
        "at": START + dt.timedelta(hours=k % 24, microseconds=k),
        "xs": None if k % 5 == 4 else list(range(k % 4)),
        "m": {} if k % 6 == 5 else {"k": k, "g": k % 3},
        "st": None if k % 9 == 8 else {"x": k % 4, "y": TEXTS[k % len(TEXTS)]},
    }


def note(log: str, **what: Any) -> None:
    """Adds a line to a log that many processes write to."""
    with Path(log).open("a") as file:
        file.write(json.dumps({"process": os.getpid(), **what}) + "\n")


def noted(log: Path) -> list[dict[str, Any]]:
    """The lines of such a log."""
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


class Rows:
    """Rows of :func:`row`, 40 a partition, in batches of 15; the option `table` tells one reading from another."""

    OPTIONS = (
        OptionSpec("partitions", "how many", "integer", default="8"),
        OptionSpec("table", "what the log calls it", default="rows"),
        OptionSpec("log", "a file that each read is added to"),
    )

    def infer_schema(self, options: Mapping[str, str]) -> pa.Schema:
        return SCHEMA

    def plan_partitions(self, options: Mapping[str, str]) -> list[dict[str, int]]:
        return [{"part": part} for part in range(int(options.get("partitions", "8")))]

    def read_partition(self, spec: Mapping[str, int], options: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        if "log" in options:
            note(options["log"], table=options.get("table", "rows"), part=spec["part"])
        first = spec["part"] * ROWS
        for start in range(first, first + ROWS, 15):
            keys = range(start, min(start + 15, first + ROWS))
            yield pa.RecordBatch.from_pylist([row(k) for k in keys], schema=SCHEMA)


class Failing(Rows):
    """Rows whose partition 5 raises."""

    def read_partition(self, spec: Mapping[str, int], options: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        if spec["part"] == 5:
            raise LookupError("the fifth is not there")
        yield from super().read_partition(spec, options)


class Guarded:
    """One row a partition, with the length of the secret that it was given, and the process that read it."""

    OPTIONS = (OptionSpec("password", "a secret", secret=True), OptionSpec("fail", "whether it raises", "boolean"))
    SCHEMA = pa.schema([("length", pa.int64()), ("process", pa.int64())])

    def infer_schema(self, options: Mapping[str, str]) -> pa.Schema:
        return self.SCHEMA

    def plan_partitions(self, options: Mapping[str, str]) -> list[dict[str, int]]:
        return [{"part": part} for part in range(4)]

    def read_partition(self, spec: Mapping[str, int], options: Mapping[str, str]) -> pa.Table:
        if options.get("fail") == "true":
            raise PermissionError(f"refused {options['password']}")
        return pa.table({"length": [len(options["password"])], "process": [os.getpid()]}, schema=self.SCHEMA)


class Parquet:
    """The columns that are asked for of a Parquet file, its rows in four partitions."""

    OPTIONS = (OptionSpec("file", "the path", required=True),)

    def infer_schema(self, options: Mapping[str, str]) -> pa.Schema:
        return pq.read_schema(options["file"])

    def plan_partitions(self, options: Mapping[str, str]) -> list[dict[str, Any]]:
        raise AssertionError("plan_scan takes its place")

    def plan_scan(self, request: ScanRequest, options: Mapping[str, str]) -> ScanPlan:
        rows = pq.read_metadata(options["file"]).num_rows
        bounds = [rows * part // 4 for part in range(5)]
        columns = list(request.columns({}))
        return ScanPlan([{"columns": columns, "rows": [first, end]} for first, end in itertools.pairwise(bounds)])

    def read_partition(self, spec: Mapping[str, Any], options: Mapping[str, str]) -> pa.Table:
        first, end = spec["rows"]
        # Without a column a table knows how many rows it has only by those it had.
        table = pq.read_table(options["file"]).slice(first, end - first)
        return table.select(spec["columns"])
