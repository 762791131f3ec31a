"""A Python class made in Rust is frozen: a borrow that can fail at run time is an error that no test of ours finds."""

from __future__ import annotations

import re

from tests.guard.tree import relative, under


def test_every_class_is_frozen() -> None:
    wrong = []
    for path in under("crates", ".rs"):
        for found in re.finditer(r"#\[(?:pyo3::)?pyclass\b(\([^]]*\))?\]", path.read_text()):
            if not re.search(r"\bfrozen\b", found.group(1) or ""):
                wrong.append(f"{relative(path)}: {found.group(0)}")
    assert not wrong


def test_every_unsafe_block_says_why() -> None:
    wrong = []
    for path in under("crates", ".rs"):
        lines = path.read_text().splitlines()
        for number, line in enumerate(lines):
            code = line.partition("//")[0]
            if re.search(r"\bunsafe\s*(\{|impl\b)", code) and "SAFETY:" not in "\n".join(
                lines[max(0, number - 6) : number]
            ):
                wrong.append(f"{relative(path)}:{number + 1}")
    assert not wrong
