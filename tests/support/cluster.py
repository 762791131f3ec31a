"""A cluster for tests: a server process, and executor processes that can be killed and replaced."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from tests.support.server import ROOT, START_SECONDS, STOP_SECONDS, ServerProcess, running_server

__all__ = ["Cluster", "ExecutorProcess", "read_line", "running_cluster"]


@dataclass(frozen=True)
class ExecutorProcess:
    """An executor that has joined."""

    process: subprocess.Popen[str]
    address: str

    def kill(self) -> None:
        """Ends it as a power cut does."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Has it end as it should, and returns its status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)


@dataclass
class Cluster:
    """A server that runs, and its executors."""

    server: ServerProcess
    scheduler: str
    token_file: Path
    work_dir: Path
    vcores: int
    python_path: Path
    log: IO[str] | None = None
    executors: list[ExecutorProcess] = field(default_factory=list)

    @property
    def url(self) -> str:
        """What a client connects to."""
        return self.server.url

    def join(self, *arguments: str, within: Sequence[str] = ()) -> ExecutorProcess:
        """One more executor, which has joined when this returns; ``within`` is a command that executes another."""
        command = [*within, sys.executable, "-m", "sheetbend.cli", "executor", "--scheduler", self.scheduler]
        command += [
            "--vcores",
            str(self.vcores),
            "--token-file",
            str(self.token_file),
            "--work-dir",
            str(self.work_dir),
        ]
        command += ["--python-path", str(self.python_path), "--drain", "5", *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True, cwd=self.python_path)
        executor = ExecutorProcess(process, read_line(process))
        self.executors.append(executor)
        return executor


@contextmanager
def running_cluster(
    folder: Path,
    *server_arguments: str,
    executors: int = 2,
    vcores: int = 1,
    python_path: Path = ROOT,
    log: IO[str] | None = None,
) -> Iterator[Cluster]:
    """A cluster on free ports; ``folder`` is for its token and for what tasks leave. All of it is stopped at the end."""
    token_file = folder / "cluster-token"
    arguments = ["--cluster", "--scheduler-port", "0", "--token-file", str(token_file), *server_arguments]
    with running_server(*arguments, python_path=python_path, log=log) as server:
        scheduler = read_line(server.process).rpartition(" ")[2]
        cluster = Cluster(server, scheduler, token_file, folder / "work", vcores, python_path, log)
        try:
            for _ in range(executors):
                cluster.join()
            yield cluster
        finally:
            for executor in cluster.executors:
                if executor.process.poll() is None:
                    executor.process.kill()
                executor.process.wait()
                if executor.process.stdout is not None:
                    executor.process.stdout.close()


def read_line(process: subprocess.Popen[str]) -> str:
    """The next line that a process prints."""
    lines: list[str] = []
    # A thread, as the text of the line may lie in a buffer already, of which no selector knows.
    reader = threading.Thread(target=lambda: lines.append(_read(process)), daemon=True)
    reader.start()
    reader.join(START_SECONDS)
    if not lines or not lines[0]:
        raise AssertionError(f"a process of the cluster printed nothing; its status is {process.poll()}")
    return lines[0]


def _read(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()
