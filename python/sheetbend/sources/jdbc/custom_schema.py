"""Types that the user gives columns: ``customSchema`` and ``preferTimestampNTZ``."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from sheetbend.errors import OptionError
from sheetbend.sources.jdbc.spark_types import spark_type
from sheetbend.sources.jdbc.table import find_column
from sheetbend.sources.jdbc.types import INSTANT, WALL_CLOCK

if TYPE_CHECKING:
    import pyarrow as pa

    from sheetbend.options import Options
    from sheetbend.sources.jdbc.dialects.base import Dialect
    from sheetbend.sources.jdbc.drivers.base import S
    from sheetbend.sources.jdbc.table import Table

__all__ = ["retyped"]

_FIELD = re.compile(r"\s*(?:`((?:[^`]|``)+)`|([^\s`,:]+))(?:\s+|\s*:\s*)([A-Za-z_]+\s*(?:\([^()]*\))?)\s*(,|$)")


def retyped(dialect: Dialect[S], table: Table, options: Options) -> Table:
    """The table with the types that the options ask for.

    Raises:
        OptionError: ``customSchema`` cannot be read, names no column, or a type that the database cannot make of it.
    """
    wanted: dict[str, pa.DataType] = {}
    if not options.boolean("preferTimestampNTZ", default=True):
        wanted = {column.name: INSTANT for column in table.columns if column.type == WALL_CLOCK}
    for name, kind in _fields(options.get("customSchema", "")):
        wanted[find_column(name, table.columns, "customSchema").name] = kind
    columns = []
    for column in table.columns:
        kind = wanted.get(column.name, column.type)
        cast = column if kind == column.type else dialect.cast(column, kind)
        if cast is None:
            raise OptionError(
                f"Option 'customSchema': jdbc:{dialect.name}: cannot read column '{column.name}', which is "
                f"{column.declared}, as {kind}. Cast it in 'query' instead."
            )
        columns.append(replace(cast, never_null=column.never_null))
    return replace(table, columns=tuple(columns))


def _fields(text: str) -> list[tuple[str, pa.DataType]]:
    found = []
    position, more = 0, bool(text.strip())
    while more:
        field = _FIELD.match(text, position)
        kind = None if field is None else spark_type(_without_length(field[3]))
        if field is None or kind is None:
            raise OptionError(
                f"Option 'customSchema' must be columns and their types, as in 'id DECIMAL(38, 0), name STRING', got "
                f"'{text[position:].strip()[:60]}'."
            )
        found.append(((field[1] or "").replace("``", "`") or field[2], kind))
        position, more = field.end(), field[4] == ","
    return found


def _without_length(name: str) -> str:
    return "string" if re.fullmatch(r"(?i)(?:var)?char\s*\(\s*\d+\s*\)", name.strip()) else name.replace(" ", "")
