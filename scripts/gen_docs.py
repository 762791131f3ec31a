"""Writes the tables of documents: options from what the sources say of themselves in ``OPTIONS``, and the types
of databases from the cases of the tests, tests/types/<database>.toml.

    python scripts/gen_docs.py [--check]

With ``--check`` nothing is written, and the exit status is 1 where a table is not what it should be.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
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
    status = 0
    for name in DOCUMENTS:
        before = (ROOT / name).read_text()
        after = PLACE.sub(lambda place: f"{place[1]}\n{TABLES[place[2]](place[3])}\n{place[4]}", before)
        if "--check" not in sys.argv[1:]:
            (ROOT / name).write_text(after)
        elif after != before:
            print(f"{name} is not up to date; run: make docs", file=sys.stderr)
            status = 1
    return status


def table(source: str) -> str:
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
    return f"| `{option.name}` | {option.type} | {default} | {'; '.join([doc.rstrip('.'), *notes]) if notes else doc} |"


def types(database: str) -> str:
    """The types of a database, and what they are read as, as a table of Markdown."""
    # By name: Python 3.10 has no such module.
    tomllib: Any = importlib.import_module("tomllib")
    cases = tomllib.loads((ROOT / "tests" / "types" / f"{database}.toml").read_text())["type"]
    declared: dict[str, list[str]] = {}
    for case in cases:
        wanted = " ".join(f"with {key}={value}" for key, value in json.loads(case.get("options", "{}")).items())
        names = declared.setdefault(f"`{case['arrow']}` {wanted}".rstrip(), [])
        if case["declared"] and case["declared"] not in names:
            names.append(case["declared"])
    lines = [f"| {', '.join(f'`{name}`' for name in names)} | {arrow} |" for arrow, names in declared.items()]
    return "\n".join(["| declared | read as (Arrow) |", "| --- | --- |", *lines])


TABLES = {"options": table, "types": types}


if __name__ == "__main__":
    sys.exit(main())
