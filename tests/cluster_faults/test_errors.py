"""Errors of plug-ins on executors: which are tried again, and what the client is told of the others."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from tests.cluster_faults.watching import held


def test_an_os_error_is_tried_again(session: SparkSession, folder: Path) -> None:
    rows = held(session, folder, fail="once").collect()
    assert sorted(row.k for row in rows) == list(range(4000))
    assert (folder / "failed").exists()


def test_any_other_error_ends_the_query_and_is_told_with_its_traceback(session: SparkSession, folder: Path) -> None:
    with pytest.raises(PySparkException) as caught:
        held(session, folder, fail="value").collect()
    assert "ValueError: partition 0 is no good" in str(caught.value)
    assert "plugins.py" in str(caught.value)
    assert len(list(folder.glob("start-0-*"))) == 1
