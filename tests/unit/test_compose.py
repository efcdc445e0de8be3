"""The container files against their specifications, and against what the rest of the repository says."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from console.supervising import GRACE_S
from console.supervisor.procfile import lines_of

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PROCESSES = lines_of((ROOT / "Procfile").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_the_compose_file_is_valid() -> None:
    line = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml"]
    checked = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("process", PROCESSES)
def test_every_process_is_a_service_with_the_same_command(process: str) -> None:
    assert " ".join(SERVICES[process]["command"]) == PROCESSES[process]


def test_there_is_no_service_beyond_the_processes_their_servers_and_the_migration() -> None:
    assert SERVICES.keys() == {*PROCESSES, "postgres", "redis", "migrate"}


@pytest.mark.parametrize(
    "image", [SERVICES[name]["image"] for name in SERVICES] + re.findall(r"^FROM (\S+)", DOCKERFILE, re.M)
)
def test_every_image_is_pinned_to_a_release(image: str) -> None:
    assert re.fullmatch(r"[\w./-]+:\d+\.\d+(\.\d+)?(-[\w.-]+)?", image)


@pytest.mark.parametrize("service", [*PROCESSES, "postgres", "redis"])
def test_every_process_comes_back_and_may_finish_what_it_has_begun(service: str) -> None:
    assert SERVICES[service]["restart"] == "unless-stopped"
    assert int(SERVICES[service]["stop_grace_period"].removesuffix("s")) > GRACE_S


@pytest.mark.parametrize("service", ["postgres", "redis", "web", "hooks"])
def test_what_others_connect_to_is_asked_for_its_health(service: str) -> None:
    assert {"test", "interval", "timeout", "retries", "start_period"} <= SERVICES[service]["healthcheck"].keys()


@pytest.mark.parametrize("service", [*PROCESSES, "migrate"])
def test_no_process_can_do_more_to_its_container_than_it_must(service: str) -> None:
    stated = SERVICES[service]
    assert stated["read_only"] is True
    assert stated["cap_drop"] == ["ALL"]
    assert stated["environment"]["CONNECTOR_MASTER_KEY_FILE"] == "/run/secrets/master_key"
    assert "privileged" not in stated


def test_only_what_listens_is_reached_from_outside_and_only_from_this_machine() -> None:
    published = {name: stated["ports"] for name, stated in SERVICES.items() if "ports" in stated}
    assert published.keys() == {"web", "hooks"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


@pytest.mark.parametrize("service", [*PROCESSES, "migrate"])
def test_a_service_that_is_scaled_has_no_name_or_port_of_its_own(service: str) -> None:
    assert "container_name" not in SERVICES[service]
    if service not in {"web", "hooks"}:
        assert "ports" not in SERVICES[service]


def test_no_secret_stands_in_the_file() -> None:
    text = (ROOT / "compose.yaml").read_text()
    stated = re.findall(r"PASSWORD: (\S+)|://\w*:([^@]*)@", text)
    assert len(stated) == 4
    for secret in map("".join, stated):
        assert re.match(r"\$\{(POSTGRES|REDIS)_PASSWORD:\?", secret), secret


def test_the_queues_outlive_their_container_and_are_never_evicted() -> None:
    said = SERVICES["redis"]["command"][-1].splitlines()
    assert {"appendonly yes", "maxmemory-policy noeviction", "requirepass $$REDIS_PASSWORD"} <= set(said)
    assert SERVICES["redis"]["volumes"] == ["redis:/data"]
    assert SERVICES["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]


def test_the_image_holds_every_package_a_process_needs_and_runs_as_nobody_in_particular() -> None:
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"][
        "packages"
    ]
    copied = set(re.findall(r"^COPY (\w+) \1$", DOCKERFILE, re.M))
    assert copied == set(packages) - {"sandbox"}, "the stand-ins have no place beside real credentials"
    assert re.search(r"^USER [1-9]\d*$", DOCKERFILE, re.M)
    assert "--require-hashes" in DOCKERFILE
    admitted = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert copied | {"requirements-runtime.lock", "LICENSE", "Procfile"} == admitted


@pytest.mark.skipif(
    shutil.which("hadolint", path=os.fspath(Path(sys.executable).parent)) is None, reason="no hadolint here"
)
def test_the_dockerfile_passes_its_linter() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    checked = subprocess.run([linter, ROOT / "Dockerfile"], capture_output=True, text=True, timeout=60, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
