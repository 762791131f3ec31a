"""A file is short enough to be read in one sitting."""

from __future__ import annotations

from tests.guard.tree import relative, text_files

MOST_LINES = 600
SUFFIXES = {".rs", ".py", ".pyi", ".md", ".toml"}


def test_no_file_is_too_long() -> None:
    lengths = {relative(path): len(path.read_text().splitlines()) for path in text_files() if path.suffix in SUFFIXES}
    assert lengths
    assert not {path: length for path, length in lengths.items() if length > MOST_LINES}
