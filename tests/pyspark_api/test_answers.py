"""Data sources of PySpark's own API answer as on a real Apache Spark; see ``record.py``.

``SHEETBEND_TEST_URL=sc://host:port`` asks a server that runs already, such as a real Spark: then the cases test themselves.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
from pyspark.sql.connect.session import SparkSession

from tests.pyspark_api import answers
from tests.pyspark_api.cases import CASES, Case

RECORDED = answers.load()


@pytest.fixture(scope="module")
def asked(request: pytest.FixtureRequest) -> Iterator[SparkSession]:
    url = os.environ.get("SHEETBEND_TEST_URL")
    spark = SparkSession.builder.remote(url).create() if url else request.getfixturevalue("spark")
    yield spark
    if url:
        spark.stop()


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_answer(asked: SparkSession, case: Case) -> None:
    expected = RECORDED[case.name]
    answer = answers.ask(asked, case)
    if case.differs:
        assert not same(answer, expected), f"it differs no longer, though it should: {case.differs}"
    elif not same(answer, expected):
        pytest.fail(
            f"expected {json.dumps(expected, indent=1)}\n     got {json.dumps(answer, indent=1)}", pytrace=False
        )


def same(answer: dict[str, Any], expected: dict[str, Any]) -> bool:
    """Whether two answers are the same; the message may say more than Spark's."""
    if "error" not in answer or "error" not in expected:
        return answer == expected
    parts = ("error", "condition", "state", "step")
    return all(answer[part] == expected[part] for part in parts) and found(expected["reason"], answer["message"])


def found(reason: str, message: str) -> bool:
    """Whether the message has Spark's reason in it; a condition need not be named again where it is the error's own."""
    return reason in message or re.sub(r"^\[[\w.]+\] ", "", reason) in message


def test_every_answer_has_its_case() -> None:
    assert {case.name for case in CASES} == set(RECORDED), "record the answers again"
    assert len({case.name for case in CASES}) == len(CASES)
