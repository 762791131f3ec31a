"""Who may connect to a server: a stock client that shows its token, over TLS where others could listen."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc  # type: ignore[import-untyped]
import pytest
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql.connect.proto import AnalyzePlanRequest
from pyspark.sql.connect.proto.base_pb2_grpc import SparkConnectServiceStub

from sheetbend.clients import TOKEN_VARIABLE, ClientOptions
from sheetbend.errors import SheetbendError
from sheetbend.server import Server
from tests.support.server import ServerProcess, running_server

TOKEN = "our-token-0123456789"
MAKE = """
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout key.pem -out cert.pem
"""


@pytest.fixture(scope="module")
def token_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("token") / "token"
    file.write_text(f"{TOKEN}\n")
    return file


@pytest.fixture(scope="module")
def guarded(token_file: Path) -> Iterator[ServerProcess]:
    with running_server("--client-token-file", str(token_file)) as running:
        yield running


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``cert.pem`` and ``key.pem``."""
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(["sh", "-euc", MAKE], cwd=folder, check=True, capture_output=True, timeout=60)
    return folder


def counted(url: str) -> int:
    session = SparkSession.builder.remote(url).create()
    try:
        return session.range(5).count()
    finally:
        session.stop()


def asked(port: int, *metadata: tuple[str, str]) -> grpc.StatusCode:
    """What a call comes to that carries these headers."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        request = AnalyzePlanRequest(session_id="5e5510e0-0000-4000-8000-000000000001")
        request.spark_version.SetInParent()
        try:
            SparkConnectServiceStub(channel).AnalyzePlan(request, metadata=metadata, timeout=10)
        except grpc.RpcError as error:
            return error.code()
        return grpc.StatusCode.OK


def test_a_client_shows_the_token(guarded: ServerProcess) -> None:
    assert guarded.url == f"sc://localhost:{guarded.port}"
    assert counted(f"{guarded.url}/;token={TOKEN}") == 5


def test_the_token_of_the_environment(guarded: ServerProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    assert counted(guarded.url) == 5
    with running_server() as running:
        assert running.url.startswith("sc://localhost:")
        assert counted(running.url) == 5
        monkeypatch.delenv(TOKEN_VARIABLE)
        with pytest.raises(PySparkException, match="token of this server is missing or wrong"):
            counted(running.url)


@pytest.mark.parametrize(
    "url", ["{}", "{}/;token=another", "{}/;token=our-token-012345678", "{}/;token=our-token-01234567890"]
)
def test_any_other_is_refused(guarded: ServerProcess, url: str) -> None:
    with pytest.raises(PySparkException, match="token of this server is missing or wrong"):
        counted(url.format(guarded.url))


@pytest.mark.parametrize(
    ("name", "value"),
    [("authorization", TOKEN), ("authorization", f"Basic {TOKEN}"), ("authorization", "Bearer "), ("token", TOKEN)],
)
def test_headers_that_carry_no_token(guarded: ServerProcess, name: str, value: str) -> None:
    assert asked(guarded.port, (name, value)) == grpc.StatusCode.UNAUTHENTICATED
    assert asked(guarded.port, ("authorization", f"Bearer {TOKEN}")) != grpc.StatusCode.UNAUTHENTICATED


def test_tls(token_file: Path, certificate: Path) -> None:
    files = ["--client-tls-cert", str(certificate / "cert.pem"), "--client-tls-key", str(certificate / "key.pem")]
    script = """
import sys
from pyspark.sql import SparkSession
assert SparkSession.builder.remote(sys.argv[1]).getOrCreate().range(5).count() == 5
"""
    client = certificate / "client.py"
    client.write_text(script)
    with running_server("--client-token-file", str(token_file), *files) as running:
        address, _, parameters = running.url.partition("/;")
        assert parameters == "use_ssl=true"
        port = int(address.rpartition(":")[2])
        # gRPC reads the variable when it is loaded.
        environment = {"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(certificate / "cert.pem"), "PATH": "/usr/bin:/bin"}
        command = [sys.executable, str(client), f"{running.url};token={TOKEN}"]
        trusted = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert trusted.returncode == 0, trusted.stderr
        assert asked(port, ("authorization", f"Bearer {TOKEN}")) == grpc.StatusCode.UNAVAILABLE


def test_others_are_let_in_only_by_a_token_that_nobody_overhears(certificate: Path) -> None:
    with pytest.raises(SheetbendError, match="clients must show a token"):
        Server("0.0.0.0", clients=ClientOptions(token=None, insecure=True))
    with pytest.raises(SheetbendError, match="without TLS: others would read the token"):
        Server("0.0.0.0", clients=ClientOptions(token=TOKEN))
    Server("0.0.0.0", clients=ClientOptions(token=TOKEN, insecure=True))
    Server("0.0.0.0", clients=ClientOptions(token=TOKEN, certificate=certificate / "cert.pem"))


def test_files_that_cannot_be_used(certificate: Path, tmp_path: Path) -> None:
    cert, key = certificate / "cert.pem", certificate / "key.pem"
    for options in (ClientOptions(certificate=cert, key=cert), ClientOptions(certificate=key, key=key)):
        with pytest.raises(SheetbendError, match=r"The server cannot start: the certificate .* cannot be used"):
            Server(port=0, clients=options).start()
    with pytest.raises(SheetbendError, match="No such file"):
        Server(port=0, clients=ClientOptions(certificate=cert, key=tmp_path / "missing")).start()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--client-tls-cert", "cert.pem"], "--client-tls-cert and --client-tls-key go together."),
        (["--client-token-file", "missing"], "The token of clients cannot be read from missing: No such file"),
        (["--client-token-file", "empty"], "The file empty holds no token for clients."),
    ],
)
def test_arguments_that_are_wrong(tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "empty").write_text("\n")
    command = [sys.executable, "-m", "sheetbend.cli", "server", "--port", "0", *arguments]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert said in ended.stderr


def test_the_token_is_not_shown() -> None:
    assert TOKEN not in repr(ClientOptions(token=TOKEN))
