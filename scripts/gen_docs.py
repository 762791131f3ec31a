"""Writes the tables of docs: options from what the sources say of themselves in ``OPTIONS``, types from their tests.

    python scripts/gen_docs.py [--check]

With ``--check`` nothing is written, and the exit status is 1 where a table is not what it should be.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sheetbend.discovery import BUILT_IN
from sheetbend.registry import import_plugin

if TYPE_CHECKING:
    from sheetbend.options import OptionSpec

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = ("docs/sources.md", "docs/databases.md")
PLACE = re.compile(r"(<!-- (options|types): (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def main() -> int:
    """Writes or checks the documents; returns the exit status."""
    old = []
    for name in DOCUMENTS:
        before = (ROOT / name).read_text()
        after = PLACE.sub(lambda place: f"{place[1]}\n{TABLES[place[2]](place[3])}\n{place[4]}", before)
        if after != before:
            old.append(name)
            if "--check" not in sys.argv[1:]:
                (ROOT / name).write_text(after)
    if old and "--check" in sys.argv[1:]:
        print(f"{', '.join(old)}: not up to date; run: make docs", file=sys.stderr)
        return 1
    return 0


def options(source: str) -> str:
    """The options of a built-in source as a table of Markdown."""
    plugin = import_plugin(BUILT_IN[source], name=source)
    lines = ["| option | type | default | |", "| --- | --- | --- | --- |"]
    return "\n".join([*lines, *(row(option) for option in getattr(plugin, "OPTIONS", ()))])


def row(option: OptionSpec) -> str:
    """One option as a row of the table."""
    default = "required" if option.required else f"`{option.default}`" if option.default else ""
    doc = option.doc.replace("|", "\\|").replace("<", "&lt;")
    notes = [f"one of {', '.join(f'`{choice}`' for choice in option.choices)}"] if option.choices else []
    notes += ["never shown"] if option.secret else []
    return f"| `{option.name}` | {option.type} | {default} | {'; '.join([doc, *notes])} |"


def types(database: str) -> str:
    """How a database's types are read, as a table of Markdown: each kind of type once."""
    # By name: Python 3.10 has no such module, and the type checker looks with its eyes.
    tomllib: Any = importlib.import_module("tomllib")
    cases = tomllib.loads((ROOT / "tests" / "types" / f"{database}.toml").read_text())["type"]
    found: dict[tuple[str, str], list[str]] = {}
    for case in cases:
        wanted = ", ".join(f"`{key}={value}`" for key, value in json.loads(case.get("options", "{}")).items())
        names = found.setdefault((case["arrow"], wanted), [])
        name = case["declared"].replace("|", "\\|") or "none"
        names += [] if name in names else [name]
    lines = ["| declared | Arrow | with |", "| --- | --- | --- |"]
    for (arrow, wanted), names in found.items():
        declared = ", ".join(f"`{name}`" for name in names)
        lines.append(f"| {declared} | {arrow.replace('<', '&lt;')} | {wanted} |")
    return "\n".join(lines)


TABLES: dict[str, Callable[[str], str]] = {"options": options, "types": types}


if __name__ == "__main__":
    sys.exit(main())
