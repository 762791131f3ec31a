"""Answers of queries, and when two of them are the same."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, SparkSession

__all__ = ["RUNNER", "Answer", "answer", "read"]

RUNNER = "spark.sheetbend.runner"
SOURCES = "tests.cluster.sources"


@dataclass(frozen=True)
class Answer:
    """Columns with their types, and rows: in the order of a query that promises one, or else in one of its own."""

    schema: str
    rows: list[tuple[Any, ...]]

    def differs(self, other: Answer) -> str | None:
        """What is not the same, in words. Fractions may differ in their last digits, as sums depend on their order."""
        if self.schema != other.schema:
            return f"{self.schema} is not {other.schema}"
        if len(self.rows) != len(other.rows):
            return f"{len(self.rows)} rows are not {len(other.rows)}"
        pairs = zip(self.rows, other.rows, strict=True)
        return next((f"{row} is not {wanted}" for row, wanted in pairs if not _same(row, wanted)), None)


def answer(frame: DataFrame, *, ordered: bool) -> Answer:
    """What a query gives."""
    table = frame.toArrow()
    rows = list(zip(*(column.to_pylist() for column in table.columns), strict=True))
    return Answer(str(table.schema), rows if ordered else sorted(rows, key=_key))


def read(spark: SparkSession, plugin: str, *, module: str = SOURCES, **options: Any) -> DataFrame:
    """A plug-in by its module and its class."""
    reader = spark.read.format("python").option("python_module", module).option("python_class", plugin)
    return reader.options(**options).load()


def _key(value: Any) -> str:
    if isinstance(value, tuple | list):
        return ",".join(map(_key, value))
    return f"{value + 0.0:.4f}" if isinstance(value, float) else repr(value)


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return (
            left == right
            or (math.isnan(left) and math.isnan(right))
            or math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-9)
        )
    if isinstance(left, tuple | list) and isinstance(right, tuple | list):
        return len(left) == len(right) and all(map(_same, left, right))
    return bool(left == right)
