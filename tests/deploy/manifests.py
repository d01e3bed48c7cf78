"""Kustomizations in, the manifests that a cluster would get out: as much of it as ours use.

What `kubectl kustomize` makes of the same files is the measure, wherever that is at hand. Names of
generated maps have no hash here.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import jsonpatch
import yaml

Manifest = dict[str, Any]

KUBERNETES: Final = Path(__file__).parents[2] / "deploy" / "kubernetes"
OVERLAYS: Final = ("base", "production")

_KNOWN: Final = {
    "apiVersion",
    "kind",
    "resources",
    "namespace",
    "images",
    "configMapGenerator",
    "patches",
}


def read(path: Path) -> list[Manifest]:
    """Return all documents of a YAML file."""
    return list(yaml.safe_load_all(path.read_text()))


def build(folder: Path) -> list[Manifest]:
    """Return what a kustomization makes.

    Raises:
        ValueError: if it has a field that is not built here.
    """
    [ours] = read(folder / "kustomization.yaml")
    if beyond := ours.keys() - _KNOWN:
        raise ValueError(f"{folder.name}: {', '.join(sorted(beyond))} is not built here")
    manifests = [one for name in ours["resources"] for one in _resource(folder / name)]
    for generator in ours.get("configMapGenerator", []):
        _generate(manifests, generator)
    for patch in ours.get("patches", []):
        _patch(manifests, patch)
    for container in containers(manifests):
        for image in ours.get("images", []):
            _rename(container, image)
    if "namespace" in ours:
        _place(manifests, ours["namespace"])
    return manifests


def pods(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """Yield each workload's name, and the specification of its pods."""
    for one in manifests:
        if one["kind"] in {"Deployment", "StatefulSet", "Job"}:
            yield one["metadata"]["name"], one["spec"]["template"]["spec"]


def containers(manifests: list[Manifest]) -> Iterator[Manifest]:
    """Yield all containers."""
    for _, pod in pods(manifests):
        yield from pod["containers"]


def chosen(manifests: list[Manifest], kind: str) -> list[Manifest]:
    """Return those of a kind."""
    return [one for one in manifests if one["kind"] == kind]


def _resource(path: Path) -> list[Manifest]:
    return build(path) if path.is_dir() else read(path)


def _generate(manifests: list[Manifest], generator: Manifest) -> None:
    settings = dict(line.split("=", 1) for line in generator["literals"])
    name = generator["name"]
    if generator.get("behavior") == "merge":
        [merged] = [
            one for one in chosen(manifests, "ConfigMap") if one["metadata"]["name"] == name
        ]
        merged["data"] |= settings
    else:
        head = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}
        manifests.append({**head, "data": settings})


def _patch(manifests: list[Manifest], patch: Manifest) -> None:
    operations = yaml.safe_load(patch["patch"])
    target = patch["target"]
    found = [
        number
        for number, one in enumerate(manifests)
        if one["kind"] == target["kind"]
        and target.get("name", one["metadata"]["name"]) == one["metadata"]["name"]
    ]
    if not found:
        raise ValueError(f"nothing is {json.dumps(target)}: its patch would change nothing")
    for number in found:
        manifests[number] = jsonpatch.apply_patch(manifests[number], operations)


def _place(manifests: list[Manifest], namespace: str) -> None:
    for one in manifests:
        if one["kind"] != "Namespace":
            one["metadata"]["namespace"] = namespace


def _rename(container: Manifest, image: Manifest) -> None:
    name, _, tag = container["image"].partition(":")
    if name == image["name"]:
        renamed = image.get("newName", name)
        container["image"] = ":".join(filter(None, (renamed, image.get("newTag", tag))))
