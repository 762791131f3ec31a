"""A column of a table or query, and the relation that it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from sheetbend.errors import OptionError

if TYPE_CHECKING:
    from sheetbend.options import Options

__all__ = ["Column", "find_column", "relation_of"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the database declares it and as it is read.

    ``declared`` is the database's own text for the type; with it, a dialect finds ``type`` again, so that a partition
    spec needs no other form of an Arrow type.
    """

    name: str
    declared: str
    type: pa.DataType
    never_null: bool = False
    """Known to hold no NULL; only planning asks."""

    @property
    def field(self) -> pa.Field:
        """The Arrow field. Always nullable, as in Spark: a constraint does not hold for every query over the table."""
        return pa.field(self.name, self.type, nullable=True)


def relation_of(options: Options) -> str:
    """What stands after FROM: ``dbtable`` as it was written, or ``query`` as a subquery.

    Raises:
        OptionError: neither or both of them are given, or ``query`` is given with ``partitionColumn``.
    """
    table = options.get("dbtable", "").strip().rstrip(";").rstrip()
    query = options.get("query", "").strip().rstrip(";").rstrip()
    if table and query:
        raise OptionError("Options 'dbtable' and 'query' exclude each other: give one of them.")
    if table:
        return table
    if not query:
        raise OptionError("Option 'dbtable' or 'query' is required.")
    if options.get("partitionColumn"):
        raise OptionError(
            "Options 'query' and 'partitionColumn' exclude each other. Give the query as a subquery with an alias in "
            "'dbtable' instead, such as dbtable = \"(select ...) t\", and a column of it as 'partitionColumn'."
        )
    # The line break keeps a comment at the end of the query from swallowing the parenthesis.
    return f"({query}\n) sheetbend_query"


def find_column(name: str, columns: Sequence[Column], option: str) -> Column:
    """The column called ``name``, by its exact name or else without regard to case, with or without double quotes.

    Raises:
        OptionError: there is none, or there are several and none is spelled exactly so.
    """
    bare = name.strip()
    if len(bare) >= 2 and bare[0] == bare[-1] == '"':
        bare = bare[1:-1].replace('""', '"')
    exact = [column for column in columns if column.name in (name, bare)]
    near = exact or [column for column in columns if column.name.lower() == bare.lower()]
    if len(near) == 1:
        return near[0]
    names = ", ".join(repr(column.name) for column in columns)
    what = "names several columns" if near else "is no column of the table"
    raise OptionError(f"Option '{option}': {name!r} {what}. The columns are: {names}.")
