"""Staging tables in PostgreSQL: their names, who holds one, and what becomes of those that nobody holds.

A staging table is called ``sheetbend_staging_`` and 32 hexadecimal digits. As long as its write lives, a connection of
the process that has begun the write holds an advisory lock of that name: a staging table whose lock is free was left
behind, and the next write to the schema drops it.
"""

from __future__ import annotations

import hashlib
import re
import threading
from typing import TYPE_CHECKING

from sheetbend.sources.jdbc.sql import quote_identifier

if TYPE_CHECKING:
    from sheetbend.sources.jdbc.drivers.postgresql import PostgresSession

__all__ = ["drop", "hold", "literal", "qualified", "release", "staging_name", "sweep"]

_PREFIX = "sheetbend_staging_"
_NAME = re.compile(_PREFIX + "[0-9a-f]{32}")
_holders: dict[str, PostgresSession] = {}
"""The connection that holds the lock of each staging table of this process."""
_lock = threading.Lock()


def staging_name(write_id: str) -> str:
    """The name of the staging table of a write."""
    return _PREFIX + hashlib.blake2b(write_id.encode(), digest_size=16).hexdigest()


def hold(name: str, session: PostgresSession) -> None:
    """Has the session hold the lock of the staging table until :func:`release`."""
    session.rows(f"SELECT pg_advisory_lock({_key(name)})::text")
    with _lock:
        _holders[name] = session


def release(name: str, session: PostgresSession | None = None) -> None:
    """Closes the connection that holds the lock. By way of ``session`` where another process has begun the write."""
    with _lock:
        holder = _holders.pop(name, None)
    if holder is not None:
        holder.close()
    elif session is not None:
        # The lock's key in two halves.
        high, low = divmod(_key(name), 1 << 32)
        session.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 "
            f"AND classid = {high} AND objid = {low} AND pid <> pg_backend_pid()"
        )


def sweep(session: PostgresSession, schema: str) -> None:
    """Drops the staging tables of the schema that were left behind, as far as they are the user's."""
    found = session.rows(
        "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' "
        f"AND starts_with(c.relname, '{_PREFIX}') AND n.nspname = {literal(schema)} "
        "AND pg_has_role(c.relowner, 'USAGE')"
    )
    for (name,) in found:
        if _NAME.fullmatch(name) and session.rows(f"SELECT pg_try_advisory_lock({_key(name)})")[0][0]:
            try:
                session.execute(f"DROP TABLE IF EXISTS {qualified(schema, name)}")
            finally:
                session.rows(f"SELECT pg_advisory_unlock({_key(name)})")


def drop(session: PostgresSession, schema: str, name: str) -> None:
    """Drops a staging table, and ends the connections that still write to it."""
    table = qualified(schema, name)
    session.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'relation' "
        f"AND relation = to_regclass({literal(table)}) AND pid <> pg_backend_pid()"
    )
    session.execute(f"DROP TABLE IF EXISTS {table}")


def qualified(schema: str, name: str) -> str:
    """A table's name as it stands in SQL."""
    return f"{quote_identifier(schema)}.{quote_identifier(name)}"


def literal(text: str) -> str:
    """A text as it stands in SQL, whatever the server's settings."""
    return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def _key(name: str) -> int:
    return int(name.removeprefix(_PREFIX)[:15], 16)
