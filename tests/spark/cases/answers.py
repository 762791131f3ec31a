"""Asking a case, and an answer as JSON: kinds of values stay apart, so that 1, 1.0 and "1" do."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.errors import PySparkException

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

    from .model import Case

ANSWERS = Path(__file__).parent.parent / "answers"
CONF = {"spark.sql.session.timeZone": "UTC", "spark.sql.ansi.enabled": "true"}
"""What every case runs under, unless it says otherwise; set once for the session."""

Answer = dict[str, Any]


def ask(spark: SparkSession, case: Case) -> Answer:
    """The answer to ``case``: of a data frame its schema and rows, of anything else the value, or the error."""
    from pyspark.sql import functions
    from pyspark.sql.connect.dataframe import DataFrame

    with _configured(spark, case.conf):
        try:
            result = spark.sql(case.run) if isinstance(case.run, str) else case.run(spark, functions)
            if not isinstance(result, DataFrame):
                return {"value": result}
            return {"schema": _schema(result), "rows": _rows(result, ordered=case.ordered)}
        except PySparkException as error:
            return {"error": _error(error)}


def load(topic: str) -> dict[str, Answer]:
    """The recorded answers of one topic, by case."""
    path = ANSWERS / f"{topic}.json"
    answers: dict[str, Answer] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return answers


def save(topic: str, answers: dict[str, Answer]) -> None:
    """Writes the answers of one topic, a line for each, so that a change shows as one."""
    lines = (f"{_json(name)}: {_json(answer)}" for name, answer in answers.items())
    (ANSWERS / f"{topic}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def essence(answer: Answer) -> Answer:
    """What must be the same of an answer: of an error what a program can catch it by, which its wording is not.

    Nor is nullability: an engine that knows more of a column may promise more.
    """
    if "error" in answer:
        return {"error": {key: answer["error"][key] for key in ("class", "condition", "sqlState")}}
    if "schema" in answer:
        return {**answer, "schema": [[name, _without_nullability(kind)] for name, kind, _ in answer["schema"]]}
    return answer


def _without_nullability(kind: object) -> object:
    if isinstance(kind, dict):
        dropped = {"nullable", "containsNull", "valueContainsNull"}
        return {key: _without_nullability(value) for key, value in kind.items() if key not in dropped}
    return [_without_nullability(item) for item in kind] if isinstance(kind, list) else kind


def same(left: object, right: object) -> bool:
    """Whether two answers are one: exactly, but for the last digit of a double, which mathematical libraries disagree on."""
    match left, right:
        case dict(), dict():
            return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
        case ((list() | tuple()), (list() | tuple())):
            return len(left) == len(right) and all(map(same, left, right))
        case float(), float():
            return math.isclose(left, right, rel_tol=1e-14) and math.copysign(1, left) == math.copysign(1, right)
    return type(left) is type(right) and left == right


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


@contextmanager
def _configured(spark: SparkSession, conf: Mapping[str, str]) -> Iterator[None]:
    for key, value in conf.items():
        spark.conf.set(key, value)
    try:
        yield
    finally:
        for key in conf:
            if key in CONF:
                spark.conf.set(key, CONF[key])
            else:
                spark.conf.unset(key)


def _schema(frame: Any) -> list[list[object]]:
    return [[field["name"], field["type"], field["nullable"]] for field in frame.schema.jsonValue()["fields"]]


def _rows(frame: Any, *, ordered: bool) -> list[list[object]]:
    # Arrow instead of collect(): timestamps are instants in UTC there, whatever the time zone of this process.
    table = frame.toArrow()
    columns = [[_value(value) for value in column.to_pylist()] for column in table.columns]
    rows = [list(row) for row in zip(*columns, strict=True)] if columns else [[] for _ in range(table.num_rows)]
    return rows if ordered else sorted(rows, key=_json)


def _value(value: object) -> object:
    match value:
        case None | bool() | str() | int():
            return value
        case float():
            return value if math.isfinite(value) else {"double": str(value)}
        case Decimal():
            return {"decimal": format(value, "f")}
        case dt.datetime():
            kind = "timestamp" if value.tzinfo else "timestamp_ntz"
            return {kind: value.replace(tzinfo=None).isoformat(sep=" ")}
        case dt.date():
            return {"date": value.isoformat()}
        case dt.timedelta():
            return {"interval": str(value)}
        case bytes():
            return {"binary": value.hex()}
        case dict():
            return {"struct": {key: _value(item) for key, item in value.items()}}
        case tuple() | list():
            return [_value(item) for item in value]
    raise TypeError(f"no JSON for {type(value).__name__}")


def _error(error: PySparkException) -> dict[str, object]:
    return {
        "class": type(error).__name__,
        "condition": error.getCondition(),
        "sqlState": error.getSqlState(),
        "parameters": {key: _stable(text) for key, text in sorted((error.getMessageParameters() or {}).items())},
        "message": _headline(str(error)),
    }


def _headline(message: str) -> str:
    """The sentence of the error: what follows shows the plan or the place in the query, which engines draw as they like."""
    message = message.strip()  # Errors of the parser begin with an empty line.
    end = re.search(r"SQLSTATE: \w{5}", message)
    return _stable(message[: end.end()] if end else message.partition("\n")[0])


def _stable(text: str) -> str:
    """The text without the numbers that Spark gives to columns and plans as it goes."""
    return re.sub(r"#\d+L?", "#n", text)
