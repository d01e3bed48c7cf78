"""An event's identifiers in, the notification's `CustomerIdentifiers` out. Pure.

No identifier is lost: what has no place of its own stands under its source (domain.md 2 item 3).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

_INSTORE: Final = "instore"
_WECHAT: Final = "wechat"
_INSTORE_NAMES: Final = {
    "mobile": "mobile",
    "email": "email",
    "externalid": "externalId",
    "cardnumber": "card_number",
    "cardexternalid": "cardexternalid",
}
_LARGEST_ID: Final = 2**63 - 1
_ID_DIGITS: Final = 19

Identifiers = Sequence[Mapping[str, Any]]
_Accounts = dict[str | None, list[dict[str, str]]]


def customer_identifiers(identifiers: Identifiers) -> dict[str, Any]:
    """Return the record of a customer who is known by these identifiers, in their order.

    The customerId is the first numeric identifier of type userId. A second identifier of a type
    that stores know only once stands under the source `instore`, as does a type without a place.
    """
    customer_id: int | None = None
    instore: dict[str, Any] = {}
    sources: dict[str, _Accounts] = {}
    cards = []
    for identifier in identifiers:
        kind, value = identifier["type"].lower(), identifier["value"]
        source = identifier["source"].strip().lower() or _INSTORE
        name = _INSTORE_NAMES.get(kind) if source == _INSTORE else None
        if name == "card_number":
            cards.append(value)
        if kind == "userid" and customer_id is None and (number := _to_id(value)) is not None:
            customer_id = number
            if source == _INSTORE:
                continue
        if name is not None and (name not in instore or name == "card_number"):
            instore.setdefault(name, value)
        else:
            account = sources.setdefault(source, {}).setdefault(identifier["accountId"], [])
            account.append({"identifierType": identifier["type"], "identifierValue": value})
    if len(cards) > 1:
        instore["cardNumbers"] = cards
    wechat = sources.pop(_WECHAT, None)
    return {
        "customerId": customer_id,
        "instore": instore or None,
        "wechat": _to_accounts(wechat) if wechat else None,
        "otherSources": {name: _to_accounts(known) for name, known in sources.items()} or None,
    }


def _to_id(text: str) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) <= _ID_DIGITS):
        return None
    number = int(text)
    return number if number <= _LARGEST_ID else None


def _to_accounts(known: _Accounts) -> dict[str, Any]:
    return {
        "accounts": [
            {"accountId": account, "identifiers": identifiers}
            for account, identifiers in known.items()
        ]
    }
