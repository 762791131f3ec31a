"""A table or query of a database, and its columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from sheetbend.errors import OptionError

__all__ = ["Column", "Table", "find_column"]


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


@dataclass(frozen=True, slots=True)
class Table:
    """What a catalog says of a relation, which is what stands after FROM."""

    relation: str
    columns: tuple[Column, ...]
    is_plain: bool = False
    """Whether it is one table that stores its rows, and no view, query or parent of partitions."""
    rows: int | None = None
    """How many rows it has, about; None is unknown."""
    pages: int | None = None
    """How many pages it has, where the dialect cuts by pages; None is unknown."""
    key: str | None = None
    """The one column of whole numbers that is its primary key; None where there is none, or it is unknown."""

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema."""
        return pa.schema([column.field for column in self.columns])

    def column(self, name: str) -> Column:
        """The column of exactly this name; raises :class:`KeyError` where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


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
