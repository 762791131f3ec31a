"""The examples that Spark documents of each function, and the answers that it gave."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from tests.spark.cases import Case, answers

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.connect.session import SparkSession

EXAMPLES = Path(__file__).parent / "examples.json"
VOLATILE = re.compile(
    r"\b(rand|randn|random|randstr|uniform|uuid|now|shuffle|current_(date|time|timestamp|user)|curdate|localtimestamp"
    r"|session_user|user|version|input_file_\w+|approx_top_k_accumulate|sql_keywords)\s*\(|(?<!to_)unix_timestamp\(\)"
    r"|aes_encrypt\((?!.*unhex)|randomUUID|\b(current_(date|time|timestamp|user)|user)$",
    re.IGNORECASE,
)
"""Queries with another answer each time: their names and types count."""

NO_ARROW = "UNSUPPORTED_DATA_TYPE_FOR_ARROW_CONVERSION"
"""What the client says of intervals of months: their text is asked for."""

Examples = dict[str, dict[str, answers.Answer]]
"""The answers by function and query."""


def load() -> Examples:
    """What was recorded."""
    examples: Examples = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    return examples


def save(examples: Examples) -> None:
    """Writes a line for each query."""
    functions = []
    for name, queries in examples.items():
        lines = ",\n".join(f"  {_json(query)}: {_json(answer)}" for query, answer in queries.items())
        functions.append(f" {_json(name)}: {{\n{lines}\n }}")
    EXAMPLES.write_text("{\n" + ",\n".join(functions) + "\n}\n", encoding="utf-8")


def ask(spark: SparkSession, query: str) -> answers.Answer:
    """What a program can tell of the answer to one query, as JSON has it."""
    ordered = "ORDER BY" in query.upper()
    answer = answers.ask(spark, Case(query, query, ordered=ordered))
    if answer.get("error", {}).get("condition") == NO_ARROW:
        texts = answers.ask(spark, Case(query, lambda spark, _: _texts(spark.sql(query)), ordered=ordered))
        answer = {"schema": _schema(spark.sql(query)), "texts": texts["rows"]}
    if VOLATILE.search(query):
        answer.pop("rows", None)
        answer.pop("texts", None)
    essence: answers.Answer = json.loads(_json(answers.essence(answer)))
    return essence


def _schema(frame: DataFrame) -> list[list[object]]:
    return [[field["name"], field["type"], field["nullable"]] for field in frame.schema.jsonValue()["fields"]]


def _texts(frame: DataFrame) -> DataFrame:
    columns = [f"c{at}" for at in range(len(frame.columns))]
    return frame.toDF(*columns).selectExpr(*(f"CAST({column} AS STRING)" for column in columns))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
