"""A PostgreSQL server of the tests' own: its data, its port and its password, gone when the tests end."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi  # type: ignore[import-untyped]

from tests.support.database import DatabaseServer

__all__ = ["PostgresServer"]

_HOW_TO_INSTALL = "No PostgreSQL server found. Install one: apt-get install postgresql (Debian), or put initdb on PATH."


class PostgresServer(DatabaseServer):
    """A server of PostgreSQL."""

    title = "PostgreSQL"
    protocol = "postgresql"
    owner = "postgres"
    stop_signal = signal.SIGINT

    def __init__(self, settings: Mapping[str, str] | None = None, keep: Path | None = None) -> None:
        """With further settings of the server; its data stay in the directory ``keep``, where that is given."""
        super().__init__("postgres", settings, keep)
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._binaries = _binaries()

    @property
    def conninfo(self) -> str:
        """What libpq connects with."""
        return (
            f"host=127.0.0.1 port={self.port} dbname={self.database} user={self.user} password={self.password} "
            "connect_timeout=5 sslmode=disable"
        )

    @property
    def psql(self) -> list[str]:
        """The command ``psql``, connected, without the statement."""
        conninfo = self.conninfo.replace("connect_timeout=5 ", "")
        return [str(self._binaries / "psql"), "-X", "-q", "-d", conninfo, "-c"]

    def connect(self) -> Any:
        return adbc_driver_postgresql.dbapi.connect(self.conninfo, autocommit=True)

    def busy(self) -> int:
        """How many clients have something under way, a statement or a transaction, this helper apart."""
        clients = "backend_type = 'client backend' AND pid <> pg_backend_pid() AND state IS DISTINCT FROM 'idle'"
        return int(self.execute(f"SELECT count(*) FROM pg_stat_activity WHERE {clients}")[0][0])

    def _initialise(self) -> None:
        secret = self._directory / "password"
        if secret.exists() and (self._directory / "complete").exists():
            self.password = secret.read_text()
            return
        shutil.rmtree(self._directory / "data", ignore_errors=True)
        secret.write_text(self.password)
        self.give(self._directory, secret)
        command = [str(self._binaries / "initdb"), "-D", str(self._directory / "data"), "-U", self.user, "-A"]
        command += ["scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        self._run(command)
        if not self._kept:
            secret.unlink()
        (self._directory / "complete").touch()

    def _command(self) -> list[str]:
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
        return command + [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]


def _binaries() -> Path:
    """The directory of the newest server's programs; Debian keeps them off PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path is None:
        raise RuntimeError(_HOW_TO_INSTALL)
    return Path(on_path).resolve().parent
