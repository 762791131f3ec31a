"""The plan of a query, as a person sees it."""

from __future__ import annotations

import contextlib
import io

from pyspark.sql import DataFrame


def plan_of(frame: DataFrame) -> str:
    """What ``explain()`` prints."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        frame.explain()
    return printed.getvalue()
