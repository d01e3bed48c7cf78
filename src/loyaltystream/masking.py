"""Events and keys in, the same without what names a person, or is sensitive, out. Pure.

Screens and JSON of `why` and `dead-letters` show what was wrong, not whose event it was, unless
somebody asks for it by `--reveal`. Of a canonical event the customer, the referral and the card are
masked; of a value in any other form every leaf is, since nothing says which of them names a person.
What definitions mark as potentially sensitive is masked in all of them.
"""

from collections.abc import Collection
from typing import Any, Final

MASK: Final = "***"
_PERSONAL: Final = frozenset({"customer", "referral", "loyaltyCard"})
_KINDS: Final = frozenset({"type", "source"})
"""What may be seen of an identifier: which kind it is, and which channel knows it."""


def mask_key(key: bytes | None) -> str | None:
    """Return a record's key as `orgId|identifierType|***`, or all of it masked."""
    if key is None:
        return None
    org, _, rest = key.decode(errors="replace").partition("|")
    kind, found, _ = rest.partition("|")
    plain = org.isascii() and org.isdigit() and kind.isascii() and kind.isalnum()
    return f"{org}|{kind}|{MASK}" if found and plain else MASK


def mask_event(event: Any, sensitive: Collection[str]) -> Any:  # noqa: ANN401 (any JSON value)
    """Return an event with everything masked that names a person, or has a sensitive name."""
    named = mask_named(event, sensitive)
    if isinstance(event, dict) and isinstance(event.get("fields"), dict):
        return {name: _mask(value) if name in _PERSONAL else value for name, value in named.items()}
    return _mask(named)


def mask_named(value: Any, names: Collection[str]) -> Any:  # noqa: ANN401 (any JSON value)
    """Return a value with whatever stands under one of these names masked, at any depth."""
    match value:
        case dict():
            return {
                name: MASK if name in names and child is not None else mask_named(child, names)
                for name, child in value.items()
            }
        case list():
            return [mask_named(child, names) for child in value]
        case _:
            return value


def _mask(value: Any) -> Any:  # noqa: ANN401 (any JSON value)
    match value:
        case dict():
            return {
                name: child if name in _KINDS and isinstance(child, str) else _mask(child)
                for name, child in value.items()
            }
        case list():
            return [_mask(child) for child in value]
        case None | bool():
            return value
        case _:
            return MASK
