"""Values of options that stand elsewhere: ``env:NAME`` in the environment, ``file:PATH`` in a file.

They are looked up by the process that reads the source, and travel as they are written.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from sheetbend.errors import OptionError

__all__ = ["is_reference", "resolve"]

_MOST_BYTES = 65_536
"""What a file may hold: it is a password, a key or a certificate."""

_VARIABLE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*")


def is_reference(value: str, *, secret: bool) -> bool:
    """Whether ``value`` says where a value stands.

    Args:
        value: The value of an option.
        secret: Whether the option is one for a secret. Elsewhere ``file:`` begins the URI of what is to be read.
    """
    return _VARIABLE.fullmatch(value) is not None or (secret and value.startswith("file:"))


def resolve(value: str, *, option: str) -> str:
    """The value itself, or what ``env:NAME`` or ``file:PATH`` refers to; whitespace at the end of a file is cut.

    Raises:
        OptionError: The variable is not set or the file cannot be read; the message names it and the option.
    """
    if not is_reference(value, secret=True):
        return value
    kind, _, name = value.partition(":")
    if kind == "file":
        return _text(name, option).rstrip()
    found = os.environ.get(name)
    if found is None:
        raise OptionError(f"Option '{option}' refers to the environment variable '{name}', which is not set.")
    return found


def _text(path: str, option: str) -> str:
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):
            raise ValueError("it is no regular file")
        with Path(path).open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise ValueError(f"it has more than {_MOST_BYTES} bytes")
        return data.decode()
    except OSError as error:
        reason = error.strerror
    except UnicodeDecodeError:
        reason = "it is no text"
    except ValueError as error:
        reason = str(error)
    raise OptionError(f"Option '{option}' refers to the file '{path}', which cannot be read: {reason}.")
