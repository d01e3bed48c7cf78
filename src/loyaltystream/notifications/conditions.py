"""The `when` of a rule in, a question to each event out. Pure.

A condition is an object with a path and one of `equals`, `in` and `present`; all of a rule's have
to hold. An absent, null or blank value is not present and equals nothing.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from loyaltystream.dialects.strict_json import name_type
from loyaltystream.notifications.fitting import Misfit
from loyaltystream.notifications.nodes import refuse
from loyaltystream.notifications.paths import Holds, Source
from loyaltystream.verdicts import Violation

_TESTS: Final = ("equals", "in", "present")
_SINGLE: Final = {
    Holds.TEXT: (str,),
    Holds.WORD: (str,),
    Holds.DATE: (str,),
    Holds.NUMBER: (int, float),
    Holds.BOOLEAN: (bool,),
    Holds.JSON: (str, int, float, bool),
}


class Condition(msgspec.Struct, frozen=True):
    """One condition.

    Attributes:
        source: that is read.
        where: in the definition it stands, for messages.
        wanted: the values that it may be, each with whether it is a truth value; None: any.
        present: whether a value has to be there, or must not.
    """

    source: Source
    where: str
    wanted: frozenset[tuple[bool, Any]] | None
    present: bool

    def holds(self, value: Any, violations: list[Violation]) -> bool:  # noqa: ANN401 (any JSON)
        """Say whether a value that was read meets the condition; a misfit is a violation."""
        if isinstance(value, Misfit):
            refuse(self.source, self.where, [value], violations)
            return False
        if self.wanted is None:
            is_blank = value is None or (isinstance(value, str) and not value.strip())
            return self.present is not is_blank
        return isinstance(value, str | int | float) and _form(value) in self.wanted


def check_condition(
    condition: object, find: Callable[[str], Source | str], where: str
) -> Condition | list[str]:
    """Return a condition, or everything that is wrong with it.

    Args:
        condition: as the definition has it.
        find: returns the source at a path, or why there is none.
        where: in the definition it stands.
    """
    if not isinstance(condition, dict) or not isinstance(condition.get("path"), str):
        return [f"{where}: a condition is an object with a path, not {name_type(condition)}"]
    problems = [f"{where}: no such key: {key}" for key in sorted(condition.keys() - _KEYS)]
    if len(condition.keys() & set(_TESTS)) != 1:
        problems.append(f"{where}: a condition has one of {', '.join(_TESTS)}")
    source = find(condition["path"])
    if isinstance(source, str):
        problems.append(f"{where}: {source}")
    if problems or isinstance(source, str):
        return problems
    return _tested(condition, source, where)


def _tested(condition: dict[str, Any], source: Source, where: str) -> Condition | list[str]:
    if "present" in condition:
        present = condition["present"]
        if not isinstance(present, bool):
            return [f"{where}: present is true or false"]
        return Condition(source, where, None, present)
    values = condition["in"] if "in" in condition else [condition["equals"]]
    if not isinstance(values, list) or not values:
        return [f"{where}: in is an array of values"]
    kinds = _SINGLE.get(source.holds, ())
    problems = [
        f"{where}: {source.path} holds {source.holds}, which never equals {name_type(value)}"
        for value in values
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds)
    ]
    return problems or Condition(source, where, frozenset(map(_form, values)), present=True)


def _form(value: object) -> tuple[bool, object]:
    """Return what equal values have in common: 5 and 5.0, but not 1 and true."""
    return isinstance(value, bool), value


_KEYS: Final = {"path", *_TESTS}
