"""Errors of plug-ins on executors: which are tried again, and what the client is told of the others."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from tests.cluster_faults.watching import Beside, held, marks
from tests.support.server import wait_until


def test_an_os_error_is_tried_again(session: SparkSession, folder: Path) -> None:
    rows = held(session, folder, fail="once").collect()
    assert sorted(row.k for row in rows) == list(range(4000))
    assert (folder / "failed").exists()


@pytest.mark.parametrize("spread", [False, True])
def test_an_executor_where_the_source_always_fails_leaves_it_to_the_other(
    session: SparkSession, folder: Path, spread: bool
) -> None:
    (folder / "hold-1").touch()
    frame = held(session, folder, fail="one", parts=8)
    frame = frame.groupBy("k").count() if spread else frame
    query = Beside(lambda: sorted(row.k for row in frame.collect()))
    wait_until(
        lambda: (folder / "failed").exists() and bool(marks(folder, "start") - marks(folder, "end")), 30, "it waits"
    )
    # Longer than an executor waits for itself, however often it has failed.
    time.sleep(6)
    (folder / "hold-1").unlink()
    assert query.result(30) == list(range(8000))


def test_any_other_error_ends_the_query_and_is_told_with_its_traceback(session: SparkSession, folder: Path) -> None:
    with pytest.raises(PySparkException) as caught:
        held(session, folder, fail="value").collect()
    assert "ValueError: partition 0 is no good" in str(caught.value)
    assert "plugins.py" in str(caught.value)
    assert len(list(folder.glob("start-0-*"))) == 1
