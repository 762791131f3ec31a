"""PySpark's own data source API as a second face of the bridge: a ``pyspark.sql.datasource.DataSource`` as a plug-in.

Private. A class comes here by ``spark.dataSource.register``, or wherever a plug-in is taken. The modules of this room
import PySpark, and are imported once there is such a class: a server without one neither needs nor pays for it.
"""

from __future__ import annotations

import sys

__all__ = ["adapted"]


def adapted(candidate: object) -> object:
    """A plug-in that reads by ``candidate`` where that is a subclass of PySpark's ``DataSource``, else itself."""
    api = sys.modules.get("pyspark.sql.datasource")
    if api is None or not (isinstance(candidate, type) and issubclass(candidate, api.DataSource)):
        return candidate
    from sheetbend.datasource_api.source import PySparkPlugin  # noqa: PLC0415 - imports PySpark

    return PySparkPlugin(candidate)
