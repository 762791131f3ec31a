"""What the system knows of worker processes."""

from __future__ import annotations

import os
from pathlib import Path

SCRIPT = "sheetbend/worker/bootstrap.py"


def is_there(pid: int) -> bool:
    """Whether a process is there, and be it as a zombie."""
    return Path(f"/proc/{pid}").exists()


def is_running(pid: int) -> bool:
    """Whether a process is there, and no zombie. What has lost its parent is a zombie until the system looks for it."""
    return _stat(Path(f"/proc/{pid}"))[:1] not in ([], ["Z"])


def children(of: int | None = None) -> dict[int, str]:
    """The processes that a process has started, with their state: ``S`` sleeping, ``Z`` a zombie, ..."""
    parent = os.getpid() if of is None else of
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(entry)) and int(fields[1]) == parent:
            found[int(entry.name)] = fields[0]
    return found


def workers(of: int | None = None) -> list[int]:
    """Those of them that are workers."""
    return [pid for pid in children(of) if SCRIPT in _command(pid)]


def _stat(entry: Path) -> list[str]:
    try:
        return (entry / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
