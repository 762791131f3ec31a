"""The negotiation of a scan as it crosses from the engine and back: JSON, and a batch for what has an Arrow type."""

from sheetbend._wire.answer import answer_to_wire
from sheetbend._wire.request import from_wire, request_from_wire

__all__ = ["answer_to_wire", "from_wire", "request_from_wire"]
