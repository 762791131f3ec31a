"""`sheetbend.Server`: a server inside the process that starts it."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest
from pyspark.sql import SparkSession

import sheetbend
from sheetbend.errors import PluginError, SheetbendError
from tests.support import faulty, tables


def count(url: str, name: str) -> int:
    session = SparkSession.builder.remote(url).create()
    try:
        return session.read.format(name).load().count()
    finally:
        session.stop()


def test_a_server_takes_a_free_port_and_gives_it_back() -> None:
    with sheetbend.Server(port=0) as server:
        assert server.url.startswith("sc://127.0.0.1:")
        port = int(server.url.rpartition(":")[2])
        assert port > 0
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_two_servers_at_the_same_time() -> None:
    with sheetbend.Server(port=0) as first, sheetbend.Server(port=0) as second:
        first.register_datasource("numbers", tables.Numbers)
        second.register_datasource("numbers", tables.Nothing)
        assert count(first.url, "numbers") == 10
        assert count(second.url, "numbers") == 0


def test_an_instance_or_a_class_before_and_after_the_start() -> None:
    server = sheetbend.Server(port=0)
    server.register_datasource("before", tables.Numbers())
    with server:
        server.register_datasource(name="After", datasource=tables.Numbers)
        assert count(server.url, "before") == 10
        assert count(server.url, "after") == 10
        server.register_datasource("after", tables.Nothing)
        assert count(server.url, "after") == 0


def test_a_server_is_started_again() -> None:
    server = sheetbend.Server(port=0)
    server.register_datasource("numbers", tables.Numbers)
    for _ in range(2):
        with server:
            assert count(server.url, "numbers") == 10
        with pytest.raises(SheetbendError, match="not started"):
            _ = server.url
    server.stop()


def test_a_server_that_runs_is_not_started_twice() -> None:
    with sheetbend.Server(port=0) as server, pytest.raises(SheetbendError, match="runs already"):
        server.start()


def test_no_thread_is_left() -> None:
    before = set(threading.enumerate())
    with sheetbend.Server(port=0) as server:
        server.register_datasource("numbers", tables.Numbers)
        assert count(server.url, "numbers") == 10
    assert not [thread for thread in set(threading.enumerate()) - before if "sheetbend" in thread.name]


def test_a_port_that_is_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use") as caught:
        sheetbend.Server(port=taken.getsockname()[1]).start()
    assert caught.value.errno is not None


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.1", "::", "example.org"])
def test_a_host_that_others_reach_is_refused(host: str) -> None:
    with pytest.raises(SheetbendError, match=r"clients must show a token|no IP address"):
        sheetbend.Server(host)


@pytest.mark.parametrize(
    ("datasource", "words"),
    [
        (faulty.WithoutMethods, "lacks infer_schema, plan_partitions and read_partition"),
        (faulty.WithoutPartitions(), "lacks plan_partitions"),
        (faulty.ConstructorRaises, "no licence found"),
        (None, "lacks infer_schema"),
        (tables, "lacks infer_schema"),
    ],
)
def test_what_is_no_source_is_refused_at_once(datasource: Any, words: str) -> None:
    with pytest.raises(PluginError, match=words):
        sheetbend.Server(port=0).register_datasource("mine", datasource)


def test_a_method_with_other_arguments_is_refused() -> None:
    class Odd(tables.Numbers):
        def infer_schema(self) -> Any:  # type: ignore[override]
            return self.SCHEMA

    with pytest.raises(PluginError, match=r"infer_schema.*expected infer_schema\(self, options\)"):
        sheetbend.Server(port=0).register_datasource("odd", Odd)


def test_a_third_argument_may_be_there_or_not() -> None:
    server = sheetbend.Server(port=0)
    server.register_datasource("with", tables.Blocked)
    server.register_datasource("without", tables.Numbers)


@pytest.mark.parametrize("name", ["", "two words", "python", "Python", "1st", "a/b", 3])
def test_a_name_that_is_none_is_refused(name: Any) -> None:
    with pytest.raises(PluginError):
        sheetbend.Server(port=0).register_datasource(name, tables.Numbers)


def test_the_list_of_sources() -> None:
    server = sheetbend.Server(port=0)
    server.register_datasource("Numbers", tables.Numbers)
    server.register_datasource("jdbc", tables.Echo)
    listed = {source.name: source for source in server.list_datasources()}
    assert {"jdbc", "numbers", "rest", "s3"} <= set(listed)
    assert listed["numbers"].origin == "registered"
    assert isinstance(listed["jdbc"].plugin, tables.Echo)
    assert listed["s3"].origin == "built-in"
    assert all(source.error is None for source in listed.values())


def test_a_source_that_cannot_be_loaded_says_why_to_a_query(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sheetbend.discovery.BUILT_IN, "torn", "no_such_module:Source")
    with sheetbend.Server(port=0) as server:
        with pytest.raises(Exception, match="no_such_module") as caught:
            count(server.url, "torn")
    assert "could not be loaded" in str(caught.value)
