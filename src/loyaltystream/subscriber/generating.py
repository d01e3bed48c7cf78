"""Schemas in, the modules of `records/` out: a frozen dataclass for each record, with its meaning.

`python -m loyaltystream.subscriber.generating` writes them anew. Does I/O: reads the schemas and,
run as a program, writes files; `tests/subscriber/test_records.py` holds what is committed to it.
"""

import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from loyaltystream.avro import schemas
from loyaltystream.errors import SchemaError
from loyaltystream.notifications.catalog import CATALOG

FOLDER: Final = Path(__file__).parent / "records"

_HEAD: Final = (
    "Generated from the schemas by `loyaltystream.subscriber.generating`; change those. Pure."
)
_SPELLING: Final = "# ruff: noqa: N815 (fields are spelled as they are on the wire)"
_ROOM: Final = "loyaltystream.subscriber.records"
_WIDTH: Final = 100
_PRIMITIVES: Final = {
    "string": "str",
    "int": "int",
    "long": "int",
    "double": "float",
    "boolean": "bool",
    "null": "None",
}
_MOMENT_WORDS: Final = "epoch milliseconds, UTC"

Field = Mapping[str, Any]


def modules() -> dict[str, str]:
    """Return the text of every module of records, by file name.

    Raises:
        SchemaError: if a schema has what no record can show.
    """
    types = {kind.schema.rpartition(".")[2]: kind.name for kind in CATALOG.values()}
    below = {name: _below(name) for name in types}
    parts = [part for name in types for part in below[name]]
    shared = [part for part in dict.fromkeys(parts) if parts.count(part) > 1]
    written = {
        "__init__.py": _index(types, shared, below),
        "envelope.py": _envelope(list(types)),
        "shared.py": _module(
            "The records that several notifications have in common.",
            [_record(name) for name in shared],
            {},
        ),
    }
    for name, event_name in types.items():
        own = [_record(part) for part in below[name] if part not in shared]
        sources = dict.fromkeys(shared, "shared") | {"Notification": "envelope"}
        written[f"{_snake(name)}.py"] = _module(
            _summary(_read(name)["doc"])[0], [*own, _notification(name, event_name)], sources
        )
    return written


@cache
def _read(name: str) -> Any:  # noqa: ANN401 (Avro's JSON)
    """Return the schema of a record as its file has it: other records stand there by name."""
    path = schemas.folder() / f"{schemas.NOTIFICATION_NAMESPACE}.{name}.avsc"
    return json.loads(path.read_text())


def _below(name: str) -> list[str]:
    """Return the records that a record consists of, each behind those that it needs itself."""
    found: list[str] = []
    for field in _read(name)["fields"]:
        for part in _named(field["type"]):
            found += [each for each in (*_below(part), part) if each not in found]
    return found


def _named(schema: object) -> Iterator[str]:
    """Yield the names of the records in a field's type."""
    match schema:
        case str() if "." in schema:
            yield schema.rpartition(".")[2]
        case list():
            for branch in schema:
                yield from _named(branch)
        case {"items": inner} | {"values": inner}:
            yield from _named(inner)
        case _:
            pass


def _hint(schema: object) -> str:
    """Return Python's type for an Avro type."""
    match schema:
        case str():
            return _PRIMITIVES.get(schema) or schema.rpartition(".")[2]
        case list():
            hints = [_hint(branch) for branch in schema]
            return " | ".join(sorted(hints, key="None".__eq__))
        case {"type": "array", "items": items}:
            return f"tuple[{_hint(items)}, ...]"
        case {"type": "map", "values": values}:
            return f"Mapping[str, {_hint(values)}]"
        case {"type": "long", "logicalType": "timestamp-millis"}:
            return "datetime"
    raise SchemaError(f"no record can show an Avro {schema}")


def _field(field: Field, default: str = "") -> str:
    """Return the lines of a field: its type, its default if it has one, and what it means."""
    if not default and "default" in field:
        default = {"None": "None", "[]": "()"}[str(field["default"])]
    line = f"{field['name']}: {_hint(field['type'])}{f' = {default}' if default else ''}"
    meaning = field["doc"].replace(_MOMENT_WORDS, "UTC")
    return f"{line}\n{_docstring(meaning, 4)}"


def _docstring(text: str, indent: int) -> str:
    """Return a docstring on one line if it fits, else with its first sentence on the first one."""
    if len(text) + indent + 6 <= _WIDTH:
        return f'"""{text}"""'
    first, rest = _summary(text)
    if not rest:
        return '"""' + textwrap.fill(text, _WIDTH - indent - 3) + '"""'
    return f'"""{first}\n\n{textwrap.fill(rest, _WIDTH - indent)}\n"""'


def _summary(text: str) -> tuple[str, str]:
    """Return a text's first sentence, and the rest; one that is too long ends at its colon."""
    first, stop, rest = text.partition(". ")
    if len(first) > _WIDTH - 10:
        first, stop, rest = text.partition(": ")
    return (f"{first}.", rest[0].upper() + rest[1:]) if stop else (text, "")


def _class(name: str, base: str, doc: str, fields: Iterable[str]) -> str:
    body = "\n".join([_docstring(doc, 4), "", *fields])
    return (
        "@dataclass(frozen=True, slots=True, kw_only=True)\n"
        f"class {name}{base}:\n{textwrap.indent(body, '    ')}\n"
    )


def _record(name: str) -> str:
    schema = _read(name)
    return _class(name, "", schema["doc"], [_field(field) for field in schema["fields"]])


def _notification(name: str, event_name: str) -> str:
    """Return the class of a notification: what it has beyond the envelope of all."""
    schema, common = _read(name), _common([kind.schema for kind in CATALOG.values()])
    own = [
        _field(field, f'"{event_name}"' if field["name"] == "eventName" else "")
        for field in schema["fields"]
        if field["doc"] != common.get(field["name"])
    ]
    return _class(name, "(Notification)", schema["doc"], own)


def _common(names: Iterable[str]) -> dict[str, str]:
    """Return the fields that all notifications have, and what each means in all of them."""
    read = [_read(name.rpartition(".")[2])["fields"] for name in names]
    told = [{field["name"]: (field["type"], field["doc"]) for field in fields} for fields in read]
    common = {}
    for name, (kind, doc) in told[0].items():
        if all(fields.get(name, ("",))[0] == kind for fields in told):
            alike = all(fields[name][1] == doc for fields in told)
            common[name] = doc if alike else f"{doc.partition(':')[0]}."
    return common


def _envelope(names: list[str]) -> str:
    """Return the module of what every notification has, whichever type it is of."""
    common = _common(names)
    fields = [
        _field({**field, "doc": common[field["name"]]})
        for field in _read(names[0])["fields"]
        if field["name"] in common
    ]
    made = _class("Notification", "", "What every notification tells, of whichever type.", fields)
    return _module("What stands around every notification.", [made], {})


def _module(doc: str, classes: Iterable[str], sources: Mapping[str, str]) -> str:
    """Return a module of classes, which imports what they name."""
    body = "\n\n".join(classes)
    code = re.sub(r'"""[\s\S]*?"""', "", body)
    used = {*re.findall(r"\w+", code)}
    lines = ["from dataclasses import dataclass"]
    if "Mapping" in used:
        lines.insert(0, "from collections.abc import Mapping")
    if "datetime" in used:
        lines.append("from datetime import datetime")
    ours = {
        source: sorted(name for name in used if sources.get(name) == source)
        for source in sorted(set(sources.values()))
    }
    imports = [_import(f"{_ROOM}.{source}", names) for source, names in ours.items() if names]
    lines += [*([""] if imports else []), *imports]
    head = f'"""{doc}\n\n{_HEAD}\n"""\n\n{_SPELLING}\n'
    return "\n".join([head, *lines, "", "", body])


def _import(module: str, names: list[str]) -> str:
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= _WIDTH:
        return line
    return "\n".join([f"from {module} import (", *(f"    {name}," for name in names), ")"])


def _index(types: Mapping[str, str], shared: list[str], below: Mapping[str, Iterable[str]]) -> str:
    """Return the room's own module: all records, and the types by their schemas' names."""
    homes = {"envelope": ["Notification"], "shared": sorted(shared)}
    for name in types:
        own = [part for part in below[name] if part not in shared]
        homes[_snake(name)] = sorted([name, *own])
    imports = [_import(f"{_ROOM}.{home}", names) for home, names in sorted(homes.items())]
    exported = sorted(name for names in homes.values() for name in names)
    return "\n".join(
        [
            f'"""Every notification, and what it consists of, as typed records.\n\n{_HEAD}\n"""',
            "",
            "from typing import Final",
            "",
            "from loyaltystream.avro.schemas import NOTIFICATION_NAMESPACE",
            *imports,
            "",
            "TYPES: Final[dict[str, type[Notification]]] = {",
            '    f"{NOTIFICATION_NAMESPACE}.{kind.__name__}": kind',
            "    for kind in (",
            *(f"        {name}," for name in sorted(types)),
            "    )",
            "}",
            '"""Every type of notification, by the full name of its schema."""',
            "",
            "__all__ = [",
            *(f'    "{name}",' for name in ["TYPES", *exported]),
            "]",
            "",
        ]
    )


def _snake(name: str) -> str:
    return re.sub(r"(?<=.)([A-Z])", r"_\1", name).lower()


def write() -> None:
    """Write all modules, and remove what no schema has any more."""
    written = modules()
    for path in FOLDER.glob("*.py"):
        if path.name not in written:
            path.unlink()
    for name, text in written.items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    write()
