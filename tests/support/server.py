"""A `sheetbend server` process for tests, and what the system knows about it."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

__all__ = ["ROOT", "ServerProcess", "running_server", "wait_until"]

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0
STOP_SECONDS = 15.0


@dataclass(frozen=True)
class ServerProcess:
    """A server that runs, and that clients can connect to."""

    process: subprocess.Popen[str]
    url: str

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def threads(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def connections(self) -> int:
        """Connections of TCP that the process holds; the socket it listens on is not one."""
        sockets = set()
        for descriptor in Path(f"/proc/{self.process.pid}/fd").iterdir():
            try:
                target = os.readlink(descriptor)
            except FileNotFoundError:
                continue
            if target.startswith("socket:["):
                sockets.add(target[8:-1])
        established = "01"
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(row[9] in sockets and row[3] == established for row in rows)

    def memory(self, field: str = "VmRSS") -> int:
        """Bytes of memory: ``VmRSS`` resident now, ``VmHWM`` at its peak."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) * 1024
        raise LookupError(field)


@contextmanager
def running_server(*arguments: str, python_path: Path = ROOT, log: IO[str] | None = None) -> Iterator[ServerProcess]:
    """A server on a free port, with further arguments of the command; it is stopped by its process id at the end.

    Its standard error goes to ``log``, if there is one.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "sheetbend.cli", "server", "--port", "0", "--python-path", str(python_path), *arguments],
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        cwd=python_path,
    )
    try:
        yield ServerProcess(process, _ready(process))
    finally:
        _stop(process)


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Waits for a condition, and fails the test where it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.02)


def _ready(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        if not selector.select(START_SECONDS):
            raise AssertionError(f"the server printed no URL within {START_SECONDS} s")
    line = process.stdout.readline().strip()
    if not line.startswith("sc://"):
        raise AssertionError(f"the server printed {line!r} and ended with status {process.poll()}")
    return line


def _stop(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        status = process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise AssertionError(f"the server did not stop within {STOP_SECONDS} s of SIGTERM") from None
    finally:
        if process.stdout is not None:
            process.stdout.close()
    if status not in (0, -signal.SIGKILL):
        raise AssertionError(f"the server ended with status {status}")
