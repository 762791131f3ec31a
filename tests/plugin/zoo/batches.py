"""Plug-ins whose rows are not what the schema promises."""

# ruff: noqa: RUF012 - nobody changes them
from __future__ import annotations

import itertools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa

from tests.plugin.zoo.base import NUMBERS, THREAD, Case, Gives, Tame, fails, numbers

N = pa.array([1, 2], pa.int64())
TEXT = pa.array(["1", "2"])
AS_PROMISED = Gives([1, 2])
STRINGS = pa.schema([("n", pa.string())])
GIBIBYTE = 1 << 30


class Yields(Tame):
    """Yields one batch of ``columns``."""

    columns: Mapping[str, pa.Array] = MappingProxyType({})

    def read_partition(self, *_: Any) -> Any:
        yield pa.record_batch(list(self.columns.values()), names=list(self.columns))


class WrongType(Yields):
    columns = {"n": TEXT, "text": TEXT}


class WrongNames(Yields):
    columns = {"N": N, "txt": TEXT}


class WrongOrder(Yields):
    columns = {"text": TEXT, "n": N}


class MissingColumn(Yields):
    columns = {"n": N}


class ExtraColumn(Yields):
    columns = {"n": N, "text": TEXT, "more": N}


class SameColumnTwice(Tame):
    def read_partition(self, *_: Any) -> Any:
        yield pa.record_batch([N, N, TEXT], names=["n", "n", "text"])


class NullWhereNoneMayBe(Yields):
    columns = {"n": pa.array([1, None], pa.int64()), "text": TEXT}


class NullHiddenInADictionary(Yields):
    """Its indices are all there; the value that one of them stands for is not."""

    columns = {"n": pa.DictionaryArray.from_arrays(pa.array([0, 1]), pa.array([1, None], pa.int64())), "text": TEXT}


class DictionaryForPlain(Yields):
    columns = {"n": N.dictionary_encode(), "text": TEXT.dictionary_encode()}


class PlainForDictionary(Tame):
    schema = pa.schema([("n", pa.dictionary(pa.int8(), pa.int64())), ("text", pa.dictionary(pa.int32(), pa.string()))])


class NarrowerIntegers(Yields):
    columns = {"n": N.cast(pa.int32()), "text": TEXT}


class WiderIntegers(Tame):
    schema = pa.schema([("n", pa.int32()), ("text", pa.string())])


class FractionsForIntegers(Yields):
    columns = {"n": pa.array([1.0, 2.0]), "text": TEXT}


class NoRows(Tame):
    def read_partition(self, *_: Any) -> Any:
        yield from (numbers(), numbers(1), numbers(), numbers(2), numbers())


class NoColumns(Tame):
    def read_partition(self, *_: Any) -> Any:
        yield pa.record_batch([], names=[])


class NoBatches(Tame):
    def read_partition(self, *_: Any) -> Any:
        return ()


class OtherSchemaInEachPartition(Tame):
    partitions = 3

    def read_partition(self, spec: Mapping[str, Any], options: Mapping[str, str]) -> Any:
        yield pa.record_batch([(N, N.cast(pa.int16()), N.cast(pa.float32()))[spec["at"]], TEXT], names=["n", "text"])


class OtherSchemaLater(Tame):
    def read_partition(self, *_: Any) -> Any:
        yield numbers(1)
        yield pa.record_batch([TEXT, N], names=["text", "n"])
        yield pa.record_batch([N, N], names=["n", "text"])


class OtherSchemaWheneverAsked(Tame):
    """Makes its rows by the schema that it infers then, which is another each time."""

    def __init__(self) -> None:
        types = itertools.cycle([pa.int64(), pa.string()])
        self.schemas = (pa.schema([("n", type_)]) for type_ in types)

    def infer_schema(self, options: Mapping[str, str]) -> Any:
        return next(self.schemas)

    def read_partition(self, spec: Any, options: Mapping[str, str]) -> Any:
        yield pa.table({"n": N}).cast(self.infer_schema(options))


class NumpyBacked(Tame):
    partitions = 8

    def read_partition(self, *_: Any) -> Any:
        for value in range(50):
            memory = np.full(10_000, value, dtype=np.int64)
            yield pa.record_batch([pa.array(memory), pa.nulls(10_000, pa.string())], schema=NUMBERS)


class ChangedAfterwards(Tame):
    """Writes into memory that it has given away. Which value is read is undefined; that it is read is not."""

    schema = pa.schema([("n", pa.bool_()), ("value", pa.int64())])

    def read_partition(self, *_: Any) -> Any:
        memory = np.zeros(1000, dtype=np.int64)
        for value in range(100):
            memory[:] = value
            yield pa.record_batch([pa.nulls(1000, pa.bool_()), pa.array(memory)], schema=self.schema)


# --- Far too large --------------------------------------------------------------------------------


class Huge(Tame):
    """Promises text, whose values can have 2 GiB a batch in all."""

    schema = STRINGS


class OneValueOf2GB(Huge):
    def read_partition(self, *_: Any) -> Any:
        size = 2 * GIBIBYTE + 1
        offsets = pa.array([0, size], pa.int64()).buffers()[1]
        text = pa.py_buffer(np.zeros(size, dtype=np.int8))
        yield pa.record_batch([pa.Array.from_buffers(pa.large_string(), 1, [None, offsets, text])], names=["n"])


class ValuesOf2GBInAll(Huge):
    def read_partition(self, *_: Any) -> Any:
        text = pa.py_buffer(np.zeros(3 * GIBIBYTE, dtype=np.int8))
        offsets = pa.array([0, GIBIBYTE, 2 * GIBIBYTE, 3 * GIBIBYTE], pa.int64()).buffers()[1]
        yield pa.record_batch([pa.Array.from_buffers(pa.large_string(), 3, [None, offsets, text])], names=["n"])


class DictionaryOf2GBUnpacked(Huge):
    """A mebibyte, 3,000 times."""

    def read_partition(self, *_: Any) -> Any:
        column = pa.DictionaryArray.from_arrays(np.zeros(3000, dtype=np.int32), pa.array(["x" * (1 << 20)]))
        yield pa.record_batch([column], names=["n"])


class ViewsOf2GBUnpacked(Huge):
    def read_partition(self, *_: Any) -> Any:
        column = pa.array(["x" * (1 << 20)]).cast(pa.string_view())
        yield pa.record_batch([pa.concat_arrays([column] * 3000)], names=["n"])


class RunOf4TBUnpacked(Tame):
    """One number, 2^39 times, in a few bytes."""

    schema = pa.schema([("n", pa.int64())])

    def read_partition(self, *_: Any) -> Any:
        yield pa.record_batch([pa.RunEndEncodedArray.from_arrays(pa.array([1 << 39]), pa.array([1]))], names=["n"])


class NullsOf128GBUnpacked(Tame):
    """2^34 NULLs without a type, which take no memory."""

    schema = pa.schema([("n", pa.int64())])

    def read_partition(self, *_: Any) -> Any:
        yield pa.record_batch([pa.nulls(1 << 34)], names=["n"])


TOO_LARGE = fails("0", "gave a batch that is not as promised", "column 'n' is ", "the schema promises Utf8")

CASES = (
    Case("wrong type", WrongType, fails("0", "column 'n' is Utf8, the schema promises Int64")),
    Case("wrong names", WrongNames, fails("0", "does not promise: N, txt. The schema promises: n, text")),
    Case("wrong order", WrongOrder, AS_PROMISED),
    Case("missing column", MissingColumn, fails("0", "no column 'text', which the schema promises as Utf8. It has: n")),
    Case("extra column", ExtraColumn, fails("0", "does not promise: more. The schema promises: n, text")),
    Case("same column twice", SameColumnTwice, fails("0", "it has the column 'n' twice")),
    Case("null where none may be", NullWhereNoneMayBe, fails("0", "column 'n' has 1 NULL", "promises none")),
    Case("null in a dictionary", NullHiddenInADictionary, fails("0", "column 'n' has 1 NULL", "promises none")),
    Case("dictionary for plain", DictionaryForPlain, AS_PROMISED),
    Case("plain for dictionary", PlainForDictionary, AS_PROMISED),
    Case("int32 for int64", NarrowerIntegers, AS_PROMISED),
    Case("int64 for int32", WiderIntegers, fails("0", "column 'n' is Int64, the schema promises Int32")),
    Case("float64 for int64", FractionsForIntegers, fails("0", "column 'n' is Float64, the schema promises Int64")),
    Case("batches of 0 rows", NoRows, AS_PROMISED),
    Case("a batch of 0 columns", NoColumns, fails("0", "no column 'n', which the schema promises as Int64")),
    Case("no batches", NoBatches, Gives([])),
    Case(
        "a schema for each partition", OtherSchemaInEachPartition, fails("2", "is Float32, the schema promises Int64")
    ),
    Case("a schema for each batch", OtherSchemaLater, fails("0", "column 'text' is Int64, the schema promises Utf8")),
    Case("a schema for each call", OtherSchemaWheneverAsked, fails("0", "'n' is Utf8, the schema promises Int64")),
    Case("numpy-backed", NumpyBacked, Gives([8 * 50 * 10_000], "rows")),
    Case("memory changed after it was given", ChangedAfterwards, Gives([100_000], "rows"), THREAD),
    Case("one value of 2 GB", OneValueOf2GB, TOO_LARGE, slow=True, deadly=True),
    # These come in parts that each fit.
    Case("values of 3 GB", ValuesOf2GBInAll, TOO_LARGE, in_worker=Gives([3], "rows"), slow=True, deadly=True),
    Case("views of 3 GB", ViewsOf2GBUnpacked, TOO_LARGE, in_worker=Gives([3000], "rows"), slow=True, deadly=True),
    Case("a dictionary of 3 GB", DictionaryOf2GBUnpacked, TOO_LARGE, slow=True, deadly=True),
    Case("a run of 4 TB", RunOf4TBUnpacked, Gives([1] * 10), limit=10, deadly=True),
    Case("NULLs of 128 GB", NullsOf128GBUnpacked, Gives([None] * 10), limit=10, deadly=True),
)
