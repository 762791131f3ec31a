"""Writes the tables of options in docs/sources.md from what the sources say of themselves in ``OPTIONS``.

    python scripts/gen_docs.py [--check]

With ``--check`` nothing is written, and the exit status is 1 where a table is not what it should be.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sheetbend.discovery import BUILT_IN
from sheetbend.registry import import_plugin

if TYPE_CHECKING:
    from sheetbend.options import OptionSpec

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "sources.md"
PLACE = re.compile(r"(<!-- options: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def main() -> int:
    """Writes or checks the document; returns the exit status."""
    before = DOCUMENT.read_text()
    after = PLACE.sub(lambda place: f"{place[1]}\n{table(place[2])}\n{place[3]}", before)
    if "--check" in sys.argv[1:]:
        if after != before:
            print("docs/sources.md is not up to date; run: make docs", file=sys.stderr)
        return int(after != before)
    DOCUMENT.write_text(after)
    return 0


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
    return f"| `{option.name}` | {option.type} | {default} | {'; '.join([doc, *notes])} |"


if __name__ == "__main__":
    sys.exit(main())
