"""One notification rule in, the same checked out, or all that is wrong with it. Pure."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from loyaltystream.definitions.model import NotificationRule
from loyaltystream.dialects.strict_json import name_type
from loyaltystream.notifications.catalog import CATALOG, CUSTOMER_IDENTIFIERS, NotificationType
from loyaltystream.notifications.conditions import Condition, check_condition
from loyaltystream.notifications.near import hint
from loyaltystream.notifications.nodes import Elements, Node
from loyaltystream.notifications.paths import ENTRY
from loyaltystream.notifications.phrases import Phrase, compile_phrase
from loyaltystream.notifications.targets import Composite, Kind, Scalar, load_target
from loyaltystream.notifications.templates import LEAVES, Checker

CUSTOMER: Final = "customerIdentifiers"

_TEXT: Final = Scalar(Kind.STRING, nullable=True)
_NUMBER: Final = Scalar(Kind.LONG, nullable=True)


class Envelope(msgspec.Struct, frozen=True):
    """What a rule, or else its type, says of the envelope; see `NotificationType` for the phrases.

    Attributes:
        given: nodes by the field that they fill; each comes before the phrase of its field.
    """

    given: Mapping[str, Node]
    ref_id: Phrase
    loyalty_event_id: Phrase
    customer_id: Phrase
    key: Phrase


class CheckedRule(msgspec.Struct, frozen=True):
    """One rule.

    Attributes:
        members: of the notification's data.
        customer: what a rule says of the customer beyond the event's identifiers; None where those
            are not added.
        conditions: all of which have to hold.
        elements: for each of which there is a notification; None: there is one for the event.
    """

    type: NotificationType
    rule_id: str
    members: Mapping[str, Node]
    customer: Mapping[str, Node] | None
    envelope: Envelope
    conditions: tuple[Condition, ...] = ()
    elements: Elements | None = None


def check_rule(rule: NotificationRule, checker: Checker, where: str) -> CheckedRule | None:
    """Return a rule that can work, or None; what is wrong is added to the checker's problems."""
    kind = CATALOG.get(rule.type)
    if kind is None:
        known, near = ", ".join(CATALOG), hint(rule.type, CATALOG)
        checker.problems.append(f"{where}.type: no type {rule.type}{near}; there are {known}")
        return None
    target = load_target(kind.schema).members["data"]
    if not isinstance(target, Composite):
        checker.problems.append(f"{where}.type: {kind.schema} has no data")
        return None
    elements = _check_elements(rule.for_each, checker, f"{where}.forEach")
    checker.repeated = {ENTRY: elements.source.path} if elements else {}
    envelope = _check_envelope(rule, kind, target, checker, where)
    members, customer = _check_members(rule, target, checker, where)
    conditions = _check_conditions(rule.when, checker, f"{where}.when")
    checker.repeated = {}
    return CheckedRule(kind, rule.rule_id, members, customer, envelope, conditions, elements)


def _check_elements(for_each: object, checker: Checker, where: str) -> Elements | None:
    if for_each is None:
        return None
    match for_each:
        case str():
            return checker.elements(for_each, where)
        case {"path": str(path), "by": str(by), **more} if not more:
            return checker.elements(path, where, by)
        case _:
            wanted = 'a path, or {"path": path, "by": path inside an element}'
            checker.problems.append(f"{where}: {wanted} is needed, not {name_type(for_each)}")
            return None


def _check_conditions(when: object, checker: Checker, where: str) -> tuple[Condition, ...]:
    if when is None:
        return ()
    conditions = []
    listed = when if isinstance(when, list) else [when]
    for position, each in enumerate(listed):
        place = f"{where}[{position}]" if isinstance(when, list) else where
        condition = check_condition(each, checker.find, place)
        if isinstance(condition, Condition):
            conditions.append(condition)
        else:
            checker.problems += condition
    return tuple(conditions)


def _check_envelope(
    rule: NotificationRule, kind: NotificationType, target: Composite, checker: Checker, where: str
) -> Envelope:
    is_phrase = isinstance(rule.ref_id, str) and "{" in rule.ref_id
    given = {}
    for name, template, needed in (
        ("refId", None if is_phrase else rule.ref_id, _TEXT),
        ("loyaltyEventId", rule.loyalty_event_id, _TEXT),
        ("eventLogId", rule.event_log_id, _NUMBER),
    ):
        if template is not None:
            given[name] = checker.check(template, needed, f"{where}.{name}")
    phrases = []
    ref_id = rule.ref_id if is_phrase else kind.ref_id
    for text in (ref_id, kind.loyalty_event_id, kind.customer_id, kind.key):
        phrase, problems = compile_phrase(text, target, checker.find)
        checker.problems += [f"{where}.refId: {problem}" for problem in problems]
        phrases.append(phrase)
    return Envelope(given, *phrases)


def _check_members(
    rule: NotificationRule, target: Composite, checker: Checker, where: str
) -> tuple[dict[str, Node], dict[str, Node] | None]:
    """Return what makes `data`, and what is added to the event's identifiers where those are."""
    template: dict[str, Any] = dict(rule.data)
    customer = target.members.get(CUSTOMER)
    own: dict[str, Node] | None = None
    if isinstance(customer, Composite) and customer.name == CUSTOMER_IDENTIFIERS:
        part = template.get(CUSTOMER, {})
        if isinstance(part, dict) and not part.keys() & LEAVES:
            template.pop(CUSTOMER, None)
            own = checker.members(part, customer, f"{where}.data.{CUSTOMER}")
    return checker.members(template, target, f"{where}.data"), own
