"""Options of a source: a case-insensitive mapping of strings, and typed specifications to check it against."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sheetbend.errors import OptionError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["OptionSpec", "Options", "check_options"]

_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off"})

_ADDRESS = re.compile(r"[\w./:-]*")

REDACTED = "*********(redacted)"
"""What is shown in place of a secret."""


class Options(Mapping[str, str]):
    """What a reader was given, as a plug-in gets it.

    Keys are looked up without regard to case, as Spark does, and keep the case in which they were written when
    iterated over. Values are strings. Where a key is given twice in different case, the last one counts.

    Args:
        values: Keys and values.
        schema: The schema that the user gave with ``spark.read.schema(...)``.
        predicates: The WHERE clauses of ``spark.read.jdbc(predicates=[...])``, one partition each.
        secrets: Keys whose values ``repr`` hides.

    Attributes:
        kept: What a plug-in keeps from one of its methods for the next, such as the schema for the planning. Methods
            may run in different processes, so none can count on it.
    """

    __slots__ = ("_values", "kept", "predicates", "schema", "secrets")

    def __init__(
        self,
        values: Mapping[str, str] | None = None,
        *,
        schema: pa.Schema | None = None,
        predicates: Sequence[str] = (),
        secrets: Sequence[str] = (),
    ) -> None:
        self._values = {key.lower(): (key, value) for key, value in (values or {}).items()}
        self.schema = schema
        self.predicates = tuple(predicates)
        self.secrets = frozenset(key.lower() for key in secrets)
        self.kept: dict[str, object] = {}

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Options:
        """The mapping itself where it is of this class already, else a copy of it that is."""
        return values if isinstance(values, cls) else cls(values)

    def __getitem__(self, key: str) -> str:
        return self._values[key.lower()][1]

    def __iter__(self) -> Iterator[str]:
        return (key for key, _ in self._values.values())

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key.lower() in self._values

    def __repr__(self) -> str:
        shown = {key: REDACTED if key.lower() in self.secrets else value for key, value in self._values.values()}
        return f"Options({shown!r})"

    def require(self, key: str) -> str:
        """The value of ``key``; raises :class:`OptionError` where it is missing or empty."""
        value = self.get(key, "")
        if not value:
            raise OptionError(f"Option '{key}' is required.")
        return value

    def integer(self, key: str, default: int | None = None, *, minimum: int | None = None) -> int | None:
        """The value of ``key`` as an integer; ``default`` where it is missing."""
        text = self.get(key)
        if text is None:
            return default
        try:
            value = int(text.strip())
        except ValueError:
            raise OptionError(f"Option '{key}' must be an integer, got '{text}'.") from None
        if minimum is not None and value < minimum:
            raise OptionError(f"Option '{key}' must be at least {minimum}, got {value}.")
        return value

    def number(self, key: str, default: float | None = None, *, minimum: float | None = None) -> float | None:
        """The value of ``key`` as a number; ``default`` where it is missing."""
        text = self.get(key)
        if text is None:
            return default
        try:
            value = float(text)
        except ValueError:
            raise OptionError(f"Option '{key}' must be a number, got '{text}'.") from None
        if minimum is not None and not value >= minimum:
            raise OptionError(f"Option '{key}' must be at least {minimum}, got {value}.")
        return value

    def boolean(self, key: str, default: bool) -> bool:
        """The value of ``key`` as a truth value; ``default`` where it is missing."""
        text = self.get(key)
        if text is None:
            return default
        word = text.strip().lower()
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
        raise OptionError(f"Option '{key}' must be true or false, got '{text}'.")


@dataclass(frozen=True, slots=True)
class OptionSpec:
    """One option that a plug-in takes. A plug-in lists its own in a class attribute ``OPTIONS``.

    Where a plug-in has ``OPTIONS``, an option that is not in it is refused, with the nearest name that is.
    """

    name: str
    doc: str
    type: Literal["string", "integer", "number", "boolean", "url"] = "string"
    default: str | None = None
    required: bool = False
    secret: bool = False
    choices: tuple[str, ...] = ()

    def hides(self, value: str) -> bool:
        """Whether the value is kept out of what is shown: a secret, or a URL that is more than an address.

        A URL of letters, digits and ``. / : _ -`` is an address; any other may hold a password, in one form or another.
        """
        return self.secret or (self.type == "url" and _ADDRESS.fullmatch(value) is None)


def check_options(specs: Sequence[OptionSpec], options: Options, *, source: str) -> None:
    """Raises :class:`OptionError` for the first option of ``options`` that ``specs`` does not allow.

    Args:
        specs: Every option that the source takes.
        options: What the user gave.
        source: How the source is called in the message.
    """
    known = {spec.name.lower(): spec for spec in specs}
    for key in options:
        if key.lower() not in known:
            raise OptionError(f"Source '{source}' has no option '{key}'.{_suggestion(key, specs)}")
    for spec in specs:
        if spec.required and not options.get(spec.name):
            raise OptionError(f"Source '{source}' requires the option '{spec.name}': {spec.doc}")
        _check_value(spec, options)


def _check_value(spec: OptionSpec, options: Options) -> None:
    if spec.type == "integer":
        options.integer(spec.name)
    elif spec.type == "number":
        options.number(spec.name)
    elif spec.type == "boolean":
        options.boolean(spec.name, default=False)
    value = options.get(spec.name)
    if spec.choices and value is not None and value.lower() not in {choice.lower() for choice in spec.choices}:
        raise OptionError(f"Option '{spec.name}' must be one of {', '.join(spec.choices)}, got '{value}'.")


def _suggestion(key: str, specs: Sequence[OptionSpec]) -> str:
    names = {spec.name.lower(): spec.name for spec in specs}
    near = difflib.get_close_matches(key.lower(), names, n=3, cutoff=0.6)
    if near:
        return f" Did you mean {' or '.join(repr(names[name]) for name in near)}?"
    return f" It takes: {', '.join(sorted(names.values()))}." if names else " It takes none."
