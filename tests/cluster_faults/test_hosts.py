"""A cluster of several hosts: each in a network namespace, with a cable that can be taken out."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.cluster_faults.watching import Beside, marks
from tests.support.cluster import read_line
from tests.support.hosts import Hosts, joined_hosts, why_not
from tests.support.server import ROOT, wait_until

WHY_NOT = why_not()
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))

NOTICED = 20.0
CLIENT = """
import sys
from pathlib import Path
from pyspark.sql import SparkSession
from pyspark.sql import functions as f
from tests.cluster_faults.watching import held

session = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
session.conf.set("spark.sheetbend.runner", "cluster")
rows = held(session, Path(sys.argv[2]), parts=4).groupBy("g").agg(f.sum("k").alias("total")).collect()
assert sorted(map(tuple, rows)) == [(g, sum(range(g, 4000, 7))) for g in range(7)], rows
session.stop()
"""


@contextmanager
def process(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        yield running
    finally:
        running.kill()
        running.wait()
        assert running.stdout is not None
        running.stdout.close()


class HostedCluster:
    """A server on host 0, and an executor on each of the others."""

    def __init__(self, hosts: Hosts, folder: Path, stack: ExitStack) -> None:
        self.hosts, self.folder, self.stack = hosts, folder, stack
        self.token = ["--token-file", str(folder / "token"), "--python-path", str(ROOT)]
        serve = ["server", "--port", "0", "--cluster", "--scheduler-host", hosts.address(0), "--scheduler-port", "0"]
        server = self.start(0, *serve, *self.token)
        self.url = read_line(server)
        self.scheduler = read_line(server).rpartition(" ")[2]
        assert self.scheduler.startswith(f"{hosts.address(0)}:")

    def start(self, host: int, *arguments: str) -> subprocess.Popen[str]:
        command = self.hosts.command(host, sys.executable, "-m", "sheetbend.cli", *arguments)
        return self.stack.enter_context(process(command))

    def join(self, host: int) -> None:
        work = ["--vcores", "1", "--work-dir", str(self.folder / f"work-{host}")]
        executor = self.start(host, "executor", "--scheduler", self.scheduler, *work, *self.token)
        assert read_line(executor).startswith(f"{self.hosts.address(host)}:")

    def addresses(self) -> set[str]:
        """The hosts of the executors that the server has."""
        list_them = ["executors", "--scheduler", self.scheduler, *self.token[:2]]
        command = self.hosts.command(0, sys.executable, "-m", "sheetbend.cli", *list_them)
        listed = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True, cwd=ROOT).stdout
        return {line.partition(":")[0] for line in listed.splitlines()[1:]}

    def query(self, folder: Path) -> None:
        """Runs a client beside the server."""
        script = folder / "client.py"
        script.write_text(CLIENT)
        command = self.hosts.command(0, "env", f"PYTHONPATH={ROOT}", sys.executable, str(script), self.url, str(folder))
        ran = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
        assert ran.returncode == 0, ran.stderr


@pytest.fixture
def hosted(folder: Path) -> Iterator[HostedCluster]:
    with joined_hosts(3) as hosts, ExitStack() as stack:
        cluster = HostedCluster(hosts, folder, stack)
        for host in (1, 2):
            cluster.join(host)
        yield cluster


def test_a_cable_that_is_taken_out(hosted: HostedCluster, folder: Path) -> None:
    quiet, cut, again = (folder / name for name in ("quiet", "cut", "again"))
    for each in (quiet, cut, again):
        each.mkdir()
    hosted.query(quiet)
    assert len({pid for _, pid in marks(quiet, "end")}) == 2, "both hosts have read"
    (cut / "hold").touch()
    query = Beside(lambda: hosted.query(cut))
    wait_until(lambda: len({pid for _, pid in marks(cut, "start")}) == 2, 60, "both hosts read")
    hosted.hosts.cut(2)
    began = time.monotonic()
    (cut / "hold").unlink()
    query.result(NOTICED + 20)
    assert hosted.addresses() == {hosted.hosts.address(1)}
    assert time.monotonic() - began < NOTICED + 10
    hosted.hosts.mend(2)
    wait_until(lambda: len(hosted.addresses()) == 2, 60, "the host is back")
    hosted.query(again)
    assert len(marks(again, "start")) == 4, "each partition is read once"
