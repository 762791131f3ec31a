"""Which sources there are: the built-in ones, and those of installed packages.

A package adds its own with an entry point::

    [project.entry-points."sheetbend.datasources"]
    name = "package.module:ClassName"

As in PySpark, a top-level module or package whose name begins with ``pyspark_`` adds the data source ``DefaultSource``
that is in it, under the name that the class gives itself.

A source that cannot be loaded is kept with the reason: it stops neither the others nor the server, and a query that
asks for it is told why.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from typing import NoReturn

from sheetbend.errors import PluginError
from sheetbend.registry import check_name, import_plugin, instance_of

__all__ = ["BUILT_IN", "BUILT_IN_ORIGIN", "GROUP", "Discovered", "discover"]

GROUP = "sheetbend.datasources"
"""The entry-point group of third-party sources."""

BUILT_IN = {
    "jdbc": "sheetbend.sources.jdbc:JDBCArrowDataSource",
    "rest": "sheetbend.sources.rest:RESTAPIDataSource",
    "s3": "sheetbend.sources.s3:S3DataSource",
}
"""The sources that come with this package, by name."""

BUILT_IN_ORIGIN = "built-in"
"""The origin of those."""


@dataclass(frozen=True, slots=True)
class Discovered:
    """A source that was found: one that can be read, or the reason why it cannot."""

    name: str
    """What a query calls it: ``spark.read.format(name)``."""
    origin: str
    """Where it comes from: ``built-in``, a package with its version, or ``registered``."""
    plugin: object | None
    """The plug-in, checked; none where it could not be loaded."""
    error: str | None = None
    """Why it could not be loaded."""

    def readable(self) -> object:
        """The plug-in, or one in its place whose every method raises the reason why there is none."""
        return self.plugin if self.error is None else _Unavailable(self)


def discover() -> list[Discovered]:
    """Every built-in and installed source, by name. Never raises for a source that fails to load."""
    found = [_load(name, BUILT_IN_ORIGIN, reference) for name, reference in BUILT_IN.items()]
    found += [_load(entry.name, _origin(entry), entry.value) for entry in entry_points(group=GROUP)]
    found += _default_sources()
    return sorted((_contested(source, found) for source in found), key=lambda source: (source.name, source.origin))


def _load(name: str, origin: str, reference: str) -> Discovered:
    try:
        key = check_name(name)
        plugin = instance_of(import_plugin(reference, name=name), name=name)
    except PluginError as error:
        return Discovered(name.lower(), origin, None, str(error))
    return Discovered(key, origin, plugin)


def _default_sources() -> Iterator[Discovered]:
    for module in pkgutil.iter_modules():
        if module.name.startswith("pyspark_"):
            yield from _default_source(module.name)


def _default_source(module: str) -> Iterator[Discovered]:
    origin = f"module {module}"
    try:
        source = getattr(importlib.import_module(module), "DefaultSource", None)
        if source is not None:
            name = check_name(source.name())
            yield Discovered(name, origin, instance_of(source, name=name))
    except Exception as error:  # noqa: BLE001 - the code of others, which says what is wrong in its own way
        reason = str(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
        yield Discovered(module, origin, None, f"The module '{module}' has no data source to read by: {reason}")


def _origin(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist is not None else "an unnamed package"


def _contested(source: Discovered, found: Sequence[Discovered]) -> Discovered:
    """The source itself, or why it cannot have its name: another one has it too.

    A built-in source keeps its name. Of two packages neither gets it: else what a query reads would hang on the order
    in which they were installed.
    """
    others = [other for other in found if other.name == source.name and other is not source]
    if not others or source.origin == BUILT_IN_ORIGIN:
        return source
    origins = " and by ".join(other.origin for other in others)
    reason = (
        f"The name '{source.name}' is claimed by {source.origin} and by {origins}. Uninstall one of them, or register "
        "the one you mean."
    )
    return replace(source, plugin=None, error=reason)


class _Unavailable:
    """Stands in for a source that could not be loaded, so that a query gets the reason and not "unknown format"."""

    def __init__(self, source: Discovered) -> None:
        self._source = source

    def infer_schema(self, options: object) -> NoReturn:
        self._refuse()

    def plan_partitions(self, options: object) -> NoReturn:
        self._refuse()

    def read_partition(self, partition_spec: object, options: object) -> NoReturn:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise PluginError(
            f"Source '{self._source.name}' ({self._source.origin}) could not be loaded. {self._source.error}"
        )
