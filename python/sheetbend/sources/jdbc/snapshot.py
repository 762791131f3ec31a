"""One state of the database for all partitions of a read.

A transaction exports its state under a name, by which those of the partitions join it. It has to stay open until the
last of them has begun, and is ended then, or some seconds after nobody can begin any more: when the query's options are
gone, which they are after a cancel and a failure too.

Partitions that are read by other processes of the machine say that they have begun by a datagram to a socket whose
address is in their partition spec.
"""

from __future__ import annotations

import secrets
import socket
import threading
import weakref
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from sheetbend.errors import OptionError, SheetbendError
from sheetbend.sources.jdbc.pool import lease

if TYPE_CHECKING:
    from sheetbend.options import Options
    from sheetbend.sources.jdbc.dialects.base import Dialect
    from sheetbend.sources.jdbc.drivers.base import S

__all__ = ["Snapshot", "begun", "export"]

_GRACE_SECONDS = 2.0
"""Partitions may be read in other processes than the one that planned them, which may forget the options before."""
_LONGEST_SECONDS = 600.0
_TELL_SECONDS = 1.0
"""How long a process waits that says it has begun, where the other one stands still."""
_KEPT = "jdbc.snapshot"


class Snapshot(NamedTuple):
    """A state of a database that a transaction holds."""

    name: str
    """As the database calls it."""
    token: str
    """Who knows it may say that a partition has begun."""


@dataclass(slots=True)
class _Held:
    """A transaction that is open for others to join."""

    transaction: ExitStack
    waiting: int
    """How many partitions have not begun."""
    listener: socket.socket
    """Where other processes say that they have begun."""
    timers: list[threading.Timer] = field(default_factory=list)


class _Owner:
    """Lives as long as the query's options."""

    __slots__ = ("__weakref__",)


_held: dict[str, _Held] = {}
"""By the tokens."""
_lock = threading.RLock()
"""May be taken while it is held: the garbage collector, which runs anywhere, ends owners."""


def export(dialect: Dialect[S], options: Options, partitions: int) -> Snapshot | None:
    """A state that ``partitions`` readers are to see; None where there is none to be shared.

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
        token = secrets.token_hex(32)
        held = _Held(opened.pop_all(), partitions, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    with _lock:
        _held[token] = held
    # Where there are no such addresses, other processes are waited for as long as the options are there.
    with suppress(OSError):
        held.listener.bind(_address(token))
        threading.Thread(target=_listen, args=(token, held), name="sheetbend-snapshot", daemon=True).start()
    _release_later(token, held, _LONGEST_SECONDS)
    owner = _Owner()
    weakref.finalize(owner, _release_later, token, held, _GRACE_SECONDS)
    options.kept[_KEPT] = owner
    return Snapshot(name, token)


def begun(snapshot: Snapshot) -> None:
    """Says that one more partition reads the state; its transaction is ended after the last."""
    token = snapshot.token
    if not _count(token):
        # Held by another process, or by none any more.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.settimeout(_TELL_SECONDS)
            sender.sendto(token.encode(), _address(token))


def _count(token: str) -> bool:
    """Counts one partition; False where this process does not hold the state."""
    with _lock:
        held = _held.get(token)
        if held is None:
            return False
        held.waiting -= 1
    if held.waiting == 0:
        _release(token)
    return True


def _listen(token: str, held: _Held) -> None:
    with held.listener:
        # The address can be seen by everybody, the rest of the token by nobody.
        while token in _held:
            if held.listener.recv(len(token)) == token.encode():
                _count(token)


def _address(token: str) -> str:
    """The address of a socket that is in no directory."""
    return f"\0sheetbend-snapshot-{token[:32]}"


def _release_later(token: str, held: _Held, seconds: float) -> None:
    with _lock:
        if token not in _held:
            return
        timer = threading.Timer(seconds, _release, [token])
        timer.daemon = True
        held.timers.append(timer)
    timer.start()


def _release(token: str) -> None:
    with _lock:
        held = _held.pop(token, None)
    if held is not None:
        for timer in held.timers:
            timer.cancel()
        with suppress(OSError):
            held.listener.shutdown(socket.SHUT_RDWR)
        # Where its connection is gone, so is the transaction; and all partitions have begun that will.
        with suppress(SheetbendError):
            held.transaction.close()
