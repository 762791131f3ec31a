"""The command ``sheetbend``: a module a command.

Exit status: 0 done, 1 it failed (the reason is on standard error), 2 the arguments are wrong.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from sheetbend import __version__
from sheetbend.cli import executor, executors, jobs, server, sources
from sheetbend.errors import SheetbendError

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command with ``arguments``, by default those of the process; returns its exit status."""
    parsed = _parser().parse_args(arguments)
    try:
        status: int = parsed.run(parsed)
    except (OSError, SheetbendError) as error:
        print(f"sheetbend: {error}", file=sys.stderr)
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sheetbend", description="PySpark clients read Python data sources through a Rust engine."
    )
    parser.add_argument("--version", action="version", version=f"sheetbend {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in (server, executor, sources, jobs, executors):
        command.add(commands)
    return parser
