"""The mapping as its description reads, template by template: what generated code is held to.

It reads and fits every leaf anew, knows no usual class and shares nothing between rules.
"""

import re
from hashlib import sha1
from typing import Any
from uuid import UUID

import msgspec

from loyaltystream.definitions.model import EventDefinition, NotificationRule, Shape
from loyaltystream.dialects.strict_json import name_type
from loyaltystream.notifications.catalog import CATALOG, CUSTOMER_IDENTIFIERS
from loyaltystream.notifications.conversions import CONVERSIONS
from loyaltystream.notifications.envelope import NAMESPACE
from loyaltystream.notifications.fitting import Misfit, fit
from loyaltystream.notifications.identifiers import customer_identifiers
from loyaltystream.notifications.nodes import _IDENTIFIERS as IDENTIFIERS_TARGET
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
_MUST = Scalar(Kind.STRING)
_NUMBER = Scalar(Kind.LONG, nullable=True)
_CUSTOMER = load_target(CUSTOMER_IDENTIFIERS)


class Model:
    """Maps one event of a definition; `violations` is all that keeps it from being mapped."""

    def __init__(self, definition: EventDefinition, event: dict[str, Any], key: bytes) -> None:
        self.violations: list[Violation] = []
        self._definition = definition
        self._event = event
        self._key = key
        self._repeated: dict[str, tuple[str, Any]] = {}

    def notifications(self) -> list[tuple[dict[str, Any], bytes]]:
        """Return value and key of everything that the rules make, type after type in its turn."""
        made = []
        rules = enumerate(self._definition.notifications)
        for position, rule in sorted(rules, key=lambda each: (turn(each[1].type), each[0])):
            where = f"notifications[{position}]"
            each = rule.for_each
            path, by = (each["path"], each["by"]) if isinstance(each, dict) else (each, None)
            entries = [{}] if path is None else self._listed(path, f"{where}.forEach", by)
            for ordinal, entry in enumerate(entries):
                if entry is None:
                    continue
                self._repeated = {"entry": (f"{path}[]", entry)} if path else {}
                if self._holds(rule.when, f"{where}.when"):
                    made.append(self._notification(rule, where, ordinal))
                self._repeated = {}
        return made

    def _notification(
        self, rule: NotificationRule, where: str, ordinal: int
    ) -> tuple[dict[str, Any], bytes]:
        kind = CATALOG[rule.type]
        content = self._content(rule, where)
        is_phrase = isinstance(rule.ref_id, str) and "{" in rule.ref_id
        given, text = (None, rule.ref_id) if is_phrase else (rule.ref_id, kind.ref_id)
        reference = given and self.made(given, _TEXT, f"{where}.refId")
        event, trace = self._event, self._event["trace"]
        own = {"apiRequestId": trace.get("requestId") or event["eventId"]}
        own["loyaltyEventId"] = (
            (
                self.made(rule.loyalty_event_id, _TEXT, f"{where}.loyaltyEventId")
                if rule.loyalty_event_id is not None
                else None
            )
            or (kind.loyalty_event_id and self._filled(kind.loyalty_event_id, content, own))
            or None
        )
        engine = {}
        if kind.loyalty_event_id or rule.loyalty_event_id is not None:
            engine["loyaltyEventId"] = own["loyaltyEventId"]
        if rule.event_log_id is not None:
            found = self.made(rule.event_log_id, _NUMBER, f"{where}.eventLogId")
            if rule.event_log_id != {"const": None}:
                engine["eventLogId"] = found
        key = self._filled(kind.key, content, own)
        customer = self._filled(kind.customer_id, content, own) or ""
        value = {
            "eventName": rule.type,
            "eventId": self._id(rule, customer, ordinal),
            "orgId": event["orgId"],
            "refId": reference or self._filled(text, content, own),
            "apiRequestId": own["apiRequestId"],
            "createdAt": event["ingestedAt"],
            **engine,
            "traceAttributes": trace or None,
            "causeEventId": event["eventId"],
            "causeSource": None,
            "causeDefinitionVersion": self._definition.version,
            "causeRule": rule.rule_id,
            "data": content,
        }
        return value, self._key if key is None else key.encode()

    def _id(self, rule: NotificationRule, customer_id: str, ordinal: int) -> str:
        facts = (self._event["orgId"], self._key, self._event["eventId"])
        name = b""
        for fact in (*facts, rule.rule_id, rule.type, customer_id, ordinal):
            part = fact if isinstance(fact, bytes) else str(fact).encode()
            name += len(part).to_bytes(4) + part
        digest = sha1(NAMESPACE.bytes + name, usedforsecurity=False).digest()
        return str(UUID(bytes=digest[:16], version=5))

    def _holds(self, when: Any, where: str) -> bool:
        """Say whether all conditions of a rule hold; each of them is asked."""
        places = (
            {f"{where}[{at}]": each for at, each in enumerate(when)}
            if (isinstance(when, list))
            else {}
            if when is None
            else {where: when}
        )
        held = []
        for place, condition in places.items():
            found = self._read(condition["path"])
            if isinstance(found, Misfit):
                self._refuse(self._shown(condition["path"]), f"{place}: {found.detail}")
                held.append(False)
            elif "present" in condition:
                is_there = bool(found.strip()) if isinstance(found, str) else found is not None
                held.append(is_there == condition["present"])
            else:
                wanted = condition["in"] if "in" in condition else [condition["equals"]]
                held.append(
                    any(
                        found == each and isinstance(found, bool) == isinstance(each, bool)
                        for each in wanted
                    )
                )
        return all(held)

    def _listed(self, path: str, where: str, by: str | None = None) -> list[Any]:
        found, shown = self._read(path), self._shown(path)
        if not isinstance(found, list):
            if found is not None:
                needed = f"an array is needed, not {name_type(found)}"
                self._refuse(shown, f"{where}: {getattr(found, 'detail', needed)}")
            return []
        odd = [at for at, each in enumerate(found) if not isinstance(each, dict | None)]
        for at in odd:
            kind = name_type(found[at])
            self._refuse(f"{shown}[{at}]", f"{where}: an object is needed, not {kind}")
        if odd or by is None:
            return [] if odd else found
        return self._grouped(found, by, shown, where)

    def _grouped(self, found: list[Any], by: str, shown: str, where: str) -> list[Any]:
        groups: dict[str, list[Any]] = {}
        for at, each in enumerate(found):
            name, misfits = fitted(walk(each, by.split(".")), _MUST)
            for misfit in misfits:
                self._refuse(f"{shown}[{at}].{by}{misfit.path}", f"{where}: {misfit.detail}")
            if not misfits:
                groups.setdefault(name, []).append(each)
        return list(groups.values())

    def _content(self, rule: NotificationRule, where: str) -> dict[str, Any]:
        target = load_target(CATALOG[rule.type].schema).members["data"]
        assert isinstance(target, Composite)
        template, own = dict(rule.data), None
        customer = target.members.get("customerIdentifiers")
        part = template.get("customerIdentifiers", {})
        leaves = {"path", "const", "identifiers"}
        if customer and isinstance(part, dict) and not part.keys() & leaves:
            own = template.pop("customerIdentifiers", {})
        content = self._members(template, target, f"{where}.data") or {}
        if own is not None:
            assert isinstance(customer, Composite)
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
        if "path" in template:
            return self._leaf(template, target, where)
        if isinstance(target, Listing):
            return self._array(template, target, where)
        assert isinstance(target, Composite | Table)
        is_customer = isinstance(target, Composite) and target.name == CUSTOMER_IDENTIFIERS
        if is_customer and "identifiers" in template:
            return self._known(dict(template), _CUSTOMER, where)
        return self._members(template, target, where)

    def _array(self, template: dict[str, Any], target: Listing, where: str) -> Any:
        if "pairs" in template:
            assert isinstance(target.items, Composite)
            label, _ = target.items.members
            parts = {
                name: self.made(part, _TEXT, f"{where}.{name}")
                for name, part in template["pairs"].items()
            }
            return [{label: k, "value": v} for k, v in parts.items() if v is not None] or None
        made, before = [], self._repeated
        for element in self._listed(template["each"], where):
            repeated = {"element": (f"{self._shown(template['each'])}[]", element)}
            self._repeated = before | repeated
            made.append(self.made(template["as"], target.items, where))
            self._repeated = before
        return [value for value in made if value is not None] or None

    def _known(self, template: dict[str, Any], target: Composite, where: str) -> Any:
        path = template.pop("identifiers")
        found = self._read(path)
        if path == "customer.identifiers":
            return found | (self._members(template, target, where) or {})
        listed, misfits = fitted(found, IDENTIFIERS_TARGET)
        for misfit in misfits:
            self._refuse(self._shown(path) + misfit.path, f"{where}: {misfit.detail}")
        known = {}
        if not misfits and listed:
            listed = [each | {"source": each["source"] or ""} for each in listed]
            known = customer_identifiers(listed)
        return known | (self._members(template, target, where) or {}) or None

    def _leaf(self, leaf: dict[str, Any], target: Target, where: str) -> Any:
        path = leaf["path"]
        found = self._read(path)
        is_blank = isinstance(found, str) and not found.strip()
        if "convert" in leaf and not isinstance(found, Misfit | None):
            convert = CONVERSIONS[leaf["convert"]].convert
            found = None if is_blank else convert(found, target)
        found, misfits = fitted(found, target)
        for misfit in misfits:
            self._refuse(self._shown(path) + misfit.path, f"{where}: {misfit.detail}")
        if misfits or (found is not None and found != ""):
            return None if misfits else found
        if "default" in leaf:
            return fit(leaf["default"], target, [])
        if leaf.get("required"):
            self._refuse(self._shown(path), f"{where}: missing")
            return None
        return found

    def _shown(self, path: str) -> str:
        root, dot, rest = path.partition(".")
        return self._repeated[root][0] + dot + rest if root in self._repeated else path

    def _refuse(self, path: str, detail: str) -> None:
        self.violations.append(Violation(Reason.UNMAPPED, path, detail))

    def _filled(
        self, phrase: str, content: dict[str, Any], own: dict[str, str | None]
    ) -> str | None:
        filled = ""
        for part in re.split(r"(\{[^}]*\})", phrase):
            if not part.startswith("{"):
                filled += part
                continue
            path = part[1:-1]
            inside = path.removeprefix("data.")
            found = (
                own.get(path)
                if path in own
                else (self._read(path) if inside == path else walk(content, inside.split(".")))
            )
            text = None if isinstance(found, Misfit) else fit(found, _TEXT, [])
            if not text:
                return None
            filled += text
        return filled

    def _read(self, path: str) -> Any:
        head, _, name = path.partition(".")
        if head in self._repeated:
            return walk(self._repeated[head][1], name.split(".") if name else [])
        return self._of_event(path, head, name)

    def _of_event(self, path: str, head: str, name: str) -> Any:
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


def turn(name: str) -> int:
    """Return where a type stands in the order of one cause's notifications (domain.md 5)."""
    first = {"customerAdded": 0, "targetAchievedValueUpdated": 2, "badgeEarned": 3}
    if name in first:
        return first[name]
    if name.startswith("tier"):
        return 6
    if name == "pointsTransferredReceived":
        return 5
    is_worth = re.match("points|promised|redeemedPoints|issuedPoints|Coupon|reward", name)
    return 4 if is_worth else 1


def _from_json(text: str | None, rest: str) -> Any:
    if text is None:
        return None
    try:
        whole = msgspec.json.decode(text)
    except msgspec.MsgspecError:
        return Misfit("", "not JSON")
    return walk(whole, rest.split(".")) if rest else whole


def fitted(found: Any, target: Target) -> tuple[Any, list[Misfit]]:
    """Return what was read as the target needs it, and what does not fit."""
    if isinstance(found, Misfit):
        return None, [found]
    misfits: list[Misfit] = []
    must = target is _MUST
    return (None if found is None and not must else fit(found, target, misfits)), misfits


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
