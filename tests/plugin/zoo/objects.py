"""Plug-ins, and what they return, that are not what they seem: Python lets an object answer anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from unittest.mock import MagicMock

import pyarrow as pa

from tests.plugin.zoo.base import NUMBERS, Case, Gives, Tame, fails, numbers


class Agreeable:
    """Has every attribute; each is a function that returns the same again."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: Agreeable()


class Quarrelsome:
    """Every attribute raises, and not what Python expects of one that is missing."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"no {name} here")


class Impostor:
    """Says that it is a record batch."""

    __class__ = pa.RecordBatch


class Shy:
    """Says not what it is."""

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        raise RuntimeError("none of your business")


class Unspeakable(dict[str, Any]):
    """Cannot be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("unspeakable")

    __str__ = __repr__


class Metaclass(type):
    """A class whose instances are instances of nothing, and that does not like to be compared."""

    def __instancecheck__(cls, instance: object) -> bool:
        return False

    def __subclasscheck__(cls, subclass: type) -> bool:
        raise RuntimeError("no questions")


class Masked(metaclass=Metaclass):
    pass


class Returns(Tame):
    """Returns ``rows`` from ``read_partition``."""

    rows: Any = None

    def read_partition(self, *_: Any) -> Any:
        return self.rows


class ReturnsAgreeable(Returns):
    rows = Agreeable()


class ReturnsQuarrelsome(Returns):
    rows = Quarrelsome()


class YieldsImpostor(Returns):
    rows = (Impostor(),)


class YieldsShy(Returns):
    rows = (Shy(),)


class YieldsUnspeakable(Returns):
    rows = (Unspeakable(),)


class YieldsMasked(Returns):
    rows = (Masked(),)


class YieldsMock(Returns):
    rows = (MagicMock(),)


class YieldsAClass(Returns):
    rows = (pa.RecordBatch,)


class PromisesAgreeable(Tame):
    schema = Agreeable()


class PromisesMasked(Tame):
    schema = Masked()


class PlansUnspeakable(Tame):
    def plan_partitions(self, options: Mapping[str, str]) -> Any:
        return [Unspeakable(at=1)]


class PlansUnspeakableKeys(Tame):
    def plan_partitions(self, options: Mapping[str, str]) -> Any:
        class Key:
            def __repr__(self) -> str:
                raise RuntimeError("unspeakable")

        return [{Key(): 1}]


class CannotBeShown(Tame):
    """It works; only to show it does not."""

    def __repr__(self) -> str:
        raise RuntimeError("unspeakable")

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("incomparable")

    def __hash__(self) -> int:
        raise RuntimeError("unhashable")

    def __bool__(self) -> bool:
        raise RuntimeError("neither true nor false")


class CannotBeShownAndFails(CannotBeShown):
    def read_partition(self, *_: Any) -> Any:
        raise ValueError("boom")


class MethodsFromNowhere:
    """Its methods are found when an instance is asked for them; the class has none."""

    def __getattr__(self, name: str) -> Any:
        return getattr(Tame(), name)


class MethodsAreNone(Tame):
    plan_partitions: Any = None


class PropertyRaises(Tame):
    @property
    def read_partition(self) -> Any:
        raise ConnectionError("not yet connected")


class OptionsRaise(Tame):
    @property
    def OPTIONS(self) -> Any:  # noqa: N802 - the contract's name
        raise RuntimeError("no options")


class ChangesItsClass(Tame):
    """Is another class after its schema is known."""

    def infer_schema(self, options: Mapping[str, str]) -> Any:
        self.__class__ = Tame  # type: ignore[assignment]
        return NUMBERS

    def read_partition(self, *_: Any) -> Any:
        yield numbers(99)


EXPECTED = "expected Arrow data"

CASES = (
    Case("returns what has every attribute", ReturnsAgreeable, fails("0", "__arrow_c_array__", "Agreeable")),
    Case("returns what has none", ReturnsQuarrelsome, fails("0", "failed: RuntimeError: no __arrow_c_stream__ here")),
    Case("yields what is no batch", YieldsImpostor, fails("0", "yielded tests.plugin.zoo.objects.Impostor", EXPECTED)),
    Case("yields what hides its class", YieldsShy, fails("0", "failed: RuntimeError: none of your business")),
    Case("yields what cannot be shown", YieldsUnspeakable, fails("0", "Unspeakable", EXPECTED)),
    Case(
        "yields what is instance of nothing",
        YieldsMasked,
        fails("0", "yielded tests.plugin.zoo.objects.Masked", EXPECTED),
    ),
    Case("yields a mock", YieldsMock, fails("0", "yielded unittest.mock.MagicMock", EXPECTED)),
    Case("yields a class", YieldsAClass, fails("0", "yielded the class pyarrow.lib.RecordBatch", EXPECTED)),
    Case(
        "promises what has every attribute", PromisesAgreeable, fails("infer_schema", "returned no schema of a table")
    ),
    Case(
        "promises what is instance of nothing",
        PromisesMasked,
        fails("infer_schema", "objects.Masked", "expected a pyarrow.Schema"),
    ),
    Case("plans what cannot be shown", PlansUnspeakable, Gives([1, 2])),
    Case("plans keys that cannot be shown", PlansUnspeakableKeys, fails("plan_partitions", "partition spec 0", "Key")),
    Case("cannot be shown", CannotBeShown, Gives([1, 2])),
    Case("cannot be shown, and fails", CannotBeShownAndFails, fails("0", "failed: ValueError: boom")),
    Case(
        "methods from nowhere", MethodsFromNowhere, fails("", "MethodsFromNowhere lacks infer_schema, plan_partitions")
    ),
    Case("a method that is None", MethodsAreNone, fails("", "MethodsAreNone lacks plan_partitions")),
    Case("a method that raises", PropertyRaises, fails("", "PropertyRaises lacks read_partition")),
    Case("options that raise", OptionsRaise, fails("it cannot be loaded", "RuntimeError: no options")),
    Case("changes its class", ChangesItsClass, Gives([1, 2])),
)
