"""Sources that a test holds, fails and watches, in whatever process they are read or written."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from sheetbend.write import CommitMessage, WriteRequest, WriteTask

__all__ = ["GROUPS", "Held", "Sink"]

SCHEMA = pa.schema([("k", pa.int64()), ("g", pa.int64())])
GROUPS = 7
_HOLD_SECONDS = 60


class Held:
    """``rows`` numbers in each of ``parts`` partitions. A partition waits half-way while ``folder`` has a file ``hold``.

    Leaves a file for the start and for the end of each read, by partition and process. ``fail`` says how partition 0
    fails: ``once``, with an OSError the first time; ``one``, with an OSError in the first process that reads it;
    ``value``, with a ValueError.
    """

    def infer_schema(self, options: Mapping[str, str]) -> pa.Schema:
        return SCHEMA

    def plan_partitions(self, options: Mapping[str, str]) -> list[dict[str, Any]]:
        return [{"p": part} for part in range(int(options.get("parts", "4")))]

    def read_partition(self, spec: Mapping[str, Any], options: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        part, folder, rows = spec["p"], Path(options["folder"]), int(options.get("rows", "1000"))
        mark(folder, f"start-{part}")
        try:
            _fail(options.get("fail", ""), part, folder)
            yield _batch(part * rows, part * rows + rows // 2)
            yield from _held(folder, f"hold-{part}")
            yield from _held(folder, "hold")
            for first in range(part * rows + rows // 2, (part + 1) * rows, 65_536):
                yield _batch(first, min(first + 65_536, (part + 1) * rows))
        finally:
            mark(folder, f"end-{part}")


class Sink(Held):
    """Writes a file for each task to ``target``, under a name that the commit takes away.

    A task waits while there is a file ``hold`` in ``folder``, after its first row has been written. With ``fail`` as
    ``value`` or ``os`` the task of partition 0 fails instead, while the others write on.
    """

    def begin_write(self, request: WriteRequest, options: Mapping[str, str]) -> dict[str, Any]:
        return {"id": request.write_id}

    def write_partition(
        self, handle: Mapping[str, Any], task: WriteTask, batches: pa.RecordBatchReader, options: Mapping[str, str]
    ) -> CommitMessage:
        folder = Path(options["folder"])
        path = Path(options["target"], f"{handle['id']}-{task.partition}-{os.getpid()}.part")
        active = folder / f"active-{task.partition}"
        active.touch()
        mark(folder, f"write-{task.partition}")
        try:
            with path.open("w") as file:
                for batch in batches:
                    file.writelines(f"{k}\n" for k in batch.column(0).to_pylist())
                    file.flush()
                    if task.partition == 0 and "fail" in options:
                        raise {"value": ValueError, "os": ConnectionError}[options["fail"]]("no room")
                    for _ in _held(folder, "hold"):
                        pass
        finally:
            # As one that does not hear of its end at once.
            time.sleep(float(options.get("linger", "0")))
            path.open("a").close()
            active.unlink()
        return {"path": str(path)}

    def commit_write(
        self, handle: Mapping[str, Any], messages: Sequence[CommitMessage], options: Mapping[str, str]
    ) -> None:
        for message in messages:
            path = Path(str(message["path"]))
            path.rename(path.with_suffix(".rows"))

    def abort_write(
        self, handle: Mapping[str, Any], messages: Sequence[CommitMessage | None], options: Mapping[str, str]
    ) -> None:
        writing = sorted(path.name for path in Path(options["folder"]).glob("active-*"))
        Path(options["folder"], "aborted").write_text(json.dumps(writing))
        for path in Path(options["target"]).glob(f"{handle['id']}-*.part"):
            path.unlink()


def mark(folder: Path, what: str) -> None:
    """Leaves a file that says what this process has done."""
    Path(folder, f"{what}-{os.getpid()}").touch()


def _batch(first: int, last: int) -> pa.RecordBatch:
    keys = pa.array(range(first, last), pa.int64())
    return pa.record_batch([keys, pa.array([key % GROUPS for key in range(first, last)], pa.int64())], schema=SCHEMA)


def _held(folder: Path, name: str) -> Iterator[pa.RecordBatch]:
    deadline = time.monotonic() + _HOLD_SECONDS
    while Path(folder, name).exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"nobody has removed {name}")
        time.sleep(0.02)
        yield _batch(0, 0)


def _fail(how: str, part: int, folder: Path) -> None:
    if how == "value" and part == 0:
        raise ValueError("partition 0 is no good")
    if how == "once" and part == 0 and _first(folder / "failed"):
        raise ConnectionError("the other side has hung up")
    if how == "one" and (_first(folder / "failed") or (folder / "failed").read_text() == str(os.getpid())):
        raise ConnectionError("orders cannot be reached from here")


def _first(path: Path) -> bool:
    try:
        with path.open("x") as file:
            file.write(str(os.getpid()))
    except FileExistsError:
        return False
    return True
