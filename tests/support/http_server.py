"""A real HTTP server on loopback whose answers a test writes itself, and which counts what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

__all__ = ["Answer", "HttpServer", "Request", "running_http"]


@dataclass(frozen=True)
class Request:
    """What was asked: ``headers`` by lower-case name, and the last value of each query parameter."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """What to answer. Parts of a body that is not bytes are sent as they come."""

    body: bytes | Iterable[bytes] = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, value: Any, status: int = 200, **headers: str) -> Answer:
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return cls(json.dumps(value).encode(), status, {"Content-Type": "application/json", **named})


Route = Callable[[Request], Answer]


class HttpServer:
    """A running server; a path that has no route is answered 404."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.released = threading.Event()
        """Set at the end: a route that waits for it answers nothing until then."""
        self._routes: dict[str, Route] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def route(self, path: str, answer: Route | Answer) -> str:
        """Answers ``path`` so; returns its URL."""
        self._routes[path] = answer if callable(answer) else lambda _: answer
        return self.url + path

    def sequence(self, path: str, *answers: Answer) -> str:
        """Answers ``path`` with one after the other, and the last one from then on; returns its URL."""
        left = list(answers)
        return self.route(path, lambda _: left.pop(0) if len(left) > 1 else left[0])

    def asked(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]

    def stop(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, request: Request) -> Answer:
        self.requests.append(request)
        route = self._routes.get(request.path) or self._routes.get("*")
        return Answer.json({"error": "no such path"}, 404) if route is None else route(request)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                headers = {name.lower(): value for name, value in self.headers.items()}
                answer = server.answer(Request(parts.path, dict(parse_qsl(parts.query)), headers))
                try:
                    self._send(answer)
                except OSError:
                    self.close_connection = True

            do_HEAD = do_GET

            def _send(self, answer: Answer) -> None:
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if isinstance(answer.body, bytes):
                    self.send_header("Content-Length", str(len(answer.body)))
                    self.end_headers()
                    self.wfile.write(answer.body)
                    return
                self.send_header("Connection", "close")
                self.end_headers()
                for part in answer.body:
                    self.wfile.write(part)
                    self.wfile.flush()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
                """Says nothing."""

        return Handler


@contextmanager
def running_http() -> Iterator[HttpServer]:
    """A server on a free port of 127.0.0.1, stopped at the end."""
    server = HttpServer()
    try:
        yield server
    finally:
        server.stop()
