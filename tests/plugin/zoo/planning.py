"""Plug-ins whose partitions are strange, or none."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from tests.plugin.zoo.base import Case, Gives, Tame, fails, numbers


class Plans(Tame):
    """Plans ``specs``, and gives one row a partition: how many characters its spec has as text."""

    specs: Any = ()

    def plan_partitions(self, options: Mapping[str, str]) -> Any:
        return self.specs

    def read_partition(self, spec: Mapping[str, Any], options: Mapping[str, str]) -> Any:
        yield numbers(len(str(spec)))


class NoPlan(Plans):
    specs = None


class NoPartitions(Plans):
    specs = ()


class AGenerator(Plans):
    def plan_partitions(self, options: Mapping[str, str]) -> Any:
        yield {}


class OneSpec(Plans):
    def plan_partitions(self, options: Mapping[str, str]) -> Any:
        return {"at": 1}


class AText(Plans):
    specs = "all of them"


class SpecsOfNumbers(Plans):
    specs = (1, 2)


class SpecOfAnObject(Plans):
    specs = ({"lock": threading},)


class SpecOfNaN(Plans):
    specs: Any = ({}, {"deep": [{"er": float("nan")}]})


class SpecOfNumberedKeys(Plans):
    specs: Any = ({1: "one"},)


class SpecOf10MB(Plans):
    specs = ({"text": "x" * 10_000_000},)


class SpecOfNested(Plans):
    """As deep as may be."""

    specs = ({"a": [{"b": {"c": [[[[{"d": None}]]]]}}]},)


class SpecTooDeep(Plans):
    def plan_partitions(self, options: Mapping[str, str]) -> Any:
        spec: dict[str, Any] = {}
        for _ in range(10_000):
            spec = {"d": spec}
        return [spec]


class SpecOfItself(Plans):
    def plan_partitions(self, options: Mapping[str, str]) -> Any:
        spec: dict[str, Any] = {}
        spec["again"] = [spec]
        return [spec]


class SpecOfADigitTooMany(Plans):
    specs = ({"n": 10**5000},)


class SpecOfHalfACharacter(Plans):
    """JSON has a way to write half of a surrogate pair, UTF-8 has none."""

    specs = ({"name": "caf\udce9 \0"},)


class TenThousandPartitions(Tame):
    partitions = 10_000

    def read_partition(self, spec: Mapping[str, Any], options: Mapping[str, str]) -> Any:
        yield numbers(spec["at"])


class LyingSequence(Sequence[Any]):
    """Says that it is shorter than it is."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, at: Any) -> Any:
        if at >= 3:
            raise IndexError
        return {}


class PlansALyingSequence(Plans):
    specs = LyingSequence()


class RaisingSequence(LyingSequence):
    def __getitem__(self, at: Any) -> Any:
        raise ConnectionError("the catalogue is gone")


class PlansARaisingSequence(Plans):
    specs = RaisingSequence()


class SubclassOfDict(dict[str, Any]):
    """Shows one thing and holds another."""

    def items(self) -> Any:
        return {"at": object()}.items()


class PlansALyingDict(Plans):
    specs = (SubclassOfDict(at=1),)


class ChangesItsSpec(Tame):
    partitions = 2

    def plan_partitions(self, options: Mapping[str, str]) -> Any:
        return [{"list": [1]}] * 2

    def read_partition(self, spec: Mapping[str, Any], options: Mapping[str, str]) -> Any:
        spec["list"].append(2)
        yield numbers(len(spec["list"]))


LIST = "expected a list of dicts"

CASES = (
    Case("None", NoPlan, fails("plan_partitions", "returned None", LIST)),
    Case("no partitions", NoPartitions, Gives([])),
    Case("a generator", AGenerator, fails("plan_partitions", "returned generator", LIST)),
    Case("a dict", OneSpec, fails("plan_partitions", "returned dict", LIST)),
    Case("a text", AText, fails("plan_partitions", "returned str", LIST)),
    Case("numbers", SpecsOfNumbers, fails("plan_partitions", "returned int as partition spec 0, expected a dict")),
    Case("an object", SpecOfAnObject, fails("plan_partitions", "module at spec['lock'], expected a JSON value")),
    Case("NaN", SpecOfNaN, fails("plan_partitions", "partition spec 1 with nan at spec['deep'][0]['er']")),
    Case("a key that is no text", SpecOfNumberedKeys, fails("plan_partitions", "the key 1 in spec, expected str")),
    Case("10 MB", SpecOf10MB, Gives([len(str(SpecOf10MB.specs[0]))])),
    Case("nested", SpecOfNested, Gives([len(str(SpecOfNested.specs[0]))])),
    Case("too deep", SpecTooDeep, fails("plan_partitions", "partition spec 0 nested more than 100 levels deep")),
    Case("itself", SpecOfItself, fails("plan_partitions", "partition spec 0 nested more than 100 levels deep")),
    Case(
        "5,001 digits", SpecOfADigitTooMany, fails("plan_partitions", "partition spec 0", "cannot be written as JSON")
    ),
    Case("half a character", SpecOfHalfACharacter, Gives([len(str(SpecOfHalfACharacter.specs[0]))])),
    Case("10,000 partitions", TenThousandPartitions, Gives(range(10_000))),
    Case("a sequence that lies", PlansALyingSequence, Gives([2, 2, 2])),
    Case("a sequence that raises", PlansARaisingSequence, fails("plan_partitions", "ConnectionError: the catalogue")),
    Case("a dict that lies", PlansALyingDict, fails("plan_partitions", "object at spec['at'], expected a JSON value")),
    Case("a spec that is changed", ChangesItsSpec, Gives([2, 2])),
)
