"""What the database servers of the tests have in common: whom they run as, where they listen, how they come and go."""

from __future__ import annotations

import abc
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["DatabaseServer"]

_START_SECONDS = 60.0


class DatabaseServer(abc.ABC):
    """Starts a server on loopback when entered and removes it when left.

    A server refuses to run as root: where the tests do, it runs as :attr:`owner`, whom Debian's package makes.
    """

    title: ClassVar[str]
    protocol: ClassVar[str]
    """The subprotocol in the URL."""
    owner: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]
    """Ends the server at once, though clients keep idle connections."""
    user = "tester"

    def __init__(self, database: str, settings: Mapping[str, str] | None, directory: Path | None = None) -> None:
        """With further settings of the server; its data stay in ``directory``, where that is given."""
        self.password = secrets.token_urlsafe(18)
        self.port = _free_port()
        self.database = database
        self._settings = dict(settings or {})
        self._kept = directory is not None
        self._directory = directory or Path(tempfile.mkdtemp(prefix=f"sheetbend-{self.protocol}-", dir="/tmp"))
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Any = None
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """The JDBC URL, without user and password."""
        return f"jdbc:{self.protocol}://127.0.0.1:{self.port}/{self.database}"

    @property
    def options(self) -> dict[str, str]:
        """What a reader needs beside the table."""
        return {"url": self.url, "user": self.user, "password": self.password}

    @property
    def log(self) -> str:
        """What the server has logged since it was started."""
        return (self._directory / "log").read_text(errors="replace")

    @property
    def pid(self) -> int:
        """The server's process."""
        assert self._process is not None
        return self._process.pid

    @abc.abstractmethod
    def connect(self) -> Any:
        """A connection of the caller's own, with all privileges, which commits each statement."""

    def execute(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Runs one statement with all privileges; returns its rows."""
        with self._lock:
            if self._connection is None:
                self._connection = self.connect()
            with self._connection.cursor() as cursor:
                cursor.execute(sql, parameters or None)
                return [tuple(row) for row in cursor.fetchall()] if cursor.description else []

    def reconnect(self) -> None:
        """Has the next statement run on a new connection, after the server has ended them all."""
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def give(self, *paths: Path) -> None:
        """Has files and directories belong to whom the server runs as."""
        owner = self._as_owner()
        for path in paths if owner else ():
            os.chown(path, owner["user"], owner["group"])

    def kill(self) -> None:
        """Ends the server at once, as a crash does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def restart(self) -> None:
        """Ends the server, and starts it again where it was."""
        self._end()
        self._start()

    def __enter__(self) -> Self:
        try:
            self._initialise()
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stops the server and removes all that it wrote. A second call does nothing."""
        self._end()
        if not self._kept:
            shutil.rmtree(self._directory, ignore_errors=True)

    @abc.abstractmethod
    def _initialise(self) -> None:
        """Makes the directory of the data, and the user."""

    @abc.abstractmethod
    def _command(self) -> Sequence[str]:
        """What starts the server, in the foreground."""

    def _start(self) -> None:
        with (self._directory / "log").open("wb") as log:
            self._process = subprocess.Popen(self._command(), stdout=log, stderr=log, cwd="/", **self._as_owner())
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.execute("SELECT 1")
                return
            except Exception:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{self.title} did not start:\n{self.log}") from None
                time.sleep(0.05)

    def _end(self) -> None:
        self.reconnect()
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(self.stop_signal)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _run(self, command: Sequence[str]) -> None:
        """Runs a program of the server to its end."""
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", **self._as_owner())
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed: {done.stderr}{done.stdout}")

    def _as_owner(self) -> dict[str, Any]:
        """The arguments of :class:`subprocess.Popen` by which root runs something as the owner.

        Raises:
            KeyError: there is no such user, as its package is not installed.
        """
        if os.geteuid() != 0:
            return {}
        found = pwd.getpwnam(self.owner)
        return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}


def _free_port() -> int:
    """A port of loopback that nobody listens at."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
