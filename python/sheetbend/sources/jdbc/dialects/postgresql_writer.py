"""Writes to PostgreSQL: COPY into a staging table, and one transaction that makes its rows visible.

A new table is its own staging table under another name, so that its rows are written once. The rows of a table that
is there are staged without a write-ahead log, and then inserted; the first ones of each partition are kept on this
machine, and copied by the commit.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sheetbend.errors import AuthenticationError, SheetbendError
from sheetbend.sources.jdbc.dialects.postgresql_kept import keep, kept_rows, make_folder
from sheetbend.sources.jdbc.dialects.postgresql_plan import Plan, create_table, plan_write
from sheetbend.sources.jdbc.dialects.postgresql_staging import (
    drop,
    hold,
    literal,
    qualified,
    release,
    staging_name,
    sweep,
)
from sheetbend.sources.jdbc.dialects.postgresql_target import find_target
from sheetbend.sources.jdbc.pool import connected, lease
from sheetbend.sources.jdbc.sql import quote_identifier
from sheetbend.sources.jdbc.writing.committed import Committed
from sheetbend.sources.jdbc.writing.rows import Rows
from sheetbend.sources.jdbc.writing.slots import slot
from sheetbend.sources.jdbc.writing.spool import discard
from sheetbend.sources.jdbc.writing.writer import HANDLE_VERSION, check_handle, rows_written, table_exists
from sheetbend.write import SaveMode

if TYPE_CHECKING:
    import pyarrow as pa

    from sheetbend.context import TaskContext
    from sheetbend.sources.jdbc.dialects.postgresql import PostgresDialect
    from sheetbend.sources.jdbc.drivers.postgresql import PostgresSession
    from sheetbend.sources.jdbc.writing.options import WriteOptions
    from sheetbend.write import CommitMessage, WriteHandle, WriteRequest, WriteTask

__all__ = ["PostgresWriter"]

_committed = Committed()
"""The staging tables of the writes."""
_TEMPORARY = "sheetbend_staging"
_DOUBT_SECONDS = 10.0


class PostgresWriter:
    """Writes to one table.

    A handle has ``load``, the table that COPY goes to; ``columns``, the names there; ``staging``, which is ``load`` or
    None where partitions are written on their own; and the statements of the ``commit``, which is that of a task then.
    Else it has the ``folder`` of the rows that are kept, if any are, and ``most_bytes`` of each partition; the
    ``table`` that they go to, and the statements that ``prepare`` it.
    """

    def __init__(self, dialect: PostgresDialect, options: WriteOptions) -> None:
        self._dialect = dialect
        self._options = options

    def begin(self, request: WriteRequest) -> dict[str, Any] | None:
        """Makes the staging table; the server checks the statement of the commit where the target is there."""
        self._options.check_mode(request.mode)
        with lease(self._dialect) as session:
            target = find_target(session, self._options.table)
            if target.columns is not None:
                if request.mode is SaveMode.ERROR:
                    raise table_exists(self._options.table)
                if request.mode is SaveMode.IGNORE:
                    return None
            plan = plan_write(request, target, self._options)
            if self._options.by_partition:
                return self._begin_by_partition(session, plan)
            return self._begin_staged(session, plan, staging_name(request.write_id), request.partitions)

    def write(
        self, handle: WriteHandle, task: WriteTask, batches: pa.RecordBatchReader, context: TaskContext | None
    ) -> dict[str, Any]:
        """Copies the rows of a partition, all of them or none."""
        check_handle(handle)
        options = self._options
        rows = Rows(batches, handle["columns"], options, context)
        with slot(task.write_id, options.writers, context):
            kept, rest = keep(handle["folder"], task.partition, rows, handle["most_bytes"])
            if rest is not None:
                with lease(self._dialect, context) as session:
                    try:
                        self._copy(session, handle, rest)
                    except self._dialect.errors:
                        if rows.error is not None:
                            raise rows.error from None
                        raise
        return {"rows": rows.count, "kept": kept, "partition": task.partition}

    def commit(self, handle: WriteHandle, messages: Sequence[CommitMessage]) -> None:
        """Publishes the staged rows in one transaction. It is asked about where the answer to its COMMIT is lost."""
        check_handle(handle)
        if not handle["staging"]:
            return
        name = handle["staging"][1]
        if name in _committed:
            return
        with lease(self._dialect) as session, self._transaction(session):
            self._publish(session, handle, messages)
        _committed.add(name)
        # What goes wrong from here on does not undo the commit.
        _discard(handle)
        with contextlib.suppress(SheetbendError), lease(self._dialect) as session:
            release(name, session)

    def abort(self, handle: WriteHandle) -> None:
        """Drops the staging table. What partitions that are written on their own have committed stays."""
        check_handle(handle)
        if handle["staging"]:
            _discard(handle)
            schema, name = handle["staging"]
            with lease(self._dialect) as session:
                release(name, session)
                drop(session, schema, name)

    def _copy(self, session: PostgresSession, handle: WriteHandle, rows: pa.RecordBatchReader) -> None:
        schema, table = handle["load"]
        if handle["staging"]:
            session.ingest(schema, table, rows)
            return
        with self._transaction(session):
            if handle["temporary"]:
                session.execute(handle["temporary"])
            session.ingest(schema, table, rows)
            for statement in handle["commit"]:
                session.execute(statement)

    def _begin_by_partition(self, session: PostgresSession, plan: Plan) -> dict[str, Any]:
        direct = plan.direct and (plan.new or not plan.keys)
        with self._transaction(session):
            for statement in plan.prepare:
                session.execute(statement)
            if plan.new:
                session.execute(create_table(plan.target.sql, plan.columns, options=self._options.table_options))
                for statement in plan.finish:
                    session.execute(statement)
        temporary = quote_identifier(_TEMPORARY)
        return {
            "version": HANDLE_VERSION,
            "staging": None,
            "folder": None,
            "most_bytes": 0,
            "load": [plan.target.schema, plan.target.name] if direct else ["pg_temp", _TEMPORARY],
            "columns": [column.name for column in plan.columns],
            "temporary": None
            if direct
            else create_table(temporary, plan.staged, kind="TEMPORARY TABLE", options="ON COMMIT DROP"),
            "commit": [] if direct else [plan.insert(temporary)],
        }

    def _begin_staged(self, session: PostgresSession, plan: Plan, name: str, partitions: int) -> dict[str, Any]:
        schema = self._options.staging_schema or plan.target.schema
        staging = qualified(schema, name)
        sweep(session, schema)
        if plan.new and plan.direct:
            create = create_table(staging, plan.columns, options=self._options.table_options)
            prepare, commit = plan.prepare, [*_renamed(plan, schema, name), *plan.finish]
        else:
            create = create_table(staging, plan.staged, kind="UNLOGGED TABLE")
            made = create_table(plan.target.sql, plan.columns, options=self._options.table_options)
            commit = [plan.insert(staging), f"DROP TABLE {staging}", *plan.finish]
            prepare = [*plan.prepare, *([made] if plan.new else [])]
        # A connection of its own, that lives as long as the write.
        connected(self._dialect, partial(hold, name))
        try:
            with self._transaction(session):
                self._create(session, create, schema)
                self._check(session, plan, staging)
        except BaseException:
            release(name)
            raise
        keeps = plan.target.copies and plan.direct and not plan.new and not plan.keys and self._options.spool_bytes
        return {
            "version": HANDLE_VERSION,
            "staging": [schema, name],
            "folder": make_folder(name) if keeps else None,
            "most_bytes": self._options.spool_bytes // max(1, partitions),
            "table": [plan.target.schema, plan.target.name],
            "prepare": prepare,
            "load": [schema, name],
            "columns": [column.name for column in plan.columns],
            "commit": commit,
        }

    def _check(self, session: PostgresSession, plan: Plan, staging: str) -> None:
        """Has the server check the statement that will insert the rows."""
        if not plan.new:
            session.execute(f"EXPLAIN {plan.insert(staging)}")
        elif not plan.direct:
            like = quote_identifier(_TEMPORARY)
            session.execute(create_table(like, plan.columns, kind="TEMPORARY TABLE", options="ON COMMIT DROP"))
            session.execute(f"EXPLAIN {plan.insert(staging, into=like)}")

    def _create(self, session: PostgresSession, statement: str, schema: str) -> None:
        try:
            session.execute(statement)
        except self._dialect.errors as error:
            failure = self._dialect.failure(error)
            if isinstance(failure, AuthenticationError):
                raise AuthenticationError(
                    f"{failure} A write makes a staging table in schema '{schema}'. Give the user the right to create "
                    "tables there, another schema in option 'stagingSchema', or option 'atomicity' as 'partition', "
                    "which needs none."
                ) from None
            raise failure from None

    def _publish(self, session: PostgresSession, handle: WriteHandle, messages: Sequence[CommitMessage]) -> None:
        staging = qualified(*handle["staging"])
        if session.rows(f"SELECT to_regclass({literal(staging)}) IS NULL")[0][0]:
            raise SheetbendError(
                f"The staging table {staging} is gone: the connection that held it was lost and another write has "
                "removed it, or the write was committed before. Look at the table before you write again."
            )
        session.execute(f"LOCK TABLE {staging} IN ACCESS EXCLUSIVE MODE")
        kept, rows = kept_rows(handle["folder"], messages)
        staged = rows_written(messages) - kept
        found = session.rows(f"SELECT count(*) FROM {staging}")[0][0]
        if found != staged:
            # The server has been restarted after a crash: a table without a log is empty then.
            raise SheetbendError(
                f"The staging table {staging} has {found} rows where {staged} were written: the server has lost them. "
                "Nothing was written to the table."
            )
        for statement in handle["prepare"]:
            session.execute(statement)
        if rows is not None:
            schema, table = handle["table"]
            session.ingest(schema, table, rows)
        for statement in handle["commit"]:
            session.execute(statement)

    @contextlib.contextmanager
    def _transaction(self, session: PostgresSession) -> Iterator[None]:
        """A transaction of the isolation that was asked for. What ends it early ends the connection."""
        session.execute("BEGIN" + (f" ISOLATION LEVEL {self._options.isolation}" if self._options.isolation else ""))
        yield
        number = session.rows("SELECT pg_current_xact_id()::text")[0][0]
        try:
            session.execute("COMMIT")
        except self._dialect.errors:
            # It may be waiting for a standby that does not answer.
            session.cancel()
            if not self._was_committed(number):
                raise

    def _was_committed(self, transaction: str) -> bool:
        deadline = time.monotonic() + _DOUBT_SECONDS
        try:
            with lease(self._dialect) as session:
                while True:
                    status = session.rows(f"SELECT pg_xact_status('{transaction}'::xid8)")[0][0]
                    if status != "in progress":
                        return bool(status == "committed")
                    if time.monotonic() > deadline:
                        raise SheetbendError(f"it has not ended after {_DOUBT_SECONDS:g} s.")
                    time.sleep(0.1)
        except SheetbendError as error:
            raise SheetbendError(
                f"The connection was lost while the write was committed, and the server cannot be asked whether it "
                f"was: {error} Look at the table before you write again."
            ) from None


def _discard(handle: WriteHandle) -> None:
    if handle["folder"]:
        discard(Path(handle["folder"]))


def _renamed(plan: Plan, schema: str, name: str) -> list[str]:
    """The staging table becomes the target."""
    target = plan.target
    rename = f"ALTER TABLE {qualified(schema, name)} RENAME TO {quote_identifier(target.name)}"
    if schema == target.schema:
        return [rename]
    return [
        f"ALTER TABLE {qualified(schema, name)} SET SCHEMA {quote_identifier(target.schema)}",
        f"ALTER TABLE {qualified(target.schema, name)} RENAME TO {quote_identifier(target.name)}",
    ]
