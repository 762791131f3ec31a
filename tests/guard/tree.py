"""The files of this repository, as the guards look at them."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

GENERATED = {"Cargo.lock", "requirements/bench.txt", "requirements/dev.txt", "LICENSE"}


@cache
def text_files() -> tuple[Path, ...]:
    """Every file that git has or would add, without those that a tool wrote."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = [ROOT / name for name in listed.stdout.splitlines() if name not in GENERATED]
    return tuple(path for path in sorted(set(paths)) if path.is_file() and b"\0" not in path.read_bytes())


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def under(folder: str, suffix: str) -> list[Path]:
    """The files below a folder that end in a suffix."""
    return [path for path in text_files() if relative(path).startswith(f"{folder}/") and path.suffix == suffix]
