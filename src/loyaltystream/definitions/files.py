"""Definitions in files: `<folder>/<orgId>/<eventName>.json`. Does I/O: reads and writes these.

All problems of all files are reported at once, so that an operator mends them in one go.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from loyaltystream.definitions.limits import Limits
from loyaltystream.definitions.model import EventDefinition
from loyaltystream.definitions.parsing import parse_definition
from loyaltystream.definitions.problem import Problem
from loyaltystream.definitions.written import Written
from loyaltystream.dialects.strict_json import parse
from loyaltystream.errors import ConfigurationError
from loyaltystream.partitioning import PartitionBy
from loyaltystream.verdicts import Violation

MAX_FILE_BYTES: Final = 1_048_576
_NEXT: Final = (
    "put each definition into <orgId>/<eventName>.json there, or let the setting"
    " rules.definitions name another folder; examples/definitions shows five"
)


def load_definitions(folder: Path) -> list[EventDefinition]:
    """Return the definitions in `folder`, ordered by org and event name.

    Raises:
        ConfigurationError: if there are none, or with one line for everything wrong with any.
    """
    return [written.definition for written in read_definitions(folder)]


def read_definitions(folder: Path, limits: Limits | None = None) -> list[Written]:
    """Return the same with the bodies that say so, all of them within limits.

    Hidden files and Markdown are left alone.

    Raises:
        ConfigurationError: if there are none, or with one line for everything wrong with any.
    """
    if not folder.is_dir():
        raise ConfigurationError(f"no folder {folder} with event definitions: {_NEXT}")
    written: list[Written] = []
    problems: list[str] = []
    try:
        for path in _visible(folder):
            for found in _load_org(path):
                if isinstance(found, Written):
                    written.append(found)
                    beyond = limits.refusals(found.definition, others=None) if limits else []
                    problems += [f"{_place(found)}: {problem.line}" for problem in beyond]
                else:
                    problems.append(f"{found[0].relative_to(folder)}: {found[1].line}")
    except OSError as error:
        raise ConfigurationError(f"event definitions in {folder}: {error.strerror}") from error
    if problems:
        lines = "\n".join(problems)
        raise ConfigurationError(
            f"{len(problems)} problems in the definitions of {folder}:\n{lines}"
        )
    if not written:
        raise ConfigurationError(f"no event definition in {folder}: {_NEXT}")
    return sorted(written, key=lambda one: (one.definition.org_id, one.definition.event_name))


def read_definition(file: Path) -> EventDefinition:
    """Return the definition in one file, whose folder is named for its org.

    Raises:
        ConfigurationError: with one line for everything wrong with it.
    """
    org_id = _org_id(file.absolute().parent.name)
    if org_id is None:
        raise ConfigurationError(f"{file} does not lie in a folder named for its org, as 1800")
    found = _load_file(file, org_id)
    if isinstance(found, Written):
        return found.definition
    raise ConfigurationError("\n".join(f"{file}: {problem.line}" for problem in found))


def disable_file(folder: Path, org_id: int, event_name: str) -> Path:
    """Have the file of an event say that it is disabled; return its path.

    Raises:
        ConfigurationError: if the file is not there, is wrong, or can't be written.
    """
    path = folder / str(org_id) / f"{event_name}.json"
    found = _load_file(path, org_id)
    if not isinstance(found, Written):
        raise ConfigurationError("\n".join(f"{path}: {problem.line}" for problem in found))
    text = json.dumps(found.body | {"disabled": True}, indent=2, ensure_ascii=False)
    try:
        path.write_text(text + "\n")
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error
    return path


def demand_placeable(
    definitions: list[EventDefinition], partition_by: PartitionBy
) -> list[EventDefinition]:
    """Return definitions whose events may be placed that way.

    Raises:
        ConfigurationError: if one has a unique key and events are placed by their ids: two events
            of one customer would lie anywhere, and neither would be told from the other.
    """
    unique = [
        f"{found.org_id}/{found.event_name}"
        for found in definitions
        if found.unique_fields and partition_by is PartitionBy.EVENT_ID
    ]
    if unique:
        raise ConfigurationError(
            f"rules.partition_by is event_id, and {', '.join(unique)} has fields with "
            f"isUniqueKeyField: a unique key is known only where a customer's events lie together. "
            f"Leave these attributes out, or place events by customer"
        )
    return definitions


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name[0] != "." and path.suffix != ".md")


def _place(written: Written) -> str:
    return f"{written.definition.org_id}/{written.definition.event_name}.json"


def _load_org(folder: Path) -> Iterator[Written | tuple[Path, Problem]]:
    org_id = _org_id(folder.name)
    if org_id is None or not folder.is_dir():
        yield folder, Problem("ORG", "a folder whose name is an org's id is needed, as 1800")
        return
    for path in _visible(folder):
        if path.suffix != ".json" or not path.is_file():
            yield path, Problem("FILE", "a file <eventName>.json is needed")
            continue
        found = _load_file(path, org_id)
        if isinstance(found, Written):
            yield found
        else:
            yield from ((path, problem) for problem in found)


def _org_id(name: str) -> int | None:
    """Return the id that `name` writes in the one way that there is, or None."""
    if not (name.isascii() and name.isdigit()) or (name[0] == "0" and name != "0"):
        return None
    return int(name) if len(name) < 19 else None


def _load_file(path: Path, org_id: int) -> Written | list[Problem]:
    try:
        raw = path.read_bytes()
    except OSError as error:
        return [Problem("FILE", f"can't be read: {error.strerror}")]
    body = parse(raw, max_bytes=MAX_FILE_BYTES)
    if isinstance(body, Violation):
        return [Problem(body.reason, body.detail)]
    definition = parse_definition(org_id, body)
    if not isinstance(definition, EventDefinition):
        return definition
    if definition.event_name != path.stem:
        detail = f"the file of event {definition.event_name} is {definition.event_name}.json"
        return [Problem("FILE", detail)]
    return Written(definition, body)
