"""A definition's notification rules in, a function from event to notifications out. Pure.

Rules are checked against the Avro schemas and compiled when a definition is loaded; what is wrong
is said there, all of it. At run time an event is mapped whole or not at all.
"""

from collections import Counter
from typing import Final

import msgspec

from loyaltystream.definitions.model import Action, EventDefinition, NotificationRule
from loyaltystream.notifications.catalog import CATALOG, CUSTOMER_IDENTIFIERS
from loyaltystream.notifications.paths import Event
from loyaltystream.notifications.phrases import compile_phrase
from loyaltystream.notifications.program import (
    CUSTOMER,
    CheckedRule,
    MapEvent,
    Notification,
    compile_program,
)
from loyaltystream.notifications.targets import Composite, Kind, Scalar, load_target
from loyaltystream.notifications.templates import Checker, Node
from loyaltystream.verdicts import Violation

_TEXT: Final = Scalar(Kind.STRING, nullable=True)


class Compiled(msgspec.Struct, frozen=True):
    """The rules of one definition, and everything that is wrong with them.

    There is no function where there are no rules, or any problems.
    """

    rules: MapEvent | None
    problems: tuple[str, ...]


def compile_rules(definition: EventDefinition) -> Compiled:
    """Return the definition's rules as one function, or their problems."""
    checker = Checker(definition, [])
    rules = definition.notifications
    if rules and Action.EMF not in definition.actions:
        checker.problems.append(f"notifications: none is ever sent without the action {Action.EMF}")
    for rule_id, count in Counter(rule.rule_id for rule in rules).items():
        if count > 1:
            checker.problems.append(f"notifications: {count} rules have the id {rule_id}")
    checked = [
        _check_rule(rule, checker, f"notifications[{position}]")
        for position, rule in enumerate(rules)
    ]
    if not rules or checker.problems:
        return Compiled(None, tuple(checker.problems))
    return Compiled(compile_program([rule for rule in checked if rule]), ())


def map_event(
    event: Event, *, key: bytes | None, rules: MapEvent
) -> list[Notification] | tuple[Violation, ...]:
    """Return all notifications of `event`, or all that keeps any of them from being made.

    Args:
        event: a decoded `BehavioralEvent`.
        key: its record's.
        rules: of its definition.
    """
    violations: list[Violation] = []
    notifications = rules(event, key, violations)
    return tuple(violations) or notifications


def _check_rule(rule: NotificationRule, checker: Checker, where: str) -> CheckedRule | None:
    kind = CATALOG.get(rule.type)
    if kind is None:
        known = ", ".join(CATALOG)
        checker.problems.append(f"{where}.type: no type {rule.type}; there are {known}")
        return None
    target = load_target(kind.schema).members["data"]
    if not isinstance(target, Composite):
        checker.problems.append(f"{where}.type: {kind.schema} has no data")
        return None
    given = rule.ref_id
    is_phrase = isinstance(given, str) and "{" in given
    texts = (given if is_phrase else kind.ref_id, kind.customer_id, kind.key)
    phrases = []
    for text in texts:
        phrase, problems = compile_phrase(text, target, checker.definition)
        checker.problems += [f"{where}.refId: {problem}" for problem in problems]
        phrases.append(phrase)
    ref_id = None
    if given is not None and not is_phrase:
        ref_id = checker.check(given, _TEXT, f"{where}.refId")
    members, customer = _check_members(rule, target, checker, where)
    return CheckedRule(kind, rule.rule_id, members, customer, ref_id, *phrases)


def _check_members(
    rule: NotificationRule, target: Composite, checker: Checker, where: str
) -> tuple[dict[str, Node], dict[str, Node] | None]:
    """Return what makes `data`, and what is added to the event's identifiers where those are."""
    template = dict(rule.data)
    customer = target.members.get(CUSTOMER)
    own: dict[str, Node] | None = None
    if isinstance(customer, Composite) and customer.name == CUSTOMER_IDENTIFIERS:
        part = template.get(CUSTOMER, {})
        if isinstance(part, dict) and not part.keys() & {"path", "const"}:
            template.pop(CUSTOMER, None)
            own = checker.members(part, customer, f"{where}.data.{CUSTOMER}")
    return checker.members(template, target, f"{where}.data"), own
