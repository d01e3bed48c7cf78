"""A template and the shape it has to fill in, a function from event to value out. Pure.

A template mirrors the notification. Its leaves are paths into the event, `{"const": value}`, or
`{"path": path, "default": value, "required": true}`; a list of templates makes an array.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from loyaltystream.definitions.model import EventDefinition
from loyaltystream.dialects.strict_json import name_type
from loyaltystream.notifications.fitting import Misfit, fit
from loyaltystream.notifications.paths import Event, Holds, Source, can_fit, find_source
from loyaltystream.notifications.targets import Composite, Kind, Listing, Scalar, Table, Target
from loyaltystream.verdicts import Reason, Violation

Build = Callable[[Event, list[Violation]], Any]
"""Takes the event; adds what can't be mapped to the violations."""

_LEAF_KEYS: Final = {"path", "default", "required"}


class Compiler(msgspec.Struct):
    """Compiles the templates of one definition; `problems` is everything wrong with them."""

    definition: EventDefinition
    problems: list[str]

    def compile(self, template: Any, target: Target, where: str) -> Build:  # noqa: ANN401 (any JSON)
        """Return the function that makes the value of `target`; `where` is named in problems."""
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
                return _object(self.members(template, target, where))
            case dict() if isinstance(target, Table):
                values = target.values
                return _object(
                    {
                        key: self.compile(each, values, f"{where}.{key}")
                        for key, each in template.items()
                    }
                )
            case list() if isinstance(target, Listing):
                return _array(
                    [
                        self.compile(each, target.items, f"{where}[{position}]")
                        for position, each in enumerate(template)
                    ]
                )
        return self._refuse(where, _explain(template, target))

    def members(self, template: dict[str, Any], target: Composite, where: str) -> dict[str, Build]:
        """Return a function for each field of the record that the template fills."""
        builds = {}
        for name, part in template.items():
            if name in target.members:
                builds[name] = self.compile(part, target.members[name], f"{where}.{name}")
            else:
                record = target.name.rpartition(".")[2]
                names = ", ".join(target.members)
                self.problems.append(f"{where}.{name}: {record} has no such field; it has {names}")
        return builds

    def _leaf(self, leaf: dict[str, Any], target: Target, where: str) -> Build:
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
        return _read(source, target, where, default, required=required)

    def _constant(self, constant: object, target: Target, where: str) -> Build:
        misfits: list[Misfit] = []
        value = fit(constant, target, misfits)
        self.problems += [f"{where}{misfit.path}: {misfit.detail}" for misfit in misfits]
        return lambda *_: value

    def _refuse_keys(self, leaf: Iterable[str], known: set[str], where: str) -> None:
        unknown = sorted(set(leaf) - known)
        self.problems += [f"{where}: no such key: {key}" for key in unknown]

    def _refuse(self, where: str, detail: str) -> Build:
        self.problems.append(f"{where}: {detail}")
        return lambda *_: None


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


def _read(
    source: Source, target: Target, where: str, default: Build | None, *, required: bool
) -> Build:
    read = source.read
    is_text = isinstance(target, Scalar) and target.kind is Kind.STRING
    empty_counts = is_text and default is None and not required
    usual = _usual_class(source.holds, target)

    def build(event: Event, violations: list[Violation]) -> Any:  # noqa: ANN401 (any Avro value)
        value = read(event)
        if value.__class__ is usual and value != "":
            return value
        value, misfits = _fit_read(value, target)
        if misfits:
            violations += [
                Violation(Reason.UNMAPPED, source.path + misfit.path, f"{where}: {misfit.detail}")
                for misfit in misfits
            ]
            return None
        if value is not None and (empty_counts or value != ""):
            return value
        if default is not None:
            return default(event, violations)
        if required:
            violations.append(Violation(Reason.UNMAPPED, source.path, f"{where}: missing"))
        return None

    return build


def _fit_read(value: Any, target: Target) -> tuple[Any, list[Misfit]]:  # noqa: ANN401 (any JSON)
    """Return what was read as the target needs it; what is absent is null whatever is needed."""
    if isinstance(value, Misfit):
        return None, [value]
    misfits: list[Misfit] = []
    return None if value is None else fit(value, target, misfits), misfits


def _usual_class(holds: Holds, target: Target) -> type | None:
    """Return the class whose values fit as they are: most do, and checking costs 2 us each."""
    if not isinstance(target, Scalar) or holds is Holds.JSON:
        return None
    return {Kind.STRING: str, Kind.LONG: int}.get(target.kind)


def _object(builds: dict[str, Build]) -> Build:
    """Return a function that makes an object, or null where all of it is unknown."""

    def build(event: Event, violations: list[Violation]) -> dict[str, Any] | None:
        made = {name: each(event, violations) for name, each in builds.items()}
        known = {name: value for name, value in made.items() if value is not None}
        return known or None

    return build


def _array(builds: list[Build]) -> Build:
    """Return a function that makes an array of whatever is known."""

    def build(event: Event, violations: list[Violation]) -> list[Any]:
        made = [each(event, violations) for each in builds]
        return [value for value in made if value is not None]

    return build
