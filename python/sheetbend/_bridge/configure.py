"""The options of a source, checked, and the secrets in them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, quote_plus, unquote

from sheetbend._bridge.describe import describe
from sheetbend.errors import PluginError
from sheetbend.options import Options, OptionSpec, check_options
from sheetbend.references import is_reference, resolve
from sheetbend.registry import optional_methods

if TYPE_CHECKING:
    import pyarrow as pa

_SECRET_KEY = re.compile(r"(?i)secret|passw|pwd|token|credential|(access|private|api)[._-]?key|authorization")
_SECRET_IN_URL = re.compile(r"://[^:/?#@\s]*:([^/?#\s]+)@|(?i:(?:password|passwd|pwd|secret|token)=)([^&;\s]+)")
_SHORTEST_SECRET = 3
"""Shorter values are not replaced in messages: they would be found by chance in any text."""


class Configured(NamedTuple):
    """What a source is read with."""

    options: Options
    secrets: list[str]
    """Every text that must not leave the bridge."""
    methods: list[str]
    """The methods that a plug-in may have, and this one has."""


def configure(
    plugin: object,
    values: Mapping[str, str],
    paths: Sequence[str],
    predicates: Sequence[str],
    schema: pa.Schema | None,
) -> Configured:
    """The options as ``plugin`` gets them: one path is the option ``path``, several are ``paths``, a JSON list.

    A value that refers to another (:mod:`sheetbend.references`) is looked up, and a secret from then on.

    Raises:
        OptionError: What a value refers to is not there.
        PluginError: The plug-in's ``OPTIONS`` are none.
    """
    values = dict(values)
    if len(paths) == 1:
        values["path"] = paths[0]
    elif paths:
        values["paths"] = json.dumps(list(paths))
    specs = _option_specs(plugin) or ()
    names = {spec.name.lower() for spec in specs if spec.secret}
    names |= {key.lower() for key in values if _SECRET_KEY.search(key)}
    referring = {key for key, value in values.items() if is_reference(value, secret=key.lower() in names)}
    values.update((key, resolve(values[key], option=key)) for key in referring)
    given = Options(values)
    hidden = [spec.name for spec in specs if spec.hides(given.get(spec.name, ""))]
    options = Options(values, schema=schema, predicates=predicates, secrets=[*names, *referring, *hidden])
    return Configured(options, secret_texts(options), optional_methods(plugin))


def check(plugin: object, source: str, options: Options) -> None:
    """Checks the options against the plug-in's ``OPTIONS``, where it has any."""
    specs = _option_specs(plugin)
    if specs is not None:
        check_options(specs, options, source=source)


def _option_specs(plugin: object) -> Sequence[OptionSpec] | None:
    specs = getattr(plugin, "OPTIONS", None)
    if specs is None:
        return None
    if not isinstance(specs, Sequence) or not all(isinstance(spec, OptionSpec) for spec in specs):
        raise PluginError(f"OPTIONS is {describe(specs)}, expected a sequence of sheetbend.options.OptionSpec")
    return specs


def secret_texts(options: Options) -> list[str]:
    """The secrets in every spelling in which a driver may repeat them, longest first."""
    plain = {value for key, value in options.items() if key.lower() in options.secrets}
    for value in options.values():
        plain.update(group for match in _SECRET_IN_URL.finditer(value) for group in match.groups() if group)
    plain |= {unquote(value) for value in plain}
    spelled = {spell(value) for value in plain for spell in (str, quote, quote_plus, _in_repr, _in_json)}
    return sorted((text for text in spelled if len(text) >= _SHORTEST_SECRET), key=len, reverse=True)


def _in_repr(value: str) -> str:
    return repr(value)[1:-1]


def _in_json(value: str) -> str:
    return json.dumps(value)[1:-1]
