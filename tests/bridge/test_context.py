"""What a reader is told, and what it can tell: metrics and a log."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sheetbend import _native
from sheetbend.plugin import Metrics, ReadContext
from tests.bridge.plugins import Given, numbers, read


def counting(spec: Any, options: Any, context: ReadContext) -> Any:
    for page in range(3):
        context.metrics.add("pages")
        context.metrics.add("bytes_fetched", 100)
        yield numbers(page)


def test_own_metrics_are_summed_over_partitions() -> None:
    scan = _native.scan(Given(counting, specs=[{}] * 4), {})
    assert pa.RecordBatchReader.from_stream(scan).read_all().num_rows == 12
    assert scan.metrics()["pages"] == 12
    assert scan.metrics()["bytes_fetched"] == 1200
    assert re.search(r"pages=12\b", scan.explain(metrics=True))


def test_metrics_are_counted_from_any_thread() -> None:
    def rows(spec: Any, options: Any, context: ReadContext) -> Any:
        threads = [threading.Thread(target=context.metrics.add, args=("calls", 5)) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [numbers(1)]

    scan = _native.scan(Given(rows), {})
    pa.RecordBatchReader.from_stream(scan).read_all()
    assert scan.metrics()["calls"] == 50


@pytest.mark.parametrize(
    ("name", "count", "said"), [("pages fetched", 1, "must be an identifier"), ("pages", -1, "a metric only grows")]
)
def test_a_metric_that_cannot_be_shown_is_refused(name: str, count: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Metrics().add(name, count)


def test_a_context_of_a_test_counts_for_nobody() -> None:
    context = ReadContext(batch_size=10, partition=0)
    context.metrics.add("pages", 3)
    assert context.deadline is None
    assert context.logger.name == "sheetbend.source"


SECRET = "hunter2-and-more"


def logging_rows(spec: Any, options: Any, context: ReadContext) -> Any:
    context.logger.info("connected to %s with %s", "db", options["password"])
    context.logger.warning("url=%(url)s", {"url": f"postgresql://me:{SECRET}@db/x"})
    try:
        raise ConnectionError(f"refused for {options['password']}")
    except ConnectionError:
        context.logger.exception("again")
    context.logger.debug("%s", Unprintable())
    return [numbers(1)]


class Unprintable:
    def __str__(self) -> str:
        raise AssertionError("a record that nobody wants was made")


def test_the_log_names_the_source_and_keeps_its_secrets(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="sheetbend.source.orders"):
        read(Given(logging_rows), {"password": SECRET}, name="orders")
    records = [record for record in caplog.records if record.name == "sheetbend.source.orders"]
    assert [record.levelname for record in records] == ["INFO", "WARNING", "ERROR"]
    assert records[0].getMessage() == "connected to db with *********(redacted)"
    assert records[1].getMessage() == "url=postgresql://me:*********(redacted)@db/x"
    assert "ConnectionError: refused for *********(redacted)" in records[2].getMessage()
    assert records[2].exc_info is None
    assert SECRET not in caplog.text
    assert {record.funcName for record in records} == {"logging_rows"}


def test_a_record_that_is_badly_made_fails_no_query(caplog: pytest.LogCaptureFixture) -> None:
    def rows(spec: Any, options: Any, context: ReadContext) -> Any:
        context.logger.error("%d pages", SECRET)
        return [numbers(1)]

    assert read(Given(rows), {"password": SECRET}).num_rows == 1
    assert "%d pages ('*********(redacted)',)" in caplog.text


SLOW = """
import sys, time
sys.path.insert(0, {root!r})
from tests.bridge.plugins import Given, numbers, read

def rows(spec, options, context):
    {opening}
    def batches():
        for value in range(3):
            time.sleep(spec["seconds"] if value == 1 else 0)
            yield numbers(value)
    return batches()

specs = [{{"seconds": seconds}} for seconds in (0, {seconds}, 0)]
assert read(Given(rows, specs=specs), {{"password": "xyzzy"}}, name="orders").num_rows == 9
"""


def slow(root: object, threshold: str, *, seconds: float = 0.0, opening: str = "pass") -> list[str]:
    """What is logged while a plug-in is slow."""
    script = SLOW.format(root=str(root), seconds=seconds, opening=opening)
    environment = {**os.environ, "SHEETBEND_SLOW_PLUGIN_SECONDS": threshold}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True, env=environment
    )
    return done.stderr.splitlines()


def test_a_slow_batch_is_warned_about_once_by_name(pytestconfig: pytest.Config) -> None:
    (line,) = slow(pytestconfig.rootpath, "1", seconds=2.5)
    assert "WARN" in line
    said = "Data source orders (tests.bridge.plugins.Given) is slow: read_partition of partition 1 has worked on one batch for"
    assert said in line
    seconds = float(line.partition(said)[2].removesuffix(" s"))
    assert 1 <= seconds < 2.5


def test_a_slow_opening_is_warned_about(pytestconfig: pytest.Config) -> None:
    # Far from each other, for a machine may stand still for half a second.
    lines = slow(pytestconfig.rootpath, "1", opening="time.sleep(2.5)")
    assert len(lines) == 3
    assert all("is slow: read_partition of partition" in line for line in lines)


def test_no_warning_where_none_is_due(pytestconfig: pytest.Config) -> None:
    assert slow(pytestconfig.rootpath, "30", seconds=0.5) == []
    assert slow(pytestconfig.rootpath, "0", seconds=0.5) == []


def test_a_threshold_that_is_no_number_is_told_of(pytestconfig: pytest.Config) -> None:
    (line,) = slow(pytestconfig.rootpath, "soon")
    assert "SHEETBEND_SLOW_PLUGIN_SECONDS must be a number of seconds, got 'soon'" in line


def test_one_thread_watches_all_reads() -> None:
    all_read, counted = threading.Barrier(9, timeout=10), threading.Event()

    def rows(spec: Any, options: Any, context: ReadContext) -> Any:
        all_read.wait()
        assert counted.wait(10)
        return [numbers(1)]

    reading = threading.Thread(target=lambda: read(Given(rows, specs=[{}] * 8)))
    reading.start()
    all_read.wait()
    names = [comm.read_text().strip() for comm in Path("/proc/self/task").glob("*/comm")]
    counted.set()
    reading.join()
    assert names.count("sheetbend-read") >= 8
    assert names.count("sheetbend-watch") == 1
