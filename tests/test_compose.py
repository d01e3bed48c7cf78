"""The compose file, the image and the scraping agree with the settings, read as text.

Nothing here needs more than its lines; tests/deploy holds its form to the Compose Specification.
"""

import re
from pathlib import Path

import pytest

from loyaltystream.app import STAGES
from loyaltystream.health import PROBES
from loyaltystream.settings import FILE_VARIABLE, Settings, setting_names, variable
from loyaltystream.working import PORTS_PER_STAGE

ROOT = Path(__file__).parent.parent
COMPOSE = (ROOT / "docker-compose.yml").read_text()
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
PROMETHEUS = (ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text()


def _section(name: str) -> str:
    """Return what stands under a name at the beginning of a line."""
    found = re.search(rf"^{name}:\n((?:[ #].*\n|\n)+)", COMPOSE, re.MULTILINE)
    assert found is not None, name
    return found[1]


def _names(section: str) -> list[str]:
    return re.findall(r"^  ([\w-]+):", section, re.MULTILINE)


@pytest.mark.parametrize("text", [COMPOSE, DOCKERFILE])
def test_every_variable_is_a_setting(text: str) -> None:
    """Compose and image set nothing that loyaltystream would not know."""
    named = set(re.findall(r"LOYALTYSTREAM_[A-Z_]*[A-Z]", text))
    assert named
    assert named <= {FILE_VARIABLE, *map(variable, setting_names())}


def test_it_has_all_that_the_readme_promises() -> None:
    """Broker, registry, set-up, one worker a stage and Prometheus are there."""
    assert _names(_section("services")) == [
        "kafka",
        "registry",
        "init",
        "ingest",
        "notify",
        "prometheus",
    ]
    for stage in ("ingest", "notify"):
        assert f'["run", "--stage", "{stage}", "--workers", "1", "--from", "earliest"]' in COMPOSE


def test_the_hash_key_has_no_default() -> None:
    """Compose refuses to start without the memory's secret, and says how to make one."""
    found = re.findall(r"HASH_KEY: \$\{LOYALTYSTREAM_MEMORY__HASH_KEY:\?(.+)\}", COMPOSE)
    assert len(found) == 1
    assert "openssl rand -hex 32" in found[0]


def test_nothing_is_open_to_the_network() -> None:
    """Every published port is published on the loopback interface."""
    ports = re.findall(r'^ +- "?([^"\n]*:\d+)"?$', _section("services"), re.MULTILINE)
    assert len(ports) == 3
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_parts_are_those_of_the_local_platform() -> None:
    """Images have fixed versions, and broker and registry are those that the tests run against."""
    images = dict(re.findall(r"image: ([\w./-]+):([\w.]+)$", COMPOSE, re.MULTILINE))
    pins = (ROOT / "src/loyaltystream/platform/pins.toml").read_text()
    assert f"org.apache.kafka:kafka_2.13:{images['apache/kafka']}" in pins
    assert f"apicurio-registry-app:{images['apicurio/apicurio-registry']}:" in pins
    assert "latest" not in images.values()


def test_every_volume_is_declared_and_used() -> None:
    """Every named volume is mounted somewhere, so nothing that matters lives in a container."""
    for name in _names(_section("volumes") + "\n"):
        assert f"- {name}:/" in COMPOSE


def test_prometheus_finds_the_workers() -> None:
    """Prometheus scrapes both workers, and Docker probes them, on the ports that they serve on."""
    port = Settings.model_fields["telemetry"].default.metrics_port
    for number, stage in enumerate(STAGES):
        served = port + number * PORTS_PER_STAGE
        assert f'targets: ["{stage}:{served}"]' in PROMETHEUS
        assert f":{served}/readyz" in COMPOSE
    for probe in re.findall(r"127\.0\.0\.1:\d+(/\w+)', timeout", COMPOSE):
        assert probe in PROBES
