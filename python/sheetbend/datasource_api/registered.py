"""Classes that a client has sent with ``spark.dataSource.register``."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping

from pyspark.errors import PySparkRuntimeError, PySparkTypeError
from pyspark.sql.datasource import DataSource

from sheetbend.datasource_api.modules import ClientCode
from sheetbend.datasource_api.source import PySparkPlugin
from sheetbend.datasource_api.steps import Step, mismatch, step, type_name


class RegisteredPlugin(PySparkPlugin):
    """Reads by a class that came as a pickle.

    Args:
        name: What the client has registered it as.
        pickled: The class, pickled by PySpark's cloudpickle.
        python_version: The client's Python, ``3.11``. Pickled code fits no other.
        files: The Python files that the client has sent, by name.
        package: The package that their modules live in; a new one by default.

    Raises:
        StepError: The pickle cannot be read, or holds no such class.
    """

    def __init__(
        self, name: str, pickled: bytes, python_version: str, files: Mapping[str, bytes], package: str | None = None
    ) -> None:
        with step(Step.CREATE):
            _check_version(python_version)
            self._code = ClientCode(files, package)
            super().__init__(_checked(self._code.loads(pickled), name), self._code.loads)
        self._pickled = (name, pickled, python_version, files)

    def __reduce__(self) -> tuple[object, ...]:
        return RegisteredPlugin, (*self._pickled, self._code.package)


def _check_version(client: str) -> None:
    server = f"{sys.version_info.major}.{sys.version_info.minor}"
    if client != server:
        parameters = {"worker_version": server, "driver_version": client}
        raise PySparkRuntimeError(errorClass="PYTHON_VERSION_MISMATCH", messageParameters=parameters)


def _checked(datasource: object, name: str) -> type[DataSource]:
    if not (isinstance(datasource, type) and issubclass(datasource, DataSource)):
        raise mismatch("a subclass of DataSource", type_name(datasource))
    if not inspect.ismethod(datasource.name):
        parameters = {"expected": "'name()' method to be a classmethod", "actual": type_name(datasource.name)}
        raise PySparkTypeError(errorClass="DATA_SOURCE_TYPE_MISMATCH", messageParameters=parameters)
    if datasource.name().lower() != name.lower():
        raise mismatch(f"provider with name {datasource.name()}", f"'{name}'")
    return datasource
