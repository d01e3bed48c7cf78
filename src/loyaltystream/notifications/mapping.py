"""A definition's notification rules in, a function from event to notifications out. Pure.

Rules are checked against the Avro schemas and compiled when a definition is loaded; what is wrong
is said there, all of it. At run time an event is mapped whole or not at all.
"""

from collections import Counter

import msgspec

from loyaltystream.definitions.model import Action, EventDefinition
from loyaltystream.notifications.envelope import cause_of
from loyaltystream.notifications.paths import Event
from loyaltystream.notifications.program import MapEvent, Notification, compile_program
from loyaltystream.notifications.rules import check_rule
from loyaltystream.notifications.templates import Checker
from loyaltystream.verdicts import Violation


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
        check_rule(rule, checker, f"notifications[{position}]")
        for position, rule in enumerate(rules)
    ]
    if not rules or checker.problems:
        return Compiled(None, tuple(checker.problems))
    known = [rule for rule in checked if rule]
    return Compiled(compile_program(definition.event_name, definition.version, known), ())


def map_event(
    event: Event, *, key: bytes | None, rules: MapEvent, source: bytes | None = None
) -> list[Notification] | tuple[Violation, ...]:
    """Return all notifications of `event`, or all that keeps any of them from being made.

    Args:
        event: a decoded `BehavioralEvent`.
        key: its record's.
        rules: of its definition.
        source: the record's `src` header.
    """
    violations: list[Violation] = []
    notifications = rules(event, key, violations, cause_of(event["eventId"], source))
    return tuple(violations) or notifications
