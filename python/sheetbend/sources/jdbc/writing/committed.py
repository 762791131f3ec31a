"""The writes that this process has committed."""

from __future__ import annotations

from collections import OrderedDict

__all__ = ["Committed"]

_MOST = 1024


class Committed:
    """The names of the last 1,024 writes: a commit that comes again changes nothing."""

    def __init__(self) -> None:
        self._names: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def add(self, name: str) -> None:
        """Remembers one more."""
        self._names[name] = None
        while len(self._names) > _MOST:
            self._names.popitem(last=False)
