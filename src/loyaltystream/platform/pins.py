"""The pinned archives: which ones, how big, and their SHA-256. Does I/O: reads `pins.toml`.

`python -m loyaltystream.platform.pin` writes that file.
"""

import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any, NamedTuple

PINS_FILE = "pins.toml"


class Coordinate(NamedTuple):
    """The name of one file in any Maven repository."""

    group: str
    artifact: str
    version: str
    packaging: str = "jar"
    classifier: str = ""


@dataclass(frozen=True)
class Archive:
    """One file of a Maven repository, and what it has to be."""

    coordinate: Coordinate
    size_bytes: int
    sha256: str

    @property
    def filename(self) -> str:
        """Its name in any Maven repository; no two pinned archives share one."""
        _, artifact, version, packaging, classifier = self.coordinate
        return f"{artifact}-{version}{classifier and f'-{classifier}'}.{packaging}"


@dataclass(frozen=True)
class Pins:
    """All that the platform is made of: the broker's class path, in order, and the registry."""

    broker: tuple[Archive, ...]
    registry: Archive
    registry_unpacked_bytes: int


def read_pins() -> Pins:
    """Return the pins that this package came with."""
    text = resources.files(__package__).joinpath(PINS_FILE).read_text(encoding="utf-8")
    tables = tomllib.loads(text)
    registry = tables["registry"]
    return Pins(
        broker=tuple(map(_archive, tables["broker"])),
        registry=_archive(registry),
        registry_unpacked_bytes=registry["unpacked_bytes"],
    )


def _archive(table: dict[str, Any]) -> Archive:
    coordinate = Coordinate(*table["coordinate"].split(":"))
    return Archive(coordinate, size_bytes=table["size_bytes"], sha256=table["sha256"])
