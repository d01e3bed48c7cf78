"""Writes `pins.toml` anew: `python -m loyaltystream.platform.pin`. Does I/O: network, files.

Change a version in ROOTS or REGISTRY, run it, read the difference, and run the tests of this room.
"""

import tarfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rich.console import Console

from loyaltystream.platform.disk import sha256, write_whole
from loyaltystream.platform.extra import extra
from loyaltystream.platform.pins import PINS_FILE

if TYPE_CHECKING:
    from jgo.maven import Artifact

ROOTS = (
    "org.apache.kafka:kafka_2.13:4.2.0",
    "org.apache.kafka:kafka-clients:4.2.0",
    "org.apache.logging.log4j:log4j-slf4j2-impl:2.25.1",
    "org.apache.logging.log4j:log4j-core:2.25.1",
)
REGISTRY = ("io.apicurio", "apicurio-registry-app", "3.3.3", "tar.gz", "all")
TARGET = Path(__file__).with_name(PINS_FILE)
HEADER = (
    "# Written by `python -m loyaltystream.platform.pin`. The broker's class path, in its order."
)


def pin(scratch: Path) -> Iterator[str]:
    """Download everything into `scratch`, and yield the lines of `pins.toml`."""
    with extra():
        from jgo.maven import MavenContext  # noqa: PLC0415 (an extra: may be missing)

    context = MavenContext(repo_cache=scratch)
    roots = [context.create_dependency(root) for root in ROOTS]
    inputs, transitive = context.resolver.resolve(roots)
    yield HEADER
    for dependency in [*inputs, *transitive]:
        artifact = dependency.artifact
        yield from _table("[[broker]]", artifact, artifact.resolve())
    group, name, version, packaging, classifier = REGISTRY
    component = context.project(group, name).at_version(version)
    registry = component.artifact(classifier=classifier, packaging=packaging)
    archive = registry.resolve()
    yield from _table("[registry]", registry, archive)
    with tarfile.open(archive) as tar:
        yield f"unpacked_bytes = {sum(member.size for member in tar)}"


def _table(title: str, artifact: "Artifact", file: Path) -> Iterator[str]:
    names = [artifact.groupId, artifact.artifactId, artifact.version]
    if artifact.classifier or artifact.packaging != "jar":
        names += [artifact.packaging, artifact.classifier]
    yield f"\n{title}"
    yield f'coordinate = "{":".join(names)}"'
    yield f"size_bytes = {file.stat().st_size}"
    yield f'sha256 = "{sha256(file)}"'


def main() -> None:
    """Write `pins.toml` beside this module."""
    console = Console(stderr=True)
    with TemporaryDirectory() as scratch, console.status("downloading 200 MB to pin them"):
        write_whole(TARGET, "\n".join(pin(Path(scratch))) + "\n")
    console.print(f"wrote {TARGET}")


if __name__ == "__main__":
    main()
