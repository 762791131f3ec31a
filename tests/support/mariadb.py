"""A MariaDB server of the tests' own: its data, its port and its password, gone when the tests end."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import pymysql

from tests.support.database import as_owner, free_port, give

__all__ = ["MariaDBServer"]

_HOW_TO_INSTALL = (
    "No MariaDB server found. Install one: apt-get install mariadb-server (Debian), or put mariadbd on PATH."
)
_START_SECONDS = 60.0
_USER = "mysql"


class MariaDBServer:
    """Starts a server on loopback when entered and removes it when left.

    A server refuses to run as root: where the tests do, it runs as the user ``mysql``, which Debian's package makes.
    """

    user = "tester"

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        self.password = secrets.token_urlsafe(18)
        self.port = free_port()
        self.database = "shop"
        self._settings = dict(settings or {})
        self._directory = Path(tempfile.mkdtemp(prefix="sheetbend-maria-", dir="/tmp"))
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Any = None
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """The JDBC URL, without user and password."""
        return f"jdbc:mariadb://127.0.0.1:{self.port}/{self.database}"

    @property
    def options(self) -> dict[str, str]:
        """What a reader needs beside the table."""
        return {"url": self.url, "user": self.user, "password": self.password}

    @property
    def log(self) -> str:
        """What the server has logged up to now."""
        return (self._directory / "log").read_text(errors="replace")

    def execute(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Runs one statement with all privileges; returns its rows."""
        with self._lock:
            if self._connection is None:
                self._connection = self.connect()
            with self._connection.cursor() as cursor:
                cursor.execute(sql, parameters or None)
                return [tuple(row) for row in cursor.fetchall()]

    def connect(self) -> Any:
        """A connection of the caller's own, which commits each statement."""
        return pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user=self.user,
            password=self.password,
            database=self.database,
            charset="utf8mb4",
            autocommit=True,
            connect_timeout=5,
        )

    def running(self) -> list[str]:
        """The statements that other connections run at this moment."""
        rows = self.execute(
            "SELECT info FROM information_schema.processlist WHERE id <> connection_id() AND user = %s "
            "AND command IN ('Query', 'Execute')",
            self.user,
        )
        return [str(row[0]) for row in rows]

    def connections(self) -> int:
        """How many clients are connected, this helper apart."""
        others = "user = %s AND id <> connection_id()"
        return int(self.execute(f"SELECT count(*) FROM information_schema.processlist WHERE {others}", self.user)[0][0])

    def kill(self) -> None:
        """Ends the server at once, as a crash does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> MariaDBServer:
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
        if connection is not None and connection.open:
            connection.close()
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _initialise(self) -> None:
        first = self._directory / "first.sql"
        first.write_text(
            f"CREATE DATABASE {self.database} CHARACTER SET utf8mb4;\n"
            f"CREATE USER {self.user}@'%' IDENTIFIED BY '{self.password}';\n"
            f"GRANT ALL ON *.* TO {self.user}@'%' WITH GRANT OPTION;\n"
            "DELETE FROM mysql.global_priv WHERE User = 'root';\n"
            "FLUSH PRIVILEGES;\n"
        )
        give(_USER, self._directory, first)
        command = [_program("mariadb-install-db"), "--no-defaults", f"--datadir={self._directory / 'data'}"]
        command += ["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"]
        command += ["--innodb-log-file-size=8M"]
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", **as_owner(_USER))
        if done.returncode:
            raise RuntimeError(f"mariadb-install-db failed: {done.stderr}{done.stdout}")

    def _start(self) -> None:
        first = self._directory / "first.sql"
        settings = {
            "datadir": str(self._directory / "data"),
            "bind-address": "127.0.0.1",
            "port": str(self.port),
            "socket": str(self._directory / "socket"),
            "pid-file": str(self._directory / "pid"),
            "init-file": str(first),
            "skip-name-resolve": "ON",
            "debug-no-sync": "ON",
            "innodb-flush-log-at-trx-commit": "0",
            "innodb-log-file-size": "64M",
            "performance-schema": "OFF",
            "max-connections": "50",
            **self._settings,
        }
        command = [_program("mariadbd"), "--no-defaults", *(f"--{key}={value}" for key, value in settings.items())]
        with (self._directory / "log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", **as_owner(_USER))
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.execute("SELECT 1")
                break
            except pymysql.MySQLError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"MariaDB did not start:\n{self.log}") from None
                time.sleep(0.05)
        first.unlink()


def _program(name: str) -> str:
    """A program of the server; Debian keeps the server itself off the PATH of users."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]))
    if found is None:
        raise RuntimeError(_HOW_TO_INSTALL)
    return found
