"""A PostgreSQL server of the tests' own: its data, its port and its password, gone when the tests end."""

from __future__ import annotations

import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import adbc_driver_postgresql.dbapi  # type: ignore[import-untyped]

from tests.support.database import as_owner, free_port, give

__all__ = ["PostgresServer"]

_HOW_TO_INSTALL = "No PostgreSQL server found. Install one: apt-get install postgresql (Debian), or put initdb on PATH."
_START_SECONDS = 60.0
_USER = "postgres"


class PostgresServer:
    """Starts a server on loopback when entered and removes it when left.

    A server refuses to run as root: where the tests do, it runs as the user ``postgres``, which Debian's package makes.
    """

    user = "tester"

    def __init__(self, settings: Mapping[str, str] | None = None, keep: Path | None = None) -> None:
        """With further settings of the server; its data stay in the directory ``keep``, where that is given."""
        self.password = secrets.token_urlsafe(18)
        self.port = free_port()
        self.database = "postgres"
        self._binaries = _binaries()
        self._settings = dict(settings or {})
        self._keep = keep
        self._directory = keep or Path(tempfile.mkdtemp(prefix="sheetbend-pg-", dir="/tmp"))
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Any = None
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """The JDBC URL, without user and password."""
        return f"jdbc:postgresql://127.0.0.1:{self.port}/{self.database}"

    @property
    def options(self) -> dict[str, str]:
        """What a reader needs beside the table."""
        return {"url": self.url, "user": self.user, "password": self.password}

    @property
    def log(self) -> str:
        """What the server has logged up to now."""
        return (self._directory / "log").read_text(errors="replace")

    @property
    def psql(self) -> list[str]:
        """The command ``psql``, connected, without the statement."""
        return [
            str(self._binaries / "psql"),
            "-X",
            "-q",
            "-d",
            self._conninfo().replace("connect_timeout=5 ", ""),
            "-c",
        ]

    def execute(self, sql: str) -> list[tuple[Any, ...]]:
        """Runs one statement as the superuser; returns its rows."""
        with self._lock:
            if self._connection is None:
                self._connection = adbc_driver_postgresql.dbapi.connect(self._conninfo(), autocommit=True)
            with self._connection.cursor() as cursor:
                cursor.execute(sql)
                return [tuple(row) for row in cursor.fetchall()] if cursor.description else []

    def busy(self) -> int:
        """How many clients have something under way, a statement or a transaction, this helper apart."""
        clients = "backend_type = 'client backend' AND pid <> pg_backend_pid() AND state IS DISTINCT FROM 'idle'"
        return int(self.execute(f"SELECT count(*) FROM pg_stat_activity WHERE {clients}")[0][0])

    def reconnect(self) -> None:
        """Has the next statement run on a new connection, after the server has ended them all."""
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def give(self, path: Path) -> None:
        """Lets the server write to a directory."""
        give(_USER, path)

    def __enter__(self) -> PostgresServer:
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
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        process, self._process = self._process, None
        if process is not None:
            # At once, though clients keep idle connections.
            process.send_signal(signal.SIGINT)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._keep is None:
            shutil.rmtree(self._directory, ignore_errors=True)

    def _initialise(self) -> None:
        secret = self._directory / "password"
        if secret.exists() and (self._directory / "complete").exists():
            self.password = secret.read_text()
            return
        shutil.rmtree(self._directory / "data", ignore_errors=True)
        secret.write_text(self.password)
        give(_USER, self._directory, secret)
        command = [str(self._binaries / "initdb"), "-D", str(self._directory / "data"), "-U", self.user, "-A"]
        command += ["scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", **as_owner(_USER))
        if done.returncode:
            raise RuntimeError(f"initdb failed: {done.stderr}")
        if self._keep is None:
            secret.unlink()
        (self._directory / "complete").touch()

    def _start(self) -> None:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self._directory),
            "fsync": "off",
            "log_connections": "on",
            "max_connections": "50",
            **self._settings,
        }
        command = [str(self._binaries / "postgres"), "-D", str(self._directory / "data")]
        command += [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        with (self._directory / "log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", **as_owner(_USER))
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.execute("SELECT 1")
                return
            except Exception:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"PostgreSQL did not start:\n{self.log}") from None
                time.sleep(0.1)

    def _conninfo(self) -> str:
        return (
            f"host=127.0.0.1 port={self.port} dbname={self.database} user={self.user} password={self.password} "
            "connect_timeout=5 sslmode=disable"
        )


def _binaries() -> Path:
    """The directory of the newest server's programs; Debian keeps them off PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path is None:
        raise RuntimeError(_HOW_TO_INSTALL)
    return Path(on_path).resolve().parent
