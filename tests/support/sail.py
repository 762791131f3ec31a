"""A Sail server process for tests. In a process of its own: a plug-in that it runs holds the interpreter's lock there."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["running_sail"]

_ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 60.0
_STOP_SECONDS = 15.0


@contextmanager
def running_sail() -> Iterator[str]:
    """The URL of a server on a free loopback port; it imports what this process can, and is stopped at the end."""
    paths = [str(_ROOT), *(path for path in sys.path if path)]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.sail"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=_ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "RUST_LOG": "warn"},
    )
    try:
        yield _ready(process)
    finally:
        _stop(process)


def _ready(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        if not selector.select(_START_SECONDS):
            raise AssertionError(f"Sail printed no URL within {_START_SECONDS} s")
    line = process.stdout.readline().strip()
    if not line.startswith("sc://"):
        raise AssertionError(f"Sail printed {line!r} and ended with status {process.poll()}")
    return line


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def _serve() -> None:
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    address = server.listening_address
    assert address is not None
    print(f"sc://{address[0]}:{address[1]}", flush=True)
    sys.stdin.read()  # until the tests end, however they do
    server.stop()


if __name__ == "__main__":
    _serve()
