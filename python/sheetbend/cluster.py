"""What the processes of a cluster share: a token, certificates, and the versions of what is installed."""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal

from sheetbend.discovery import GROUP
from sheetbend.errors import SheetbendError

__all__ = [
    "DEFAULT_SCHEDULER_PORT",
    "TOKEN_VARIABLE",
    "ClusterOptions",
    "ExecutorState",
    "Job",
    "Tls",
    "default_token_file",
    "executors",
    "installed",
    "jobs",
    "token",
    "trust",
]

DEFAULT_SCHEDULER_PORT = 15003
"""The port where executors reach a server."""

TOKEN_VARIABLE = "SHEETBEND_CLUSTER_TOKEN"  # noqa: S105 - the name of the variable
"""The environment variable that holds the token of a cluster, where no file does."""


def default_token_file() -> Path:
    """Where the token is kept unless the user says otherwise."""
    config = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(config, "sheetbend", "cluster-token")


def token(file: Path | None = None, *, create: bool = False) -> str:
    """The token of the cluster: from ``file``, else from the environment, else from the default file.

    Args:
        file: A file that holds it, alone on its line.
        create: Whether the file is made, with a new token and for this user alone, where there is none.

    Raises:
        SheetbendError: There is no token, or the file cannot be read.
    """
    value = os.environ.get(TOKEN_VARIABLE, "").strip()
    if file is None and value:
        return value
    path = file or default_token_file()
    if create and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as new:
            new.write(f"{secrets.token_urlsafe(32)}\n")
    try:
        return path.read_text().strip()
    except OSError as error:
        raise SheetbendError(
            f"The token of the cluster is not known: {path} cannot be read ({error.strerror}). Copy it from the "
            f"server's machine, or set {TOKEN_VARIABLE}."
        ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Files, in PEM, by which the processes of a cluster encrypt what they send and prove who they are to each other.

    Each process takes only those for members whose certificate is for the name ``sheetbend`` and comes from the
    authority, whatever the machine is called.
    """

    certificate: Path
    """The certificate of this process, and those between it and the authority."""
    key: Path
    """Its private key."""
    authority: Path
    """The certificate of the cluster's authority."""


def trust(token: str, tls: Tls | None) -> Mapping[str, object]:
    """What the processes of a cluster know each other by, in the form that the engine takes."""
    return {"token": token, "tls": tls and (tls.certificate, tls.key, tls.authority)}


def installed() -> dict[str, str]:
    """The versions of the packages that bring sources, by name: the same on every machine of a cluster."""
    distributions = (entry.dist for entry in entry_points(group=GROUP))
    return {found.name: found.version for found in distributions if found is not None and found.name != "sheetbend"}


def python_version() -> str:
    """The version of Python without its last part, ``3.12``."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterOptions:
    """How a server has executors."""

    host: str = "127.0.0.1"
    """The address where they reach it."""
    port: int = DEFAULT_SCHEDULER_PORT
    """The TCP port there; 0 takes a free one."""
    token: str = field(default_factory=lambda: token(create=True), repr=False)
    """What they show; see :func:`token`."""
    tls: Tls | None = None
    """What encrypts what goes over; by default nothing does."""
    patience: float = 30.0
    """Seconds that a query waits for the first executor."""

    def native(self) -> Mapping[str, object]:
        """The form that the engine takes."""
        return {
            "host": self.host,
            "port": self.port,
            "trust": trust(self.token, self.tls),
            "patience": self.patience,
            "python": python_version(),
            "plugins": installed(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A query that runs on a cluster. A task is one partition."""

    id: str
    name: str
    """The sources that it reads."""
    stage: int
    """The stage that it is at, from 1; 0 before it has been cut into some."""
    stages: int
    done: int
    """Tasks that have ended."""
    running: int
    tasks: int
    """All tasks."""
    rows: int
    """The rows that sources gave to tasks that have ended."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorState:
    """An executor that has joined."""

    id: str
    address: str
    """Where its data is fetched."""
    vcores: int
    """How many tasks it runs at a time."""
    tasks: int
    """How many it runs now."""


def jobs(scheduler: str, token: str, tls: Tls | None = None) -> list[Job]:
    """The queries that run on the cluster of the server at ``scheduler``, ``host:port``, the oldest first.

    Raises:
        SheetbendError: It does not answer, or has another token or authority.
    """
    return [Job(**job) for job in _asked(scheduler, trust(token, tls), "jobs")]


def executors(scheduler: str, token: str, tls: Tls | None = None) -> list[ExecutorState]:
    """The executors that have joined the server at ``scheduler``, ``host:port``.

    Raises:
        SheetbendError: It does not answer, or has another token or authority.
    """
    return [ExecutorState(**executor) for executor in _asked(scheduler, trust(token, tls), "executors")]


def _asked(scheduler: str, trust: Mapping[str, object], what: Literal["jobs", "executors"]) -> list[dict[str, Any]]:
    from sheetbend import _native  # noqa: PLC0415 - so that plug-ins need no engine

    try:
        return [json.loads(item) for item in _native.ask_cluster(scheduler, trust=trust, what=what)]
    except (RuntimeError, ValueError) as error:
        raise SheetbendError(f"The cluster cannot be asked: {error}.") from None
