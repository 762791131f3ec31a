"""What a database is to this source, and the standard SQL that most of them share."""

from __future__ import annotations

import abc
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, Generic

import pyarrow as pa

from sheetbend.errors import OptionError, SheetbendError, UnsupportedWriteError
from sheetbend.sources.jdbc.dialects.syntax import condition_sql
from sheetbend.sources.jdbc.drivers.base import S
from sheetbend.sources.jdbc.sql import quote_identifier

if TYPE_CHECKING:
    from sheetbend.filters import Filter
    from sheetbend.filters.sql import SqlDialect
    from sheetbend.options import Options
    from sheetbend.scan import AggregateFunction, Sample, SortKey
    from sheetbend.sources.jdbc.table import Column, Table
    from sheetbend.sources.jdbc.writing.options import WriteOptions
    from sheetbend.sources.jdbc.writing.writer import TableWriter

__all__ = ["Dialect", "check_driver"]


class Dialect(abc.ABC, Generic[S]):
    """One database: how to reach it, how it writes SQL, and how its types become Arrow.

    A subclass is made with what follows ``jdbc:<name>:`` in the URL and the reader's options; this must not connect,
    and raises :class:`OptionError` for what it does not take. Its instances are cheap, and live for one call of the
    plug-in.

    What must be written are the abstract methods. All else has a default: standard SQL, or "the database cannot", in
    which case the engine does the work. To answer None is always right, only slow; so a new dialect begins with
    :meth:`connect`, :meth:`describe`, :meth:`column` and :meth:`batches`, and grows from there.

    ``S`` is the class of its sessions.
    """

    name: ClassVar[str]
    """The subprotocol in the URL."""
    title: ClassVar[str]
    """What people call the database."""
    syntax: ClassVar[SqlDialect]
    """How conditions are written."""
    errors: ClassVar[tuple[type[Exception], ...]]
    """What its sessions raise. An exception that derives from ``BaseException`` alone is to be turned by the driver."""
    pooled: ClassVar[bool] = True
    """Whether connections are kept for the next query: where it takes long to open one, and it holds nothing."""
    pieces_by: ClassVar[str | None] = None
    """By what :meth:`pieces` cuts, as the option ``partitioning`` calls it."""
    parallel_queries: ClassVar[bool] = False
    """Whether the server spreads one query over its cores, so that nothing is gained by asking it in parts."""
    takes_hints: ClassVar[bool] = False
    """Whether a hint may stand after SELECT."""
    snapshots: ClassVar[bool] = False
    """Whether several connections can read one state of the database: :meth:`export` and :meth:`begin`."""
    diagnoses: ClassVar[bool] = False
    """Whether there is a :meth:`diagnose`."""
    binary_order: ClassVar[str | None] = None
    """Template of an expression that orders a text by its bytes in UTF-8, such as ``{0} COLLATE "C"``."""
    no_limit: ClassVar[str | None] = None
    """What stands between LIMIT and OFFSET where all rows are wanted; None where the two are not written so."""
    utc_suffix: ClassVar[str] = ""
    """What marks the text of a timestamp as UTC in a literal."""

    init_statement: str = ""
    """What each connection runs before anything else: the option ``sessionInitStatement``."""

    prepare: str = ""
    """What stands before each query, such as a WITH clause: the option ``prepareQuery``."""

    # --- Connections -----------------------------------------------------------------------------

    @property
    @abc.abstractmethod
    def identity(self) -> str:
        """All that a connection is opened with, credentials too. Connections of one identity are interchangeable; it
        is compared and never shown.
        """

    @abc.abstractmethod
    def connect(self) -> S:
        """Opens a connection, with one attempt to log in; raises what is in :attr:`errors`."""

    @abc.abstractmethod
    def refused(self, error: Exception) -> SheetbendError:
        """What to say of an error of :meth:`connect`: an ``AuthenticationError`` or ``SourceConnectionError``."""

    @abc.abstractmethod
    def failure(self, error: Exception) -> SheetbendError:
        """What to say of any later error. Neither a secret nor the statement may be in it: drivers repeat both."""

    # --- Catalog ---------------------------------------------------------------------------------

    @abc.abstractmethod
    def describe(self, session: S, relation: str) -> Table:
        """The columns of what stands after FROM, without reading its rows, and what the catalog knows of it."""

    @abc.abstractmethod
    def column(self, name: str, declared: str) -> Column:
        """The column of that name and declared type, as :meth:`describe` gave it; for any text, without an error.

        :meth:`describe` may write into ``declared`` what it needs to know here, such as ``varchar(9) utf8mb4_bin``.
        """

    def cast(self, column: Column, kind: pa.DataType) -> Column | None:
        """The column, read as another type: ``customSchema``. None where it cannot be.

        Its ``declared`` says so to the other methods, which then mean the cast value.
        """
        return None

    def uncast(self, column: Column) -> Column:
        """The column as it is in the table, of one that :meth:`cast` has made, or of any other."""
        return column

    # --- SQL: what is selected -------------------------------------------------------------------

    def quote(self, identifier: str) -> str:
        """The identifier as it stands in SQL."""
        return quote_identifier(identifier)

    def prepared(self, sql: str) -> str:
        """A SELECT over the relation as it is sent, also by :meth:`describe`."""
        return f"{self.prepare} {sql}" if self.prepare else sql

    def source(self, relation: str) -> str:
        """The relation as it stands after FROM."""
        return relation

    def item(self, column: Column) -> str:
        """The column as it stands after SELECT: the expression that the driver is to fetch, under the column's name."""
        return self.quote(column.name)

    def limited(self, sql: str, limit: int) -> str:
        """The statement, cut to its first rows."""
        return f"{sql}\nLIMIT {limit}"

    # --- SQL: what is pushed. None leaves it to the engine ---------------------------------------

    def compared(self, column: Column) -> str | None:
        """An expression with exactly the values that are read of the column, in a type that the database compares.

        It is the column itself where :meth:`item` is. Where values are changed on the way, say by ``::text``, it is
        what they are then. None where the database cannot say it.
        """
        return self.quote(column.name)

    def condition(self, condition: Filter, table: Table) -> str | None:
        """The condition as SQL, exactly as Spark means it, or None."""
        columns = [table.column(name) for name in condition.columns]
        compared = {column.name: self.compared(column) for column in columns}
        found = condition_sql(condition, self.syntax, compared)
        if found is not None or self.binary_order is None:
            return found
        # A range of texts: the collation is said, so that it is not the column's.
        ordered = {column.name: self._ordered(column, compared[column.name]) for column in columns}
        return condition_sql(condition, self.syntax, ordered, string_order=True)

    def order(self, column: Column, key: SortKey) -> str | None:
        """A term of ORDER BY, in the engine's order: texts by bytes, NaN above all numbers, NULL where ``key`` says."""
        expression = self._ordered(column, self.compared(column))
        if expression is None:
            return None
        direction = " DESC" if key.descending else ""
        # An index has its NULLs in one place: where there are none, any place will do.
        nulls = "" if column.never_null else f" NULLS {'FIRST' if key.nulls_first else 'LAST'}"
        return f"{expression}{direction}{nulls}"

    def sampled(self, table: Table, sample: Sample) -> str | None:
        """What stands after FROM for rows by chance: each row by itself, and the same ones for the same seed."""
        return None

    def group(self, column: Column) -> tuple[str, str] | None:
        """For GROUP BY: an expression whose groups are those of the values that are read, and its declared type.

        Groups may be finer than those of the engine, which merges what is equal; they may not be coarser.
        """
        return None

    def aggregate(self, function: AggregateFunction, column: Column | None) -> tuple[str, str] | None:
        """The aggregate as an expression, and a declared type that :meth:`column` makes ``function.type`` of.

        The result must be exact or an error. ``column`` is None for ``count(*)``.
        """
        return None

    def _ordered(self, column: Column, expression: str | None) -> str | None:
        if expression is None or not pa.types.is_string(column.type):
            return expression
        return None if self.binary_order is None else self.binary_order.format(expression)

    # --- Partitions ------------------------------------------------------------------------------

    def pieces(self, session: S, table: Table, partitions: int) -> list[str] | None:
        """Conditions that cut a table into about equal parts without a column: by its pages or row numbers.

        Each row must meet exactly one of them, also rows that came since the catalog was written: the first is open
        below, the last above. At most ``partitions`` of them, fewer for a small table; None where there is no way.
        """
        return None

    def expected_rows(self, session: S, table: Table, conditions: Sequence[str]) -> int | None:
        """How many rows the database expects to meet the conditions; None where it does not say."""
        return None

    def quantiles(self, session: S, table: Table, column: Column, partitions: int) -> str | None:
        """A query for values that cut the column into parts of about as many rows, in the order of the column.

        It gives one column, as :meth:`item` has it; repeated values and NULL are passed over. None where the database
        can only find them by sorting, which is done then.
        """
        return None

    def bucket(self, column: Column, partitions: int, number: int) -> str | None:
        """A condition for the rows whose column has a hash of ``number`` modulo ``partitions``, NULL in one of them."""
        return None

    # --- Transactions ----------------------------------------------------------------------------

    def begin(self, session: S, isolation: str | None, snapshot: str | None) -> None:
        """Begins a transaction that only reads, of a level such as ``REPEATABLE READ`` or the state of a snapshot."""
        raise OptionError(f"Option 'isolationLevel' is not supported by jdbc:{self.name}: for reads.")

    def end(self, session: S) -> None:
        """Ends the transaction of :meth:`begin` after the last row."""
        session.execute("COMMIT")

    def export(self, session: S) -> str:
        """Begins a transaction and names its state for other connections; it holds while the transaction is open."""
        raise NotImplementedError

    # --- Writes ----------------------------------------------------------------------------------

    def writer(self, options: WriteOptions) -> TableWriter:
        """What writes to a table of the database."""
        raise UnsupportedWriteError(f"{self.title} cannot be written to by this release.")

    # --- Rows ------------------------------------------------------------------------------------

    @abc.abstractmethod
    def batches(self, session: S, sql: str, columns: Sequence[Column], rows: int) -> Iterator[pa.RecordBatch]:
        """Runs a query and gives its rows, each batch with exactly these columns, their names and types.

        Args:
            session: The connection. It is given back when the iterator has come to its end, and closed where it is
                left before.
            sql: A SELECT whose items are those of :meth:`item`, in this order.
            columns: The columns.
            rows: How many rows a batch had best have; 0 leaves it to the dialect.
        """

    def diagnose(self, session: S, relation: str, columns: Sequence[Column], where: str | None) -> None:
        """Called with a new connection after :meth:`batches` has failed: raises a better error where there is one."""


def check_driver(options: Options, database: str, classes: tuple[str, ...]) -> None:
    """Refuses a Java class that is not the database's own; the right one is accepted and has no meaning here."""
    given = options.get("driver")
    if given and given.strip() not in classes:
        raise OptionError(
            f"Option 'driver' names a Java class, which is not used here; for jdbc:{database}: leave it out or give "
            f"{' or '.join(classes)}, got '{given}'."
        )
