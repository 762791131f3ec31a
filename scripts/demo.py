"""`make demo`: a database of orders, a server of its own process, and a stock PySpark client that reads through it.

Exit status 0 where every query worked. Whatever was started is stopped, also on Ctrl-C.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
START_SECONDS = 60
STOP_SECONDS = 15


def main() -> int:
    """Runs the demo; returns its exit status."""
    with tempfile.TemporaryDirectory(prefix="sheetbend-demo-") as directory:
        database = Path(directory) / "orders.db"
        subprocess.run([sys.executable, EXAMPLES / "orders_db.py", database], check=True)
        with _server() as url:
            print(f"server: {url}\n", flush=True)
            started = time.monotonic()
            client = subprocess.run([sys.executable, EXAMPLES / "quickstart.py", url, database], check=False)
            print(f"\nclient: exit status {client.returncode}, {time.monotonic() - started:.1f} s in all")
            return client.returncode


@contextmanager
def _server() -> Iterator[str]:
    """A server that runs while the block does; its URL is what it prints first."""
    command = [sys.executable, str(EXAMPLES / "serve.py")]
    # In a session of its own, so that Ctrl-C reaches this script alone, which then stops the server in order.
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        yield _first_line(process)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            print(f"demo: the server did not stop within {STOP_SECONDS} s and was killed", file=sys.stderr)


def _first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    previous = signal.signal(signal.SIGALRM, _too_late)
    signal.alarm(START_SECONDS)
    try:
        line = process.stdout.readline().strip()
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
    if not line:
        raise SystemExit(f"demo: the server ended with status {process.wait()} before it was ready")
    return line


def _too_late(_number: int, _frame: object) -> None:
    raise SystemExit(f"demo: the server was not ready within {START_SECONDS} s")


if __name__ == "__main__":
    os.chdir(ROOT)
    try:
        status = main()
    except KeyboardInterrupt:
        status = 130
    except subprocess.CalledProcessError as error:
        print(f"demo: {error}", file=sys.stderr)
        status = 1
    sys.exit(status)
