"""What filters mean, said a second time: an evaluator in plain Python, values that are hard, and trees of them."""

from __future__ import annotations

import datetime as dt
import math
import random
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa

from sheetbend.filters import (
    And,
    Column,
    Comparison,
    Contains,
    EndsWith,
    Filter,
    In,
    IsNotNull,
    IsNull,
    Like,
    Literal,
    Not,
    Operand,
    Operator,
    Or,
    Part,
    PartIn,
    StartsWith,
)

UTC = dt.timezone.utc
NAN = float("nan")
INF = float("inf")

TEXTS = [
    *("", "a", "A", "ab", "aB", "b", "a%", "a_b", "axb", "%", "_", "!", "a!b", "!%", "z", "z ", " z", "  "),
    *(
        "a\\",
        "\\",
        "a\\b",
        "\\'",
        "it's",
        "''",
        "'; --",
        '"',
        '""',
        "`",
        "$$",
        "/*",
        "?",
        ":a",
        "%s",
        "{0}",
        "{quoted}",
    ),
    *(
        "\n",
        "a\nb",
        "\r\n",
        "\t",
        "é",
        "e\u0301",
        "É",
        "ſ",
        "K",
        "İ",
        "ß",
        "😀",
        "a😀b",
        "\u200b",
        "\ufeff",
        "\U0010ffff",
    ),
]
NUL_TEXTS = ["\0", "a\0", "a\0b", "\0a", "ab\0"]
DAYS = [(1, 1, 1), (1582, 10, 10), (1899, 12, 31), (1969, 12, 31), (1970, 1, 1), (2024, 2, 29), (9999, 12, 31)]
TIMES = [(0, 0, 0, 0), (12, 30, 0, 1), (23, 59, 59, 999_999), (1, 2, 3, 450_000)]

VALUES: dict[str, tuple[pa.DataType, list[Any]]] = {
    "flag": (pa.bool_(), [True, False]),
    "tiny": (pa.int8(), [-128, -1, 0, 1, 127]),
    "n": (pa.int64(), [-(2**63), -1, 0, 1, 2, 2**53, 2**53 + 1, 2**63 - 1]),
    "m": (pa.int64(), [-(2**63), 0, 1, 2**53 + 1, 2**63 - 1]),
    "u": (pa.uint64(), [0, 1, 2**63, 2**64 - 1]),
    "x": (pa.float64(), [0.0, -0.0, 0.1, 0.3, 1.0, -2.5, 1e300, 5e-324, 0.1 + 0.2, 2.0**53, INF, -INF, NAN]),
    "y": (pa.float64(), [0.0, -0.0, 0.1, 1.0, -1e-7, 123456.789, INF, -INF, NAN]),
    "f": (pa.float32(), [0.0, -0.0, 0.5, 1.0, 0.10000000149011612, 3.4028234663852886e38, INF, -INF, NAN]),
    "s": (pa.string(), TEXTS),
    "t": (pa.string(), TEXTS[:12]),
    "dec": (pa.decimal128(38, 10), [Decimal("0"), Decimal("-0.1"), Decimal("0.0000000001"), Decimal(10) ** 27]),
    "price": (pa.decimal128(9, 2), [Decimal("0.00"), Decimal("9.99"), Decimal("-9.99"), Decimal("1234567.89")]),
    "day": (pa.date32(), [dt.date(*day) for day in DAYS]),
    "wall": (pa.timestamp("us"), [dt.datetime(*day, *time) for day in DAYS for time in TIMES[:2]]),
    "at": (pa.timestamp("us", "UTC"), [dt.datetime(*day, *time, UTC) for day in DAYS for time in TIMES[:2]]),
    "hour": (pa.time64("us"), [dt.time(*time) for time in TIMES]),
    "raw": (pa.binary(), [b"", b"\0", b"a", b"a\0", b"'", b"\\", b"\xff\xfe"]),
}
"""Each column's type and the values that it may hold, NULL apart."""


def table(random_: random.Random, columns: Sequence[str], rows: int, without: Sequence[Any] = ()) -> pa.Table:
    """A table of random values with a column ``id``; ``without`` are values that the place of the table cannot hold."""
    data: dict[str, pa.Array] = {"id": pa.array(range(rows), pa.int64())}
    for name in columns:
        kind, values = VALUES[name]
        allowed = [None, *(value for value in values if not any(same(value, other) for other in without))]
        data[name] = pa.array([random_.choice(allowed) for _ in range(rows)], kind)
    return pa.table(data)


def same(left: Any, right: Any) -> bool:
    return type(left) is type(right) and order(left) == order(right)


# --- Meaning --------------------------------------------------------------------------------------


def truth(condition: Filter, row: Mapping[str, Any]) -> bool | None:
    """What a filter is for a row: true, false or unknown."""
    match condition:
        case And(children):
            found = [truth(child, row) for child in children]
            return False if False in found else None if None in found else True
        case Or(children):
            found = [truth(child, row) for child in children]
            return True if True in found else None if None in found else False
        case Not(child):
            inner = truth(child, row)
            return None if inner is None else not inner
        case IsNull(operand):
            return value_of(operand, row) is None
        case IsNotNull(operand):
            return value_of(operand, row) is not None
        case Comparison(operator, left, right):
            return compared(operator, value_of(left, row), value_of(right, row))
        case In(operand, values):
            value = value_of(operand, row)
            return None if value is None else any(order(value) == order(one.value.as_py()) for one in values)
        case PartIn(operand, part, numbers):
            value = value_of(operand, row)
            return None if value is None else PARTS[part](value) in numbers
        case Like(operand, pattern, escape, ignore_case):
            value = value_of(operand, row)
            flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0)
            return None if value is None else re.fullmatch(as_regex(pattern, escape), value, flags) is not None
        case StartsWith(operand, text):
            value = value_of(operand, row)
            return None if value is None else value.startswith(text)
        case EndsWith(operand, text):
            value = value_of(operand, row)
            return None if value is None else value.endswith(text)
        case Contains(operand, text):
            value = value_of(operand, row)
            return None if value is None else text in value
    raise AssertionError(condition)


PARTS: dict[Part, Callable[[Any], int]] = {
    Part.QUARTER: lambda value: (value.month + 2) // 3,
    Part.MONTH: lambda value: value.month,
    Part.WEEK: lambda value: value.isocalendar().week,
    Part.DAY: lambda value: value.day,
    Part.DAY_OF_YEAR: lambda value: value.timetuple().tm_yday,
    Part.HOUR: lambda value: value.hour,
    Part.MINUTE: lambda value: value.minute,
}


def value_of(operand: Operand, row: Mapping[str, Any]) -> Any:
    return row[operand.name] if isinstance(operand, Column) else operand.value.as_py()


def compared(operator: Operator, left: Any, right: Any) -> bool | None:
    if operator is Operator.NULL_SAFE_EQUAL:
        return left is right is None or (None not in (left, right) and order(left) == order(right))
    if left is None or right is None:
        return None
    low, high = order(left), order(right)
    found: dict[Operator, bool] = {
        Operator.EQUAL: low == high,
        Operator.NOT_EQUAL: low != high,
        Operator.LESS: low < high,
        Operator.LESS_OR_EQUAL: low <= high,
        Operator.GREATER: low > high,
        Operator.GREATER_OR_EQUAL: low >= high,
    }
    return found[operator]


def order(value: Any) -> Any:
    """What Spark orders a value by."""
    if isinstance(value, float):
        return (True, 0.0) if math.isnan(value) else (False, value)
    return value.encode() if isinstance(value, str) else value


def as_regex(pattern: str, escape: str | None) -> str:
    regex = ""
    position = 0
    while position < len(pattern):
        character = pattern[position]
        if character == escape and position + 1 < len(pattern):
            position += 1
            regex += re.escape(pattern[position])
        elif character == escape or character not in "%_":
            regex += re.escape(character)
        else:
            regex += ".*" if character == "%" else "."
        position += 1
    return regex


# --- Trees ----------------------------------------------------------------------------------------


def literal(name: str, value: Any) -> Literal:
    return Literal(pa.scalar(value, VALUES[name][0]))


def tree(random_: random.Random, columns: Sequence[str], depth: int = 3, *, ignore_case: bool = True) -> Filter:
    """A random filter on some of the columns."""
    if depth == 0 or random_.random() < 0.25:
        return leaf(random_, random_.choice(columns), columns, ignore_case=ignore_case)
    make = random_.choice([And, Or, Not])
    if make is Not:
        return Not(tree(random_, columns, depth - 1, ignore_case=ignore_case))
    children = [tree(random_, columns, depth - 1, ignore_case=ignore_case) for _ in range(random_.randint(1, 3))]
    return And(tuple(children)) if make is And else Or(tuple(children))


def leaf(random_: random.Random, name: str, columns: Sequence[str] = (), *, ignore_case: bool = True) -> Filter:
    """A random filter on one column, or on it and another of its type."""
    kind, values = VALUES[name]
    column = Column(name, kind)
    choice = random_.random()
    if choice < 0.15:
        return random_.choice([IsNull, IsNotNull])(column)
    if choice < 0.3:
        few = random_.sample(values, random_.randint(1, min(4, len(values))))
        return In(column, tuple(literal(name, value) for value in few))
    if kind == pa.string() and choice < 0.7:
        return on_text(random_, column, ignore_case=ignore_case)
    if name in ("day", "wall") and choice < 0.5:
        part = random_.choice([part for part in Part if name == "wall" or not part.is_of_time])
        return PartIn(column, part, tuple(random_.sample(range(60), 30)))
    others = [other for other in columns if other != name and VALUES[other][0] == kind]
    other: Operand = literal(name, random_.choice(values))
    if others and random_.random() < 0.3:
        other = Column(random_.choice(others), kind)
    operands = [column, other] if random_.random() < 0.7 else [other, column]
    return Comparison(random_.choice(list(Operator)), operands[0], operands[1])


def on_text(random_: random.Random, column: Column, *, ignore_case: bool = True) -> Filter:
    text = random_.choice(TEXTS)
    make = random_.choice([StartsWith, EndsWith, Contains, Like])
    if make is not Like:
        found: Filter = make(column, text)
        return found
    pattern = "".join(random_.choice([text, "%", "_", random_.choice(TEXTS)]) for _ in range(random_.randint(1, 3)))
    escape = random_.choice(["\\", "!", None, "a"])
    return Like(column, pattern, escape, ignore_case and random_.random() < 0.3)
