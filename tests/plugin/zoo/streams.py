"""Plug-ins that export broken Arrow C data: errors of a stream, capsules that are empty, of another name, or none."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from tests.plugin.zoo.base import NUMBERS, Case, Tame, fails, numbers

_POINTER = ctypes.pythonapi.PyCapsule_GetPointer
_POINTER.restype, _POINTER.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)

_GET_NEXT = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
_GET_LAST_ERROR = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
_IO_ERROR = 5

_FAILS = _GET_NEXT(lambda stream, array: _IO_ERROR)
_TEXTS = {
    text: ctypes.create_string_buffer(text) for text in (b"", b"disk on fire", b"caf\xe9 on fire", b"x" * 10_000_000)
}


def _saying(text: ctypes.Array[ctypes.c_char]) -> Any:
    address = ctypes.addressof(text)
    return _GET_LAST_ERROR(lambda stream: address)


# What C calls must live as long as the streams.
_MESSAGES = {text: _saying(memory) for text, memory in _TEXTS.items()}
_NO_MESSAGE = _GET_LAST_ERROR(lambda stream: None)


def a_stream() -> Any:
    """The capsule of a stream of two rows."""
    return pa.Table.from_batches([numbers(1, 2)]).__arrow_c_stream__()


def failing(message: bytes | None) -> Any:
    """A stream whose first batch fails, and that says ``message``."""
    capsule = a_stream()
    functions = (ctypes.c_void_p * 3).from_address(_POINTER(capsule, b"arrow_array_stream"))
    functions[1] = ctypes.cast(_FAILS, ctypes.c_void_p).value
    functions[2] = ctypes.cast(_NO_MESSAGE if message is None else _MESSAGES[message], ctypes.c_void_p).value
    return capsule


def released() -> Any:
    capsule = a_stream()
    pa.RecordBatchReader._import_from_c_capsule(capsule)
    return capsule


class Exports(Tame):
    """Returns an object whose ``__arrow_c_stream__`` does ``export``."""

    export: Callable[[], Any] = staticmethod(a_stream)

    def read_partition(self, *_: Any) -> Any:
        return Exporter(self.export)


class Exporter:
    def __init__(self, export: Callable[[], Any]) -> None:
        self.export = export

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        return self.export()


class FailsWithText(Exports):
    export = staticmethod(lambda: failing(b"disk on fire"))


class FailsWithEmptyText(Exports):
    export = staticmethod(lambda: failing(b""))


class FailsWithoutText(Exports):
    export = staticmethod(lambda: failing(None))


class FailsWithTextOfNoUtf8(Exports):
    export = staticmethod(lambda: failing(b"caf\xe9 on fire"))


class FailsWithTextOf10MB(Exports):
    export = staticmethod(lambda: failing(b"x" * 10_000_000))


class ReleasedAlready(Exports):
    export = staticmethod(released)


class AnotherName(Exports):
    export = staticmethod(NUMBERS.__arrow_c_schema__)


class ExportsNone(Exports):
    export = staticmethod(lambda: None)


class ExportRaises(Exports):
    @staticmethod
    def export() -> Any:
        raise SystemExit("not for export")


class SameCapsuleTwice(Tame):
    """Two items, one capsule: the second finds it empty."""

    def read_partition(self, *_: Any) -> Any:
        capsule = a_stream()
        yield Exporter(lambda: capsule)
        yield Exporter(lambda: capsule)


class ArrayOf:
    """Exports a record batch as ``change`` leaves it."""

    def __init__(self, change: Callable[[Any], Any]) -> None:
        self.change = change

    def __arrow_c_array__(self, requested_schema: object = None) -> Any:
        return self.change(numbers(1, 2).__arrow_c_array__())


class ExportsArray(Tame):
    change: Callable[[Any], Any] = staticmethod(lambda capsules: capsules)

    def read_partition(self, *_: Any) -> Any:
        yield ArrayOf(self.change)


class ArrayIsNone(ExportsArray):
    change = staticmethod(lambda capsules: None)


class ArrayOfOneCapsule(ExportsArray):
    change = staticmethod(lambda capsules: capsules[:1])


class ArrayTheWrongWayRound(ExportsArray):
    change = staticmethod(lambda capsules: capsules[::-1])


class SameArrayTwice(Tame):
    def read_partition(self, *_: Any) -> Any:
        capsules = numbers(1, 2).__arrow_c_array__()
        yield ArrayOf(lambda _: capsules)
        yield ArrayOf(lambda _: capsules)


def with_length(capsules: Any, length: int) -> Any:
    """The array with another length in its first eight bytes."""
    ctypes.c_int64.from_address(_POINTER(capsules[1], b"arrow_array")).value = length
    return capsules


class ArrayOfNegativeLength(ExportsArray):
    change = staticmethod(lambda capsules: with_length(capsules, -2))


class ArrayLongerThanItsColumns(ExportsArray):
    change = staticmethod(lambda capsules: with_length(capsules, 1_000_000))


class ArrayOfAnotherType(ExportsArray):
    """The schema has one column, the array has two."""

    change = staticmethod(lambda capsules: (pa.schema([("n", pa.int64())]).__arrow_c_schema__(), capsules[1]))


class ColumnsOfNoBatch(Tame):
    def read_partition(self, *_: Any) -> Any:
        yield numbers(1).column(0)


class RowsThatAreNull(Tame):
    def read_partition(self, *_: Any) -> Any:
        yield pa.array([{"n": 1, "text": "1"}, None], pa.struct(list(NUMBERS)))


class RaisesInTheStream(Tame):
    """A stream of pyarrow over a generator of Python."""

    def read_partition(self, *_: Any) -> Any:
        def rows() -> Any:
            yield numbers(1)
            raise KeyboardInterrupt("in the stream")

        return pa.RecordBatchReader.from_batches(NUMBERS, rows())


class WrongBatchInTheStream(Tame):
    def read_partition(self, *_: Any) -> Any:
        return pa.RecordBatchReader.from_batches(NUMBERS, iter([numbers(1), pa.record_batch({"n": [1]})]))


ENDED = "failed: its Arrow stream ended with: "
PANICKED = "failed: native code panicked: "
"""The Arrow library does not check what is false by the rules of C; it stops when it comes upon it."""

CASES = (
    Case("fails with a text", FailsWithText, fails("0", ENDED, "disk on fire")),
    Case("fails with an empty text", FailsWithEmptyText, fails("0", ENDED)),
    Case("fails without a text", FailsWithoutText, fails("0", ENDED, "without a message")),
    Case("fails with a text of no UTF-8", FailsWithTextOfNoUtf8, fails("0", ENDED, "on fire")),
    Case("fails with a text of 10 MB", FailsWithTextOf10MB, fails("0", ENDED, "xxxx")),
    Case("released already", ReleasedAlready, fails("0", "released"), deadly=True),
    Case("a capsule of another name", AnotherName, fails("0", "__arrow_c_stream__", "arrow_array_stream")),
    Case("exports None", ExportsNone, fails("0", "__arrow_c_stream__", "NoneType", "PyCapsule")),
    Case("export raises", ExportRaises, fails("0", "failed: SystemExit: not for export")),
    Case("the same stream twice", SameCapsuleTwice, fails("0", "released"), deadly=True),
    Case("an array that is None", ArrayIsNone, fails("0", "__arrow_c_array__", "NoneType")),
    Case("an array of one capsule", ArrayOfOneCapsule, fails("0", "__arrow_c_array__", "tuple")),
    Case("an array the wrong way round", ArrayTheWrongWayRound, fails("0", "arrow_schema")),
    Case("the same array twice", SameArrayTwice, fails("0", "released"), deadly=True),
    Case(
        "an array of negative length",
        ArrayOfNegativeLength,
        fails("0", "a batch has -2 rows"),
        in_worker=fails("0", "length is negative"),
    ),
    Case(
        "an array longer than its columns",
        ArrayLongerThanItsColumns,
        fails("0", PANICKED),
        in_worker=fails("0", "gave Arrow data that cannot be taken"),
    ),
    Case(
        "an array of another type",
        ArrayOfAnotherType,
        fails("0", "2 columns where its schema has 1"),
        in_worker=fails("0", "has 2 children, expected 1"),
    ),
    Case("an array that is no batch", ColumnsOfNoBatch, fails("0", " came, expected record batch")),
    Case(
        "rows that are NULL", RowsThatAreNull, fails("0", "struct array with NULL rows came, expected record batches")
    ),
    Case("Python raises in a stream", RaisesInTheStream, fails("0", ENDED, "in the stream")),
    Case("a wrong batch in a stream", WrongBatchInTheStream, fails("0", ENDED)),
)
