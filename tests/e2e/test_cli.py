"""The command `sheetbend`."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from tests.support.server import ROOT, running_server
from tests.support.tables import lines


def command(*arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(path or "")}
    return subprocess.run(
        [Path(sys.executable).with_name("sheetbend"), *arguments],
        capture_output=True,
        text=True,
        env=environment,
        cwd=ROOT,
        timeout=60,
        check=False,
    )


def package(directory: Path, name: str, entry: str) -> None:
    """An installed package, as far as entry points go."""
    metadata = directory / f"{name}-1.2.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    (metadata / "entry_points.txt").write_text(f"[sheetbend.datasources]\n{entry}\n")


def test_version() -> None:
    done = command("--version")
    assert done.returncode == 0
    assert re.fullmatch(r"sheetbend \d+\.\d+\.\d+\S*\n", done.stdout)


@pytest.mark.parametrize("arguments", [["--help"], ["server", "--help"], ["sources", "--help"]])
def test_help(arguments: list[str]) -> None:
    done = command(*arguments)
    assert done.returncode == 0
    assert done.stdout.startswith("usage: sheetbend")


def test_no_command_is_an_error() -> None:
    done = command()
    assert done.returncode == 2
    assert "usage: sheetbend" in done.stderr


def test_sources_lists_the_built_in_ones_with_their_options() -> None:
    done = command("sources")
    assert done.returncode == 0, done.stdout
    for name in ("jdbc", "rest", "s3"):
        assert re.search(rf"^{name}  sheetbend\.sources\.\S+  \(built-in\)$", done.stdout, re.MULTILINE)
    assert re.search(r"^    partitionColumn \(string", done.stdout, re.MULTILINE)


def test_sources_lists_those_of_packages_and_why_one_fails(tmp_path: Path) -> None:
    package(tmp_path, "good", "mine = tests.support.tables:Numbers")
    package(tmp_path, "torn", "torn = no_such_module:Source")
    package(tmp_path, "half", "half = tests.support.faulty:WithoutPartitions")
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    done = command("sources", path=tmp_path)
    assert done.returncode == 1
    assert re.search(r"^mine  tests\.support\.tables\.Numbers  \(good 1\.2\)$", done.stdout, re.MULTILINE)
    assert re.search(r"^torn  \(torn 1\.2\)\n    cannot be loaded: .*no_such_module", done.stdout, re.MULTILINE)
    assert re.search(r"^half  \(half 1\.2\)\n    cannot be loaded: .*plan_partitions", done.stdout, re.MULTILINE)
    assert "built-in" in done.stdout


def test_sources_reports_a_name_that_is_claimed_twice(tmp_path: Path) -> None:
    package(tmp_path, "first", "mine = tests.support.tables:Numbers")
    package(tmp_path, "second", "mine = tests.support.tables:Echo")
    package(tmp_path, "third", "jdbc = tests.support.tables:Echo")
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    done = command("sources", path=tmp_path)
    assert done.returncode == 1
    assert "first 1.2 and by second 1.2" in done.stdout
    assert "third 1.2 and by built-in" in done.stdout
    assert re.search(r"^jdbc  sheetbend\.sources\.jdbc\S*  \(built-in\)$", done.stdout, re.MULTILINE)


def test_a_host_that_others_reach_is_refused() -> None:
    done = command("server", "--host", "0.0.0.0", "--port", "0")
    assert done.returncode == 1
    assert "clients must show a token" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "70000"], "65535"),
        (["--port", "high"], "high"),
        (["--register", "numbers"], "NAME=MODULE:CLASS"),
        (["--register", "python=a:B"], "python"),
        (["--detached-timeout", "soon"], "soon"),
    ],
)
def test_arguments_that_are_wrong(arguments: list[str], words: str) -> None:
    done = command("server", *arguments)
    assert done.returncode == 2
    assert words in done.stderr


def test_a_class_to_register_that_is_not_there() -> None:
    done = command("server", "--port", "0", "--register", "n=tests.support.tables:Numbres")
    assert done.returncode == 1
    assert "Numbres" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = command("server", "--port", str(port))
    assert done.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_server(number: signal.Signals) -> None:
    with running_server() as server:
        session = SparkSession.builder.remote(server.url).create()
        assert session.range(3).count() == 3
        session.client.close()
        server.process.send_signal(number)
        assert server.process.wait(10) == 0


def test_a_signal_stops_what_runs(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running_server() as server:
        session = SparkSession.builder.remote(server.url).create()
        reader = session.read.format("python").option("python_module", "tests.support.tables")
        rows = reader.option("python_class", "Endless").option("log", str(log)).load().toLocalIterator()
        assert next(rows)["n"] == 0
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10) == 0
        session.client.close()
    assert lines(log) == ["open", "closed"]


def test_the_working_directory_is_where_modules_are_found(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text((ROOT / "examples" / "weather.py").read_text())
    with running_server(python_path=tmp_path) as server:
        session = SparkSession.builder.remote(server.url).create()
        reader = session.read.format("python").option("python_module", "mine")
        assert reader.option("python_class", "WeatherDataSource").load().count() == 3655
        session.stop()
