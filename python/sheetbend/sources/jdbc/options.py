"""The options of the source: what there are, and what a reader was given of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sheetbend.errors import OptionError
from sheetbend.options import Options, OptionSpec
from sheetbend.sources.jdbc.dialects.mysql_parameters import MYSQL_OPTIONS
from sheetbend.sources.jdbc.parameters import CONNECTION_OPTIONS
from sheetbend.sources.jdbc.writing.options import WRITE_OPTIONS

__all__ = ["OPTIONS", "Settings", "relation_of"]

_LEVELS = ("READ_UNCOMMITTED", "READ_COMMITTED", "REPEATABLE_READ", "SERIALIZABLE")
_KERBEROS = ("keytab", "principal", "refreshKrb5Config", "connectionProvider")


def merged(*databases: Sequence[OptionSpec]) -> list[OptionSpec]:
    """The connection parameters of all databases. One name may be that of several, which say what it is to them."""
    found: dict[str, OptionSpec] = {}
    for spec in (spec for specs in databases for spec in specs):
        known = found.setdefault(spec.name.lower(), spec)
        if known is not spec:
            found[spec.name.lower()] = replace(known, doc=f"{known.doc}; {spec.doc}")
    return list(found.values())


OPTIONS: tuple[OptionSpec, ...] = (
    OptionSpec(
        "url",
        "JDBC URL, such as jdbc:sqlite:<path> or jdbc:postgresql://<host>:<port>/<database>",
        "url",
        required=True,
    ),
    OptionSpec("dbtable", "table, or subquery in parentheses with an alias; either this or query"),
    OptionSpec("query", "query to read; either this or dbtable"),
    OptionSpec("user", "user to log in as"),
    OptionSpec("password", "password to log in with", secret=True),
    OptionSpec("driver", "Java class of the database's driver; accepted, and not used"),
    OptionSpec("partitionColumn", "number, date or timestamp column by which the table is cut into partitions"),
    OptionSpec("lowerBound", "where the cuts begin; rows below it are read too"),
    OptionSpec("upperBound", "where the cuts end; rows above it are read too"),
    OptionSpec(
        "numPartitions",
        "how many partitions to cut the table into, at most; writing: how many tasks write at the same time, at most",
        type="integer",
    ),
    OptionSpec(
        "partitioning",
        "how the table is cut; auto: by the column and bounds that are given, else by pages or row numbers of a table, "
        "else by its primary key, else not at all",
        default="auto",
        choices=("auto", "none", "range", "hash", "quantile", "list", "ctid", "rowid", "predicates"),
    ),
    OptionSpec("fetchsize", "rows in a batch, as a hint; 0 leaves it to the source", type="integer", default="0"),
    OptionSpec("queryTimeout", "seconds a query may take; 0 is no limit", type="integer", default="0"),
    OptionSpec("pushDownPredicate", "whether the database filters rows", type="boolean", default="true"),
    OptionSpec("pushDownAggregate", "whether the database aggregates rows", type="boolean", default="true"),
    OptionSpec("pushDownJoin", "accepted: the engine joins tables itself", type="boolean", default="false"),
    OptionSpec(
        "pushDownLimit",
        "whether the database leaves out rows beyond a limit, also the first ones in an order",
        type="boolean",
        default="true",
    ),
    OptionSpec(
        "pushDownOffset",
        "whether the database passes over the rows of an offset, where one partition is read",
        type="boolean",
        default="true",
    ),
    OptionSpec(
        "pushDownTableSample",
        "PostgreSQL: whether the database takes the samples of a table, with TABLESAMPLE; a seed then takes other rows",
        type="boolean",
        default="false",
    ),
    OptionSpec(
        "consistency",
        "whether all partitions read one state of the database; auto: where it can do that",
        default="auto",
        choices=("auto", "snapshot", "none"),
    ),
    OptionSpec(
        "isolationLevel",
        "level of the transaction in which a partition is read, none by default and beside a snapshot; writing: level "
        "of the one that makes the rows visible, READ_UNCOMMITTED by default",
        choices=("NONE", *_LEVELS),
    ),
    OptionSpec("customSchema", "types that columns are read as, as in: id DECIMAL(38, 0), name STRING"),
    OptionSpec(
        "preferTimestampNTZ",
        "whether a timestamp without a zone stays one (TIMESTAMP_NTZ), or is taken for one in UTC",
        type="boolean",
        default="true",
    ),
    OptionSpec(
        "unrepresentable",
        "PostgreSQL: what becomes of values that no column can hold: infinite dates, NaN and huge numerics, 24:00",
        default="error",
        choices=("error", "null"),
    ),
    OptionSpec("sessionInitStatement", "statement that each connection runs before it reads or writes"),
    OptionSpec("prepareQuery", "what stands before the query, such as a WITH clause"),
    OptionSpec("hint", "hint for the database's planner, as /*+ ... */, where it takes one"),
    *WRITE_OPTIONS,
    *(OptionSpec(name, "not supported: an error says what to do instead") for name in _KERBEROS),
    *merged(CONNECTION_OPTIONS, MYSQL_OPTIONS),
)
"""Every option of the source."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a reader was given, beside what is the dialect's own or the partitioning's."""

    relation: str
    """What stands after FROM."""
    batch_rows: int
    """How many rows a batch has, as a hint; 0 leaves it to the source."""
    push_predicate: bool
    push_aggregate: bool
    push_limit: bool
    push_offset: bool
    push_sample: bool
    isolation: str | None
    """The level of the transaction, such as ``REPEATABLE READ``; None for no transaction."""
    hint: str
    """What stands after SELECT; empty for nothing."""

    @classmethod
    def of(cls, options: Options) -> Settings:
        """The settings in the options.

        Raises:
            OptionError: one has a value that it does not take, or two exclude each other.
        """
        for name in _KERBEROS:
            if options.get(name):
                raise OptionError(
                    f"Option '{name}' is not supported: no login module of Java is run here. Where the driver of the "
                    "database can use Kerberos, it takes the ticket of the server's own user (kinit)."
                )
        return cls(
            relation=relation_of(options),
            batch_rows=options.integer("fetchsize", 0, minimum=0) or 0,
            push_predicate=options.boolean("pushDownPredicate", default=True),
            push_aggregate=options.boolean("pushDownAggregate", default=True),
            push_limit=options.boolean("pushDownLimit", default=True),
            push_offset=options.boolean("pushDownOffset", default=True),
            push_sample=options.boolean("pushDownTableSample", default=False) and not options.predicates,
            isolation=_isolation(options),
            hint=_hint(options),
        )


def _isolation(options: Options) -> str | None:
    level = options.get("isolationLevel", "NONE").upper()
    return None if level == "NONE" else level.replace("_", " ")


def _hint(options: Options) -> str:
    hint = options.get("hint", "").strip()
    if hint and not (hint.startswith("/*+ ") and hint.endswith(" */") and hint.count("*/") == hint.count("/*") == 1):
        raise OptionError(f"Option 'hint' must be of the form '/*+ ... */', with no other comment in it, got '{hint}'.")
    return hint


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
