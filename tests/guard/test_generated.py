"""What is made from something else is up to date with it."""

from __future__ import annotations

import subprocess
import sys

from tests.guard.tree import ROOT


def test_the_tables_of_options() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/gen_docs.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_version_is_one() -> None:
    import sheetbend
    from sheetbend import _native

    assert sheetbend.__version__ == _native.__version__
