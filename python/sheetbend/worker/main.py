"""The life of a worker process."""

from __future__ import annotations

import faulthandler
import fcntl
import os
import resource
import signal
import sys
from pathlib import Path
from typing import NoReturn

from sheetbend.worker.connection import Connection

PROTOCOL = 1
"""The version of the messages; the server's is in ``protocol.rs``."""


def main(address: str) -> None:
    """Serves the server that listens on the Unix socket ``address``, until that says so or goes away."""
    _end_with_the_server()
    _keep_output_apart()
    faulthandler.enable(all_threads=False)
    # A core file holds what the memory holds, secrets too.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    connection = Connection(address)
    received = connection.receive()
    if received is None:
        sys.exit("The server went away.")
    begin, _ = received
    if begin["protocol"] != PROTOCOL:
        sys.exit(
            f"The worker speaks version {PROTOCOL} of the protocol, the server version {begin['protocol']}: the "
            "package was updated while the server ran. Start the server again."
        )
    paths = begin["paths"]
    sys.path[:] = paths if begin["own_paths"] else [*sys.path, *(path for path in paths if path not in sys.path)]
    _import_pyarrow()
    _limit_memory(begin["memory"])
    connection.send({"type": "ready", "protocol": PROTOCOL})

    from sheetbend.worker.service import Service  # noqa: PLC0415 - it imports pyarrow

    Service(connection, _leave).serve()


def _leave() -> NoReturn:
    os._exit(0)


def _end_with_the_server() -> None:
    """Has the kernel kill this process when the server ends, even while native code holds the interpreter.

    Standard input is a pipe that nothing is written to; its other end closes when the server is gone.
    """
    lifeline = os.dup(0)
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - for its descriptor
        os.dup2(nothing.fileno(), 0)
    if hasattr(fcntl, "F_SETSIG"):
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)


def _keep_output_apart() -> None:
    """What is printed goes where errors go: the server reads it from there."""
    os.dup2(2, 1)
    sys.stdout = sys.stderr


def _import_pyarrow() -> None:
    try:
        import pyarrow  # noqa: F401, PLC0415
    except ImportError as error:
        sys.exit(f"A worker needs pyarrow, which {sys.executable} does not import: {error}. Install it there.")


def _limit_memory(limit: int | None) -> None:
    if limit is None:
        return
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    if taken >= limit:
        sys.exit(
            f"isolation_memory is {limit >> 20} MiB, but Python with pyarrow takes {taken >> 20} MiB of address space "
            "before the plug-in is loaded. Allow more."
        )
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
