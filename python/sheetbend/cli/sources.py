"""``sheetbend sources``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from sheetbend.discovery import Discovered, discover

if TYPE_CHECKING:
    from sheetbend.cli import arguments


def add(commands: arguments.Commands) -> None:
    """Adds the command."""
    command = commands.add_parser(
        "sources",
        help="list the sources that a server would have",
        description="Lists every built-in and installed source with its class, origin and options, and each one that "
        "cannot be loaded with the reason. The exit status is 1 where there is such a one.",
    )
    command.set_defaults(run=_run)


def _run(_parsed: argparse.Namespace) -> int:
    sources = discover()
    print("\n".join(line for source in sources for line in _described(source)))
    return 1 if any(source.error is not None for source in sources) else 0


def _described(source: Discovered) -> list[str]:
    if source.plugin is None:
        return [f"{source.name}  ({source.origin})", f"    cannot be loaded: {source.error}"]
    kind = type(source.plugin)
    lines = [f"{source.name}  {kind.__module__}.{kind.__qualname__}  ({source.origin})"]
    for option in getattr(source.plugin, "OPTIONS", ()):
        notes = [option.type]
        notes += ["required"] if option.required else []
        notes += [f"default {option.default}"] if option.default is not None else []
        lines.append(f"    {option.name} ({', '.join(notes)}): {option.doc}")
    return lines
