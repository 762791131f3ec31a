"""What is in `deploy/` has the form that its readers want, and options that the command has."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from sheetbend.cli import main
from tests.guard.tree import ROOT

DEPLOY = ROOT / "deploy"


def manifests() -> dict[tuple[str, str], dict[str, Any]]:
    documents = yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())
    return {(document["kind"], document["metadata"]["name"]): document for document in documents}


def executor() -> dict[str, Any]:
    template: dict[str, Any] = manifests()["Deployment", "sheetbend-executor"]["spec"]["template"]["spec"]
    return template


def seconds(arguments: list[str], option: str) -> int:
    return next(int(text.partition("=")[2]) for text in arguments if text.startswith(f"{option}="))


def commands() -> list[list[str]]:
    """Every command line that is in there."""
    found = [re.findall(r"^ExecStart=\S+ (.*)$", path.read_text(), re.MULTILINE) for path in DEPLOY.glob("*.service")]
    lines = [text.split() for texts in found for text in texts]
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    lines += [service["command"] for service in services.values()]
    deployments = [found for (kind, _), found in manifests().items() if kind == "Deployment"]
    return lines + [found["spec"]["template"]["spec"]["containers"][0]["args"] for found in deployments]


@pytest.mark.parametrize("line", commands(), ids=" ".join)
def test_the_command_has_the_options(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([line[0], "--help"])
    known = re.findall(r"--[a-z-]+", capsys.readouterr().out)
    assert line[0] in {"server", "executor"}
    assert {text.partition("=")[0] for text in line if text.startswith("--")} <= set(known)


@pytest.mark.parametrize("name", ["sheetbend-server.service", "sheetbend-executor@.service"])
def test_units_are_units(name: str, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    text = (DEPLOY / name).read_text().replace("/opt/sheetbend/bin/sheetbend", sys.executable)
    # A user that every machine has.
    (tmp_path / name).write_text(text.replace("User=sheetbend", "User=daemon"))
    unit = tmp_path / name.replace("@.", "@1.")
    if not unit.exists():
        unit.symlink_to(name)
    done = subprocess.run([analyze, "verify", "--man=no", str(unit)], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    # Nor a warning, which it gives of units of the machine too.
    assert name.removesuffix(".service") not in done.stderr


def test_a_unit_has_time_to_drain() -> None:
    text = (DEPLOY / "sheetbend-executor@.service").read_text()
    drain, stop = re.search(r"--drain (\d+)", text), re.search(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)
    assert drain is not None
    assert stop is not None
    assert int(stop[1]) > int(drain[1])


def test_compose_shares_the_token_and_has_time_to_drain() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    services = compose["services"]
    for service in services.values():
        assert service["secrets"] == ["cluster-token"]
        assert "--token-file=/run/secrets/cluster-token" in service["command"]
        assert service["healthcheck"]["test"][0] == "CMD"
    assert compose["secrets"].keys() == {"cluster-token"}
    drain = seconds(services["executor"]["command"], "--drain")
    assert int(services["executor"]["stop_grace_period"].removesuffix("s")) > drain


def test_kubernetes_probes_and_drains() -> None:
    found = manifests()
    assert {kind for kind, _ in found} == {"Secret", "Service", "Deployment", "NetworkPolicy"}
    assert found["Secret", "sheetbend-cluster"]["stringData"]["token"] == ""
    # The server is ready by an executor, which comes by the service.
    assert found["Service", "sheetbend"]["spec"]["publishNotReadyAddresses"] is True
    for name in ("sheetbend-server", "sheetbend-executor"):
        spec = found["Deployment", name]["spec"]
        assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]
        container = spec["template"]["spec"]["containers"][0]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "health"}
        assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "health"}
        assert f"--health-port={ports['health']}" in container["args"]
        assert "--health-host=0.0.0.0" in container["args"]
        assert container["env"][0]["name"] == "SHEETBEND_CLUSTER_TOKEN"
    container = executor()["containers"][0]
    assert executor()["terminationGracePeriodSeconds"] > seconds(container["args"], "--drain")
    mounts = [mount["mountPath"] for mount in container["volumeMounts"]]
    assert f"--work-dir={mounts[0]}" in container["args"]


def test_the_image_ends_by_a_signal() -> None:
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    verbs = [line.split()[0] for line in lines]
    assert set(verbs) <= {"FROM", "COPY", "RUN", "USER", "WORKDIR", "VOLUME", "STOPSIGNAL", "ENTRYPOINT", "CMD"}
    assert verbs[0] == "FROM"
    assert verbs.index("USER") > max(number for number, verb in enumerate(verbs) if verb == "RUN")
    # As a list, so that no shell stands between the signal and the process.
    assert 'ENTRYPOINT ["sheetbend"]' in lines
