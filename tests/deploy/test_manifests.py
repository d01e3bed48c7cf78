"""The manifests are what Kubernetes takes, and what its strictest profile lets run."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from typing import Any, Final

import jsonschema_rs
import pytest
import yaml

from tests.deploy.manifests import (
    KUBERNETES,
    OVERLAYS,
    Manifest,
    build,
    chosen,
    containers,
    pods,
)

SCHEMAS: Final = Path(__file__).parent / "schemas"
COMPOSE: Final = Path(__file__).parents[2] / "docker-compose.yml"
WORKLOADS: Final = ("Deployment", "StatefulSet", "Job")


@pytest.fixture(params=OVERLAYS)
def manifests(request: pytest.FixtureRequest) -> list[Manifest]:
    """Return what a kustomization makes."""
    return build(KUBERNETES / request.param)


def wrong(manifest: Manifest) -> list[str]:
    """Return what its kind's schema has against a manifest."""
    known: dict[str, Any] = {}
    for name in ("kubernetes-1.37.json", "extensions.json"):
        known |= json.loads((SCHEMAS / name).read_text())["$defs"]
    version = manifest["apiVersion"].rpartition("/")[2]
    [found] = [name for name in known if name.endswith(f".{version}.{manifest['kind']}")]
    return told(manifest, {"$ref": f"#/$defs/{found}", "$defs": known})


def told(document: Manifest, schema: Manifest) -> list[str]:
    """Return what a schema has against a document, and where."""
    errors = jsonschema_rs.Draft202012Validator(schema).iter_errors(document)
    return [f"{list(error.instance_path)}: {error.message}" for error in errors]


def test_kubernetes_takes_every_manifest(manifests: list[Manifest]) -> None:
    """Each manifest has the fields and types of its kind, and no field that there is not."""
    found = {one["metadata"]["name"]: wrong(one) for one in manifests}
    assert {name: lines for name, lines in found.items() if lines} == {}
    assert len(manifests) >= 18


def test_a_misspelt_field_is_found() -> None:
    """The schemas are strict: a field that Kubernetes would ignore in silence is told."""
    [job] = chosen(build(KUBERNETES / "base"), "Job")
    job["spec"]["template"]["spec"]["securityContext"]["runAsNonroot"] = True
    assert any("runAsNonroot" in line for line in wrong(job))


def test_compose_takes_the_compose_file() -> None:
    """The compose file is one by the Compose Specification."""
    schema = json.loads((SCHEMAS / "compose-spec.json").read_text())
    compose = yaml.safe_load(COMPOSE.read_text())
    assert told(compose, schema) == []


@pytest.mark.parametrize("name", OVERLAYS)
def test_kustomize_makes_the_same(name: str) -> None:
    """What is tested here is what `kubectl apply -k` would send."""
    if (kubectl := which("kubectl")) is None:
        pytest.skip("not installed: kubectl, which no package of Debian's brings new enough")
    made = subprocess.run(
        [kubectl, "kustomize", str(KUBERNETES / name)],
        capture_output=True,
        text=True,
        check=True,
    )
    theirs = re.sub(r"(loyaltystream-settings)-[a-z0-9]{10}", r"\1", made.stdout)
    assert _by_name(list(yaml.safe_load_all(theirs))) == _by_name(build(KUBERNETES / name))


def _by_name(manifests: list[Manifest]) -> dict[tuple[str, str], Manifest]:
    named = {(one["kind"], one["metadata"]["name"]): one for one in manifests}
    assert len(named) == len(manifests)
    return named


def test_nothing_runs_as_more_than_it_has_to(manifests: list[Manifest]) -> None:
    """Every pod keeps to the profile `restricted`, on a read-only root, without a token."""
    for name, pod in pods(manifests):
        context = pod["securityContext"]
        assert context["runAsNonRoot"] is True, name
        assert context["runAsUser"] == context["runAsGroup"] == 10001, name
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["automountServiceAccountToken"] is False, name
        assert not pod.keys() & {"hostNetwork", "hostPID", "hostIPC"}, name
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name


def test_nothing_takes_all_memory(manifests: list[Manifest]) -> None:
    """Every container says what it needs, and has a bound of memory and none of processor time."""
    for container in containers(manifests):
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert container["resources"]["limits"].keys() == {"memory"}


def test_no_secret_is_written_down(manifests: list[Manifest]) -> None:
    """Secrets are named, never given: what may hold one comes from a Secret of the cluster."""
    secret = re.compile(r"__(HASH_KEY|CLIENT|KEYS|TOKEN|HEADERS)$")
    assert chosen(manifests, "Secret") == []
    for map_ in chosen(manifests, "ConfigMap"):
        assert [name for name in map_["data"] if secret.search(name)] == []
    for container in containers(manifests):
        for variable in container["env"]:
            if secret.search(variable["name"]):
                assert variable["valueFrom"].keys() == {"secretKeyRef"}, variable


def test_two_pods_never_have_one_name(manifests: list[Manifest]) -> None:
    """Workers are named by their pods, in StatefulSets, and each has a volume of its own."""
    for one in manifests:
        if one["kind"] not in WORKLOADS or "run" not in _arguments(one):
            continue
        assert one["kind"] == "StatefulSet"
        [container] = one["spec"]["template"]["spec"]["containers"]
        [instance] = [var for var in container["env"] if var["name"].endswith("WORKER__INSTANCE")]
        assert instance["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}
        [claim] = one["spec"]["volumeClaimTemplates"]
        assert claim["metadata"]["name"] in {mount["name"] for mount in container["volumeMounts"]}
        assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]


def _arguments(workload: Manifest) -> list[str]:
    [container] = workload["spec"]["template"]["spec"]["containers"]
    return list(container["args"])


def test_the_stages_are_run_alike() -> None:
    """Both stages have the same manifests, but for their names, ports and disks."""
    texts = [(KUBERNETES / "base" / f"{stage}.yaml").read_text() for stage in ("ingest", "notify")]
    pattern = re.compile(r"ingest|notify|9464|9528|storage: \w+|^#.*$", re.MULTILINE)
    assert pattern.sub("", texts[0]) == pattern.sub("", texts[1])


def test_names_lead_somewhere(manifests: list[Manifest]) -> None:
    """What a manifest refers to by name is another manifest, or a secret that the docs tell of."""
    named = {(one["kind"], one["metadata"]["name"]) for one in manifests}
    secrets = set(re.findall(r"`(loyaltystream-\w+)`", _docs()))
    for kind, name in _references(manifests):
        assert name in secrets if kind == "Secret" else (kind, name) in named, (kind, name)


def _docs() -> str:
    return (KUBERNETES.parents[1] / "docs" / "deployment.md").read_text()


def _references(manifests: list[Manifest]) -> Iterator[tuple[str, str]]:
    for _, pod in pods(manifests):
        yield "ServiceAccount", pod["serviceAccountName"]
        for volume in pod.get("volumes", []):
            yield "Secret", volume["secret"]["secretName"]
        for container in pod["containers"]:
            yield from (("ConfigMap", one["configMapRef"]["name"]) for one in container["envFrom"])
            sources = [variable.get("valueFrom", {}) for variable in container["env"]]
            found = [source["secretKeyRef"] for source in sources if "secretKeyRef" in source]
            yield from (("Secret", one["name"]) for one in found)
    for scaled in chosen(manifests, "ScaledObject"):
        yield scaled["spec"]["scaleTargetRef"]["kind"], scaled["spec"]["scaleTargetRef"]["name"]
        for trigger in scaled["spec"]["triggers"]:
            yield "TriggerAuthentication", trigger["authenticationRef"]["name"]
    for stateful in chosen(manifests, "StatefulSet"):
        yield "Service", stateful["spec"]["serviceName"]


def test_labels_lead_to_pods(manifests: list[Manifest]) -> None:
    """Every service, budget and policy chooses pods that there are, by their labels."""
    labels = [
        one["spec"]["template"]["metadata"]["labels"]
        for one in manifests
        if one["kind"] in WORKLOADS
    ]
    for one in manifests:
        spec = one.get("spec", {})
        selector = spec.get("selector") if one["kind"] != "NetworkPolicy" else spec["podSelector"]
        if not selector or one["kind"] == "ServiceMonitor":
            continue
        wanted = selector.get("matchLabels", selector)
        assert any(wanted.items() <= have.items() for have in labels), one["metadata"]["name"]


def test_every_worker_may_be_moved_alone(manifests: list[Manifest]) -> None:
    """Whatever runs all the time has a budget: the cluster takes one of it at a time."""
    budgets = {
        one["metadata"]["name"]: one["spec"] for one in chosen(manifests, "PodDisruptionBudget")
    }
    running = {one["metadata"]["name"] for one in manifests if one["kind"] in WORKLOADS[:2]}
    assert budgets.keys() == running
    assert all(spec["maxUnavailable"] == 1 for spec in budgets.values())
