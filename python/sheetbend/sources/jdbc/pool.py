"""Connections that are kept for the next query of the same user to the same database."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from sheetbend.errors import SheetbendError

if TYPE_CHECKING:
    from sheetbend.context import TaskContext
    from sheetbend.sources.jdbc.dialects.base import Dialect
    from sheetbend.sources.jdbc.drivers.base import S, Session

__all__ = ["Pool", "connected", "lease"]

_IDLE_SECONDS = 30.0
_MOST_IDLE = 8

_CANCEL_AGAIN_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class _Idle:
    session: Session
    since: float


class Pool:
    """Idle connections by the identity of a dialect, with its credentials. Safe to use from any thread.

    There are at most 8 of one identity; the one that was used last is given out first, and one that nobody has used for
    ``idle_seconds`` is closed. How many are in use is up to the engine, which bounds its readers.
    """

    def __init__(self, idle_seconds: float = _IDLE_SECONDS) -> None:
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._idle: dict[tuple[str, str], list[_Idle]] = {}
        self._sweeper: threading.Timer | None = None

    def take(self, dialect: Dialect[S]) -> S:
        """A connection that is in the state in which it was opened; raises what ``dialect.connect`` does."""
        while dialect.pooled:
            with self._lock:
                kept = self._idle.get(_key(dialect))
                idle = kept.pop() if kept else None
            if idle is None:
                break
            session = cast("S", idle.session)  # of one identity, so of one class
            try:
                session.check()
            except dialect.errors:
                session.close()
            else:
                return session
        return dialect.connect()

    def give(self, dialect: Dialect[S], session: S) -> None:
        """Keeps a connection that has done its work, or closes it."""
        if dialect.pooled:
            try:
                session.reset()
            except dialect.errors:
                session.close()
                return
            with self._lock:
                kept = self._idle.setdefault(_key(dialect), [])
                if len(kept) < _MOST_IDLE:
                    kept.append(_Idle(session, time.monotonic()))
                    self._watch()
                    return
        session.close()

    def close(self) -> None:
        """Closes all idle connections."""
        self._close_older_than(float("inf"))

    def _watch(self) -> None:
        if self._sweeper is None:
            self._sweeper = threading.Timer(self._idle_seconds, self._sweep)
            self._sweeper.daemon = True
            self._sweeper.start()

    def _sweep(self) -> None:
        self._close_older_than(time.monotonic() - self._idle_seconds)
        with self._lock:
            self._sweeper = None
            if self._idle:
                self._watch()

    def _close_older_than(self, moment: float) -> None:
        with self._lock:
            old = [idle for kept in self._idle.values() for idle in kept if idle.since <= moment]
            young = {key: [idle for idle in kept if idle.since > moment] for key, kept in self._idle.items()}
            self._idle = {key: kept for key, kept in young.items() if kept}
        for idle in old:
            idle.session.close()


_pool = Pool()


def _key(dialect: Dialect[S]) -> tuple[str, str]:
    return (dialect.name, dialect.identity)


@contextmanager
def lease(dialect: Dialect[S], context: TaskContext | None = None, pool: Pool = _pool) -> Iterator[S]:
    """A connection for one piece of work; exceptions of the driver leave it as those of the dialect.

    Left by an exception, or by the end of a generator before its last row, the connection is cancelled and closed. A
    cancelled ``context`` cancels the statement.
    """
    try:
        session = pool.take(dialect)
    except dialect.errors as error:
        raise dialect.refused(error) from None
    guard = _Cancel(session)
    try:
        if context is not None:
            context.on_cancel(guard)
        if dialect.init_statement:
            session.execute(dialect.init_statement)
        yield session
    except BaseException as error:
        session.cancel()
        guard.end()
        session.close()
        if isinstance(error, dialect.errors) and not isinstance(error, SheetbendError):
            raise dialect.failure(error) from None
        raise
    guard.end()
    if guard.cancelled:
        # The cancel may still be on its way, and would hit the next statement.
        session.close()
    else:
        pool.give(dialect, session)


def connected(dialect: Dialect[S], prepare: Callable[[S], object]) -> S:
    """A connection of the caller's own, after ``prepare``; exceptions of the driver come as those of the dialect."""
    try:
        session = dialect.connect()
    except dialect.errors as error:
        raise dialect.refused(error) from None
    try:
        prepare(session)
    except dialect.errors as error:
        session.close()
        raise dialect.failure(error) from None
    return session


class _Cancel:
    """Cancels a session as long as it is ours: afterwards it may be another query's.

    A server forgets a cancel that comes between two messages of one statement, so it is repeated until that has ended.
    """

    def __init__(self, session: Session) -> None:
        self.cancelled = False
        self._session: Session | None = session
        self._lock = threading.Lock()

    def __call__(self, again_in: float = _CANCEL_AGAIN_SECONDS) -> None:
        with self._lock:
            if self._session is None:
                return
            self.cancelled = True
            self._session.cancel()
            again = threading.Timer(again_in, self, [2 * again_in])
            again.daemon = True
            again.start()

    def end(self) -> None:
        with self._lock:
            self._session = None
