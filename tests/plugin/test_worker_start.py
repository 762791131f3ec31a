"""How workers start, with which interpreter, and what is said where they do not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import venv
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sheetbend.errors import PluginError
from sheetbend.worker import pickling
from tests.bridge import plugins
from tests.bridge.plugins import eventually
from tests.plugin import faults
from tests.plugin.faults import Faulty
from tests.plugin.processes import is_running, workers
from tests.plugin.test_isolation import failure, pids, process
from tests.support.server import ROOT


def interpreter(folder: Path, text: str) -> str:
    """A script that stands in for an interpreter: it gets the path of the worker's script and the socket's."""
    path = folder / "python"
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(0o755)
    return str(path)


@pytest.fixture(scope="module")
def other_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with nothing in it but pyarrow, and a module that is nowhere else."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=False, symlinks=True)
    (packages,) = home.glob("lib/python*/site-packages")
    (packages / "pyarrow").symlink_to(Path(pa.__file__).parent)
    (packages / "only_there.py").write_text(Path(faults.__file__).read_text())
    return home


def test_an_interpreter_of_another_environment(other_environment: Path) -> None:
    python = str(other_environment / "bin" / "python")
    source = plugins.read(faults.Prefix(), **process(python=python))
    assert source.column("prefix").to_pylist() == [str(other_environment)]


def test_an_environment_without_pyarrow(tmp_path: Path) -> None:
    venv.create(tmp_path, with_pip=False, symlinks=True)
    message = failure(Faulty(), **process(python=str(tmp_path / "bin" / "python")))
    assert "did not start: it ended with exit status 1. It printed last:\nA worker needs pyarrow, which" in message
    assert "Install it there." in message


@pytest.mark.parametrize(
    ("python", "expected"),
    [
        (
            "/no/such/python",
            r"'/no/such/python' \(isolation_python\) cannot be started as a worker process: No such file",
        ),
        ("/", r"'/' \(isolation_python\) cannot be started as a worker process: Permission denied"),
        ("/bin/false", r"its worker process \(/bin/false\) did not start: it ended with exit status 1\."),
    ],
)
def test_an_interpreter_that_is_none(python: str, expected: str) -> None:
    assert re.search(expected, failure(Faulty(), **process(python=python)))


def test_a_worker_that_never_gets_ready(tmp_path: Path) -> None:
    python = interpreter(tmp_path, "import time\nprint('asleep', flush=True)\ntime.sleep(600)")
    started = time.monotonic()
    message = failure(Faulty(), **process(python=python, start_timeout="500ms"))
    assert "was not ready within 500ms (isolation_start_timeout), and was killed" in message
    assert time.monotonic() - started < 5


TALK = """
import json, os, socket, stat, struct, sys, time
folder = os.path.dirname(sys.argv[2])
sys.stderr.write(f"mode {{stat.S_IMODE(os.stat(folder).st_mode):o}} of {{folder}}\\n")
connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[2])
text = {answer!r}
connection.sendall(struct.pack("<II", len(text), 0) + text)
time.sleep(600)
"""


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b'{"type": "ready", "protocol": 99}', "speaks version 99 of the protocol, the server version 1"),
        (b'{"type": "result", "json": "", "schema": 0}', "and was killed: the answer 'result' does not fit"),
        (b"not JSON", "sent what is not agreed, and was killed"),
    ],
)
def test_a_worker_that_says_something_else(answer: bytes, expected: str, tmp_path: Path) -> None:
    python = interpreter(tmp_path, TALK.format(answer=answer))
    assert expected in failure(Faulty(), **process(python=python))


def test_the_socket_is_the_owner_s_alone_and_goes(tmp_path: Path) -> None:
    python = interpreter(tmp_path, TALK.format(answer=b"?"))
    message = failure(Faulty(), **process(python=python))
    found = re.search(r"mode (\d+) of (\S+)", message.encode().decode("unicode_escape"))
    assert found
    assert found.group(1) == "700"
    assert not Path(found.group(2)).exists()


def test_no_folder_is_left_by_a_worker_that_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tempfile.mkdtemp(prefix="t", dir="/tmp")
    monkeypatch.setenv("TMPDIR", folder)
    try:
        assert len(pids(Faulty(), **process(start_timeout="29s"))) == 2
        assert os.listdir(folder) == []
    finally:
        os.rmdir(folder)


def test_a_server_of_another_version(tmp_path: Path) -> None:
    """The other way round: the worker refuses a server that it does not know."""
    import socket
    import struct

    from sheetbend.worker import bootstrap

    address = str(Path(tempfile.mkdtemp(prefix="t", dir="/tmp")) / "s")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        worker = subprocess.Popen(
            [sys.executable, bootstrap.__file__, address], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        connection, _ = listener.accept()
        with connection:
            text = b'{"type": "init", "protocol": 99}'
            connection.sendall(struct.pack("<II", len(text), 0) + text)
            assert worker.stderr is not None
            printed = worker.stderr.read()
            assert worker.wait(timeout=30) == 1
    assert "speaks version 1 of the protocol, the server version 99" in printed


class Unpickled(faults.Prefix):
    """Can be pickled, and not be made again."""

    def __reduce__(self) -> Any:
        return int, ("not a number",)


def test_what_cannot_be_pickled_says_so() -> None:
    plugin = plugins.Given(lambda *_: threading.Lock())
    plugin.lock = threading.Lock()  # type: ignore[attr-defined]
    message = failure(plugin)
    assert "tests.bridge.plugins.Given cannot be sent to a worker process: TypeError: " in message
    assert "ValueError: invalid literal for int()" in failure(Unpickled())


def test_code_goes_by_value_where_it_must() -> None:
    schema = pa.schema([("pid", pa.int64())])
    plugin = plugins.Given(lambda *_: [pa.record_batch([[os.getpid()]], schema=schema)], schema=schema)
    assert pids(plugin)[0] in workers()


def test_code_by_value_needs_cloudpickle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickling, "_CLOUDPICKLES", ())
    with pytest.raises(PluginError, match=r"Given cannot be sent to a worker process \(.*lambda.*install cloudpickle"):
        pickling.pack(plugins.given([]))


KILLED = """
import sys
sys.path.insert(0, {root!r})
from tests.bridge.plugins import reader
from tests.plugin.faults import Faulty

batches = reader(Faulty(), {{"fault": {fault!r}, "isolation": "process"}})
print(batches.read_next_batch().column("pid")[0], flush=True)
batches.read_next_batch()
"""


@pytest.mark.parametrize("fault", ["sleep", "hold"])
def test_a_worker_ends_with_a_process_that_is_killed(fault: str) -> None:
    script = KILLED.format(root=str(ROOT), fault=fault)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        worker = int(owner.stdout.readline())
        time.sleep(0.2)
        assert is_running(worker)
        owner.kill()
        eventually(lambda: not is_running(worker), "the worker has ended", timeout=2)


MAIN = """
import sys
sys.path.insert(0, {root!r})
import pyarrow as pa
from sheetbend.testing import scan

class Mine:
    def infer_schema(self, options):
        return pa.schema([("n", pa.int64())])

    def plan_partitions(self, options):
        return [{{}}]

    def read_partition(self, spec, options):
        return pa.table({{"n": [len(options)]}})

if __name__ == "__main__":
    print(scan(Mine, isolation="process").read_all().to_pydict())
"""


def test_a_class_of_the_main_script(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(MAIN.format(root=str(ROOT)))
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "{'n': [0]}\n", "")
