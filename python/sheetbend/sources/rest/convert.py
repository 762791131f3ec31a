"""JSON records as Arrow batches of a promised schema."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import pyarrow as pa
from pyarrow import types as at

from sheetbend.errors import OptionError, SheetbendError

__all__ = ["BatchBuilder"]

Converter: TypeAlias = Callable[[Any], Any]

_INTEGER = re.compile(r"[+-]?\d{1,40}")
_NUMBER = re.compile(r"[+-]?(?:\d{1,400}\.?\d{0,400}|\.\d{1,400})(?:[eE][+-]?\d{1,4})?")
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?\s*(Z|z|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)?")


class _MismatchError(Exception):
    """A value that does not fit; ``path`` leads to it from the column, outermost first."""

    def __init__(self, value: object, expected: str, path: tuple[str, ...] = ()) -> None:
        super().__init__(value, expected, path)
        self.value, self.expected, self.path = value, expected, path

    def below(self, step: str) -> _MismatchError:
        return _MismatchError(self.value, self.expected, (step, *self.path))


class BatchBuilder:
    """Makes batches of one schema.

    A field that a record lacks is null, one that the schema lacks is left out. Where text is promised, anything else
    becomes JSON text; where a number, date or time is promised, text that is one fits too.

    Raises:
        OptionError: A type of the schema cannot be made of JSON; the message names the column.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._converters = []
        for field in schema:
            try:
                self._converters.append(_converter(field.type))
            except TypeError:
                raise OptionError(f"Column '{field.name}' of the schema is {field.type}, which JSON has not.") from None

    def build(self, records: Sequence[Mapping[str, Any]], *, page: str) -> pa.RecordBatch:
        """One batch of all ``records``; raises :class:`SheetbendError` that names field, record and ``page``."""
        columns = [
            self._column(field, convert, records, page)
            for field, convert in zip(self._schema, self._converters, strict=True)
        ]
        return pa.RecordBatch.from_arrays(columns, schema=self._schema)

    def _column(self, field: pa.Field, convert: Converter, records: Sequence[Mapping[str, Any]], page: str) -> pa.Array:
        values = []
        for position, record in enumerate(records, 1):
            try:
                values.append(convert(record.get(field.name)))
            except _MismatchError as error:
                path = "".join((field.name, *error.path))
                raise SheetbendError(
                    f"Field '{path}' of record {position} on {page} is {_kind(error.value)}, which does not fit "
                    f"{error.expected}: give the schema, or raise option 'sampleRecords'."
                ) from None
        try:
            return pa.array(values, field.type)
        except (pa.ArrowException, ValueError, OverflowError, TypeError) as error:
            raise SheetbendError(f"Field '{field.name}' on {page} does not fit {field.type}: {error}.") from None


def _converter(kind: pa.DataType) -> Converter:
    """What makes a value of ``kind`` of a JSON value; null stays null. Raises ``TypeError`` for other kinds."""
    for check, make in _KINDS:
        if check(kind):
            convert = make(kind)
            return lambda value: None if value is None else convert(value)
    raise TypeError


def _text(_: pa.DataType) -> Converter:
    def convert(value: Any) -> str:  # noqa: ANN401 - JSON
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    return convert


def _truth(kind: pa.DataType) -> Converter:
    words = {"true": True, "false": False}

    def convert(value: Any) -> bool:  # noqa: ANN401 - JSON
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value in words:
            return words[value]
        raise _MismatchError(value, str(kind))

    return convert


def _integer(kind: pa.DataType) -> Converter:
    bits = kind.bit_width
    allowed = range(-(2 ** (bits - 1)), 2 ** (bits - 1))

    def convert(value: Any) -> int:  # noqa: ANN401 - JSON
        number = value
        if (isinstance(value, str) and _INTEGER.fullmatch(value)) or (isinstance(value, float) and value.is_integer()):
            number = int(value)
        if isinstance(number, int) and not isinstance(number, bool) and number in allowed:
            return number
        raise _MismatchError(value, str(kind))

    return convert


def _floating(kind: pa.DataType) -> Converter:
    def convert(value: Any) -> float:  # noqa: ANN401 - JSON
        plain = isinstance(value, (int, float)) and not isinstance(value, bool)
        if plain or (isinstance(value, str) and _NUMBER.fullmatch(value)):
            try:
                return float(value)
            except OverflowError:
                pass
        raise _MismatchError(value, str(kind))

    return convert


def _decimal(kind: pa.DataType) -> Converter:
    def convert(value: Any) -> Decimal:  # noqa: ANN401 - JSON
        plain = isinstance(value, (int, float)) and not isinstance(value, bool)
        if plain or (isinstance(value, str) and _NUMBER.fullmatch(value)):
            try:
                number = Decimal(str(value))
            except (InvalidOperation, ValueError):
                raise _MismatchError(value, str(kind)) from None
            if number.is_finite():
                return number
        raise _MismatchError(value, str(kind))

    return convert


def _bytes(kind: pa.DataType) -> Converter:
    def convert(value: Any) -> bytes:  # noqa: ANN401 - JSON
        if isinstance(value, str):
            try:
                return base64.b64decode(value, validate=True)
            except (binascii.Error, ValueError):
                pass
        raise _MismatchError(value, f"{kind} in base64")

    return convert


def _day(kind: pa.DataType) -> Converter:
    def convert(value: Any) -> date:  # noqa: ANN401 - JSON
        if isinstance(value, str) and _DAY.fullmatch(value):
            try:
                return date.fromisoformat(value)
            except ValueError:
                pass
        raise _MismatchError(value, f"{kind} as YYYY-MM-DD")

    return convert


def _moment(kind: pa.DataType) -> Converter:
    """Without a zone in the text it is a time in the zone of ``kind``; without one there, none may be in the text."""
    zone = None if kind.tz is None else _zone(kind.tz)

    def convert(value: Any) -> datetime:  # noqa: ANN401 - JSON
        found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
        if found is None or (found[5] and (zone is None or not found[2])):
            raise _MismatchError(value, f"{kind} in ISO 8601")
        day, minutes, seconds, fraction, offset = found.groups()
        micros = ((fraction or "") + "000000")[:6]
        try:
            local = datetime.fromisoformat(f"{day}T{minutes or '00:00'}:{seconds or '00'}.{micros}")
            return local.replace(tzinfo=_zone(offset) if offset else zone)
        except ValueError:
            raise _MismatchError(value, f"{kind} in ISO 8601") from None

    return convert


def _zone(name: str) -> tzinfo:
    found = _OFFSET.fullmatch(name)
    if found is None:
        return timezone.utc if name in ("Z", "z", "UTC") else ZoneInfo(name)
    offset = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    return timezone(-offset if found[1] == "-" else offset)


def _list(kind: pa.DataType) -> Converter:
    element = _converter(kind.value_type)

    def convert(value: Any) -> list[Any]:  # noqa: ANN401 - JSON
        if not isinstance(value, list):
            raise _MismatchError(value, str(kind))
        try:
            return [element(item) for item in value]
        except _MismatchError as error:
            raise error.below("[*]") from None

    return convert


def _struct(kind: pa.DataType) -> Converter:
    fields = [(field.name, _converter(field.type)) for field in kind]

    def convert(value: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        if not isinstance(value, dict):
            raise _MismatchError(value, str(kind))
        made = {}
        for name, convert_field in fields:
            try:
                made[name] = convert_field(value.get(name))
            except _MismatchError as error:
                raise error.below(f".{name}") from None
        return made

    return convert


def _map(kind: pa.DataType) -> Converter:
    if not at.is_string(kind.key_type):
        raise TypeError
    convert_item = _converter(kind.item_type)

    def convert(value: Any) -> list[tuple[str, Any]]:  # noqa: ANN401 - JSON
        if not isinstance(value, dict):
            raise _MismatchError(value, str(kind))
        try:
            return [(key, convert_item(item)) for key, item in value.items()]
        except _MismatchError as error:
            raise error.below("[*]") from None

    return convert


def _kind(value: object) -> str:
    """What JSON calls it: the value itself may be a secret, or long."""
    names = {
        bool: "true or false",
        int: "an integer",
        float: "a number",
        str: "text",
        list: "a list",
        dict: "an object",
    }
    return names.get(type(value), "null")


_KINDS: list[tuple[Callable[[pa.DataType], bool], Callable[[pa.DataType], Converter]]] = [
    (at.is_string, _text),
    (at.is_large_string, _text),
    (at.is_boolean, _truth),
    (at.is_signed_integer, _integer),
    (at.is_floating, _floating),
    (at.is_decimal, _decimal),
    (at.is_binary, _bytes),
    (at.is_date32, _day),
    (at.is_timestamp, _moment),
    (at.is_list, _list),
    (at.is_struct, _struct),
    (at.is_map, _map),
]
