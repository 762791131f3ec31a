"""The cases, by topic: what is asked of Apache Spark and of Sheetbend alike. ``record.py`` writes Spark's answers."""

from __future__ import annotations

from . import (
    aggregates,
    arithmetic,
    casts,
    catalog,
    clauses,
    columns,
    conditions,
    create,
    dates,
    errors,
    files,
    functions,
    generators,
    joins,
    lambdas,
    metadata,
    missing,
    names,
    nullability,
    queries,
    relations,
    routines,
    rows,
    script,
    show,
    statements,
    stats,
    tables,
    texts,
    variables,
)
from .model import Case

__all__ = ["TOPICS", "Case"]

TOPICS: dict[str, list[Case]] = {
    module.__name__.rpartition(".")[2]: module.CASES
    for module in (
        columns,
        rows,
        joins,
        aggregates,
        casts,
        arithmetic,
        functions,
        generators,
        lambdas,
        missing,
        stats,
        relations,
        dates,
        conditions,
        names,
        nullability,
        create,
        show,
        queries,
        clauses,
        statements,
        tables,
        routines,
        catalog,
        errors,
        files,
        texts,
        metadata,
        script,
        # A name that a variable has means something everywhere, so these come last.
        variables,
    )
}
"""Every case, under the name of the file of its answers."""
