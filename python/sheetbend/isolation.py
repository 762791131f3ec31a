"""Where the code of plug-ins runs: in the server's process, or in processes of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["IsolationOptions", "as_options"]


class IsolationOptions(TypedDict, total=False):
    """What can be said of isolation for a server or a source. A query can say it too, by options of these names."""

    isolation: Literal["thread", "process"]
    """``thread``, the default: on threads of the server. ``process``: in worker processes, so that a crash costs one
    task and not the server."""
    isolation_python: str
    """The interpreter of the workers, which may belong to another virtual environment; the server's own by default."""
    isolation_memory: str
    """How much address space a worker may take: ``512m``, ``2g``. No limit by default."""
    isolation_start_timeout: str | float
    """How long a worker may take to start, in seconds or as ``2m``; 30 seconds by default."""
    isolation_batch_timeout: str | float
    """How long a plug-in may take for one batch, or for any other answer. No limit by default."""


def as_options(**isolation: Unpack[IsolationOptions]) -> dict[str, str]:
    """The same as options of a query: texts."""
    return {name: str(value) for name, value in isolation.items()}
