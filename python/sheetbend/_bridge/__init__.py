"""The Python half of the bridge: what the engine calls to drive a plug-in.

Private. Every function here is called attached to the interpreter, by one thread at a time per object, and raises what
the plug-in raises. What a plug-in does wrong without raising becomes a :class:`PluginError` that says what is expected.
"""

from sheetbend._bridge.calls import call
from sheetbend._bridge.configure import check, configure
from sheetbend._bridge.failure import failure
from sheetbend._bridge.finding import adopt, load, unpickle
from sheetbend._bridge.planning import infer_schema, plan_partitions
from sheetbend._bridge.reading import close, new_context, read_partition, unexpected_item
from sheetbend._bridge.writing import new_write_context, write_partition
from sheetbend.registry import class_name

__all__ = [
    "adopt",
    "call",
    "check",
    "class_name",
    "close",
    "configure",
    "failure",
    "infer_schema",
    "load",
    "new_context",
    "new_write_context",
    "plan_partitions",
    "read_partition",
    "unexpected_item",
    "unpickle",
    "write_partition",
]
