"""A MariaDB server of the tests' own: its data, its port and its password, gone when the tests end."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Mapping
from typing import Any

import pymysql

from tests.support.database import DatabaseServer

__all__ = ["MariaDBServer"]

_HOW_TO_INSTALL = (
    "No MariaDB server found. Install one: apt-get install mariadb-server (Debian), or put mariadbd on PATH."
)


class MariaDBServer(DatabaseServer):
    """A server of MariaDB."""

    title = "MariaDB"
    protocol = "mariadb"
    owner = "mysql"
    stop_signal = signal.SIGTERM

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        """With further settings of the server."""
        super().__init__("shop", settings)

    def connect(self) -> Any:
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

    def _initialise(self) -> None:
        # Run at every start.
        first = self._directory / "first.sql"
        first.write_text(
            f"CREATE DATABASE IF NOT EXISTS {self.database} CHARACTER SET utf8mb4;\n"
            f"CREATE USER IF NOT EXISTS {self.user}@'%' IDENTIFIED BY '{self.password}';\n"
            f"GRANT ALL ON *.* TO {self.user}@'%' WITH GRANT OPTION;\n"
            "DELETE FROM mysql.global_priv WHERE User = 'root';\n"
            "FLUSH PRIVILEGES;\n"
        )
        self.give(self._directory, first)
        command = [_program("mariadb-install-db"), "--no-defaults", f"--datadir={self._directory / 'data'}"]
        command += ["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"]
        self._run([*command, "--innodb-log-file-size=8M"])

    def _command(self) -> list[str]:
        settings = {
            "datadir": str(self._directory / "data"),
            "bind-address": "127.0.0.1",
            "port": str(self.port),
            "socket": str(self._directory / "socket"),
            "pid-file": str(self._directory / "pid"),
            "init-file": str(self._directory / "first.sql"),
            "skip-name-resolve": "ON",
            "debug-no-sync": "ON",
            "innodb-flush-log-at-trx-commit": "0",
            "innodb-log-file-size": "64M",
            "performance-schema": "OFF",
            "max-connections": "50",
            **self._settings,
        }
        return [_program("mariadbd"), "--no-defaults", *(f"--{key}={value}" for key, value in settings.items())]


def _program(name: str) -> str:
    """A program of the server; Debian keeps the server itself off the PATH of users."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]))
    if found is None:
        raise RuntimeError(_HOW_TO_INSTALL)
    return found
