"""The mapping as its description reads, template by template: what generated code is held to.

It reads and fits every leaf anew, knows no usual class and shares nothing between rules.
"""

import re
from hashlib import sha1
from typing import Any
from uuid import UUID

import msgspec

from loyaltystream.definitions.model import EventDefinition, NotificationRule, Shape
from loyaltystream.notifications.catalog import CATALOG, CUSTOMER_IDENTIFIERS
from loyaltystream.notifications.envelope import NAMESPACE
from loyaltystream.notifications.fitting import Misfit, fit
from loyaltystream.notifications.identifiers import customer_identifiers
from loyaltystream.notifications.targets import (
    Composite,
    Kind,
    Listing,
    Scalar,
    Table,
    Target,
    load_target,
)
from loyaltystream.verdicts import Reason, Violation

_TEXT = Scalar(Kind.STRING, nullable=True)


class Model:
    """Maps one event of a definition; `violations` is all that keeps it from being mapped."""

    def __init__(self, definition: EventDefinition, event: dict[str, Any], key: bytes) -> None:
        self.violations: list[Violation] = []
        self._definition = definition
        self._event = event
        self._key = key

    def notification(self, position: int) -> tuple[dict[str, Any], bytes]:
        """Return value and key of what the rule at a position makes."""
        rule = self._definition.notifications[position]
        kind, where = CATALOG[rule.type], f"notifications[{position}]"
        content = self._content(rule, where)
        is_phrase = isinstance(rule.ref_id, str) and "{" in rule.ref_id
        given, text = (None, rule.ref_id) if is_phrase else (rule.ref_id, kind.ref_id)
        reference = given and self.made(given, _TEXT, f"{where}.refId")
        key = self._filled(kind.key, content)
        event, trace = self._event, self._event["trace"]
        value = {
            "eventName": rule.type,
            "eventId": self._id(rule, self._filled(kind.customer_id, content) or ""),
            "orgId": event["orgId"],
            "refId": reference or self._filled(text, content),
            "apiRequestId": trace.get("requestId") or event["eventId"],
            "createdAt": event["ingestedAt"],
            "traceAttributes": trace or None,
            "causeEventId": event["eventId"],
            "data": content,
        }
        return value, self._key if key is None else key.encode()

    def _id(self, rule: NotificationRule, customer_id: str) -> str:
        facts = (self._event["orgId"], self._key, self._event["eventId"])
        name = b""
        for fact in (*facts, rule.rule_id, rule.type, customer_id, 0):
            part = fact if isinstance(fact, bytes) else str(fact).encode()
            name += len(part).to_bytes(4) + part
        digest = sha1(NAMESPACE.bytes + name, usedforsecurity=False).digest()
        return str(UUID(bytes=digest[:16], version=5))

    def _content(self, rule: NotificationRule, where: str) -> dict[str, Any]:
        target = load_target(CATALOG[rule.type].schema).members["data"]
        assert isinstance(target, Composite)
        template, own = dict(rule.data), None
        customer = target.members["customerIdentifiers"]
        assert isinstance(customer, Composite)
        part = template.get("customerIdentifiers", {})
        if isinstance(part, dict) and not part.keys() & {"path", "const"}:
            own = template.pop("customerIdentifiers", {})
        content = self._members(template, target, f"{where}.data") or {}
        if own is not None:
            assert customer.name == CUSTOMER_IDENTIFIERS
            known = customer_identifiers(self._event["customer"]["identifiers"])
            known |= self._members(own, customer, f"{where}.data.customerIdentifiers") or {}
            content["customerIdentifiers"] = known
        return content

    def _members(
        self, template: dict[str, Any], target: Composite | Table, where: str
    ) -> dict[str, Any] | None:
        made = {}
        for name, part in template.items():
            inner = target.values if isinstance(target, Table) else target.members[name]
            value = self.made(part, inner, f"{where}.{name}")
            if value is not None:
                made[name] = value
        return made or None

    def made(self, template: Any, target: Target, where: str) -> Any:
        """Return what a template makes of the event."""
        if isinstance(template, str):
            template = {"path": template}
        if isinstance(template, list):
            assert isinstance(target, Listing)
            made = [
                self.made(each, target.items, f"{where}[{position}]")
                for position, each in enumerate(template)
            ]
            return [value for value in made if value is not None]
        if "const" in template:
            return fit(template["const"], target, [])
        if "path" not in template:
            assert isinstance(target, Composite | Table)
            return self._members(template, target, where)
        return self._leaf(template, target, where)

    def _leaf(self, leaf: dict[str, Any], target: Target, where: str) -> Any:
        path, misfits = leaf["path"], list[Misfit]()
        found = self._read(path)
        if isinstance(found, Misfit):
            misfits.append(found)
        elif found is not None:
            found = fit(found, target, misfits)
        for misfit in misfits:
            self._refuse(path + misfit.path, f"{where}: {misfit.detail}")
        if misfits or (found is not None and found != ""):
            return None if misfits else found
        if "default" in leaf:
            return fit(leaf["default"], target, [])
        if leaf.get("required"):
            self._refuse(path, f"{where}: missing")
            return None
        return found

    def _refuse(self, path: str, detail: str) -> None:
        self.violations.append(Violation(Reason.UNMAPPED, path, detail))

    def _filled(self, phrase: str, content: dict[str, Any]) -> str | None:
        filled = ""
        for part in re.split(r"(\{[^}]*\})", phrase):
            if not part.startswith("{"):
                filled += part
                continue
            path = part[1:-1]
            inside = path.removeprefix("data.")
            found = self._read(path) if inside == path else walk(content, inside.split("."))
            text = None if isinstance(found, Misfit) else fit(found, _TEXT, [])
            if not text:
                return None
            filled += text
        return filled

    def _read(self, path: str) -> Any:
        head, _, name = path.partition(".")
        event = self._event
        if path == "customer.identifiers":
            return customer_identifiers(event["customer"]["identifiers"])
        if path.startswith("customer.identifiers."):
            kind = path.rsplit(".", 1)[1].lower()
            known = event["customer"]["identifiers"]
            return next((each["value"] for each in known if each["type"].lower() == kind), None)
        if path.startswith("customer.profile."):
            return event["customer"]["profile"].get(path.split(".", 2)[2])
        if head == "nested":
            fields = [f.name for f in self._definition.fields if f.shape is Shape.NESTED]
            field = max((f for f in fields if f"{name}.".startswith(f"{f}.")), key=len)
            return _from_json(event["nested"].get(field), name[len(field) + 1 :])
        if head == "extensions":
            return _from_json(event["extensions"].get(name), "")
        return walk(event, path.split(".", 1))


def _from_json(text: str | None, rest: str) -> Any:
    if text is None:
        return None
    try:
        whole = msgspec.json.decode(text)
    except msgspec.MsgspecError:
        return Misfit("", "not JSON")
    return walk(whole, rest.split(".")) if rest else whole


def walk(value: Any, steps: list[str]) -> Any:
    """Return what lies at the end of some steps into objects and arrays."""
    for step in steps:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and re.fullmatch("[0-9]{1,9}", step):
            value = dict(enumerate(value)).get(int(step))
        else:
            return None
    return value
