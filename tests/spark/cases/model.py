"""What a case is, and short ways to write many."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, TypeAlias

Run: TypeAlias = Callable[[Any, ModuleType], Any]
"""Given a session and ``pyspark.sql.functions``; returns a data frame, or a value that JSON has."""


@dataclass(frozen=True)
class Case:
    """One question.

    Args:
        name: Unique in its file; the key of the recorded answer.
        run: How it is asked: a SQL text, or a function.
        ordered: Whether the order of the rows is part of the answer.
        conf: Session settings while it runs.
        differs: Why Sheetbend's answer is another on purpose. The test then insists that it is another.
    """

    name: str
    run: str | Run
    ordered: bool = False
    conf: Mapping[str, str] = field(default_factory=dict)
    differs: str | None = None


def expressions(*texts: str, conf: Mapping[str, str] | None = None) -> list[Case]:
    """One case for each expression, selected from nothing."""
    suffix = "".join(f" [{value}]" for value in (conf or {}).values())
    return [Case(text + suffix, f"SELECT {text}", conf=conf or {}) for text in texts]


def over(view: str, *texts: str) -> list[Case]:
    """One case for each expression, selected from a view of :mod:`.data`: columns instead of constants."""
    return [Case(f"{text} over {view}", f"SELECT {text} FROM {view}") for text in texts]


def queries(*texts: str) -> list[Case]:
    """One case for each query; with an ORDER BY, the order of the rows counts."""
    return [Case(" ".join(text.split()), text, ordered="ORDER BY" in text.upper()) for text in texts]


def frames(cases: Mapping[str, Run], *, ordered: bool = False) -> list[Case]:
    """One case for each function."""
    return [Case(name, run, ordered=ordered) for name, run in cases.items()]


def steps(*texts: str, ordered: bool = False) -> Case:
    """Runs statements one after the other; the answer is the last one's."""

    def run(spark: Any, F: ModuleType) -> Any:
        for text in texts[:-1]:
            spark.sql(text)
        return spark.sql(texts[-1])

    return Case("; ".join(texts), run, ordered=ordered)


def cleaned(after: str, *texts: str, ordered: bool = False) -> Case:
    """As :func:`steps`, and puts back what they changed, though the last one fails."""

    def run(spark: Any, F: ModuleType) -> Any:
        try:
            for text in texts[:-1]:
                spark.sql(text)
            frame = spark.sql(texts[-1])
            return spark.createDataFrame(frame.toArrow(), frame.schema) if frame.columns else frame
        finally:
            for text in after.split("; "):
                spark.sql(text)

    return Case("; ".join(texts), run, ordered=ordered)
