"""Checked rules in, one generated function from event to notifications out: the hot path of NOTIFY.

Pure. The function is straight-line code: whatever is read of an event is read once, by all rules
together, and a value of the usual class is taken as it is. Any other goes to `Leaf.fill`.
"""

from collections.abc import Callable, Sequence
from math import inf
from typing import Any, Final

import msgspec

from loyaltystream.notifications.catalog import NotificationType
from loyaltystream.notifications.envelope import notification_id
from loyaltystream.notifications.identifiers import customer_identifiers
from loyaltystream.notifications.paths import (
    IDENTIFIERS,
    Event,
    Holds,
    Move,
    Way,
    find_identifier,
    read_json,
    step_into,
)
from loyaltystream.notifications.phrases import Phrase, to_text
from loyaltystream.notifications.targets import Kind, Scalar
from loyaltystream.notifications.templates import Constant, Group, Leaf, Node, Series
from loyaltystream.times import occurred_at_ms
from loyaltystream.verdicts import Violation


class Notification(msgspec.Struct, frozen=True):
    """A notification that is due; `value` fits the schema of its type."""

    type: NotificationType
    value: dict[str, Any]
    key: bytes | None


class CheckedRule(msgspec.Struct, frozen=True):
    """One rule; see `NotificationType` for what the phrases are.

    Attributes:
        members: of the notification's data.
        customer: what a rule says of the customer beyond the event's identifiers; None where those
            are not added.
        ref_id: what comes before the phrase of that name.
    """

    type: NotificationType
    rule_id: str
    members: dict[str, Node]
    customer: dict[str, Node] | None
    ref_id: Node | None
    default_ref_id: Phrase
    customer_id: Phrase
    key: Phrase


MapEvent = Callable[[Event, bytes | None, list[Violation]], list[Notification]]
"""Takes a decoded event and its record's key; violations that it adds leave the result without
meaning."""

CUSTOMER: Final = "customerIdentifiers"
_MOVES: Final = {
    Move.AT: "{0}[{1!a}]",
    Move.GET: "{0}.get({1!a})",
    Move.WITHIN: "({0} or NOTHING).get({1!a})",
    Move.JSON: "READ_JSON({0})",
    Move.INTO: "{0}.get({1!a}) if {0}.__class__ is dict else STEP_INTO({0}, {1!a})",
    Move.IDENTIFIER: "IDENTIFIER({0}, {1!a})",
    Move.IDENTIFIERS: "IDENTIFIERS({0})",
}
# What is taken as it is. Texts and integers in JSON may still be none of Avro's.
_USUAL: Final = {
    Kind.STRING: "{0}.__class__ is str and {0}",
    Kind.INT: f"{{0}}.__class__ is int and {-(2**31)} <= {{0}} < {2**31}",
    Kind.LONG: "{0}.__class__ is int",
    Kind.DOUBLE: "{0}.__class__ is float and -INF < {0} < INF",
    Kind.BOOLEAN: "{0}.__class__ is bool",
    Kind.MOMENT: "{0}.__class__ is int and OCCURRED({0}) is {0}",
}
_USUAL_JSON: Final = {
    Kind.STRING: "{0}.__class__ is str and {0} and {0}.isascii()",
    Kind.LONG: f"{{0}}.__class__ is int and {-(2**63)} <= {{0}} < {2**63}",
}


def compile_program(rules: Sequence[CheckedRule]) -> MapEvent:
    """Return the function that makes the notifications of all rules."""
    program = _Program()
    made = [program.notification(rule, str(number)) for number, rule in enumerate(rules)]
    return program.compile(made)


class _Program:
    """Collects the statements of the function, and what its names stand for."""

    def __init__(self) -> None:
        self._statements: list[str] = []
        self._variables: dict[object, str] = {}
        self._names: dict[str, Any] = {
            "IDENTIFIER": find_identifier,
            "IDENTIFIERS": customer_identifiers,
            "INF": inf,
            "NOTHING": {},
            "NOTIFICATION": Notification,
            "NOTIFICATION_ID": notification_id,
            "OCCURRED": occurred_at_ms,
            "READ_JSON": read_json,
            "STEP_INTO": step_into,
            "TEXT": to_text,
        }

    def compile(self, made: Sequence[str]) -> MapEvent:
        """Return the function whose result are these expressions."""
        source = [
            "def map_event(event, key, violations):",
            *self._statements,
            f"return [{', '.join(made)}]",
        ]
        exec("\n    ".join(source), self._names)  # noqa: S102 (the source is ours, names are escaped)
        function: MapEvent = self._names["map_event"]
        return function

    def notification(self, rule: CheckedRule, number: str) -> str:
        """Write one rule; return the expression of its notification."""
        whole = self._group(rule.members, f"data{number}")
        if rule.customer is not None:
            known = self._read("event", (*IDENTIFIERS, (Move.IDENTIFIERS, "")))
            customer = self._let(f"{{**{known}}}")
            self._fill(customer, rule.customer)
            self._statements.append(f"{whole}[{CUSTOMER!a}] = {customer}")
        given = "None" if rule.ref_id is None else self._node(rule.ref_id)
        default_ref_id, customer_id, key = (
            self._phrase(phrase, whole)
            for phrase in (rule.default_ref_id, rule.customer_id, rule.key)
        )
        event_id, trace = (self._read("event", ((Move.AT, name),)) for name in ("eventId", "trace"))
        identity = self._constant((rule.rule_id, rule.type.name))
        parts = {
            "eventName": self._constant(rule.type.name),
            "eventId": (
                f"NOTIFICATION_ID(event, key=key or b'', rule={identity},"
                f" customer_id={customer_id} or '')"
            ),
            "orgId": self._read("event", ((Move.AT, "orgId"),)),
            "refId": f"{given} or {default_ref_id}",
            "apiRequestId": f"{trace}.get('requestId') or {event_id}",
            "createdAt": self._read("event", ((Move.AT, "ingestedAt"),)),
            "traceAttributes": f"{trace} or None",
            "causeEventId": event_id,
            "data": whole,
        }
        value = ", ".join(f"{name!a}: {part}" for name, part in parts.items())
        own_key = f"key if {key} is None else {key}.encode()"
        return f"NOTIFICATION({self._constant(rule.type)}, {{{value}}}, {own_key})"

    def _let(self, expression: str) -> str:
        variable = f"v{len(self._statements)}"
        self._statements.append(f"{variable} = {expression}")
        return variable

    def _once(self, expression: str) -> str:
        """Return the variable that holds what an expression of constant variables gives."""
        if expression not in self._variables:
            self._variables[expression] = self._let(expression)
        return self._variables[expression]

    def _constant(self, value: object) -> str:
        name = f"CONSTANT_{len(self._names)}"
        self._names[name] = value
        return name

    def _read(self, root: str, way: Way) -> str:
        value = root
        for move, name in way:
            value = self._once(_MOVES[move].format(value, name))
        return value

    def _phrase(self, phrase: Phrase, whole: str) -> str:
        texts = []
        for part in phrase.parts:
            value = self._read(whole if part.in_data else "event", part.way)
            texts.append(self._once(f"{value} if {value}.__class__ is str else TEXT({value})"))
        pieces = [ascii(phrase.literals[0])]
        for text, literal in zip(texts, phrase.literals[1:], strict=True):
            pieces += [text, ascii(literal)]
        filled = " + ".join(piece for piece in pieces if piece != "''") or "''"
        return self._once(f"{filled} if {' and '.join(texts)} else None" if texts else filled)

    def _node(self, node: Node) -> str:
        """Write what a node makes; return the expression of its value, None where it is unknown."""
        match node:
            case Constant(value=value):
                return "None" if value is None else self._constant(value)
            case Leaf():
                return self._leaf(node)
            case Group(members=members):
                group = self._let("{}")
                self._fill(group, members)
                return self._let(f"{group} or None")
            case Series(entries=entries):
                made = [self._node(entry) for entry in entries]
                return self._let(f"[each for each in [{', '.join(made)}] if each is not None]")

    def _leaf(self, leaf: Leaf) -> str:
        value = self._read("event", leaf.source.way)
        fill = f"{self._constant(leaf.fill)}({value}, violations)"
        if not leaf.required:
            default = "None" if leaf.default is None else self._node(leaf.default)
            fill = f"{default} if {value} is None else {fill}"
        target = leaf.target
        if not isinstance(target, Scalar) or target.kind is Kind.DYNAMIC:
            return self._let(fill)
        usual = _USUAL[target.kind]
        if leaf.source.holds is Holds.JSON:
            usual = _USUAL_JSON.get(target.kind, usual)
        taken = f"{value} + 0.0" if target.kind is Kind.DOUBLE else value  # -0.0 is 0.0
        return self._let(f"{taken} if {usual.format(value)} else {fill}")

    def _fill(self, group: str, members: dict[str, Node]) -> None:
        for name, node in members.items():
            value = self._node(node)
            self._statements.append(f"if {value} is not None: {group}[{name!a}] = {value}")

    def _group(self, members: dict[str, Node], group: str) -> str:
        self._statements.append(f"{group} = {{}}")
        self._fill(group, members)
        return group
