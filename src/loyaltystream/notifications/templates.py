"""A template and the shape it has to fill in, checked nodes that can be compiled out. Pure.

A template mirrors the notification. Its leaves are paths into the event, `{"const": value}`, or
`{"path": path, "default": value, "required": true}`; a list of templates makes an array.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from loyaltystream.definitions.model import EventDefinition
from loyaltystream.dialects.strict_json import name_type
from loyaltystream.notifications.fitting import Misfit, fit
from loyaltystream.notifications.paths import Source, can_fit, find_source
from loyaltystream.notifications.targets import Composite, Kind, Listing, Scalar, Table, Target
from loyaltystream.verdicts import Reason, Violation


class Constant(msgspec.Struct, frozen=True):
    """A value that fits."""

    value: Any


class Leaf(msgspec.Struct, frozen=True):
    """A single path.

    Attributes:
        source: that is read.
        target: what is made of it.
        where: in the definition it stands, for messages.
        default: stands in for what is absent or empty.
        required: whether it has to be there.
    """

    source: Source
    target: Target
    where: str
    default: Constant | None
    required: bool

    def fill(self, value: Any, violations: list[Violation]) -> Any:  # noqa: ANN401 (any Avro value)
        """Return what was read as the target needs it; what can't be is added to the violations."""
        value, misfits = _fit_read(value, self.target)
        if misfits:
            violations += [
                Violation(
                    Reason.UNMAPPED,
                    self.source.path + misfit.path,
                    f"{self.where}: {misfit.detail}",
                )
                for misfit in misfits
            ]
            return None
        is_text = isinstance(self.target, Scalar) and self.target.kind is Kind.STRING
        empty_counts = is_text and self.default is None and not self.required
        if value is not None and (empty_counts or value != ""):
            return value
        if self.default is not None:
            return self.default.value
        if self.required:
            missing = f"{self.where}: missing"
            violations.append(Violation(Reason.UNMAPPED, self.source.path, missing))
        return None


class Group(msgspec.Struct, frozen=True):
    """An object; null where all of it is unknown."""

    members: dict[str, "Node"]


class Series(msgspec.Struct, frozen=True):
    """An array of whatever is known."""

    entries: list["Node"]


Node = Constant | Leaf | Group | Series

_LEAF_KEYS: Final = {"path", "default", "required"}


class Checker(msgspec.Struct):
    """Checks the templates of one definition; `problems` is everything wrong with them."""

    definition: EventDefinition
    problems: list[str]

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
            case dict() if isinstance(target, Composite):
                return Group(self.members(template, target, where))
            case dict() if isinstance(target, Table):
                values = target.values
                return Group(
                    {
                        key: self.check(each, values, f"{where}.{key}")
                        for key, each in template.items()
                    }
                )
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
                record = target.name.rpartition(".")[2]
                names = ", ".join(target.members)
                self.problems.append(f"{where}.{name}: {record} has no such field; it has {names}")
        return nodes

    def _leaf(self, leaf: dict[str, Any], target: Target, where: str) -> Node:
        source = find_source(leaf["path"], self.definition)
        if isinstance(source, str):
            return self._refuse(where, source)
        if not can_fit(source.holds, target):
            needed = _name(target)
            return self._refuse(where, f"{source.path} holds {source.holds}; {needed} is needed")
        required = leaf.get("required", False)
        if not isinstance(required, bool):
            return self._refuse(where, "required is true or false")
        default = None
        if "default" in leaf:
            default = self._constant(leaf["default"], target, f"{where}: default")
        return Leaf(source, target, where, default, required)

    def _constant(self, constant: object, target: Target, where: str) -> Constant:
        misfits: list[Misfit] = []
        value = fit(constant, target, misfits)
        self.problems += [f"{where}{misfit.path}: {misfit.detail}" for misfit in misfits]
        return Constant(value)

    def _refuse_keys(self, leaf: Iterable[str], known: set[str], where: str) -> None:
        unknown = sorted(set(leaf) - known)
        self.problems += [f"{where}: no such key: {key}" for key in unknown]

    def _refuse(self, where: str, detail: str) -> Node:
        self.problems.append(f"{where}: {detail}")
        return Constant(None)


def _explain(template: object, target: Target) -> str:
    needed = f'{_name(target)} is filled by a path or {{"const": ...}}'
    match target:
        case Composite() | Table():
            needed += ", or by an object of templates"
        case Listing():
            needed += ", or by an array of templates"
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


def _fit_read(value: Any, target: Target) -> tuple[Any, list[Misfit]]:  # noqa: ANN401 (any JSON)
    """Return what was read as the target needs it; what is absent is null whatever is needed."""
    if isinstance(value, Misfit):
        return None, [value]
    misfits: list[Misfit] = []
    return None if value is None else fit(value, target, misfits), misfits
