"""The options of isolation: their values, their precedence, and that no plug-in gets them."""

from __future__ import annotations

import os
from typing import Any

import pytest

import sheetbend
from sheetbend import _native
from sheetbend.errors import OptionError, PluginError
from tests.bridge import plugins
from tests.plugin.faults import Faulty
from tests.support.tables import Echo


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"isolation": "fork"}, "Option 'isolation' must be one of thread, process, got 'fork'."),
        ({"isolation_memory": "lots"}, "Option 'isolation_memory' must be a size such as 512m or 2g, got 'lots'."),
        ({"isolation_memory": "0"}, "Option 'isolation_memory' must be a size"),
        ({"isolation_memory": "99999999t"}, "Option 'isolation_memory' must be a size"),
        ({"isolation_python": " "}, "Option 'isolation_python' must be the path of a Python interpreter, got ''."),
        ({"isolation_start_timeout": "soon"}, "Option 'isolation_start_timeout' must be a time above zero"),
        ({"isolation_batch_timeout": "-1"}, "such as 500ms, 30s or 2m, got '-1'."),
        ({"isolation_batch_timeout": "0s"}, "such as 500ms, 30s or 2m, got '0s'."),
        ({"isolation_memroy": "1g"}, "There is no option 'isolation_memroy'. Did you mean 'isolation_memory'"),
    ],
)
def test_a_wrong_value_is_refused(options: dict[str, str], expected: str) -> None:
    with pytest.raises(PluginError) as asked:
        _native.scan(Faulty(), {"isolation": "process", **options})
    assert expected in str(asked.value)
    with pytest.raises(OptionError) as registered:
        sheetbend.Server(port=0, **{"isolation": "process", **options})  # type: ignore[arg-type]
    assert expected in str(registered.value)


def test_options_of_workers_need_workers() -> None:
    message = plugins.failure(Faulty(), {"isolation_memory": "1g"})
    assert "Options that begin with 'isolation_' are for worker processes: give 'isolation' = 'process' too." in message


def test_an_unknown_keyword_is_refused() -> None:
    with pytest.raises(OptionError, match=r"There is no option 'isolated'\. There are: isolation, isolation_python"):
        sheetbend.Server(port=0, isolated="process")  # type: ignore[call-arg]


@pytest.mark.parametrize("mode", ["thread", "process"])
def test_a_plugin_does_not_get_them(mode: str) -> None:
    options = {"Isolation": mode, "isolationLevel": "its own", "a": "b"}
    if mode == "process":
        options["ISOLATION_BATCH_TIMEOUT"] = "1.5 min"
    rows = plugins.read(Echo(), options).to_pylist()
    assert sorted(row["key"] for row in rows) == ["a", "isolationLevel"]


@pytest.mark.parametrize(
    ("query", "registration", "server", "in_worker"),
    [
        (None, None, None, False),
        (None, None, "process", True),
        (None, "thread", "process", False),
        (None, "process", None, True),
        ("thread", "process", "process", False),
        ("process", "thread", None, True),
        ("process", None, None, True),
    ],
)
def test_the_query_comes_before_the_registration_before_the_server(
    query: str | None, registration: str | None, server: str | None, in_worker: bool
) -> None:
    from pyspark.sql import SparkSession

    def said(mode: str | None) -> dict[str, Any]:
        return {} if mode is None else {"isolation": mode}

    with sheetbend.Server(port=0, **said(server)) as running:
        running.register_datasource("faulty", Faulty, **said(registration))
        spark = SparkSession.builder.remote(running.url).create()
        try:
            rows = spark.read.format("faulty").options(**said(query)).load().collect()
            assert (rows[0].pid != os.getpid()) is in_worker
        finally:
            spark.stop()
    assert _native.idle_workers() == 0


def test_the_testing_helpers_refuse_what_is_wrong() -> None:
    with pytest.raises(OptionError, match="must be one of thread, process"):
        _native.scan(Faulty(), {}, isolation={"isolation": "both"})
