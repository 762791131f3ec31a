"""The options of a write: what there are, and what a writer was given."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sheetbend.errors import OptionError
from sheetbend.options import Options, OptionSpec
from sheetbend.write import SaveMode

__all__ = ["WRITE_OPTIONS", "WriteOptions"]


_SPOOL_BYTES = 256 << 20
_KEY = re.compile(r"`((?:[^`]|``)+)`|([^,`]+)")

WRITE_OPTIONS: tuple[OptionSpec, ...] = (
    OptionSpec("batchsize", "writing: rows that go to the database in one piece, at most", type="integer"),
    OptionSpec(
        "truncate",
        "mode overwrite: whether the table is kept and emptied; else a new one takes its place",
        type="boolean",
        default="false",
    ),
    OptionSpec(
        "cascadeTruncate",
        "with truncate: whether tables that refer to it are emptied too, where the database can",
        type="boolean",
        default="false",
    ),
    OptionSpec("createTableOptions", "writing: text after the columns of a CREATE TABLE"),
    OptionSpec(
        "createTableColumnTypes", "writing: types for columns of a new table, such as name CHAR(64), note VARCHAR(1024)"
    ),
    OptionSpec(
        "writeMode",
        "mode append: insert, or upsert, where a row takes the place of the one with its key",
        default="insert",
        choices=("insert", "upsert"),
    ),
    OptionSpec(
        "upsertKeys",
        "writeMode upsert: the columns of the key, separated by commas; in backquotes, as in SQL, or without",
    ),
    OptionSpec(
        "atomicity",
        "writing: whether rows become visible all at once, or those of each partition when it is done",
        default="write",
        choices=("write", "partition"),
    ),
    OptionSpec("stagingSchema", "writing: schema for the staging table; by default that of the table"),
    OptionSpec(
        "spoolBytes",
        "writing to a table of PostgreSQL: how much of the rows, as much of each partition, is kept in a folder here "
        "until the commit; what is more goes to a staging table",
        type="integer",
        default=str(_SPOOL_BYTES),
    ),
    OptionSpec("nullByteReplacement", "writing: text in place of a NUL character, which PostgreSQL does not store"),
)
"""The options that only a write has."""


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """What a writer was given, beside what is the connection's."""

    table: str
    """As it was written, so perhaps quoted and with a schema."""
    batch_rows: int | None
    isolation: str | None
    """As SQL calls the level; None is the database's own."""
    truncate: bool
    cascade: bool
    table_options: str
    column_types: str
    upsert_keys: tuple[str, ...]
    """Empty where rows are only inserted."""
    by_partition: bool
    staging_schema: str | None
    spool_bytes: int
    nul_replacement: str | None
    writers: int | None
    """How many tasks may write at the same time; None is no limit."""

    @classmethod
    def of(cls, options: Options) -> WriteOptions:
        """The settings in the options.

        Raises:
            OptionError: one has a value that it does not take, or two exclude each other.
        """
        if options.get("query"):
            raise OptionError("Option 'dbtable' is required. Option 'query' is not applicable while writing.")
        isolation = options.get("isolationLevel", "READ_UNCOMMITTED").upper()
        return cls(
            table=options.require("dbtable").strip(),
            batch_rows=options.integer("batchsize", minimum=1),
            isolation=None if isolation == "NONE" else isolation.replace("_", " "),
            truncate=options.boolean("truncate", default=False),
            cascade=options.boolean("cascadeTruncate", default=False),
            table_options=options.get("createTableOptions", ""),
            column_types=options.get("createTableColumnTypes", ""),
            upsert_keys=_upsert_keys(options),
            by_partition=options.get("atomicity", "write").lower() == "partition",
            staging_schema=options.get("stagingSchema") or None,
            spool_bytes=options.integer("spoolBytes", _SPOOL_BYTES, minimum=0) or 0,
            nul_replacement=options.get("nullByteReplacement"),
            writers=options.integer("numPartitions", minimum=1),
        )

    def check_mode(self, mode: SaveMode) -> None:
        """Raises ``OptionError`` for a mode that an option excludes."""
        if self.upsert_keys and mode is SaveMode.OVERWRITE:
            raise OptionError("Option 'writeMode': upsert keeps the rows of the table, and mode overwrite does not.")


def _upsert_keys(options: Options) -> tuple[str, ...]:
    found = _KEY.findall(options.get("upsertKeys", ""))
    keys = tuple(key for quoted, plain in found if (key := quoted.replace("``", "`") or plain.strip()))
    upsert = options.get("writeMode", "insert").lower() == "upsert"
    if upsert and not keys:
        raise OptionError("Option 'writeMode': upsert needs the columns of the key in option 'upsertKeys'.")
    if keys and not upsert:
        raise OptionError("Option 'upsertKeys' is for option 'writeMode' upsert.")
    return keys
