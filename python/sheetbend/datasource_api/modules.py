"""Code that a client has sent: pickled classes, and modules that only these can import.

All sessions share one interpreter, and with it one table of modules. So the modules of a client live in a package of
their own, whose name nobody else has, and the client's code gets an ``__import__`` that looks there first. Two sessions
may have modules of one name, and neither can shadow a module of the server. Nothing is written to disk.
"""

from __future__ import annotations

import builtins
import functools
import importlib
import importlib.abc
import importlib.machinery
import io
import pickle
import sys
import types
import uuid
import weakref
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sheetbend.errors import PluginError

_UNPACKED_BYTES = 1 << 30
"""What the modules of one upload may take: a small archive can hold very much."""

_ROOT = "pyfiles"
"""The folder in which the files stand in tracebacks."""


class ClientCode:
    """Unpickles what a client has sent. The modules in its files are there as long as this object lives.

    Args:
        files: The content of ``.py`` files and of archives (``.zip``, ``.egg``, ``.jar``) by name.
        package: The name of the package that they live in; a new one by default.
    """

    def __init__(self, files: Mapping[str, bytes], package: str | None = None) -> None:
        self.package = package or f"{_ROOT}_{uuid.uuid4().hex[:12]}"
        self._finder = _Finder(self.package, files)
        sys.meta_path.append(self._finder)
        weakref.finalize(self, _forget, self._finder)

    def loads(self, data: bytes) -> Any:  # noqa: ANN401 - whatever it is
        """What ``data``, a pickle of cloudpickle, holds. A class that was pickled twice is one class, but only here."""
        return _Unpickler(io.BytesIO(data), self._finder).load()


class _Finder(importlib.abc.SourceLoader):
    """Finds and loads the modules. The client's code and the table of modules hold on to it."""

    def __init__(self, package: str, files: Mapping[str, bytes]) -> None:
        self.package = package
        self.builtins = {**vars(builtins), "__import__": self._import}
        self._paths: dict[str, str] = {}
        self._data: dict[str, bytes] = {}
        self._add("__init__.py", "", b"")
        for root, path, source in _sources(files):
            self._add(path, root, source)

    def has(self, module: str) -> bool:
        """Whether the client has sent the module, or the package that it is in."""
        return self.qualified(module.partition(".")[0]) in self._paths

    def qualified(self, module: str) -> str:
        """The name by which the interpreter has the module."""
        return f"{self.package}.{module}"

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in self._paths:
            return None
        origin = self.get_filename(fullname)
        spec = importlib.machinery.ModuleSpec(fullname, self, origin=origin, is_package=self.is_package(fullname))
        spec.has_location = True
        return spec

    def get_filename(self, fullname: str) -> str:
        return self._paths[fullname]

    def get_data(self, path: str) -> bytes:
        try:
            return self._data[path]
        except KeyError:
            raise FileNotFoundError(path) from None

    def exec_module(self, module: types.ModuleType) -> None:
        vars(module)["__builtins__"] = self.builtins
        super().exec_module(module)

    def _add(self, path: str, root: str, source: bytes) -> None:
        """Adds the module of ``path`` below ``root``, an archive or nothing, and the packages that it is in."""
        *folders, last = path.removesuffix(".py").split("/")
        names = [self.package, *folders] if last == "__init__" else [self.package, *folders, last]
        if not all(name.isidentifier() for name in names):
            return
        for depth in range(2, len(names)):
            if ".".join(names[:depth]) not in self._paths:  # a folder without __init__.py is a package too
                self._add("/".join([*names[1:depth], "__init__.py"]), root, b"")
        place = f"{_ROOT}/{root}{path}"
        self._paths[".".join(names)] = place
        self._data[place] = source

    def _import(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,  # noqa: A002 - the names are Python's
        locals: Mapping[str, object] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> types.ModuleType:
        if level or not self.has(name):
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        importlib.import_module(self.qualified(name))
        if not fromlist:
            return sys.modules[self.qualified(name.partition(".")[0])]
        return builtins.__import__(self.qualified(name), globals, locals, fromlist, 0)


class _Unpickler(pickle.Unpickler):
    """Has what is unpickled find the client's modules, now and when it runs."""

    def __init__(self, data: io.BytesIO, finder: _Finder) -> None:
        super().__init__(data)
        self._finder = finder

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - whatever it is
        if self._finder.has(module):
            return functools.reduce(getattr, name.split("."), self._module(module))
        found = super().find_class(module, name)
        if module == "pyspark.cloudpickle.cloudpickle":
            if name == "_make_function":
                return self._make_function
            if name == "subimport":
                return self._module
            if name in ("_make_skeleton_class", "_make_skeleton_enum"):
                return functools.partial(self._make_class, found)
        return found

    def _make_class(self, make: Callable[..., type], *arguments: Any) -> type:  # noqa: ANN401 - passed on
        # By this id cloudpickle knows a class again that it has unpickled before. The same class of another session
        # is another one: it may import other modules.
        *rest, known, extra = arguments
        if known is not None and not known.startswith(self._finder.package):
            known = self._finder.qualified(known)
        return make(*rest, known, extra)

    def _make_function(
        self,
        code: types.CodeType,
        namespace: dict[str, Any],
        name: str | None,
        defaults: tuple[object, ...] | None,
        closure: tuple[types.CellType, ...] | None,
    ) -> types.FunctionType:
        # A function has its __import__ from here.
        namespace["__builtins__"] = self._finder.builtins
        return types.FunctionType(code, namespace, name, defaults, closure)

    def _module(self, name: str) -> types.ModuleType:
        return importlib.import_module(self._finder.qualified(name) if self._finder.has(name) else name)


def _forget(finder: _Finder) -> None:
    sys.meta_path.remove(finder)
    for name in list(sys.modules):
        if name == finder.package or name.startswith(f"{finder.package}."):
            del sys.modules[name]


def _sources(files: Mapping[str, bytes]) -> Iterator[tuple[str, str, bytes]]:
    """The Python files, and those in archives: the archive with a slash, the path, the content."""
    left = _UNPACKED_BYTES
    for name, data in files.items():
        if name.endswith(".py"):
            yield "", name, data
            continue
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                entries = [entry for entry in archive.infolist() if entry.filename.endswith(".py")]
                left -= sum(entry.file_size for entry in entries)
                if left < 0:
                    raise PluginError(f"the modules in '{name}' take more than {_UNPACKED_BYTES} bytes")
                for entry in entries:
                    yield f"{name}/", entry.filename, archive.read(entry)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise PluginError(f"the uploaded file '{name}' cannot be read as an archive: {error}") from error
