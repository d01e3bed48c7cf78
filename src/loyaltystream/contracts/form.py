"""A schema as its file has it in, a line for everything that is not as we write schemas out. Pure.

Subscribers read these for years: every record and field says what it means, nothing of a
notification has to be there but the envelope's four, and times are marked as times (domain.md 2).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from loyaltystream.avro.schemas import NOTIFICATION_NAMESPACE

ALWAYS: Final = frozenset({"eventName", "eventId", "orgId", "createdAt"})
"""The fields of a notification that are never null."""

_RECORD_NAME = re.compile(r"[A-Z][A-Za-z0-9]*", re.ASCII)
_FIELD_NAME = re.compile(r"[a-z][A-Za-z0-9]*(_[a-z0-9]+)*", re.ASCII)
_PRIMITIVES: Final = frozenset({"null", "boolean", "int", "long", "double", "bytes", "string"})
_MOMENT: Final = "timestamp-millis"
_MOMENT_WORDS: Final = "epoch milliseconds, UTC"


def check_form(full_name: str, schema: Mapping[str, Any]) -> list[str]:
    """Return everything that is wrong with a schema file.

    Args:
        full_name: that the file is named for.
        schema: what it holds; other records may be referred to by their full names.
    """
    named = f"{schema.get('namespace')}.{schema.get('name')}"
    wrong = [] if named == full_name else [f"the file is named {full_name}, the record {named}"]
    is_notification = full_name.startswith(f"{NOTIFICATION_NAMESPACE}.")
    return wrong + [
        line
        for path, record in _records(schema, "")
        for line in _check_record(path, record, nullable=is_notification)
    ]


def _records(schema: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:  # noqa: ANN401 (Avro's JSON)
    """Yield each record that is written out in a schema, with the path that leads to it."""
    match schema:
        case {"type": "record", "fields": list(fields)}:
            yield path, schema
            for field in fields:
                yield from _records(field.get("type"), f"{path}.{field.get('name')}".lstrip("."))
        case {"type": "array", "items": inner} | {"type": "map", "values": inner}:
            yield from _records(inner, path)
        case list():
            for branch in schema:
                yield from _records(branch, path)
        case _:
            pass


def _check_record(path: str, record: Mapping[str, Any], *, nullable: bool) -> Iterator[str]:
    place = f"{path or record.get('name')}: "
    if not _RECORD_NAME.fullmatch(str(record.get("name"))):
        yield f"{place}a record's name is written LikeThis"
    if not _is_sentence(record.get("doc")):
        yield f"{place}the record has no doc that ends in a full stop"
    names = [field.get("name") for field in record["fields"]]
    if len(set(names)) < len(names):
        yield f"{place}a field stands there twice"
    is_envelope = "causeEventId" in names
    for field in record["fields"]:
        where = f"{path}.{field.get('name')}: ".lstrip(".")
        for line in _check_field(field):
            yield where + line
        if nullable and not (is_envelope and field.get("name") in ALWAYS):
            yield from (where + line for line in _check_default(field))


def _check_field(field: Mapping[str, Any]) -> Iterator[str]:
    if not _FIELD_NAME.fullmatch(str(field.get("name"))):
        yield "a field's name is written likeThis or like_this"
    doc = field.get("doc")
    if not _is_sentence(doc):
        yield "the field has no doc that ends in a full stop"
    kinds = list(_kinds(field.get("type")))
    yield from (f"the type {kind} is none that we use" for kind in kinds if not _is_known(kind))
    is_moment, says_moment = _MOMENT in kinds, _MOMENT_WORDS in str(doc)
    if is_moment is not says_moment:
        yield f"what is {_MOMENT} has a doc that says {_MOMENT_WORDS}, and nothing else has"


def _check_default(field: Mapping[str, Any]) -> Iterator[str]:
    match field.get("type"):
        case {"type": "array"}:
            if field.get("default") != []:
                yield "an array is empty by default"
        case ["null", _] if "default" in field and field["default"] is None:
            pass
        case _:
            yield "the field may be null, and is by default"


def _kinds(schema: object) -> Iterator[str]:
    """Yield the names of the types below a field, logical ones included; records have none."""
    match schema:
        case str():
            yield schema
        case list():
            for branch in schema:
                yield from _kinds(branch)
        case {"type": "array", "items": inner} | {"type": "map", "values": inner}:
            yield from _kinds(inner)
        case {"logicalType": str(logical), "type": kind}:
            yield logical if (logical, kind) == (_MOMENT, "long") else f"{logical} of {kind}"
        case {"type": "record"}:
            pass
        case {"type": kind}:
            yield str(kind)
        case _:
            yield str(schema)


def _is_known(kind: str) -> bool:
    # A name without a dot is a record of the same file.
    return kind in _PRIMITIVES or kind == _MOMENT or kind[:1].isupper() or "." in kind


def _is_sentence(doc: object) -> bool:
    return isinstance(doc, str) and bool(doc.strip()) and doc.endswith(".")
