"""Every case has the answer that a real Apache Spark gave; see ``record.py``.

``SHEETBEND_TEST_URL=sc://host:port`` asks a server that runs already, such as a real Spark: then the cases test themselves.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql.connect.session import SparkSession

from tests.spark.cases import TOPICS, Case, answers, data

CASES = [pytest.param(topic, case, id=f"{topic}: {case.name}") for topic, cases in TOPICS.items() for case in cases]
PENDING: dict[str, list[str]] = json.loads((Path(__file__).parent / "pending.json").read_text(encoding="utf-8"))
"""The cases of what is not built yet; ``pending.py`` writes the list."""
RECORDED = {topic: answers.load(topic) for topic in TOPICS}


@pytest.fixture(scope="module")
def asked(request: pytest.FixtureRequest) -> Iterator[SparkSession]:
    """A session that knows the tables of the cases."""
    url = os.environ.get("SHEETBEND_TEST_URL")
    spark = SparkSession.builder.remote(url).create() if url else request.getfixturevalue("spark")
    data.register(spark)
    # Some methods of a frame ask for the active session, which PySpark leaves at one that is stopped already.
    SparkSession._active_session.session = spark
    yield spark
    if url:
        spark.stop()


@pytest.mark.parametrize(("topic", "case"), CASES)
def test_answer(asked: SparkSession, topic: str, case: Case) -> None:
    expected = answers.essence(RECORDED[topic][case.name])
    answer = answers.essence(json.loads(json.dumps(answers.ask(asked, case))))
    if case.differs:
        assert not answers.same(answer, expected), f"it differs no longer, though it should: {case.differs}"
    elif case.name in PENDING.get(topic, ()):
        assert not answers.same(answer, expected), "it is as Spark's now: take it out of pending.json"
    elif not answers.same(answer, expected):
        pytest.fail(_difference(answer, expected), pytrace=False)


def test_every_answer_has_its_case() -> None:
    for topic, cases in TOPICS.items():
        names = [case.name for case in cases]
        assert len(names) == len(set(names)), f"two cases of {topic} have one name"
        assert set(names) == set(RECORDED[topic]), f"record {topic} again"
        assert set(PENDING.get(topic, ())) <= set(names), f"pending.json names cases of {topic} that are none"


def _difference(answer: Any, expected: Any) -> str:
    """Each part of the answer that is another, one line for what was expected and one for what came."""
    lines: list[str] = []
    _collect(answer, expected, "answer", lines)
    return "\n".join(lines[:24])


def _collect(answer: Any, expected: Any, where: str, lines: list[str]) -> None:
    if answers.same(answer, expected):
        return
    if isinstance(answer, dict) and isinstance(expected, dict) and answer.keys() == expected.keys():
        for key, value in expected.items():
            _collect(answer[key], value, f"{where}.{key}", lines)
    elif isinstance(answer, list) and isinstance(expected, list) and len(answer) == len(expected):
        for index, value in enumerate(expected):
            _collect(answer[index], value, f"{where}[{index}]", lines)
    else:
        lines += [
            f"{where}: expected {json.dumps(expected, ensure_ascii=False)}",
            f"{where}:      got {json.dumps(answer, ensure_ascii=False)}",
        ]
