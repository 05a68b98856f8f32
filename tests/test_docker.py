"""What can be known of images, compose files and manifests without an engine to run them: they parse, they name nothing that
does not exist, and the image's own steps make a Farside that serves."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from collector.settings import ROLES, Settings
from tests.conftest import free_port

ROOT = Path(__file__).parent.parent
DOCKER = ROOT / "docker"
COMPOSE = sorted(DOCKER.glob("compose*.yaml"))
KNOWN = {f"FARSIDE_{field.name.upper()}" for field in fields(Settings)}
# https://github.com/compose-spec/compose-spec/blob/main/spec.md: those of its words that are used here.
SERVICE_WORDS = {
    "build", "image", "environment", "secrets", "ports", "volumes", "depends_on", "read_only", "tmpfs", "cap_drop",
    "security_opt", "stop_grace_period", "restart", "healthcheck", "ulimits", "profiles", "command",
}  # fmt: skip


def instructions(stage: str = "") -> list[tuple[str, str]]:
    """The Dockerfile's instructions (word, rest), of one stage or all."""
    text = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", (DOCKER / "Dockerfile").read_text(), flags=re.MULTILINE))
    found, current = [], ""
    for line in filter(None, map(str.strip, text.splitlines())):
        word, rest = line.split(None, 1)
        if word == "FROM":
            current = rest.split()[-1]
        if stage in ("", current):
            found.append((word, rest))
    return found


def compose(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.name)
def test_a_compose_file_names_only_what_exists(path: Path) -> None:
    whole = compose(path)
    assert {key for key in whole if not key.startswith("x-")} <= {"name", "services", "secrets", "volumes"}
    services = whole["services"]
    stages = {rest.split()[-1] for word, rest in instructions() if word == "FROM"}
    for name, service in services.items():
        assert set(service) <= SERVICE_WORDS, name
        if "build" in service:
            assert (path.parent / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
            assert service["build"]["target"] in stages
        else:
            assert re.search(r":\d", service["image"]), f"{name}: {service['image']} is not pinned"
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            assert (path.parent / source).exists() if source.startswith(".") else source in whole["volumes"], mount
        assert set(service.get("secrets", [])) <= set(whole["secrets"])
        needs = service.get("depends_on", [])
        assert set(needs) <= set(services)
        for other in needs if isinstance(needs, dict) else ():
            assert needs[other]["condition"] == "service_healthy"
            # Ours have their HEALTHCHECK in the image.
            assert "healthcheck" in services[other] or services[other]["image"] == "farside", other


def environments() -> Iterator[tuple[str, dict[str, str]]]:
    for path in COMPOSE:
        for name, service in compose(path)["services"].items():
            yield f"{path.name}:{name}", service.get("environment", {})
    for manifest in yaml.safe_load_all((ROOT / "docs/deploy/kubernetes.yaml").read_text()):
        if manifest["kind"] == "StatefulSet":
            (container,) = manifest["spec"]["template"]["spec"]["containers"]
            yield manifest["metadata"]["name"], {one["name"]: one.get("value", "") for one in container["env"]}


@pytest.mark.parametrize(("where", "environment"), list(environments()))
def test_every_variable_is_a_setting(where: str, environment: dict[str, str]) -> None:
    ours = {name for name in environment if name.startswith("FARSIDE_")}
    assert ours <= KNOWN, where
    assert set(filter(None, environment.get("FARSIDE_ROLES", "").split(","))) <= set(ROLES), where


def test_whoever_keeps_a_secret_file_is_given_the_secret() -> None:
    for path in COMPOSE:
        for name, service in compose(path)["services"].items():
            for value in map(str, service.get("environment", {}).values()):
                if value.startswith("/run/secrets/"):
                    assert Path(value).name in service["secrets"], name


def test_manifests_agree_with_themselves() -> None:
    sets = {}
    for manifest in yaml.safe_load_all((ROOT / "docs/deploy/kubernetes.yaml").read_text()):
        spec = manifest["spec"]
        if manifest["kind"] == "Service":
            ports, labels = sets[manifest["metadata"]["name"]]
            assert spec["selector"].items() <= labels.items()
            assert {port["targetPort"] for port in spec["ports"]} <= ports
            continue
        template = spec["template"]
        (container,) = template["spec"]["containers"]
        ports = {port["name"] for port in container["ports"]}
        claims = {claim["metadata"]["name"] for claim in spec["volumeClaimTemplates"]}
        assert spec["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
        assert {mount["name"] for mount in container["volumeMounts"]} == claims | {
            volume["name"] for volume in template["spec"]["volumes"]
        }
        assert {container[probe]["httpGet"]["port"] for probe in ("readinessProbe", "livenessProbe")} <= ports
        sets[spec["serviceName"]] = ports, template["metadata"]["labels"]


def test_the_cluster_is_called_what_the_servers_call_it() -> None:
    named = {
        service["environment"]["FARSIDE_CLUSTER"]
        for service in compose(DOCKER / "compose.cluster.yaml")["services"].values()
        if "FARSIDE_CLUSTER" in service.get("environment", {})
    }
    config = ElementTree.parse(DOCKER / "clickhouse" / "cluster.xml").getroot()
    assert named == {cluster.tag for cluster in config.find("remote_servers") or ()}
    hosts = {host.text for host in config.iter("host")}
    assert hosts <= set(compose(DOCKER / "compose.cluster.yaml")["services"])
    keeper = ElementTree.parse(DOCKER / "clickhouse" / "keeper.xml").getroot()
    assert keeper.findtext("keeper_server/tcp_port") == config.findtext("zookeeper/node/port")


def test_what_the_image_copies_is_there_and_not_ignored() -> None:
    ignored = (DOCKER / "Dockerfile.dockerignore").read_text().split()
    assert ignored[0] == "*"
    for word, rest in instructions():
        if word == "COPY" and not rest.startswith("--from"):
            source = rest.split()[0]
            assert source == "." or ((ROOT / source).exists() and f"!{source.split('/')[0]}" in ignored), rest
    assert all((ROOT / name[1:]).exists() for name in ignored if name.startswith("!"))


def test_the_image_runs_as_nobody_in_particular() -> None:
    for stage in ("farside", "demo"):
        assert [rest for word, rest in instructions(stage) if word == "USER"][-1] == "8317:8317"


def replayed(stage: str, venv: Path, wheels: Path) -> None:
    """Run the `pip` steps of a stage as they stand in the Dockerfile, in a venv instead of an image."""
    paths = {
        "/opt/farside/serve.txt": ROOT / "requirements/serve.txt",
        "/opt/farside/*.whl": next(wheels.glob("*.whl")),
    }
    for word, rest in instructions(stage):
        if word == "RUN" and rest.startswith("pip "):
            command = [str(paths.get(part, part)) for part in shlex.split(rest)[1:] if part != "--no-cache-dir"]
            subprocess.run([venv / "bin" / "pip", "-q", *command], check=True, cwd=ROOT)


def test_the_images_steps_make_a_farside_that_serves(tmp_path: Path) -> None:
    wheels, venv, data = tmp_path / "dist", tmp_path / "venv", tmp_path / "data"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "-q",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(wheels),
        str(ROOT),
    ]
    subprocess.run(pip, check=True)
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    replayed("farside", venv, wheels)
    elsewhere = tmp_path / "cwd"
    elsewhere.mkdir()
    env = {"PATH": os.defpath, "FARSIDE_DATA": str(data)}
    subprocess.run([venv / "bin" / "farside", "check"], check=True, cwd=elsewhere, env=env)
    port = free_port()
    serving = subprocess.Popen([venv / "bin" / "farside", "serve", "--port", str(port)], cwd=elsewhere, env=env)
    try:
        for path in ("/readyz", "/farside.js", "/setup"):
            assert _status(f"http://127.0.0.1:{port}{path}") == 200, path
    finally:
        serving.terminate()
        assert serving.wait(30) in (0, -signal.SIGTERM)
    assert not list(elsewhere.iterdir()), "everything that is written belongs into the data folder"


def _status(url: str) -> int:
    for _ in range(300):
        try:
            with urllib.request.urlopen(url, timeout=10) as reply:
                return int(reply.status)
        except OSError:
            time.sleep(0.2)
    return 0
