"""Every animal of the zoo: the right rows or one clear error, and afterwards the bridge is as it was."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import pyarrow as pa
import pytest

from sheetbend import _native
from sheetbend.errors import PluginError
from tests.bridge.plugins import eventually
from tests.plugin.zoo import batches, exceptions, iterators, objects, planning, processes, schemas, streams
from tests.plugin.zoo.base import Case, Fails, Tame

MODES = ("thread", "process")
"""Where the plug-ins' code runs."""
THEMES = (batches, exceptions, iterators, objects, planning, processes, schemas, streams)
SECONDS = 60.0
"""How long nothing of them may take: no time to reach, but the end of a hang."""
LONGEST_MESSAGE = 100_000
ROOT = Path(__file__).resolve().parents[2]

T = TypeVar("T")


def cases() -> Iterator[object]:
    for theme in THEMES:
        name = theme.__name__.rpartition(".")[2]
        for case in theme.CASES:
            for mode in sorted({*MODES} & {*case.modes}):
                # A worker for each of them takes minutes; those that are about processes are in the fast set.
                slow = case.slow or (mode == "process" and theme is not processes)
                marks = [pytest.mark.slow] if slow else []
                yield pytest.param(theme, case, mode, marks=marks, id=f"{name}-{case.name}-{mode}")


@pytest.mark.parametrize(("theme", "case", "mode"), [*cases()])
def test_a_bad_habit(theme: ModuleType, case: Case, mode: str) -> None:
    if case.deadly:
        at = THEMES.index(theme), theme.CASES.index(case)
        script = f"from tests.plugin import test_zoo as zoo; zoo.check(zoo.THEMES[{at[0]}].CASES[{at[1]}], {mode!r})"
        run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=SECONDS)
        assert run.returncode == 0, run.stderr[-4000:]
    else:
        check(case, mode)


def check(case: Case, mode: str) -> None:
    """Reads the plug-in of a case as a query would; fails where it ends otherwise than expected, or leaves anything."""
    outcome = within(SECONDS, lambda: outcome_of(case, mode))
    expected = case.in_worker if mode == "process" and case.in_worker is not None else case.expected
    if isinstance(expected, Fails):
        assert isinstance(outcome, str), f"{outcome.num_rows} rows, expected an error"
        assert f"Data source zoo ({class_name(case.plugin)}): {expected.at}" in outcome
        for word in expected.words:
            assert word in outcome
        assert len(outcome) < LONGEST_MESSAGE
    else:
        assert isinstance(outcome, pa.Table), outcome
        assert values(outcome, expected.column) == sorted(expected.values, key=repr)
    good = within(SECONDS, lambda: read(Case("tame", Tame, case.expected), mode))
    assert good["n"].to_pylist() == [1, 2]
    eventually(lambda: not _native.reads_under_way(), "all reading threads have ended")


def outcome_of(case: Case, mode: str) -> pa.Table | str:
    """The rows, or the text of the error."""
    try:
        return read(case, mode)
    except (PluginError, pa.ArrowException, OSError) as error:
        return str(error)


def read(case: Case, mode: str) -> pa.Table:
    options = {**case.options} if mode == "thread" else {**case.options, "isolation": mode}
    planned = _native.scan(case.plugin, options, limit=case.limit, name="zoo")
    return pa.RecordBatchReader.from_stream(planned).read_all()


def within(seconds: float, work: Callable[[], T]) -> T:
    """What ``work`` returns. A call into the engine cannot be interrupted from the thread that makes it."""
    done: list[T] = []
    thread = threading.Thread(target=lambda: done.append(work()), daemon=True)
    thread.start()
    thread.join(seconds)
    assert done, f"no end within {seconds} s"
    return done[0]


def values(table: pa.Table, column: str | int) -> list[object]:
    found = [table.num_rows] if column == "rows" else table[column].to_pylist()
    return sorted(found, key=repr)


def class_name(plugin: type) -> str:
    return f"{plugin.__module__}.{plugin.__qualname__}"
