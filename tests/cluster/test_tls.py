"""A cluster whose processes encrypt what they send, and prove who they are."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import functions as f

from sheetbend.cluster import Tls, executors, jobs, token
from sheetbend.errors import SheetbendError
from tests.support.certificates import arguments, certificates
from tests.support.cluster import Cluster, running_cluster
from tests.support.proxy import faulty_proxy
from tests.support.session import cluster_session


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    return certificates(tmp_path_factory.mktemp("tls") / "certificates")


@pytest.fixture(scope="module")
def encrypted(tls: Tls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("encrypted"), *arguments(tls), executors=0) as cluster:
        for _ in range(2):
            cluster.join(*arguments(tls))
        yield cluster


def refused(cluster: Cluster, folder: Path, *more: str) -> str:
    """What an executor says that cannot join."""
    command = [sys.executable, "-m", "sheetbend.cli", "executor", "--scheduler", cluster.scheduler]
    command += ["--token-file", str(cluster.token_file), "--work-dir", str(folder), "--patience", "1", *more]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1, ended.stderr
    assert token(cluster.token_file) not in ended.stderr
    return ended.stderr


def test_rows_go_between_all_processes(encrypted: Cluster) -> None:
    with cluster_session(encrypted) as session:
        reader = session.read.format("python").option("python_module", "tests.support.paced")
        frame = reader.option("python_class", "Paced").option("partitions", "8").option("rows", "1000").load()
        groups = frame.groupBy((f.col("n") % 7).alias("g")).count().collect()
        assert sorted(row["count"] for row in groups) == [1142] + [1143] * 6
        assert frame.alias("a").join(frame.alias("b"), "n").count() == 8000


def test_the_server_is_asked(encrypted: Cluster, tls: Tls) -> None:
    shown = token(encrypted.token_file)
    assert {one.address for one in executors(encrypted.scheduler, shown, tls)} == {
        one.address for one in encrypted.executors
    }
    assert jobs(encrypted.scheduler, shown, tls) == []


def test_nobody_is_heard_without_a_certificate(encrypted: Cluster, tmp_path: Path) -> None:
    with pytest.raises(SheetbendError, match="The cluster cannot be asked"):
        executors(encrypted.scheduler, token(encrypted.token_file))
    assert "no server answers" in refused(encrypted, tmp_path)


def test_a_certificate_of_another_authority(encrypted: Cluster, tls: Tls, tmp_path: Path) -> None:
    other = certificates(tmp_path / "other")
    assert "invalid peer certificate" in refused(encrypted, tmp_path, *arguments(other))
    # That it takes the server for one of its own does not help.
    fooled = dataclasses.replace(other, authority=tls.authority)
    assert "no server answers" in refused(encrypted, tmp_path, *arguments(fooled))
    with pytest.raises(SheetbendError, match="The cluster cannot be asked"):
        executors(encrypted.scheduler, token(encrypted.token_file), fooled)


def test_a_server_without_certificates_is_not_trusted(tls: Tls, tmp_path: Path) -> None:
    with running_cluster(tmp_path, executors=0) as plain:
        assert "no server answers" in refused(plain, tmp_path, *arguments(tls))


def test_what_goes_over_is_encrypted(encrypted: Cluster, tls: Tls) -> None:
    with faulty_proxy(int(encrypted.scheduler.rpartition(":")[2])) as proxy:
        assert len(executors(f"127.0.0.1:{proxy.port}", token(encrypted.token_file), tls)) == 2
        assert proxy.overheard[:2] == b"\x16\x03", "a handshake of TLS"
        assert b"HTTP/2.0" not in proxy.overheard


def test_some_files_only(tls: Tls, tmp_path: Path, encrypted: Cluster) -> None:
    assert "TLS needs --tls-key and --tls-ca too." in refused(encrypted, tmp_path, *arguments(tls)[:2])


def test_files_that_are_none(encrypted: Cluster, tls: Tls, tmp_path: Path) -> None:
    missing = dataclasses.replace(tls, key=tmp_path / "missing.key")
    assert f"{missing.key} cannot be read: No such file" in refused(encrypted, tmp_path, *arguments(missing))
    for name in ("certificate", "key", "authority"):
        (tmp_path / "odd.pem").write_text("no certificate")
        odd = dataclasses.replace(tls, **{name: tmp_path / "odd.pem"})
        assert "cannot be used: " in refused(encrypted, tmp_path, *arguments(odd))
    other = certificates(tmp_path / "other")
    assert "KeyMismatch" in refused(encrypted, tmp_path, *arguments(dataclasses.replace(tls, key=other.key)))
