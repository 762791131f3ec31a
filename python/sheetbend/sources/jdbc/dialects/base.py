"""What every dialect has, and the little that they share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from sheetbend.errors import OptionError
from sheetbend.plugin import ArrowStream, ReadContext

if TYPE_CHECKING:
    from sheetbend.options import Options
    from sheetbend.sources.jdbc.column import Column

__all__ = ["BatchIterator", "Dialect", "check_driver", "quote_identifier", "select"]

BatchIterator = Iterator[ArrowStream]
"""Record batches, or whole streams of them: both export ``__arrow_c_stream__`` or ``__arrow_c_array__``."""


class Dialect(Protocol):
    """A database, and how to reach it."""

    utc_suffix: str
    """What marks a timestamp literal as UTC."""

    def quote(self, identifier: str) -> str:
        """The identifier as it stands in SQL."""
        ...

    def column(self, name: str, declared: str) -> Column:
        """The column of that name and declared type, as :meth:`describe` gave it."""
        ...

    def describe(self, relation: str) -> list[Column]:
        """The columns of what stands after FROM, without reading its rows."""
        ...

    def read(
        self, relation: str, columns: Sequence[Column], where: str | None, context: ReadContext | None
    ) -> BatchIterator:
        """The rows as batches of exactly these columns and types. Closed early, it ends its query and connection."""
        ...


def quote_identifier(identifier: str) -> str:
    """The identifier in double quotes, as standard SQL has it."""
    return '"' + identifier.replace('"', '""') + '"'


def select(expressions: Iterable[str], relation: str, where: str | None = None) -> str:
    """A SELECT statement. What stands after FROM and WHERE is the user's own SQL, as in Spark."""
    statement = " ".join(["SELECT", ", ".join(expressions), "FROM", relation])
    # The line break keeps a comment at the end of the relation from swallowing the clause.
    return f"{statement}\nWHERE {where}" if where else statement


def check_driver(options: Options, database: str, classes: tuple[str, ...]) -> None:
    """Refuses a Java class that is not the database's own; the right one is accepted and has no meaning here."""
    given = options.get("driver")
    if given and given.strip() not in classes:
        raise OptionError(
            f"Option 'driver' names a Java class, which is not used here; for jdbc:{database}: leave it out or give "
            f"{' or '.join(classes)}, got '{given}'."
        )
