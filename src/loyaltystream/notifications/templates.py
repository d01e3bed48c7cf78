"""A template and the shape it has to fill in, checked nodes that can be compiled out. Pure.

A template mirrors the notification. Its leaves are paths into the event, `{"const": value}`, or
`{"path": path, "default": value, "required": true, "convert": name}`; a list of templates makes an
array, as do `{"each": path, "as": template}` and `{"pairs": {name: template}}`.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from loyaltystream.definitions.model import EventDefinition
from loyaltystream.dialects.strict_json import name_type
from loyaltystream.notifications.catalog import CUSTOMER_IDENTIFIERS
from loyaltystream.notifications.conversions import CONVERSIONS, Conversion, label_of
from loyaltystream.notifications.fitting import Misfit, fit
from loyaltystream.notifications.near import hint
from loyaltystream.notifications.nodes import (
    Constant,
    Each,
    Elements,
    Group,
    Known,
    Leaf,
    Node,
    Pairs,
    Series,
)
from loyaltystream.notifications.paths import (
    ELEMENT,
    ENTRY,
    Holds,
    Source,
    can_fit,
    find_inside,
    find_source,
)
from loyaltystream.notifications.targets import Composite, Listing, Scalar, Table, Target

_LEAF_KEYS: Final = {"path", "default", "required", "convert"}
_REPEATING: Final = {ELEMENT: "each", ENTRY: "forEach"}

LEAVES: Final = frozenset({"path", "const", "identifiers"})
"""Keys of templates that make a whole record by themselves."""


class Checker(msgspec.Struct):
    """Checks the templates of one definition; `problems` is everything wrong with them.

    Attributes:
        repeated: the path of the array that `element` and `entry` are of, where these may stand.
    """

    definition: EventDefinition
    problems: list[str]
    repeated: dict[str, str] = msgspec.field(default_factory=dict)

    def find(self, path: str) -> Source | str:
        """Return the source at `path`, or why there can be none."""
        root = path.partition(".")[0]
        if root not in _REPEATING:
            return find_source(path, self.definition)
        if root not in self.repeated:
            return f"{root} stands inside {_REPEATING[root]} only"
        return find_inside(path, root, self.repeated[root])

    def check(self, template: Any, target: Target, where: str) -> Node:  # noqa: ANN401 (any JSON)
        """Return what makes the value of `target`; `where` is named in problems."""
        if isinstance(template, str):
            template = {"path": template}
        match template:
            case {"const": constant}:
                self._refuse_keys(template, {"const"}, where)
                return self._constant(constant, target, where)
            case {"path": str()}:
                self._refuse_keys(template, _LEAF_KEYS, where)
                return self._leaf(template, target, where)
            case dict():
                return self._made_of_parts(template, target, where)
            case list() if isinstance(target, Listing):
                return Series(
                    [
                        self.check(each, target.items, f"{where}[{position}]")
                        for position, each in enumerate(template)
                    ]
                )
        return self._refuse(where, _explain(template, target))

    def members(self, template: dict[str, Any], target: Composite, where: str) -> dict[str, Node]:
        """Return what makes each field of the record that the template fills."""
        nodes = {}
        for name, part in template.items():
            if name in target.members:
                nodes[name] = self.check(part, target.members[name], f"{where}.{name}")
            else:
                record, near = target.name.rpartition(".")[2], hint(name, target.members)
                names = ", ".join(target.members)
                problem = f"{where}.{name}: {record} has no such field{near}; it has {names}"
                self.problems.append(problem)
        return nodes

    def elements(self, path: str, where: str, by: str | None = None) -> Elements | None:
        """Return the array at a path, or None if there is none."""
        source = self.find(path)
        if isinstance(source, str) or source.holds is not Holds.JSON:
            held = source if isinstance(source, str) else f"{path} holds {source.holds}, no array"
            self.problems.append(f"{where}: {held}")
            return None
        return Elements(source, where, None if by is None else tuple(by.split(".")))

    def _made_of_parts(self, template: dict[str, Any], target: Target, where: str) -> Node:
        match target:
            case Composite(name=name) if name == CUSTOMER_IDENTIFIERS and "identifiers" in template:
                return self._known(template, target, where)
            case Composite():
                return Group(self.members(template, target, where))
            case Table(values=values):
                return Group(self._each_of(template, values, where))
            case Listing(items=items) if isinstance(path := template.get("each"), str):
                self._refuse_keys(template, {"each", "as"}, where)
                return self._each(path, template.get("as"), items, where)
            case Listing(items=Composite(members=members)) if isinstance(
                pairs := template.get("pairs"), dict
            ) and (label := label_of(target)):
                self._refuse_keys(template, {"pairs"}, where)
                return Pairs(label, self._each_of(pairs, members["value"], where))
            case _:
                return self._refuse(where, _explain(template, target))

    def _each_of(self, template: dict[str, Any], target: Target, where: str) -> dict[str, Node]:
        return {key: self.check(part, target, f"{where}.{key}") for key, part in template.items()}

    def _each(self, path: str, entry: object, items: Target, where: str) -> Node:
        elements = self.elements(path, where)
        if elements is None:
            return Constant(None)
        outer = self.repeated
        self.repeated = outer | {ELEMENT: elements.source.path}
        node = self.check(entry, items, where)
        self.repeated = outer
        return Each(elements, node)

    def _known(self, template: dict[str, Any], target: Composite, where: str) -> Node:
        members = {key: part for key, part in template.items() if key != "identifiers"}
        path = template["identifiers"]
        source = self.find(path) if isinstance(path, str) else "identifiers is a path"
        if not isinstance(source, str) and not can_fit(source.holds, target):
            source = f"{path} holds {source.holds}, no identifiers"
        made = self.members(members, target, where)
        if isinstance(source, str):
            return self._refuse(where, source)
        return Known(source, where, made)

    def _leaf(self, leaf: dict[str, Any], target: Target, where: str) -> Node:
        source = self.find(leaf["path"])
        if isinstance(source, str):
            return self._refuse(where, source)
        conversion = self._conversion(leaf, target, where) if "convert" in leaf else None
        takes = conversion and source.holds in conversion.takes
        if not (can_fit(source.holds, target) if takes is None else takes):
            needed = (
                f"{leaf['convert']} takes none of it"
                if conversion
                else f"{_name(target)} is needed"
            )
            return self._refuse(where, f"{source.path} holds {source.holds}; {needed}")
        required = leaf.get("required", False)
        if not isinstance(required, bool):
            return self._refuse(where, "required is true or false")
        default = None
        if "default" in leaf:
            default = self._constant(leaf["default"], target, f"{where}: default")
        return Leaf(source, target, where, default, required, conversion)

    def _conversion(self, leaf: dict[str, Any], target: Target, where: str) -> Conversion | None:
        name = leaf["convert"]
        conversion = CONVERSIONS.get(name) if isinstance(name, str) else None
        if conversion is None:
            known = ", ".join(CONVERSIONS)
            near = hint(str(name), CONVERSIONS)
            self.problems.append(f"{where}: no conversion {name}{near}; there are {known}")
        elif not conversion.makes(target):
            self.problems.append(f"{where}: {name} never makes {_name(target)}")
        return conversion

    def _constant(self, constant: object, target: Target, where: str) -> Constant:
        misfits: list[Misfit] = []
        value = fit(constant, target, misfits)
        self.problems += [f"{where}{misfit.path}: {misfit.detail}" for misfit in misfits]
        return Constant(value)

    def _refuse_keys(self, leaf: Iterable[str], known: set[str], where: str) -> None:
        unknown = sorted(set(leaf) - known)
        self.problems += [f"{where}: no such key: {key}{hint(key, known)}" for key in unknown]

    def _refuse(self, where: str, detail: str) -> Node:
        self.problems.append(f"{where}: {detail}")
        return Constant(None)


def _explain(template: object, target: Target) -> str:
    needed = f'{_name(target)} is filled by a path or {{"const": ...}}'
    match target:
        case Composite() | Table():
            needed += ", or by an object of templates"
        case Listing():
            needed += ', or by an array of templates or {"each": path, "as": template}'
        case _:
            pass
    return f"{needed}, not by {name_type(template)}"


def _name(target: Target) -> str:
    match target:
        case Scalar():
            return str(target.kind)
        case Composite():
            return target.name.rpartition(".")[2]
        case Listing():
            return "an array"
        case Table():
            return "an object"
