"""Answers the server's requests, one after the other."""

from __future__ import annotations

import queue
import resource
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import pyarrow as pa

from sheetbend import _bridge
from sheetbend.errors import PluginError
from sheetbend.worker import arrow, pickling
from sheetbend.worker.outbox import Outbox

if TYPE_CHECKING:
    from sheetbend.context import TaskContext
    from sheetbend.options import Options
    from sheetbend.plugin import DataSourcePlugin, ReadContext
    from sheetbend.worker.connection import Connection, Header


_OVER = "the write is over"


class Service:
    """The worker's side of the protocol. The plug-in runs on the thread that calls :meth:`serve`, the main one."""

    def __init__(self, connection: Connection, ended: Callable[[], NoReturn]) -> None:
        """Serves over ``connection``; ``ended`` is called by another thread where the server has gone."""
        self._connection = connection
        self._ended = ended
        self._outbox = Outbox(connection)
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._source: _Source | None = None
        self._pulled = _Pulled(connection)
        """The rows of the write that came last."""
        self._context: TaskContext | None = None
        self._counts = Counter[str]()
        """What the read counts for the engine."""

    def serve(self) -> None:
        """Answers until the server says that it is enough."""
        threading.Thread(target=self._receive, name="sheetbend-receive", daemon=True).start()
        while (work := self._work.get()) is not None:
            work()

    def _receive(self) -> None:
        try:
            while (received := self._connection.receive()) is not None:
                self._take(*received)
        finally:
            self._ended()

    def _take(self, header: Header, payload: bytes) -> None:
        match header["type"]:
            case "took":
                self._outbox.read(header["batches"], header["freed"])
            case "open":
                self._work.put(partial(self._open, header, payload))
            case "call":
                self._work.put(partial(self._call, header, payload))
            case "read":
                # Made here, so that a cancel that follows finds it.
                reading = self._context = self._new_context(header, payload)
                self._work.put(partial(self._read, header["spec"], reading))
            case "write":
                writing = self._context = _bridge.new_write_context(header["partition"])
                pulled = self._pulled = _Pulled(self._connection)
                self._work.put(partial(self._write, header["work"], payload, pulled, writing))
            case "rows":
                self._pulled.give(payload)
            case "end":
                self._pulled.give(None if header["error"] is None else OSError(header["error"]))
            case "cancel" if (context := self._context) is not None:
                # A callback may wait, and what else comes must not.
                threading.Thread(target=context.cancel, name="sheetbend-cancel", daemon=True).start()
            case "finish":
                self._work.put(None)

    def _open(self, header: Header, payload: bytes) -> None:
        secrets: list[str] = []
        try:
            packed, schema = _split(payload, header["pickle"])
            if packed:
                plugin = _bridge.adopt(pickling.unpack(packed))
            else:
                plugin = _bridge.load(header["module"], header["class"])
            promised = arrow.read_schema(schema) if schema else None
            options, secrets, methods = _bridge.configure(
                plugin, header["options"], header["paths"], header["predicates"], promised
            )
            _bridge.check(plugin, header["format"], options)
        except BaseException as error:  # noqa: BLE001 - a plug-in's SystemExit ends the request, not the worker
            self._fail(error, secrets)
        else:
            self._source = _Source(plugin, options, header["format"])
            name = _bridge.class_name(plugin)
            self._connection.send({"type": "opened", "class": name, "secrets": secrets, "methods": methods})

    def _call(self, header: Header, payload: bytes) -> None:
        try:
            schema, batch = _split(payload, header["schema"])
            message = (
                header["json"],
                arrow.read_schema(schema) if schema else None,
                arrow.read_batch(batch) if batch else None,
            )
            source = self._opened()
            result = _bridge.call(source.plugin, source.options, header["method"], message)
            schema = arrow.schema_bytes(result.schema) if result.schema is not None else b""
            batch = arrow.batch_bytes(result.batch) if result.batch is not None else b""
        except BaseException as error:  # noqa: BLE001
            self._fail(error)
        else:
            answer = {"type": "result", "json": result.json, "schema": len(schema)}
            self._connection.send(answer, schema + batch)

    def _read(self, spec: str, context: ReadContext) -> None:
        try:
            self._send_rows(spec, context)
        except BaseException as error:  # noqa: BLE001
            self._context = None
            self._fail(error)
        else:
            self._context = None
            self._connection.send({"type": "finished", "counts": self._counts})

    def _write(self, work: str, schema: bytes, pulled: _Pulled, context: TaskContext) -> None:
        rows = pa.RecordBatchReader.from_batches(arrow.read_schema(schema), pulled)
        try:
            source = self._opened()
            message = _bridge.write_partition(source.plugin, work, rows, source.options, context)
        except BaseException as error:  # noqa: BLE001
            self._context = None
            pulled.close()
            self._fail(error)
        else:
            self._context = None
            pulled.close()
            self._connection.send({"type": "written", "message": message})

    def _send_rows(self, spec: str, context: ReadContext) -> None:
        source = self._opened()
        rows = _bridge.read_partition(source.plugin, spec, source.options, context)
        batches = arrow.Batches()
        try:
            for item in rows:
                for batch in batches.of(item):
                    if context.cancelled:
                        return
                    self._outbox.send(batch, context)
        except BaseException:
            context.cancel()
            raise
        finally:
            _bridge.close(rows)

    def _new_context(self, header: Header, payload: bytes) -> ReadContext:
        source = self._opened()
        counts = self._counts = Counter[str]()
        counting = threading.Lock()

        def add(name: str, count: int) -> None:
            with counting:
                counts[name] += count

        wanted = None
        if header["wanted"] is not None:
            wanted = partial(_filter, header["wanted"], *_split(payload, header["schema"]))
        told = header["batch_size"], header["partition"], header["remaining"], wanted, add
        return _bridge.new_context(source.format, source.options, told)

    def _opened(self) -> _Source:
        if self._source is None:
            raise PluginError("was called in a worker process that has not opened it")
        return self._source

    def _fail(self, error: BaseException, secrets: Sequence[str] = ()) -> None:
        failure = _bridge.failure(error)
        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if isinstance(error, MemoryError) and limit != resource.RLIM_INFINITY:
            why = f"{failure.text.rstrip(': ')} (isolation_memory allows {limit >> 20} MiB of address space)"
            failure = failure._replace(text=why)
        if type(error).__name__ == "PanicException":  # each native module has one of its own
            failure = failure._replace(text=f"native code panicked: {error}")
        self._connection.send({"type": "failure", "secrets": secrets, **failure._asdict()})


class _Pulled(Iterator[pa.RecordBatch]):
    """The rows of one write, each batch asked for when it is wanted.

    The plug-in may have left a thread behind that goes on to ask when the write is over: it is to get nothing of the
    next one.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._given: queue.SimpleQueue[bytes | OSError | None] = queue.SimpleQueue()
        self._asking = threading.Lock()
        self._closed = False

    def give(self, rows: bytes | OSError | None) -> None:
        """Takes what the server answers: rows, an error, or None after the last."""
        self._given.put(rows)

    def close(self) -> None:
        """Has nobody ask any more, and ends the waiting of who has asked."""
        with self._asking:
            self._closed = True
        self._given.put(OSError(_OVER))

    def __next__(self) -> pa.RecordBatch:
        with self._asking:
            if self._closed:
                raise OSError(_OVER)
            self._connection.send({"type": "pull"})
        rows = self._given.get()
        if isinstance(rows, OSError):
            raise rows
        if rows is None:
            raise StopIteration
        return arrow.read_batch(rows)


class _Source(NamedTuple):
    """What is read from."""

    plugin: DataSourcePlugin
    options: Options
    format: str


def _split(payload: bytes, length: int) -> tuple[bytes, bytes]:
    return payload[:length], payload[length:]


def _filter(text: str, schema: bytes, literals: bytes) -> tuple[str, pa.Schema, pa.RecordBatch]:
    return text, arrow.read_schema(schema), arrow.read_batch(literals)
