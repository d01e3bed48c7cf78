"""Checked rules in, one generated function from event to notifications out: the hot path of NOTIFY.

Pure. A rule without conditions is straight-line code: whatever is read of an event is read once, by
all rules together.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import msgspec

from loyaltystream.events import Header
from loyaltystream.notifications.catalog import TURN_OF, NotificationType
from loyaltystream.notifications.conditions import Condition
from loyaltystream.notifications.envelope import Cause, notification_id, rule_header
from loyaltystream.notifications.paths import ENTRY, EVENT, IDENTIFIERS, Event, Move
from loyaltystream.notifications.phrases import DATA, OWN, Phrase, to_text
from loyaltystream.notifications.rules import CUSTOMER, CheckedRule
from loyaltystream.notifications.writing import Templates
from loyaltystream.verdicts import Violation


class Notification(msgspec.Struct, frozen=True):
    """A notification that is due; `value` fits the schema of its type, `causes` are headers."""

    type: NotificationType
    value: dict[str, Any]
    key: bytes | None
    causes: tuple[Header, ...]


MapEvent = Callable[[Event, bytes | None, list[Violation], Cause], list[Notification]]
"""Takes a decoded event, its record's key and what is said of it; violations that it adds leave the
result without meaning."""


def compile_program(event_name: str, version: int, rules: Sequence[CheckedRule]) -> MapEvent:
    """Return the function that makes the notifications of all rules of a definition.

    In whatever order they are listed, each waits for the turn of its type.
    """
    program = _Program(event_name, version)
    program.add("made = []")
    program.add("source, causes = cause")
    in_turn = sorted(rules, key=lambda rule: TURN_OF[rule.type.name])
    for number, rule in enumerate(in_turn):
        program.rule(rule, number)
    return program.compile("map_event", "event, key, violations, cause", "made")


class _Program(Templates):
    """Writes the rules of a definition."""

    def __init__(self, event_name: str, version: int) -> None:
        super().__init__()
        self._definition = event_name, version
        self._names |= {
            "NOTIFICATION": Notification,
            "NOTIFICATION_ID": notification_id,
            "TEXT": to_text,
        }

    def rule(self, rule: CheckedRule, number: int) -> None:
        """Write one rule: its notification, for each element if it says so, if all of it holds."""
        with ExitStack() as blocks:
            ordinal = "0"
            if rule.elements:
                entry, ordinal = f"entry{number}", f"ordinal{number}"
                head = f"for {ordinal}, {entry} in enumerate({self.listed(rule.elements)})"
                blocks.enter_context(self.block(head, **{ENTRY: entry}))
                blocks.enter_context(self.block(f"if {entry} is not None"))
            if held := [self._condition(condition) for condition in rule.conditions]:
                blocks.enter_context(self.block(f"if {' and '.join(held)}"))
            whole = self._content(rule, f"data{number}")
            value, customer_id, key = self._value(rule, whole)
            identity = self.constant((rule.rule_id, rule.type.name))
            event_id = (
                f"NOTIFICATION_ID(event, key=key or b'', rule={identity},"
                f" customer_id={customer_id} or '', ordinal={ordinal})"
            )
            own_key = f"key if {key} is None else {key}.encode()"
            made = (
                f"{{'eventName': {self.constant(rule.type.name)}, 'eventId': {event_id}, {value}}}"
            )
            header = self.constant(rule_header(*self._definition, rule.rule_id))
            causes = f"(*causes, {header})"
            due = f"{self.constant(rule.type)}, {made}, {own_key}, {causes}"
            self.add(f"made.append(NOTIFICATION({due}))")

    def _condition(self, condition: Condition) -> str:
        value = self.read(condition.source.root, condition.source.way)
        return self.let(f"{self.constant(condition.holds)}({value}, violations)")

    def _content(self, rule: CheckedRule, whole: str) -> str:
        """Write what makes the notification's data; return its variable."""
        self.add(f"{whole} = {{}}")
        self.group(rule.members, whole)
        if rule.customer is not None:
            known = self.read(EVENT, (*IDENTIFIERS, (Move.IDENTIFIERS, "")))
            customer = self.group(rule.customer, self.let(f"{{**{known}}}"))
            self.add(f"{whole}[{CUSTOMER!a}] = {customer}")
        return whole

    def _value(self, rule: CheckedRule, whole: str) -> tuple[str, str, str]:
        """Write the envelope; return its entries, the customer's id and the key as expressions."""
        says = rule.envelope
        event_id, trace = (self.read(EVENT, ((Move.AT, name),)) for name in ("eventId", "trace"))
        roots = {DATA: whole}
        roots["apiRequestId"] = self.once(f"{trace}.get('requestId') or {event_id}")
        given = {name: self.node(node) for name, node in says.given.items()}
        roots["loyaltyEventId"] = self._given(given, "loyaltyEventId", says.loyalty_event_id, roots)
        parts = {
            "orgId": self.read(EVENT, ((Move.AT, "orgId"),)),
            "refId": self._given(given, "refId", says.ref_id, roots),
            "apiRequestId": roots["apiRequestId"],
            "createdAt": self.read(EVENT, ((Move.AT, "ingestedAt"),)),
            "loyaltyEventId": roots["loyaltyEventId"],
            "eventLogId": given.get("eventLogId", "None"),
            "traceAttributes": f"{trace} or None",
            "causeEventId": event_id,
            "causeSource": "source",
            "causeDefinitionVersion": str(self._definition[1]),
            "causeRule": self.constant(rule.rule_id),
            "data": whole,
        }
        entries = ", ".join(f"{name!a}: {part}" for name, part in parts.items() if part != "None")
        return entries, self._phrase(says.customer_id, roots), self._phrase(says.key, roots)

    def _given(
        self, given: Mapping[str, str], name: str, phrase: Phrase, roots: Mapping[str, str]
    ) -> str:
        """Return the variable of what a rule gives or else its type says, None if neither does."""
        usual = self._phrase(phrase, roots) if any(phrase.literals) or phrase.parts else "None"
        return self.let(f"{given[name]} or {usual}") if name in given else usual

    def _phrase(self, phrase: Phrase, roots: Mapping[str, str]) -> str:
        texts = []
        for part in phrase.parts:
            if part.root == OWN:
                value = roots[part.way[0][1]]
            else:
                value = self.read(roots.get(part.root, part.root), part.way)
            texts.append(self.once(f"{value} if {value}.__class__ is str else TEXT({value})"))
        pieces = [ascii(phrase.literals[0])]
        for text, literal in zip(texts, phrase.literals[1:], strict=True):
            pieces += [text, ascii(literal)]
        filled = " + ".join(piece for piece in pieces if piece != "''") or "''"
        return self.once(f"{filled} if {' and '.join(texts)} else None" if texts else filled)
