"""What a server answers to a case, in a form that is kept: ``answers.json``."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from pyspark.errors import PySparkException
from pyspark.sql.connect.session import SparkSession

from tests.pyspark_api.cases import Case

ANSWERS = Path(__file__).parent / "answers.json"

_MODULE = re.compile(r"^(?:[\w]+\.)+(?=[A-Z])")
_CONDITION_FIRST = re.compile(r"^\w+: (?=\[)")


def ask(spark: SparkSession, case: Case) -> dict[str, Any]:
    """The result, or the error: its class, condition and SQLSTATE, Spark's name of the step, and its message."""
    try:
        return {"result": json.loads(json.dumps(case.ask(spark)))}
    except PySparkException as error:
        parameters = error.getMessageParameters() or {}
        return {
            "error": type(error).__name__,
            "condition": error.getCondition(),
            "state": error.getSqlState(),
            "step": [parameters[key] for key in ("action", "type") if key in parameters],
            "message": str(error),
        }


def reason(message: str) -> str:
    """The last line of a Python traceback without the module of the exception; else the first line of the message."""
    text = message.partition("\n\nJVM stacktrace:")[0].strip()
    text = re.sub(r"\s*SQLSTATE: \w+.*$", "", text, flags=re.DOTALL).rstrip()
    if "Traceback (most recent call last)" not in text:
        return text.splitlines()[0] if text else ""
    last = text.splitlines()[-1]
    return _CONDITION_FIRST.sub("", _MODULE.sub("", last))


def load() -> dict[str, dict[str, Any]]:
    """Spark's answers by the name of the case."""
    answers: dict[str, dict[str, Any]] = json.loads(ANSWERS.read_text(encoding="utf-8"))
    return answers


def save(answers: dict[str, dict[str, Any]]) -> None:
    """Writes them, one line each; of a message only its reason."""
    for answer in answers.values():
        if "message" in answer:
            answer["reason"] = reason(answer.pop("message"))
    lines = (f"{json.dumps(name)}: {json.dumps(answer, ensure_ascii=False)}" for name, answer in answers.items())
    ANSWERS.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
