"""How executors come and go: refused, drained, and left by their server."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cluster_faults.watching import Beside, has_data, held, marks
from tests.support.cluster import Cluster, running_cluster
from tests.support.server import wait_until
from tests.support.session import cluster_session

UNUSED = "127.0.0.1:9"


def refused(scheduler: str, folder: Path, *arguments: str, token: str = "0123456789abcdef") -> str:
    """What an executor says that may not join."""
    (folder / "token").write_text(token)
    command = [sys.executable, "-m", "sheetbend.cli", "executor", "--scheduler", scheduler, *arguments]
    command += ["--token-file", str(folder / "token"), "--work-dir", str(folder / "refused")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1, ended.stderr
    assert ended.stdout == ""
    assert list((folder / "refused").glob("*")) == [], "it leaves nothing"
    return ended.stderr


def test_one_with_another_token_is_refused(cluster: Cluster, folder: Path) -> None:
    said = refused(cluster.scheduler, folder)
    assert f"the server at {cluster.scheduler} refuses this executor: the cluster's token is missing or wrong" in said


def test_one_without_a_server_gives_up(folder: Path) -> None:
    assert f"no server answers at {UNUSED} for 1s" in refused(UNUSED, folder, "--patience", "1")


def test_two_share_a_folder(cluster: Cluster) -> None:
    assert len(list(cluster.work_dir.glob("executor-*"))) >= 2


def test_one_that_is_to_end_finishes_what_it_runs(folder: Path) -> None:
    with running_cluster(folder, executors=1) as cluster, cluster_session(cluster) as session:
        (folder / "hold").touch()
        query = Beside(held(session, folder, parts=2).collect)
        wait_until(lambda: marks(folder, "start") != set(), 30, "it reads")
        (leaving,) = cluster.executors
        leaving.process.send_signal(signal.SIGTERM)
        staying = cluster.join()
        wait_until(lambda: len(marks(folder, "start")) == 2, 30, "the other one reads")
        (folder / "hold").unlink()
        assert sorted(row.k for row in query.result(30)) == list(range(2000))
        assert {pid for _, pid in marks(folder, "end")} == {leaving.process.pid, staying.process.pid}
        assert len(marks(folder, "start")) == 2, "no partition was read twice"
        assert leaving.process.wait(10) == 0
        assert staying.stop() == 0
        assert list(cluster.work_dir.glob("*")) == []


def test_a_second_signal_ends_it_at_once(folder: Path) -> None:
    with running_cluster(folder, executors=1) as cluster, cluster_session(cluster) as session:
        (folder / "hold").touch()
        query = Beside(held(session, folder, parts=2).collect)
        wait_until(lambda: marks(folder, "start") != set(), 30, "it reads")
        (leaving,) = cluster.executors
        leaving.process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            leaving.process.wait(1)
        leaving.process.send_signal(signal.SIGTERM)
        assert leaving.process.wait(2) == 128 + signal.SIGTERM
        cluster.join()
        (folder / "hold").unlink()
        assert len(query.result(30)) == 2000


def test_executors_join_a_server_that_is_started_again(folder: Path) -> None:
    with running_cluster(folder, executors=2) as first, cluster_session(first) as session:
        # Else it would go on to try to reach a server that is gone.
        session.client.set_retry_policies([])
        (folder / "hold").touch()
        Beside(held(session, folder).collect)
        wait_until(lambda: len(marks(folder, "start")) == 2, 30, "both read")
        first.server.process.kill()
        first.server.process.wait()
        wait_until(
            lambda: marks(folder, "end") == marks(folder, "start"), 5, "the readers of a server that is gone end"
        )
        wait_until(lambda: not has_data(first), 5, "what it has left is gone")
        port = first.scheduler.rpartition(":")[2]
        (folder / "hold").unlink()
        arguments = ["--scheduler-port", port]
        with running_cluster(folder, *arguments, executors=0) as second, cluster_session(second) as again:
            rows = held(again, folder, parts=8).collect()
            assert sorted(row.k for row in rows) == list(range(8000))
            assert [executor.stop() for executor in replace(second, executors=first.executors).executors] == [0, 0]
        assert list(first.work_dir.glob("*")) == []


def test_the_log_is_quiet_in_good_operation(folder: Path) -> None:
    with (
        (folder / "log").open("w") as log,
        running_cluster(folder, log=log) as cluster,
        cluster_session(cluster) as session,
    ):
        assert held(session, folder).count() == 4000
        assert len(held(session, folder).limit(1).collect()) == 1
        (folder / "hold").touch()
        for mark in folder.glob("start-*"):
            mark.unlink()
        query = Beside(held(session, folder).collect)
        wait_until(lambda: bool(marks(folder, "start")), 30, "it reads")
        session.interruptAll()
        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever the client makes of it
            query.result(10)
        assert [executor.stop() for executor in cluster.executors] == [0, 0]
    lines = re.sub(r"\x1b\[[0-9;]*m", "", (folder / "log").read_text()).splitlines()
    assert [line for line in lines if re.search(r"WARN|ERROR|panicked|Traceback", line)] == []
    assert os.path.getsize(folder / "log") < 10_000
