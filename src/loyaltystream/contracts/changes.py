"""Two schemas in, a line for each difference that a reader of either could notice out. Pure.

The schemas stand alone: everything that they refer to is written out where it first appears.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

Named = Mapping[str, Mapping[str, Any]]


class Change(msgspec.Struct, frozen=True):
    """One difference.

    Attributes:
        path: of the field, from the record on; empty for the record itself.
        what: happened to it on the way from the older to the newer schema.
        breaks: whether our promise to subscribers forbids it.
    """

    path: str
    what: str
    breaks: bool

    def __str__(self) -> str:
        return f"{self.path or 'the record'} {self.what}"


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Return what is different in `new`, in the order of its fields; a record is told once."""
    return list(_compare(old, new, "", _Seen(_named(old), _named(new), set())))


class _Seen(msgspec.Struct):
    old: Named
    new: Named
    told: set[str]


def _named(schema: Any) -> dict[str, Mapping[str, Any]]:  # noqa: ANN401 (Avro's JSON)
    """Return the records below a schema by their full names."""
    match schema:
        case {"type": "record", "name": str(name), "fields": list(fields)}:
            found: dict[str, Mapping[str, Any]] = {name: schema}
            for field in fields:
                found |= _named(field["type"])
            return found
        case {"items": inner} | {"values": inner}:
            return _named(inner)
        case list():
            return {name: each for branch in schema for name, each in _named(branch).items()}
        case _:
            return {}


def _compare(old: Any, new: Any, path: str, seen: _Seen) -> Iterator[Change]:  # noqa: ANN401 (Avro's JSON)
    old, new = _resolved(old, seen.old), _resolved(new, seen.new)
    match old, new:
        case {"type": "record"}, {"type": "record"} if old["name"] == new["name"]:
            if old["name"] not in seen.told:
                seen.told.add(old["name"])
                yield from _compare_records(old, new, path, seen)
        case {"type": "array", "items": was}, {"type": "array", "items": now}:
            yield from _compare(was, now, f"{path}[]", seen)
        case {"type": "map", "values": was}, {"type": "map", "values": now}:
            yield from _compare(was, now, f"{path}{{}}", seen)
        case ["null", was], ["null", now]:
            yield from _compare(was, now, path, seen)
        case _ if _label(old) != _label(new):
            yield Change(path, f"was {_label(old)} and is {_label(new)}", breaks=True)


def _compare_records(
    old: Mapping[str, Any], new: Mapping[str, Any], path: str, seen: _Seen
) -> Iterator[Change]:
    if old.get("doc") != new.get("doc"):
        yield Change(path, "has another doc", breaks=False)
    known = {field["name"]: field for field in old["fields"]}
    for field in new["fields"]:
        name, place = field["name"], f"{path}.{field['name']}".lstrip(".")
        before = known.pop(name, None)
        if before is None:
            must = "default" not in field
            yield Change(place, "is new" + ", without a default" * must, breaks=must)
            continue
        yield from _compare(before["type"], field["type"], place, seen)
        if before.get("default", ...) != field.get("default", ...):
            lost = "default" not in field
            yield Change(place, "lost its default" if lost else "has another default", breaks=lost)
        if before.get("doc") != field.get("doc"):
            yield Change(place, "has another doc", breaks=False)
    for name in known:
        yield Change(f"{path}.{name}".lstrip("."), "is gone", breaks=True)


def _resolved(schema: object, named: Named) -> object:
    return named.get(schema, schema) if isinstance(schema, str) else schema


def _label(schema: object) -> str:
    """Return a type as people name it."""
    match schema:
        case list():
            label = " or ".join(map(_label, schema))
        case {"logicalType": logical, "type": kind}:
            label = f"{kind} ({logical})"
        case {"type": "record", "name": str(name)}:
            label = name.rpartition(".")[2]
        case {"type": "array", "items": items}:
            label = f"an array of {_label(items)}"
        case {"type": "map", "values": values}:
            label = f"a map of {_label(values)}"
        case _:
            label = str(schema["type"] if isinstance(schema, dict) else schema).rpartition(".")[2]
    return label
