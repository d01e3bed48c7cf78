"""The `notifications` of a definition's body in, rules out, or what is wrong with their form. Pure.

Whether a rule can work is said by `notifications/rules.py`, once the definition is known.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from loyaltystream.definitions.model import NotificationRule
from loyaltystream.notifications.near import hint

RULE_KEYS: Final = (
    *("type", "id", "data", "refId", "loyaltyEventId", "eventLogId"),
    *("when", "forEach"),
)
"""What a rule may say."""


def check_notifications(rules: object) -> Iterator[str]:
    """Yield everything that keeps `rules` from being rules."""
    if not isinstance(rules, list):
        yield "notifications is an array"
        return
    for position, rule in enumerate(rules):
        kind = rule.get("type") if isinstance(rule, dict) else None
        is_named = isinstance(kind, str) and bool(kind.strip())
        if not is_named or not isinstance(rule.get("data", {}), dict):
            yield f"notifications[{position}] needs a type and data"
        elif unknown := sorted(rule.keys() - {*RULE_KEYS}):
            near = hint(unknown[0], RULE_KEYS)
            yield f"notifications[{position}]: no such key: {unknown[0]}{near}"


def build_notifications(rules: list[Mapping[str, Any]]) -> Iterator[NotificationRule]:
    """Yield the rules whose form is right; an id that is not given is the rule's position."""
    for position, rule in enumerate(rules):
        yield NotificationRule(
            type=rule["type"],
            rule_id=str(rule.get("id", position)),
            data=rule.get("data", {}),
            ref_id=rule.get("refId"),
            loyalty_event_id=rule.get("loyaltyEventId"),
            event_log_id=rule.get("eventLogId"),
            when=rule.get("when"),
            for_each=rule.get("forEach"),
        )
