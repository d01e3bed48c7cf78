"""A definition's notification rules in, a function from event to notifications out. Pure.

Rules are compiled and held against the Avro schemas when a definition is loaded; what is wrong is
said there, all of it. At run time an event is mapped whole or not at all.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from loyaltystream.definitions.model import Action, EventDefinition, NotificationRule
from loyaltystream.notifications.catalog import CATALOG, CUSTOMER_IDENTIFIERS, NotificationType
from loyaltystream.notifications.envelope import notification_id
from loyaltystream.notifications.identifiers import customer_identifiers
from loyaltystream.notifications.paths import Event
from loyaltystream.notifications.phrases import Phrase, compile_phrase
from loyaltystream.notifications.targets import Composite, Kind, Scalar, load_target
from loyaltystream.notifications.templates import Build, Compiler
from loyaltystream.verdicts import Violation

_CUSTOMER: Final = "customerIdentifiers"
_TEXT: Final = Scalar(Kind.STRING, nullable=True)


class Notification(msgspec.Struct, frozen=True):
    """A notification that is due; `value` fits the schema of its type."""

    type: NotificationType
    value: dict[str, Any]
    key: bytes | None


class CompiledRule(msgspec.Struct, frozen=True):
    """One rule, ready to map events; see `NotificationType` for what the phrases are."""

    type: NotificationType
    rule_id: str
    data: Build
    ref_id: Build | None
    default_ref_id: Phrase
    customer_id: Phrase
    key: Phrase

    def map(self, event: Event, *, key: bytes | None, violations: list[Violation]) -> Notification:
        """Return the notification of `event`; what can't be mapped is added to the violations.

        Args:
            event: a decoded `BehavioralEvent`.
            key: its record's.
            violations: any added here make the result meaningless.
        """
        data = self.data(event, violations) or {}
        given = self.ref_id(event, violations) if self.ref_id else None
        own_key = self.key(event, data)
        trace = event["trace"]
        value = {
            "eventName": self.type.name,
            "eventId": notification_id(
                event,
                key=key or b"",
                rule=(self.rule_id, self.type.name),
                customer_id=self.customer_id(event, data) or "",
            ),
            "orgId": event["orgId"],
            "refId": given or self.default_ref_id(event, data),
            "apiRequestId": trace.get("requestId") or event["eventId"],
            "createdAt": event["ingestedAt"],
            "traceAttributes": trace or None,
            "causeEventId": event["eventId"],
            "data": data,
        }
        return Notification(self.type, value, key if own_key is None else own_key.encode())


class Compiled(msgspec.Struct, frozen=True):
    """The rules of one definition, and everything that is wrong with them."""

    rules: tuple[CompiledRule, ...]
    problems: tuple[str, ...]


def compile_rules(definition: EventDefinition) -> Compiled:
    """Return the definition's rules; they are of use only if there are no problems."""
    compiler = Compiler(definition, [])
    rules = definition.notifications
    if rules and Action.EMF not in definition.actions:
        compiler.problems.append(
            f"notifications: none is ever sent without the action {Action.EMF}"
        )
    for rule_id, count in Counter(rule.rule_id for rule in rules).items():
        if count > 1:
            compiler.problems.append(f"notifications: {count} rules have the id {rule_id}")
    compiled = [
        _compile_rule(rule, compiler, f"notifications[{position}]")
        for position, rule in enumerate(rules)
    ]
    return Compiled(tuple(rule for rule in compiled if rule), tuple(compiler.problems))


def map_event(
    event: Event, *, key: bytes | None, rules: Sequence[CompiledRule]
) -> list[Notification] | tuple[Violation, ...]:
    """Return all notifications of `event`, or all that keeps any of them from being made."""
    violations: list[Violation] = []
    notifications = [rule.map(event, key=key, violations=violations) for rule in rules]
    return tuple(violations) or notifications


def _compile_rule(rule: NotificationRule, compiler: Compiler, where: str) -> CompiledRule | None:
    kind = CATALOG.get(rule.type)
    if kind is None:
        known = ", ".join(CATALOG)
        compiler.problems.append(f"{where}.type: no type {rule.type}; there are {known}")
        return None
    target = load_target(kind.schema).members["data"]
    if not isinstance(target, Composite):
        compiler.problems.append(f"{where}.type: {kind.schema} has no data")
        return None
    given = rule.ref_id
    is_phrase = isinstance(given, str) and "{" in given
    texts = (given if is_phrase else kind.ref_id, kind.customer_id, kind.key)
    phrases = []
    for text in texts:
        phrase, problems = compile_phrase(text, target, compiler.definition)
        compiler.problems += [f"{where}.refId: {problem}" for problem in problems]
        phrases.append(phrase)
    ref_id = None
    if given is not None and not is_phrase:
        ref_id = compiler.compile(given, _TEXT, f"{where}.refId")
    return CompiledRule(
        kind, rule.rule_id, _compile_data(rule, target, compiler, where), ref_id, *phrases
    )


def _compile_data(
    rule: NotificationRule, target: Composite, compiler: Compiler, where: str
) -> Build:
    """Return the function that makes `data`, the customer's identifiers included."""
    template = dict(rule.data)
    customer = target.members.get(_CUSTOMER)
    automatic = isinstance(customer, Composite) and customer.name == CUSTOMER_IDENTIFIERS
    own: dict[str, Build] = {}
    if automatic and isinstance(customer, Composite):
        part = template.get(_CUSTOMER, {})
        if isinstance(part, dict) and not part.keys() & {"path", "const"}:
            template.pop(_CUSTOMER, None)
            own = compiler.members(part, customer, f"{where}.data.{_CUSTOMER}")
        else:
            automatic = False
    builds = compiler.members(template, target, f"{where}.data")

    def build(event: Event, violations: list[Violation]) -> dict[str, Any]:
        made = {name: each(event, violations) for name, each in builds.items()}
        data = {name: value for name, value in made.items() if value is not None}
        if automatic:
            known = customer_identifiers(event["customer"]["identifiers"])
            for name, each in own.items():
                if (value := each(event, violations)) is not None:
                    known[name] = value
            data[_CUSTOMER] = known
        return data

    return build
