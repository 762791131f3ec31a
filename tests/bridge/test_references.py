"""Values of options that stand elsewhere: in the environment, or in a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

import pytest

from sheetbend.options import OptionSpec
from tests.bridge.plugins import Given, failure, numbers, read

SECRET = "hunter2-and-more"


class Seen(Given):
    """Notes the options that its reader gets."""

    OPTIONS: ClassVar[tuple[OptionSpec, ...]] = tuple(
        OptionSpec(name, name, secret=name == "pin") for name in ("pin", "user", "password", "path")
    )
    options: ClassVar[dict[str, str]] = {}
    shown: ClassVar[str] = ""

    def __init__(self) -> None:
        super().__init__(self.rows)

    def rows(self, spec: Any, options: Any, context: Any) -> Any:
        type(self).options, type(self).shown = dict(options), repr(options)
        return [numbers(1)]


def seen(**options: str) -> dict[str, str]:
    assert read(Seen, options).num_rows == 1
    assert SECRET not in Seen.shown
    return Seen.options


def test_a_variable_stands_for_any_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERS_LOGIN", SECRET)
    assert seen(user="env:ORDERS_LOGIN", pin="env:ORDERS_LOGIN") == {"user": SECRET, "pin": SECRET}


def test_a_file_stands_for_an_option_that_is_a_secret(tmp_path: Path) -> None:
    held = tmp_path / "password"
    held.write_text(f"{SECRET}\n")
    # By its specification, by its name; and no file at all, but where to read.
    got = seen(pin=f"file:{held}", Password=f"file://{held}", path=f"file:{held}")
    assert got == {"pin": SECRET, "Password": SECRET, "path": f"file:{held}"}


@pytest.mark.parametrize(
    "value", ["env:", "env:A-B", "env:1", "environment", "ENV:HOME", "jdbc:x:env:HOME", " env:HOME"]
)
def test_other_values_stand_for_themselves(value: str) -> None:
    assert seen(pin=value) == {"pin": value}


def test_what_is_looked_up_is_not_looked_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERS_LOGIN", "env:HOME")
    assert seen(pin="env:ORDERS_LOGIN") == {"pin": "env:HOME"}


def test_a_variable_that_is_not_set() -> None:
    said = failure(Seen, {"pin": "env:NOT_SET_ANYWHERE"}, name="orders")
    assert said.endswith(": Option 'pin' refers to the environment variable 'NOT_SET_ANYWHERE', which is not set.")
    assert "OptionError" not in said


def _missing(path: Path) -> None:
    pass


def _folder(path: Path) -> None:
    path.mkdir()


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _bytes(path: Path) -> None:
    path.write_bytes(b"\xff\xfe")


def _huge(path: Path) -> None:
    path.write_bytes(b"x" * 65_537)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_missing, "No such file or directory"),
        (_folder, "it is no regular file"),
        (_pipe, "it is no regular file"),
        (_bytes, "it is no text"),
        (_huge, "it has more than 65536 bytes"),
    ],
)
def test_a_file_that_holds_no_secret(tmp_path: Path, make: Any, reason: str) -> None:
    path = tmp_path / "held"
    make(path)
    said = failure(Seen, {"pin": f"file:{path}"})
    assert f"Option 'pin' refers to the file '{path}', which cannot be read: {reason}." in said


def test_a_path_that_is_none() -> None:
    assert "cannot be read" in failure(Seen, {"pin": "file:a\0b"})


def test_what_is_looked_up_is_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERS_LOGIN", SECRET)

    class Leaky(Seen):
        def plan_partitions(self, options: Any) -> Any:
            raise ConnectionError(f"no login for {options['user']}: {options}")

    said = failure(Leaky, {"user": "env:ORDERS_LOGIN"})
    assert SECRET not in said
    assert "no login for *********(redacted)" in said
