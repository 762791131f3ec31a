"""Nothing in the tree belongs to one machine or one person, and what the documents point to is there."""

from __future__ import annotations

import os
import re

import pytest

from tests.guard.tree import ROOT, relative, text_files

SCRIPTS = [".ci/run", "scripts/bench", "scripts/bootstrap", "scripts/develop", "scripts/fuzz", "scripts/lock"]

LOCAL = re.compile(r"/home/\w+|/Users/\w+|[A-Z]:\\\\|find-links|--index-url|--extra-index-url")
SECRET = re.compile(
    r"AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY-----|gh[pousr]_[A-Za-z0-9]{36}|xox[abp]-[A-Za-z0-9-]{10,}"
)


def test_no_path_of_one_machine() -> None:
    files = [path for path in text_files() if relative(path) != "tests/guard/test_tidy.py"]
    files += [ROOT / "requirements" / "dev.txt", ROOT / "requirements" / "bench.txt", ROOT / "Cargo.lock"]
    assert not {relative(path): LOCAL.findall(path.read_text()) for path in files if LOCAL.search(path.read_text())}


def test_no_secret() -> None:
    assert not [relative(path) for path in text_files() if SECRET.search(path.read_text())]


def test_text_is_clean() -> None:
    wrong = []
    for path in text_files():
        text = path.read_text()
        clean = all(line == line.rstrip() for line in text.splitlines()) and "\r" not in text
        if not clean or (text and (not text.endswith("\n") or text.endswith("\n\n"))):
            wrong.append(relative(path))
    assert not wrong


def test_locks_have_hashes() -> None:
    for name in ("dev", "bench"):
        text = (ROOT / "requirements" / f"{name}.txt").read_text()
        packages = re.findall(r"^(\S+)==\S+.* \\$", text, re.MULTILINE)
        assert packages
        assert len(packages) == len(re.findall(r"^[A-Za-z0-9]", text, re.MULTILINE))


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_can_be_run(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
    assert (ROOT / script).read_text().startswith("#!/usr/bin/env ")


def test_links_of_documents_lead_somewhere() -> None:
    wrong = []
    for path in text_files():
        if path.suffix != ".md":
            continue
        for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", path.read_text()):
            if not (path.parent / target).exists():
                wrong.append(f"{relative(path)}: {target}")
    assert not wrong


def test_make_targets_of_documents_are_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        (relative(path), target)
        for path in text_files()
        if path.suffix == ".md"
        for target in re.findall(r"(?:`|^)make ([a-z-]+)", path.read_text(), re.MULTILINE)
    }
    assert named
    assert not {(path, target) for path, target in named if target not in targets}
