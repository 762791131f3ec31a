"""What every connection can do."""

from __future__ import annotations

import abc
from typing import Any, TypeVar

__all__ = ["S", "Session"]


class Session(abc.ABC):
    """One open connection, used by one reader or writer at a time.

    Every method but :meth:`cancel` and :meth:`close` raises the exceptions of the driver, which the dialect lists in
    ``errors`` and translates. How rows are streamed is the affair of each driver and its dialect: a session has a
    method for it that its dialect calls.
    """

    @abc.abstractmethod
    def execute(self, sql: str) -> None:
        """Runs a statement that gives no rows."""

    @abc.abstractmethod
    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a small query, such as one of the catalog, as Python values."""

    @abc.abstractmethod
    def cancel(self) -> None:
        """Has the database end the statement that runs. Called by another thread; never raises, also when closed."""

    @abc.abstractmethod
    def close(self) -> None:
        """Closes the connection; never raises. A second call does nothing."""

    def check(self) -> None:
        """Asks the server for a sign of life; raises where there is none. Called before a kept connection is used."""
        self.execute("SELECT 1")

    def reset(self) -> None:  # noqa: B027 - most have no state
        """Brings a connection back to the state in which it was opened, or raises. Called before it is kept."""


S = TypeVar("S", bound=Session)
"""The class of a dialect's sessions."""
