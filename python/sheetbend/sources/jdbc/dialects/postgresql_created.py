"""The types of PostgreSQL columns that are made for rows, which are those that Spark makes."""

from __future__ import annotations

import re

import pyarrow as pa

__all__ = ["created_type", "takes_bytes_of"]

_CREATED: dict[pa.DataType, str] = {
    pa.bool_(): "boolean",
    pa.int8(): "smallint",
    pa.int16(): "smallint",
    pa.int32(): "integer",
    pa.int64(): "bigint",
    pa.float32(): "real",
    pa.float64(): "double precision",
    pa.string(): "text",
    pa.large_string(): "text",
    pa.string_view(): "text",
    pa.binary(): "bytea",
    pa.large_binary(): "bytea",
    pa.binary_view(): "bytea",
    pa.date32(): "date",
    pa.time64("us"): "time without time zone",
}
_TEXT = re.compile(r"text|(?:character varying|varchar|character|char|bpchar)(?:\(\d+\))?")
_NUMERIC = re.compile(r"(?:numeric|decimal)(?:\(.*\))?")


def created_type(kind: pa.DataType) -> str | None:
    """The type, as ``format_type`` writes it; None for what PostgreSQL has none for."""
    found = _CREATED.get(kind)
    if pa.types.is_decimal(kind):
        found = f"numeric({kind.precision},{kind.scale})"
    elif pa.types.is_timestamp(kind):
        found = f"timestamp {'with' if kind.tz else 'without'} time zone"
    elif pa.types.is_list(kind):
        element = created_type(kind.value_type)
        # The driver writes no array of arrays.
        found = f"{element}[]" if element and not element.endswith("[]") else None
    return found


def takes_bytes_of(declared: str, created: str) -> bool:
    """Whether COPY in binary form brings values that are written as ``created`` into a column of type ``declared``.

    The server itself fits a text to a length, and a number to a precision, and raises where it cannot.
    """
    declared = declared.lower()
    if created == "text":
        return _TEXT.fullmatch(declared) is not None
    return declared == created or (created.startswith("numeric(") and _NUMERIC.fullmatch(declared) is not None)
