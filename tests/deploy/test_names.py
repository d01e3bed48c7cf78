"""What compose, image and manifests name is there in the code: commands, settings, ports, paths."""

import re
import shlex
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
import typer
import yaml

from loyaltystream.app import STAGES
from loyaltystream.cli import app
from loyaltystream.cli.serve import METRICS
from loyaltystream.health import PROBES
from loyaltystream.settings import ENVIRONMENT_PREFIX, Settings, load, setting_names, variable
from loyaltystream.telemetry.health import health_of
from loyaltystream.telemetry.serving import serve_worker
from loyaltystream.working import GRACE_S, PORTS_PER_STAGE
from tests.deploy.image import ENVIRONMENT as IMAGE
from tests.deploy.manifests import KUBERNETES, OVERLAYS, Manifest, build, chosen, pods

COMPOSE: Final = yaml.safe_load((Path(__file__).parents[2] / "docker-compose.yml").read_text())
OURS: Final = {
    name: service
    for name, service in COMPOSE["services"].items()
    if service["image"].partition(":")[0] == "loyaltystream"
}
SECRETS: Final = {
    "LOYALTYSTREAM_MEMORY__HASH_KEY": "0123456789abcdef" * 4,
    "LOYALTYSTREAM_KAFKA__CLIENT": '{"security.protocol": "SASL_SSL"}',
    "LOYALTYSTREAM_REGISTRY__CLIENT": '{"basic.auth.user.info": "a:b"}',
    "LOYALTYSTREAM_LETTERS__KEYS": '{"a": "' + "0123456789abcdef" * 4 + '"}',
    "LOYALTYSTREAM_LETTERS__ACTIVE_KEY": "a",
    "LOYALTYSTREAM_DEFINITIONS__TOKEN": "secret",
}


@pytest.fixture(params=OVERLAYS)
def manifests(request: pytest.FixtureRequest) -> list[Manifest]:
    """Return what a kustomization makes."""
    return build(KUBERNETES / request.param)


@pytest.fixture
def under(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Return what loads the settings that a container has."""
    monkeypatch.chdir(tmp_path)

    def load_under(environment: Mapping[str, str]) -> Settings:
        with monkeypatch.context() as inside:
            for name, value in ({**IMAGE, **environment}).items():
                if name.startswith(ENVIRONMENT_PREFIX):
                    inside.setenv(name, str(value))
            return load()

    return load_under


def environment(manifests: list[Manifest], workload: str) -> dict[str, str]:
    """Return the variables of a workload's container, with a secret where it refers to one."""
    [map_] = chosen(manifests, "ConfigMap")
    [container] = dict(pods(manifests))[workload]["containers"]
    named = {"metadata.name": f"{workload}-11"}
    found = dict(map_["data"])
    for one in container["env"]:
        source = one.get("valueFrom", {})
        if "secretKeyRef" in source:
            found[one["name"]] = SECRETS[one["name"]]
        else:
            found[one["name"]] = one.get("value") or named[source["fieldRef"]["fieldPath"]]
    return found


def parse(arguments: list[str]) -> None:
    """Read the arguments of loyaltystream, and do nothing; a wrong one ends the test."""
    command: Any = typer.main.get_command(app)
    while known := getattr(command, "commands", None):
        name, *arguments = arguments
        assert name in known, name
        command = known[name]
    command.make_context("loyaltystream", arguments)


def test_every_command_of_compose_is_one() -> None:
    """What compose runs are commands of ours, with options that they have."""
    assert {"init", "ingest", "notify"} <= OURS.keys()
    for service in OURS.values():
        parse(service["command"])


def test_every_command_of_a_manifest_is_one(manifests: list[Manifest]) -> None:
    """So are what pods run, under the entry point of the image."""
    ran = set()
    for _, pod in pods(manifests):
        [container] = pod["containers"]
        assert "command" not in container
        parse(container["args"])
        ran.add(shlex.join(container["args"][:3]))
    assert len(ran) == 5


def test_an_unknown_option_is_noticed() -> None:
    """A command that was renamed, or an option, is told by these tests."""
    with pytest.raises(AssertionError, match="gatewya"):
        parse(["serve", "gatewya"])
    with pytest.raises(Exception, match="No such option: --stages"):
        parse(["run", "--stages", "ingest"])


def test_every_variable_is_a_setting(manifests: list[Manifest]) -> None:
    """No container is told anything that loyaltystream would refuse to know."""
    known = set(map(variable, setting_names()))
    told = {name for name, _ in pods(manifests) for name in environment(manifests, name)}
    told |= {name for service in OURS.values() for name in service["environment"]}
    told |= {name for name in IMAGE if name.startswith(ENVIRONMENT_PREFIX)}
    assert told - known == set()


def test_every_value_is_allowed(manifests: list[Manifest], under: Any) -> None:
    """The settings of every container are usable as they stand."""
    for name, _ in pods(manifests):
        settings = under(environment(manifests, name))
        assert settings.memory.hash_key is not None
        assert settings.definitions.source == "topic"
    for service in OURS.values():
        told = {**service["environment"], "LOYALTYSTREAM_MEMORY__HASH_KEY": "0123456789abcdef"}
        assert under(told).telemetry.log_format == "json"


def test_every_port_is_served(manifests: list[Manifest], under: Any) -> None:
    """A container's ports are its service's and its settings', and open to the network."""
    services = {one["metadata"]["name"]: one for one in chosen(manifests, "Service")}
    for name, pod in pods(manifests):
        [container] = pod["containers"]
        if container["args"] == ["init"]:
            continue
        settings = under(environment(manifests, name))
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        assert ports == _served(settings, container["args"]), name
        assert {
            port["targetPort"]: port["port"] for port in services[name]["spec"]["ports"]
        } == ports
        probed = {probe["httpGet"]["port"] for probe in _probes(container)}
        assert probed == {"metrics" if name.endswith(STAGES) else "http"}
        hosts = {settings.telemetry.metrics_host, settings.http.host, settings.gateway.host}
        assert hosts == {"0.0.0.0"}  # noqa: S104 (inside a pod of its own)


def _served(settings: Settings, arguments: list[str]) -> dict[str, int]:
    first = settings.telemetry.metrics_port
    match arguments:
        case ["run", "--stage", stage, *_]:
            return {"metrics": first + STAGES.index(stage) * PORTS_PER_STAGE}
        case ["serve", "gateway"]:
            return {"http": settings.gateway.port, "metrics": first + METRICS}
        case _:
            return {"http": settings.http.port}


def _probes(container: Manifest) -> list[Manifest]:
    return [container[name] for name in ("startupProbe", "livenessProbe", "readinessProbe")]


def test_every_probe_asks_its_own_question(manifests: list[Manifest]) -> None:
    """Start, life and readiness are three questions, each with its own path."""
    for name, pod in pods(manifests):
        if name != "loyaltystream-init":
            asked = [probe["httpGet"]["path"] for probe in _probes(pod["containers"][0])]
            assert asked == ["/startupz", "/livez", "/readyz"], name


def test_every_probe_is_answered(manifests: list[Manifest]) -> None:
    """What Kubernetes, compose and the image ask is what a worker answers, on the port it has."""
    asked = {
        probe["httpGet"]["path"]
        for name, pod in pods(manifests)
        if name != "loyaltystream-init"
        for probe in _probes(pod["containers"][0])
    }
    checks = [" ".join(one["healthcheck"]["test"]) for one in OURS.values() if "healthcheck" in one]
    asked |= {path for check in checks for path in re.findall(r"127\.0\.0\.1:\d+(/\w+)", check)}
    asked |= set(re.findall(r"(/\w+)$", IMAGE["HEALTH_URL"]))
    assert asked == set(PROBES)
    port = serve_worker(health_of(Settings()), "127.0.0.1", 0)
    for path in asked:
        with pytest.raises(urllib.error.HTTPError) if path != "/livez" else nullcontext():
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}")


def test_every_path_is_mounted(manifests: list[Manifest], under: Any) -> None:
    """State lies on a volume that the pod may write to, and tokens on one that it may read."""
    for name, pod in pods(manifests):
        settings, [container] = under(environment(manifests, name)), pod["containers"]
        mounts = {Path(one["mountPath"]) for one in container.get("volumeMounts", [])}
        if container["args"][0] == "run":
            assert settings.worker.state_dir.parents[0] in mounts
        if container["args"][0] == "serve":
            assert settings.http.tokens.parent in mounts


def test_pods_may_reach_what_their_settings_name(manifests: list[Manifest], under: Any) -> None:
    """The ports of brokers and registry are those that the network's policy lets through."""
    settings = under(environment(manifests, "loyaltystream-ingest"))
    brokers = {int(one.rpartition(":")[2]) for one in settings.kafka.bootstrap_servers.split(",")}
    registry = re.search(r":(\d+)/", settings.registry.url)
    assert registry is not None
    [policy] = [one for one in manifests if one["metadata"]["name"] == "loyaltystream-brokers"]
    let_through = {port["port"] for port in policy["spec"]["egress"][1]["ports"]}
    assert let_through == brokers | {int(registry[1])}


def test_who_traces_may_reach_the_collector(manifests: list[Manifest], under: Any) -> None:
    """Who writes spans, and nobody else, reaches the collector; without traces nobody does."""
    policies = [one for one in manifests if one["metadata"]["name"] == "loyaltystream-traces"]
    settings = under(environment(manifests, "loyaltystream-ingest")).traces
    assert len(policies) == (settings.endpoint is not None)
    for one in policies:
        address = urlsplit(settings.endpoint)
        [egress] = one["spec"]["egress"]
        assert egress["ports"] == [{"port": address.port, "protocol": "TCP"}]
        [to] = egress["to"]
        namespace = to["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
        assert address.hostname == f"collector.{namespace}.svc"
        [who] = one["spec"]["podSelector"]["matchExpressions"]
        assert {f"loyaltystream-{name}" for name in who["values"]} == {
            name for name, pod in pods(manifests) if _traces(pod["containers"][0]["args"])
        }


def _traces(arguments: list[str]) -> bool:
    """Say whether what runs opens an export: workers, and the gateway."""
    return arguments[0] == "run" or arguments[:2] == ["serve", "gateway"]


def test_a_pod_has_time_to_leave(manifests: list[Manifest], under: Any) -> None:
    """A pod may take as long as a worker takes to leave; the next waits longer than a session."""
    for one in chosen(manifests, "StatefulSet"):
        settings = under(environment(manifests, one["metadata"]["name"]))
        assert one["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > GRACE_S
        assert one["spec"]["minReadySeconds"] * 1000 > settings.worker.session_timeout_ms
        memory = one["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"]
        assert settings.memory.max_bytes * 2 <= int(memory.removesuffix("Gi")) * 2**30


def test_scaling_watches_our_groups(under: Any) -> None:
    """KEDA asks for the lag of the groups and topics that workers have, up to their partitions."""
    manifests = build(KUBERNETES / "production")
    for one in chosen(manifests, "ScaledObject"):
        name = one["metadata"]["name"]
        stage, settings = name.removeprefix("loyaltystream-"), under(environment(manifests, name))
        [trigger] = one["spec"]["triggers"]
        asked = trigger["metadata"]
        assert asked["bootstrapServers"] == settings.kafka.bootstrap_servers
        assert asked["consumerGroup"] == f"{settings.worker.group_prefix}.{stage}"
        topics = dict(zip(STAGES, (settings.topics.ingest, settings.topics.emf), strict=True))
        assert asked["topic"] == settings.topics.prefix + topics[stage]
        assert one["spec"]["maxReplicaCount"] <= settings.topics.partitions
        assert one["spec"]["scaleTargetRef"]["name"] == name
    [scaled] = {"replicas" in one["spec"] for one in chosen(manifests, "StatefulSet")}
    assert not scaled  # a number would set KEDA's back at each apply


def test_metrics_are_found_under_the_names_that_rules_go_by() -> None:
    """The monitor scrapes each port that is called metrics, where metrics are served."""
    [monitor] = chosen(build(KUBERNETES / "production"), "ServiceMonitor")
    [endpoint] = monitor["spec"]["endpoints"]
    assert (endpoint["port"], endpoint["path"]) == ("metrics", "/metrics")
    assert monitor["spec"]["jobLabel"] == "app.kubernetes.io/name"
    assert endpoint["relabelings"][0]["targetLabel"] == "stage"
