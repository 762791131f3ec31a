"""Filters as expressions of pyarrow mean what they say, and a filter holds nothing that has no meaning."""

from __future__ import annotations

import datetime as dt
import pickle
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from sheetbend.filters import (
    MAX_DEPTH,
    MAX_PATTERN,
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
    Operator,
    Or,
    StartsWith,
)
from tests.plugin import logic

COLUMNS = list(logic.VALUES)
NAN = float("nan")


def answers(data: pa.Table, condition: Filter) -> list[bool | None]:
    """What pyarrow makes of the filter, row by row."""
    found = ds.dataset(data).to_table(columns={"truth": condition.to_pyarrow()})
    values: list[bool | None] = found.column("truth").to_pylist()
    return values


def expected(data: pa.Table, condition: Filter) -> list[bool | None]:
    return [logic.truth(condition, row) for row in data.to_pylist()]


@pytest.mark.parametrize("seed", range(8))
def test_random_trees(seed: int) -> None:
    random_ = random.Random(seed)
    data = logic.table(random_, COLUMNS, 40)
    for _ in range(60):
        condition = logic.tree(random_, COLUMNS)
        assert answers(data, condition) == expected(data, condition), condition


@pytest.mark.parametrize("name", COLUMNS)
def test_random_leaves_of_each_type(name: str) -> None:
    random_ = random.Random(name)
    data = logic.table(random_, COLUMNS, 60)
    for _ in range(60):
        condition = logic.leaf(random_, name, COLUMNS)
        assert answers(data, condition) == expected(data, condition), condition
        assert answers(data, Not(condition)) == expected(data, Not(condition)), condition


def test_nothing_is_pruned_that_is_true(tmp_path: Path) -> None:
    """Row groups whose least and greatest value are one, beside NaN and NULL: what statistics are trusted with most."""
    random_ = random.Random("pruning")
    columns = ["n", "x", "y", "f", "s", "day", "price"]
    parts = []
    for number in range(40):
        part = {"id": pa.array(range(5 * number, 5 * number + 5), pa.int64())}
        for name in columns:
            kind, values = logic.VALUES[name]
            constant = random_.choice(values)
            beside = [None, NAN] if pa.types.is_floating(kind) else [None]
            part[name] = pa.array(
                [constant if random_.random() < 0.6 else random_.choice(beside) for _ in range(5)], kind
            )
        parts.append(pa.table(part))
    data = pa.concat_tables(parts)
    pq.write_table(data, tmp_path / "parts.parquet", row_group_size=5)
    dataset = ds.dataset(tmp_path / "parts.parquet")
    for _ in range(400):
        condition = logic.tree(random_, columns, 2)
        found = dataset.to_table(columns=["id"], filter=condition.to_pyarrow()).column("id").to_pylist()
        assert found == [row["id"] for row in data.to_pylist() if logic.truth(condition, row)], condition


def test_statistics_still_prune(tmp_path: Path) -> None:
    data = pa.table({"n": range(1000), "x": pa.array(range(1000), pa.float64()), "s": [f"{n:04}" for n in range(1000)]})
    pq.write_table(data, tmp_path / "sorted.parquet", row_group_size=100)
    (fragment,) = ds.dataset(tmp_path / "sorted.parquet").get_fragments()
    for column, value in [("n", 150), ("x", 150.0), ("s", "0150")]:
        operand, literal = Column(column, data.schema.field(column).type), Literal(pa.scalar(value))
        for condition, groups in [
            (Comparison(Operator.EQUAL, operand, literal), 1),
            (Comparison(Operator.LESS, operand, literal), 2),
            (Comparison(Operator.GREATER, operand, literal), 10 if column == "x" else 9),
            (Comparison(Operator.NULL_SAFE_EQUAL, operand, literal), 1),
            (In(operand, (literal,)), 1),
        ]:
            assert fragment.subset(condition.to_pyarrow()).num_row_groups == groups, condition


ENCODINGS = {
    "text": [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.large_string())],
    "binary": [pa.binary(), pa.large_binary(), pa.binary_view(), pa.dictionary(pa.int32(), pa.binary())],
    "decimal": [pa.decimal128(5, 2), pa.dictionary(pa.int32(), pa.decimal128(5, 2)), pa.decimal64(5, 2)],
    "float": [pa.float32(), pa.float16()],
    "instant": [pa.timestamp("us", "UTC"), pa.timestamp("us", "Asia/Tokyo"), pa.timestamp("us", "+01:00")],
}
SAMPLES: dict[str, list[Any]] = {
    "text": ["a", "b", "", None],
    "binary": [b"a", b"b", b"", None],
    "decimal": [Decimal("1.10"), Decimal("-1.10"), None],
    "float": [1.5, -0.0, NAN, None],
    "instant": [dt.datetime(2024, 1, 1, tzinfo=dt.timezone.utc), dt.datetime(1969, 1, 1, tzinfo=dt.timezone.utc), None],
}


def encoded(values: list[Any], kind: pa.DataType) -> pa.Array:
    return (
        pa.array(values, kind.value_type).dictionary_encode()
        if pa.types.is_dictionary(kind)
        else pa.array(values, kind)
    )


@pytest.mark.parametrize("family", ENCODINGS)
def test_an_encoding_means_nothing(family: str) -> None:
    plain = ENCODINGS[family][0]
    samples = [value for value in SAMPLES[family] if value is not None]
    many = tuple(Literal(pa.scalar(sample, plain)) for sample in samples) * 20
    for kind in ENCODINGS[family]:
        values = encoded([value for value in SAMPLES[family] for _ in SAMPLES[family]], kind)
        others = pa.array(SAMPLES[family] * len(SAMPLES[family]), plain)
        data = pa.table({"c": values, "d": others})
        column = Column("c", kind)
        conditions: list[Filter] = [IsNull(column), IsNotNull(column), In(column, many), In(column, many[:1])]
        for operator in Operator:
            conditions.append(Comparison(operator, column, Column("d", plain)))
            conditions += [Comparison(operator, column, Literal(values[len(SAMPLES[family]) * n])) for n in range(2)]
        if family == "text":
            conditions += [StartsWith(column, "a"), EndsWith(column, "b"), Contains(column, ""), Like(column, "_")]
        for condition in conditions:
            assert answers(data, condition) == expected(data, condition), (condition, kind)


def test_null_of_any_type() -> None:
    kinds = [pa.list_(pa.int32()), pa.struct([("a", pa.int32())]), pa.null(), pa.map_(pa.string(), pa.int32())]
    data = pa.table({str(number): pa.array([None, None], kind) for number, kind in enumerate(kinds)})
    for number, kind in enumerate(kinds):
        assert answers(data, IsNull(Column(str(number), kind))) == [True, True]
        with pytest.raises(ValueError, match="cannot be compared"):
            Comparison(Operator.EQUAL, Column(str(number), kind), Column(str(number), kind))


def test_literals_on_both_sides() -> None:
    data = pa.table({"n": [1, None]})
    one, two, nan = (Literal(pa.scalar(value)) for value in (1.0, 2.0, NAN))
    for operator in Operator:
        for left in (one, two, nan):
            for right in (one, two, nan):
                condition = Comparison(operator, left, right)
                assert answers(data, condition) == expected(data, condition), condition
    assert answers(data, In(one, (two, one))) == [True, True]
    assert answers(data, IsNull(one)) == [False, False]


@pytest.mark.parametrize("count", [31, 33, 5_000])
def test_long_lists(count: int) -> None:
    values = [*(float(number) for number in range(1, count - 1)), -0.0, NAN]
    data = pa.table({"x": pa.array([0.0, -0.0, 1.0, NAN, -5.0, None])})
    long = In(Column("x", pa.float64()), tuple(Literal(pa.scalar(value)) for value in values))
    assert answers(data, long) == [True, True, True, True, False, None]
    assert answers(data, Not(long)) == [False, False, False, False, True, None]
    without_nan = In(Column("x", pa.float64()), long.values[:-1])
    assert answers(data, without_nan) == [True, True, True, False, False, None]


def test_texts_with_nul() -> None:
    texts = logic.NUL_TEXTS
    data = pa.table({"s": [*texts, "a", None]})
    column = Column("s", pa.string())
    for text in texts:
        for condition in (
            Comparison(Operator.EQUAL, column, Literal(pa.scalar(text))),
            StartsWith(column, text),
            EndsWith(column, text),
            Contains(column, text),
            Like(column, f"_{text}%"),
        ):
            assert answers(data, condition) == expected(data, condition), condition


def test_patterns_are_no_regular_expressions() -> None:
    random_ = random.Random("patterns")
    alphabet = [*r"\.+*?()|[]{}^$-#&~ aA%_!", "\n", "\0", "é", "😀"]
    texts = ["".join(random_.choices(alphabet, k=random_.randint(0, 6))) for _ in range(200)]
    data = pa.table({"s": texts})
    for _ in range(400):
        parts = [random_.choice(["_", "%"]) if random_.random() < 0.4 else one for one in random_.choice(texts)]
        condition = Like(Column("s", pa.string()), "".join(parts), random_.choice([None, "\\", "!", "?"]))
        assert answers(data, condition) == expected(data, condition), condition


def test_the_longest_patterns() -> None:
    data = pa.table({"s": ["é" * MAX_PATTERN, "é"]})
    column = Column("s", pa.string())
    for pattern in ("_" * MAX_PATTERN, "É" * MAX_PATTERN, "_%" * (MAX_PATTERN // 2)):
        assert answers(data, Like(column, pattern, None, ignore_case=True)) == [True, False]
    with pytest.raises(ValueError, match="10001 characters"):
        Like(column, "_" * (MAX_PATTERN + 1))


def test_five_thousand_children() -> None:
    column = Column("n", pa.int64())
    data = pa.table({"n": [-1, 10, None]})
    differs = tuple(Comparison(Operator.NOT_EQUAL, column, Literal(pa.scalar(n))) for n in range(5_000))
    assert answers(data, And(differs)) == [True, False, None]
    assert answers(data, Or(tuple(map(Not, differs)))) == [False, True, None]
    assert And(differs).columns == {"n"}


def test_a_tree_has_an_end() -> None:
    condition: Filter = IsNull(Column("n", pa.int64()))
    for level in range(MAX_DEPTH - 1):
        condition = Not(condition) if level % 2 else And((condition,))
    assert condition.depth == MAX_DEPTH
    assert answers(pa.table({"n": [1, None]}), condition) == [True, False]
    assert pickle.loads(pickle.dumps(condition)) == condition
    assert hash(condition) == hash(pickle.loads(pickle.dumps(condition)))
    assert str(condition)
    assert repr(condition)
    for deeper in (Not, lambda child: And((child,)), lambda child: Or((child, child))):
        with pytest.raises(ValueError, match="more than 100 levels"):
            deeper(condition)


WRONG: list[tuple[str, Any]] = [
    (
        "int64 is compared with string",
        lambda: Comparison(Operator.EQUAL, Column("n", pa.int64()), Literal(pa.scalar("1"))),
    ),
    ("one type", lambda: Comparison(Operator.LESS, Column("n", pa.int64()), Column("m", pa.int32()))),
    (
        "one type",
        lambda: Comparison(Operator.LESS, Column("a", pa.timestamp("us")), Column("b", pa.timestamp("us", "UTC"))),
    ),
    ("one type", lambda: In(Column("n", pa.int64()), (Literal(pa.scalar(1)), Literal(pa.scalar(1.0))))),
    ("at least one", lambda: In(Column("n", pa.int64()), ())),
    ("at least one", lambda: And(())),
    ("OR has no children", lambda: Or(())),
    ("NULL", lambda: Literal(pa.scalar(None, pa.int64()))),
    ("NULL", lambda: Literal(pa.array([None], pa.dictionary(pa.int8(), pa.string()))[0])),
    ("expected a text", lambda: StartsWith(Column("n", pa.int64()), "1")),
    ("expected a text", lambda: Like(Column("n", pa.binary()), "1")),
    ("one character", lambda: Like(Column("s", pa.string()), "1", "ab")),
    ("one character", lambda: Like(Column("s", pa.string()), "1", "")),
    ("surrogates", lambda: Contains(Column("s", pa.string()), "\ud800")),
    ("surrogates", lambda: Column("\ud800", pa.string())),
]


@pytest.mark.parametrize(("message", "make"), WRONG)
def test_what_has_no_meaning_is_refused(message: str, make: Any) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_text_for_people() -> None:
    column = Column("order date", pa.date32())
    condition = And(
        (
            Comparison(Operator.GREATER_OR_EQUAL, column, Literal(pa.scalar(dt.date(2024, 2, 29)))),
            Not(Or((In(Column("s", pa.large_string()), (Literal(pa.scalar("it's")),)), IsNull(column)))),
            Like(Column("s", pa.string()), "a!%%", "!"),
            Comparison(Operator.EQUAL, Column("raw", pa.binary()), Literal(pa.scalar(b"\xff"))),
        )
    )
    assert str(condition) == (
        "(order date >= 2024-02-29 AND NOT ((s IN ('it''s') OR order date IS NULL)) AND s LIKE 'a!%%' ESCAPE '!' "
        "AND raw = X'ff')"
    )
    # A year that Python's dates do not have.
    assert str(Literal(pa.scalar(9_000_000, pa.int32()).cast(pa.date32()))) == "26611-03-02"


def test_a_filter_is_a_value() -> None:
    def made() -> Filter:
        return And((In(Column("s", pa.string()), (Literal(pa.scalar("a")),)), Not(IsNull(Column("n", pa.int64())))))

    assert made() == made()
    assert len({made(), made()}) == 1
    assert made().columns == {"s", "n"}
    with pytest.raises(AttributeError):
        made().children = ()  # type: ignore[attr-defined]


def test_a_table_takes_the_expression_too() -> None:
    data = pa.table({"x": [1.0, NAN, None]})
    above = Comparison(Operator.GREATER, Column("x", pa.float64()), Literal(pa.scalar(5.0)))
    assert isinstance(above.to_pyarrow(), pc.Expression)
    assert data.filter(above.to_pyarrow()).num_rows == 1
