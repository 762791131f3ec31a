"""The examples of the documents run, as a reader would run them.

The Python blocks of a document run in order as one script, against a server of their own. A block whose first line is
``# name.py`` is a file that the server can import, and is no part of the script. A block after a comment that says
``<!-- not run: reason -->`` is only compiled.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.server import ROOT, running_server

DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(r"(?P<before>^<!-- not run: .+ -->\n+)?^```python\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (\w+\.py)\n")


@dataclass(frozen=True)
class Blocks:
    """The Python blocks of a document by what is done with them."""

    files: dict[str, str]
    script: str
    compiled: list[str]


def blocks(document: Path) -> Blocks:
    files: dict[str, str] = {}
    script: list[str] = []
    compiled: list[str] = []
    for block in BLOCK.finditer(document.read_text()):
        code = block["code"]
        name = FILE.match(code)
        if block["before"]:
            compiled.append(code)
        elif name:
            files[name.group(1)] = code
        else:
            script.append(code)
    return Blocks(files, "\n".join(script), compiled)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_examples_run(document: Path, orders_db: Path, tmp_path: Path) -> None:
    found = blocks(document)
    for code in found.compiled:
        compile(code, document.name, "exec")
    for name, code in found.files.items():
        compile(code, name, "exec")
        (tmp_path / name).write_text(code)
    if not found.script:
        return
    (tmp_path / "orders.db").symlink_to(orders_db)
    with running_server(python_path=tmp_path) as server:
        script = found.script.replace("sc://127.0.0.1:15002", server.url).replace("/data/orders.db", str(orders_db))
        (tmp_path / "script.py").write_text(script)
        done = subprocess.run(
            [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False
        )
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_are_examples() -> None:
    assert any(blocks(document).script for document in DOCUMENTS)
