"""Rows of a write that wait for its commit: Arrow files in a folder, which is beside a database that is a file.

The folder of ``shop.db`` is called ``shop.db.sheetbend-`` and 32 hexadecimal digits. As long as its write lives, the
process that has begun it holds a lock on the folder: one whose lock is free was left behind, and the next write to the
database removes it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa

from sheetbend.errors import SheetbendError

__all__ = ["discard", "make_spool", "spool", "spooled", "sweep"]

_MARK = ".sheetbend-"
_NAME = re.compile(r"[0-9a-f]{32}")
_locks: dict[Path, int] = {}
"""The descriptors that hold the locks of this process."""
_lock = threading.Lock()


def make_spool(database: Path, write_id: str) -> Path:
    """Makes the folder of a write, and holds its lock until :func:`discard`."""
    folder = database.with_name(database.name + _MARK + hashlib.blake2b(write_id.encode(), digest_size=16).hexdigest())
    # It has its name when it is locked: another write would take it for one that was left behind.
    new = folder.with_name(f"{folder.name}.new")
    try:
        new.mkdir(mode=0o700)
        descriptor = os.open(new, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        new.rename(folder)
    except OSError as error:
        raise SheetbendError(
            f"The folder '{folder}' for the rows of the write cannot be made: {error.strerror}."
        ) from None
    with _lock:
        _locks[folder] = descriptor
    return folder


def sweep(database: Path) -> None:
    """Removes the folders of writes that have died."""
    for folder in database.parent.glob(f"{_escaped(database.name)}{_MARK}*"):
        if _NAME.fullmatch(folder.name.rpartition("-")[2]):
            # One that its own write removes at this moment is gone as well.
            with contextlib.suppress(OSError):
                descriptor = os.open(folder, os.O_RDONLY)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder, ignore_errors=True)
                finally:
                    os.close(descriptor)


def discard(folder: Path) -> None:
    """Removes the folder of a write. A second call does nothing."""
    shutil.rmtree(folder, ignore_errors=True)
    with _lock:
        descriptor = _locks.pop(folder, None)
    if descriptor is not None:
        os.close(descriptor)


def spool(folder: Path, partition: int, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
    """Writes the rows of a partition; a file of an earlier attempt is replaced."""
    try:
        with pa.OSFile(str(folder / f"{partition:06}.arrow"), "wb") as file, pa.ipc.new_stream(file, schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
    except OSError as error:
        raise SheetbendError(f"The rows of the write cannot be kept in '{folder}': {error}") from None


def spooled(folder: Path, partitions: Iterable[int]) -> Iterator[pa.RecordBatchReader]:
    """The rows of each of the partitions.

    Raises:
        SheetbendError: the folder is gone.
    """
    for partition in partitions:
        try:
            file = pa.memory_map(str(folder / f"{partition:06}.arrow"))
        except OSError:
            raise SheetbendError(
                f"The rows of the write are gone from '{folder}': the process that held them has ended and another "
                "write has removed them, or the write was committed before. Look at the table before you write again."
            ) from None
        with file, pa.ipc.open_stream(file) as reader:
            yield reader


def _escaped(name: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", name)
