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
    pa.date32(): "date",
    pa.time64("us"): "time without time zone",
}
_TEXT = re.compile(r"text|(?:character varying|varchar|character|char|bpchar)(?:\(\d+\))?")
_NUMERIC = re.compile(r"(?:numeric|decimal)(?:\(.*\))?")


def created_type(kind: pa.DataType) -> str | None:
    """The type, as ``format_type`` writes it; None for what PostgreSQL has none for."""
    if kind in _CREATED:
        return _CREATED[kind]
    if pa.types.is_decimal(kind):
        return f"numeric({kind.precision},{kind.scale})"
    if pa.types.is_timestamp(kind):
        return f"timestamp {'with' if kind.tz else 'without'} time zone"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "text"
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return "bytea"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        element = created_type(kind.value_type)
        # The driver writes no array of arrays.
        return f"{element}[]" if element and not element.endswith("[]") else None
    return None


def takes_bytes_of(declared: str, created: str) -> bool:
    """Whether COPY in binary form brings values that are written as ``created`` into a column of type ``declared``.

    The server itself fits a text to a length, and a number to a precision, and raises where it cannot.
    """
    declared = declared.lower()
    if created == "text":
        return _TEXT.fullmatch(declared) is not None
    return declared == created or (created.startswith("numeric(") and _NUMERIC.fullmatch(declared) is not None)
