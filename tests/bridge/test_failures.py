"""Exceptions of a plug-in: all of them arrive, with their traceback, and none with a secret."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, ClassVar

import pyarrow as pa
import pytest

from sheetbend import _bridge, _native
from sheetbend.errors import AuthenticationError, OptionError, SheetbendError, SourceConnectionError
from sheetbend.options import Options, OptionSpec
from tests.bridge.plugins import NUMBERS, Given, eventually, failure, given, numbers, read, reader

SECRET = "hunter2/ü%&\"x'"


def raising(error: BaseException) -> Callable[..., Any]:
    def helper() -> None:
        raise error

    def read_rows(*_: Any) -> Any:
        yield numbers(1)
        helper()

    return read_rows


@pytest.mark.parametrize(
    "error",
    [
        ValueError("boom"),
        KeyError("boom"),
        SystemExit("boom"),
        KeyboardInterrupt("boom"),
        GeneratorExit("boom"),
        BaseException("boom"),
        RecursionError("boom"),
        MemoryError("boom"),
        type("Own", (Exception,), {})("boom"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_every_exception_arrives_with_its_traceback(error: BaseException) -> None:
    message = failure(Given(raising(error)), name="orders")
    kind = type(error).__name__
    assert f"Data source orders (tests.bridge.plugins.Given): read_partition of partition 0 failed: {kind}: " in message
    assert "boom" in message
    assert "in helper" in message
    assert "_bridge" not in message
    assert read(given([numbers(1)])).num_rows == 1


@pytest.mark.parametrize("method", ["infer_schema", "plan_partitions"])
def test_planning_fails_with_the_method(method: str) -> None:
    def raises(options: Any) -> Any:
        raise SystemExit(f"from {method}")

    which: dict[str, Any] = {"schema": raises} if method == "infer_schema" else {"specs": raises}
    message = failure(Given(lambda *_: [], **which))
    assert f"Given): {method} failed: SystemExit: from {method}" in message
    assert "in raises" in message


def test_the_cause_is_shown() -> None:
    def rows(*_: Any) -> Any:
        try:
            raise OSError("the socket")
        except OSError as error:
            raise RuntimeError("the read") from error

    message = failure(Given(rows))
    assert "OSError: the socket" in message
    assert "direct cause" in message


def test_a_panic_of_an_extension_arrives() -> None:
    panic = type("PanicException", (BaseException,), {})
    assert "failed: PanicException: index out of bounds" in failure(Given(raising(panic("index out of bounds"))))


def test_an_exception_that_cannot_be_shown() -> None:
    class BrokenError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

        __repr__ = __str__

    assert "failed: BrokenError: " in failure(Given(raising(BrokenError())))


def test_a_nul_in_a_message_does_not_end_the_process() -> None:
    assert "be\\0fore" in failure(Given(raising(ValueError("be\0fore"))))


def test_an_error_of_a_native_stream_arrives() -> None:
    def rows(*_: Any) -> pa.RecordBatchReader:
        return pa.RecordBatchReader.from_batches(NUMBERS, raising(ValueError("in the stream"))())

    message = failure(Given(rows))
    assert "read_partition of partition 0 failed: its Arrow stream ended with: " in message
    assert "in the stream" in message


def test_a_stream_that_fails_without_a_message_is_an_error() -> None:
    get_next = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(lambda stream, array: 5)
    get_last_error = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(lambda stream: None)
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)

    class Mute:
        def __arrow_c_stream__(self, requested_schema: object | None = None) -> Any:
            capsule = pa.Table.from_batches([numbers(1)]).__arrow_c_stream__()
            functions = (ctypes.c_void_p * 3).from_address(pointer(capsule, b"arrow_array_stream"))
            functions[1] = ctypes.cast(get_next, ctypes.c_void_p).value
            functions[2] = ctypes.cast(get_last_error, ctypes.c_void_p).value
            return capsule

    message = failure(Given(lambda *_: Mute()))
    assert "read_partition of partition 0 failed: its Arrow stream ended with: " in message
    assert "error 5, without a message" in message
    assert read(given([numbers(1)])).num_rows == 1


def test_rows_before_the_error_arrive() -> None:
    from tests.bridge.plugins import reader

    batches = reader(Given(raising(ValueError("boom"))))
    assert batches.read_next_batch().to_pydict() == {"n": [1]}
    with pytest.raises(pa.ArrowException, match="boom"):
        batches.read_next_batch()


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (OSError("disk"), True),
        (SourceConnectionError("down"), True),
        (PermissionError(), False),
        (FileNotFoundError(), False),
        (AuthenticationError("wrong password"), False),
        (ValueError(), False),
    ],
    ids=repr,
)
def test_which_failures_are_worth_another_attempt(error: Exception, transient: bool) -> None:
    assert _bridge.failure(error).transient == transient


def test_conditions_of_exceptions() -> None:
    class OwnError(Exception):
        condition = "MY_CONDITION"
        sql_state = "XX001"

    class OddError(Exception):
        condition = 5
        sql_state = None

    assert _bridge.failure(OwnError())[3:5] == ("MY_CONDITION", "XX001")
    assert _bridge.failure(OddError())[3:5] == (SheetbendError.condition, SheetbendError.sql_state)
    assert _bridge.failure(OptionError("x"))[3:5] == ("INVALID_DATA_SOURCE_OPTION", "22023")


class Strict(Given):
    OPTIONS: ClassVar[tuple[OptionSpec, ...]] = (
        OptionSpec("url", "where", required=True),
        OptionSpec("pin", "a secret of another name", secret=True),
        OptionSpec("rows", "how many", type="integer"),
        OptionSpec("mode", "which", choices=("fast", "slow")),
    )

    def __init__(self) -> None:
        super().__init__(lambda *_: [numbers(1)])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"url": "u", "urk": "x"}, "Source 'orders' has no option 'urk'. Did you mean 'url'?"),
        ({}, "Source 'orders' requires the option 'url': where"),
        ({"url": "u", "rows": "many"}, "Option 'rows' must be an integer, got 'many'."),
        ({"url": "u", "MODE": "odd"}, "Option 'mode' must be one of fast, slow, got 'odd'."),
    ],
)
def test_options_are_checked(options: dict[str, str], said: str) -> None:
    message = failure(Strict, options, name="orders")
    assert message == f"Data source orders (tests.bridge.test_failures.Strict): {said}"


def test_options_that_are_right() -> None:
    assert read(Strict, {"URL": "u", "Mode": "FAST", "rows": "3"}).num_rows == 1


def test_specs_of_options_that_are_none() -> None:
    broken = type("Broken", (Strict,), {"OPTIONS": [{"name": "url"}]})
    assert "OPTIONS is a list of dict, expected a sequence of sheetbend.options.OptionSpec" in failure(broken)


SPELLINGS: dict[str, Callable[[Options], str]] = {
    "plain": lambda options: f"login with {options['pin']} failed",
    "repr": lambda options: f"login with {options['pin']!r} failed",
    "json": lambda options: __import__("json").dumps({"pin": options["pin"]}),
    "url": lambda options: __import__("urllib.parse").parse.quote(options["pin"], safe=""),
    "the options": repr,
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_secret_leaves_the_bridge(spelling: str) -> None:
    class Leaky(Strict):
        def read_partition(self, partition_spec: Any, options: Any, context: Any) -> Any:
            yield numbers(1)
            raise ConnectionError(SPELLINGS[spelling](options))

    message = failure(Leaky, {"url": "u", "pin": SECRET})
    assert "hunter2" not in message
    assert "redacted" in message


@pytest.mark.parametrize(
    ("options", "secret"),
    [
        ({"password": "p4ssw0rd"}, "p4ssw0rd"),
        ({"authToken": "t0ken"}, "t0ken"),
        ({"url": "postgresql://bob:s3cr3t@[::1/db"}, "s3cr3t"),
        ({"url": "jdbc:x://h/db?user=bob&password=s3cr3t&ssl=true"}, "s3cr3t"),
        ({"url": "x://bob:s%2Fcret@h"}, "s/cret"),
    ],
)
def test_secrets_that_no_spec_names(options: dict[str, str], secret: str) -> None:
    def specs(options: Any) -> Any:
        raise ValueError(f"cannot connect: {secret} {dict(options)}")

    message = failure(given([], specs=specs), options)
    assert secret not in message
    assert "redacted" in message


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("jdbc:", True),
        ("jdbc:x:/data/a-b_c.db", True),
        ("jdbc:x://db.example:5432/orders", True),
        ("jdbc:x://h/db?user=bob&pw=s3cr3t", False),
        ("jdbc:x:bob/s3cr3t@h", False),
        ("jdbc:x://h;pw=s3cr3t", False),
        ("jdbc:x://[::1/s3cr3t", False),
    ],
)
def test_a_url_is_a_secret_unless_it_is_an_address(url: str, shown: bool) -> None:
    class Addressed(Strict):
        OPTIONS = (OptionSpec("url", "as in jdbc:x:", type="url"),)

        def plan_partitions(self, options: Any) -> Any:
            raise ConnectionError(f"no answer from <{options['url']}>, expected jdbc:x://host; {options}")

    message = failure(Addressed, {"URL": url})
    assert (f"no answer from <{url}>" in message) == shown
    assert (f"'URL': '{url}'" in message) == shown
    assert "expected jdbc:x://host" in message
    assert "s3cr3t" not in message


def test_a_secret_does_not_show_in_a_stream_s_error() -> None:
    def rows(spec: Any, options: Any, context: Any) -> Any:
        return pa.RecordBatchReader.from_batches(NUMBERS, raising(ValueError(options["password"]))())

    message = failure(Given(rows), {"password": "p4ssw0rd"})
    assert "p4ssw0rd" not in message


def test_a_callback_that_fails_is_logged_without_secrets(capfd: pytest.CaptureFixture[str]) -> None:
    def rows(spec: Any, options: Any, context: Any) -> Any:
        def give_up() -> None:
            raise ConnectionError(f"cannot reach x://bob:{options['password']}@h")

        context.on_cancel(give_up)
        while True:
            yield numbers(1)

    with reader(Given(rows), {"password": "p4ssw0rd"}) as batches:
        batches.read_next_batch()
    del batches
    eventually(lambda: _native.reads_under_way() == 0, "the read ends")
    logged = capfd.readouterr().err
    assert "cannot reach" in logged
    assert "p4ssw0rd" not in logged


def test_options_as_a_plugin_gets_them() -> None:
    seen: list[Options] = []

    def specs(options: Options) -> list[dict[str, Any]]:
        seen.append(options)
        return []

    read(given([], specs=specs), {"Key": "v", "password": "p4ssw0rd"})
    (options,) = seen
    assert isinstance(options, Options)
    assert options["KEY"] == "v"
    assert options["password"] == "p4ssw0rd"
    assert "p4ssw0rd" not in repr(options)


def test_paths_become_options() -> None:
    one = _bridge.configure(object(), {"PATH": "old"}, ["a"], [], None).options
    assert dict(one) == {"path": "a"}
    several = _bridge.configure(object(), {}, ["a", 'b"'], ["n < 1"], None).options
    assert dict(several) == {"paths": '["a", "b\\""]'}
    assert several.predicates == ("n < 1",)


def test_a_module_that_is_missing() -> None:
    for module, missing in [("no_such_module", "no_such_module"), ("json.nope.deep", "json.nope")]:
        with pytest.raises(SheetbendError, match=f"module '{module}' was not found: '{missing}'"):
            _bridge.load(module, "Source")
    with pytest.raises(SheetbendError, match="option 'python_module' is required"):
        _bridge.load("", "Source")
    with pytest.raises(SheetbendError, match="option 'python_class' is required"):
        _bridge.load("json", "")


def test_a_class_that_is_missing() -> None:
    with pytest.raises(SheetbendError, match=r"module 'json' has no class 'JSONEncode'\. Did you mean 'JSONEncoder'"):
        _bridge.load("json", "JSONEncode")


def test_a_module_whose_import_fails(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "imports_nothing.py").write_text("import no_such_dependency\n")
    (tmp_path / "is_broken.py").write_text("x = 1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="no_such_dependency"):
        _bridge.load("imports_nothing", "Source")
    with pytest.raises(ZeroDivisionError) as caught:
        _bridge.load("is_broken", "Source")
    said = _bridge.failure(caught.value).traceback
    assert said is not None
    assert 'is_broken.py", line 1' in said
