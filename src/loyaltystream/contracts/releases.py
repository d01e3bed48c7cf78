"""The schemas of this package: as files, released, and standing alone. Does I/O: files.

A release is `schemas/released/<full name>/<number>.avsc` and never changes. What subscribers may
have seen is there; a schema has to go with all releases of itself.
"""

import json
from pathlib import Path
from typing import Any, Final

import msgspec

from loyaltystream.avro import schemas
from loyaltystream.avro.schemas import BEHAVIORAL_EVENT, DEAD_LETTER, Schema
from loyaltystream.contracts.form import check_form
from loyaltystream.contracts.gate import breaches
from loyaltystream.errors import SchemaError
from loyaltystream.notifications.catalog import SCHEMAS

PUBLISHED: Final = (BEHAVIORAL_EVENT, DEAD_LETTER, *SCHEMAS)
"""Full names of the schemas that topics are written with."""

_RELEASED: Final = "released"


class Checked(msgspec.Struct, frozen=True):
    """What was looked at, and everything that is wrong with it."""

    files: int
    releases: int
    problems: list[str]


def written() -> dict[str, dict[str, Any]]:
    """Return the content of every schema file, by the full name that the file has."""
    return {path.stem: _read(path) for path in sorted(schemas.folder().glob("*.avsc"))}


def released(name: str) -> dict[int, Schema]:
    """Return the releases of the record of that full name, the oldest first.

    Raises:
        SchemaError: if one of them is not Avro, or not named by its number.
    """
    found = {}
    for path in (schemas.folder() / _RELEASED / name).glob("*.avsc"):
        if not path.stem.isdecimal():
            raise SchemaError(f"{path}: a release is named by its number, as 1.avsc")
        try:
            found[int(path.stem)] = schemas.parse(_read(path))
        except SchemaError as error:
            raise SchemaError(f"{path}: {error}") from error
    return dict(sorted(found.items()))


def check() -> Checked:
    """Return what is wrong with the form of any schema, or breaks a promise of any release."""
    files = written()
    problems = [f"{name}: {line}" for name in files for line in check_form(name, files[name])]
    count = 0
    for name in PUBLISHED:
        versions = released(name)
        count += len(versions)
        if not versions:
            problems.append(f"{name}: it was never released")
        for number, old in versions.items():
            broken = breaches(schemas.load(name), old)
            problems += [f"{name}: {line} (release {number})" for line in broken]
    return Checked(len(files), count, problems)


def export(folder: Path) -> list[Path]:
    """Write every published schema into a folder, each standing alone; return the files.

    Raises:
        SchemaError: if the folder can't be written.
    """
    made = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in PUBLISHED:
            path = folder / f"{name}.avsc"
            path.write_text(
                json.dumps(json.loads(schemas.text(schemas.load(name))), indent=2) + "\n"
            )
            made.append(path)
    except OSError as error:
        raise SchemaError(f"{folder}: {error.strerror}") from error
    return made


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise SchemaError(f"{path}: {error}") from error
    if not isinstance(content, dict):
        raise SchemaError(f"{path}: a record is needed")
    return content
