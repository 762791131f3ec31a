"""An executor: a process that runs tasks for a server that has a cluster."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sheetbend.cluster import Tls, installed, python_version, token, trust
from sheetbend.errors import SheetbendError
from sheetbend.signals import until_signalled

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from sheetbend import _native

__all__ = ["Executor", "ExecutorOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorOptions:
    """What an executor offers, and how long it waits."""

    vcores: int | None = None
    """How many partitions it runs at a time; by default one a core."""
    memory: int | None = None
    """The bytes that the engine may take for all tasks; what Python takes comes on top. By default no limit."""
    work_dir: Path | None = None
    """Where what tasks leave is kept until it is fetched; by default the folder for temporary files."""
    bind: str | None = None
    """The address where the server and other executors fetch it; by default the one that reaches the server."""
    port: int = 0
    """The TCP port there; 0 takes a free one."""
    patience: float = 60.0
    """Seconds that the server may be away before the executor gives up."""
    drain: float = 60.0
    """Seconds that it waits, when it is to end, for its tasks and for what they left to be fetched."""
    tls: Tls | None = None
    """What encrypts what goes over, as on the server; by default nothing does."""
    health: tuple[str, int] | None = None
    """The address and port where it tells of its health over HTTP; port 0 takes a free one. By default it does not."""


class Executor:
    """Runs tasks for the server at ``scheduler``, ``host:port``.

    Raises:
        SheetbendError: The options are wrong, or there is no token.
    """

    def __init__(
        self, scheduler: str, *, token_file: Path | None = None, options: ExecutorOptions | None = None
    ) -> None:
        self._scheduler = scheduler
        self._options = options or ExecutorOptions()
        self._token = token(token_file)
        self._native: _native.Executor | None = None

    def start(self) -> Self:
        """Returns when the server has taken the executor in.

        Raises:
            SheetbendError: The server refuses it, or is away for too long.
        """
        from sheetbend import _native  # noqa: PLC0415 - so that plug-ins need no engine

        options = self._options
        try:
            native = _native.Executor(
                self._scheduler,
                trust=trust(self._token, options.tls),
                python=python_version(),
                plugins=installed(),
                vcores=options.vcores or len(os.sched_getaffinity(0)),
                memory=options.memory,
                work_dir=options.work_dir or Path(tempfile.gettempdir()),
                bind=options.bind,
                port=options.port,
                patience=options.patience,
                drain=options.drain,
                health=options.health,
            )
            self.address = native.start()
            self.health = native.health
        except (RuntimeError, ValueError) as error:
            raise SheetbendError(f"The executor cannot start: {error}.") from None
        self._native = native
        return self

    def stop(self) -> None:
        """Ends it when its tasks have ended, and what they left has been fetched. Harmless when stopped."""
        native, self._native = self._native, None
        if native is not None:
            native.stop()
            # Again and again: a signal is handled only between two calls.
            while not native.wait(0.2):
                pass

    def serve_until_signalled(self) -> int:
        """Waits for SIGINT or SIGTERM, then stops. A second signal ends the process at once, with status 128 + signal.

        Returns the number of the signal, 0 where the executor stopped by itself.

        Raises:
            SheetbendError: It ended because the server was away for too long, or refused it.
        """
        return until_signalled(self._has_ended, self.stop)

    def _has_ended(self) -> bool:
        try:
            return self._native is None or self._native.wait(0.0)
        except RuntimeError as error:
            self._native = None
            raise SheetbendError(f"The executor has ended: {error}.") from None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
