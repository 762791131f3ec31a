"""The shell examples of `docs/cluster.md` run, on other ports, with the script that follows them."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pyspark.sql import SparkSession

from tests.support.cluster import read_line
from tests.support.server import ROOT

TEXT = (ROOT / "docs" / "cluster.md").read_text()
SHELL = re.findall(r"^```sh\n(sheetbend .*)\n```$", TEXT, re.MULTILINE)
PYTHON = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def arguments(line: str, scheduler: str) -> list[str]:
    """The command, for this interpreter and this cluster."""
    words = line.replace("127.0.0.1:15003", scheduler).split()[1:]
    if words[0] in {"jobs", "executors"}:
        words += ["--scheduler", scheduler]
    return [sys.executable, "-m", "sheetbend.cli", *words]


@contextmanager
def running(command: list[str], folder: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder, env=environment)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        finally:
            process.kill()
            if process.stdout is not None:
                process.stdout.close()


def test_two_shells_on_one_machine(tmp_path: Path) -> None:
    server_line, executor_line, *lists = SHELL
    # The token goes where a user has it.
    environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path / "config")}
    environment.pop("SHEETBEND_CLUSTER_TOKEN", None)
    (tmp_path / "squares.py").write_text(PYTHON[0])
    serve = [*arguments(server_line, ""), "--port", "0", "--scheduler-port", "0"]
    with running(serve, tmp_path, environment) as server:
        url = read_line(server)
        scheduler = read_line(server).rpartition(" ")[2]
        join = [*arguments(executor_line, scheduler), "--drain", "2"]
        with ExitStack() as executors:
            joined = [executors.enter_context(running(join, tmp_path, environment)) for _ in range(3)]
            addresses = {read_line(executor) for executor in joined}
            script = PYTHON[1].replace("sc://127.0.0.1:15002", url)
            # The source is small: a cluster by itself would leave it to the server.
            script = script.replace("reader = ", 'spark.conf.set("spark.sheetbend.runner", "cluster")\nreader = ', 1)
            (tmp_path / "script.py").write_text(script)
            ran = finished([sys.executable, "script.py"], tmp_path, environment)
            assert ran.returncode == 0, ran.stderr
            outputs = [finished(arguments(line, scheduler), tmp_path, environment).stdout for line in lists]
    assert len(outputs) == 2
    assert all(address in outputs[0] for address in addresses)
    assert outputs[1].startswith("NAME")


def finished(command: list[str], folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=100, check=False
    )


def test_a_table_into_files(spark: SparkSession, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "shop.db") as shop:
        shop.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, year INTEGER NOT NULL)")
        shop.executemany("INSERT INTO orders VALUES (?, ?)", [(number, 2020 + number % 3) for number in range(300)])
    script = PYTHON[2].replace("/mnt/shared/orders", str(tmp_path / "orders"))
    exec(script, {"spark": spark, "url": f"jdbc:sqlite:{tmp_path / 'shop.db'}"})
    written = spark.read.parquet(str(tmp_path / "orders")).groupBy("year").count().collect()
    assert sorted(map(tuple, written)) == [(2020, 100), (2021, 100), (2022, 100)]
