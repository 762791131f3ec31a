"""How the server starts a worker process."""

from __future__ import annotations

import site
import sys
from pathlib import Path
from typing import NamedTuple

from sheetbend.errors import OptionError


class Launch(NamedTuple):
    """What a worker process is started with."""

    python: str
    """The interpreter."""
    script: str
    paths: list[str]
    """Where modules are imported from."""
    own: bool
    """Whether these paths are all there are; else they come after those of the interpreter."""


def launch(python: str | None) -> Launch:
    """How to start a worker with the interpreter ``python``, by default the one of this process.

    An interpreter of another environment sees the folders of modules that this process was given, as by
    ``--python-path``, but not what is installed beside this process.
    """
    script = str(Path(__file__).with_name("bootstrap.py"))
    if python is not None:
        return Launch(python, script, [path for path in sys.path if not _is_installed(path)], own=False)
    if not sys.executable:
        raise OptionError("Option 'isolation_python' is required: this process does not know its own interpreter.")
    return Launch(sys.executable, script, list(sys.path), own=True)


def _is_installed(path: str) -> bool:
    homes = {sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix, site.getusersitepackages()}
    return any(Path(path).resolve().is_relative_to(Path(home).resolve()) for home in homes)
