"""One state of the database for all partitions of a read.

A transaction exports its state under a name, by which those of the partitions join it. It has to stay open until the
last of them has begun, and is ended then, or some seconds after nobody can begin any more: when the query's options are
gone, which they are after a cancel and a failure too.
"""

from __future__ import annotations

import threading
import weakref
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sheetbend.errors import OptionError, SheetbendError
from sheetbend.sources.jdbc.pool import lease

if TYPE_CHECKING:
    from sheetbend.options import Options
    from sheetbend.sources.jdbc.dialects.base import Dialect
    from sheetbend.sources.jdbc.drivers.base import S

__all__ = ["begun", "export"]

_GRACE_SECONDS = 2.0
"""Partitions may be read in other processes than the one that planned them, which may forget the options before."""
_LONGEST_SECONDS = 600.0
_KEPT = "jdbc.snapshot"


@dataclass(slots=True)
class _Held:
    """A transaction that is open for others to join."""

    transaction: ExitStack
    waiting: int
    """How many partitions have not begun."""
    timers: list[threading.Timer] = field(default_factory=list)


class _Owner:
    """Lives as long as the query's options."""

    __slots__ = ("__weakref__",)


_held: dict[str, _Held] = {}
_lock = threading.Lock()


def export(dialect: Dialect[S], options: Options, partitions: int) -> str | None:
    """The name of a state that ``partitions`` readers are to see; None where there is none to be shared.

    Raises:
        OptionError: ``consistency`` is ``snapshot``, and the database has nothing of the kind.
    """
    wanted = options.get("consistency", "auto").lower()
    if wanted == "none" or partitions < 2:
        return None
    if not dialect.snapshots:
        if wanted == "auto":
            return None
        raise OptionError(
            f"Option 'consistency': jdbc:{dialect.name}: has no snapshot that several connections can read. Read one "
            "partition (partitioning=none), which sees one state, or do without (consistency=none)."
        )
    with ExitStack() as opened:
        session = opened.enter_context(lease(dialect))
        opened.callback(dialect.end, session)
        try:
            name = dialect.export(session)
        except dialect.errors as error:
            if wanted == "auto":
                return None
            raise dialect.failure(error) from None
        held = _Held(opened.pop_all(), partitions)
    with _lock:
        _held[name] = held
    _release_later(name, held, _LONGEST_SECONDS)
    owner = _Owner()
    weakref.finalize(owner, _release_later, name, held, _GRACE_SECONDS)
    options.kept[_KEPT] = owner
    return name


def begun(name: str) -> None:
    """Says that one more partition reads the state; its transaction is ended after the last."""
    with _lock:
        held = _held.get(name)
        if held is None:
            return
        held.waiting -= 1
    if held.waiting == 0:
        _release(name)


def _release_later(name: str, held: _Held, seconds: float) -> None:
    with _lock:
        if name not in _held:
            return
        timer = threading.Timer(seconds, _release, [name])
        timer.daemon = True
        held.timers.append(timer)
    timer.start()


def _release(name: str) -> None:
    with _lock:
        held = _held.pop(name, None)
    if held is not None:
        for timer in held.timers:
            timer.cancel()
        # Where its connection is gone, so is the transaction; and all partitions have begun that will.
        with suppress(SheetbendError):
            held.transaction.close()
