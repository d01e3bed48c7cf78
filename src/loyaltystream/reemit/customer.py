"""A notification in, whether it is a certain customer's out. Pure.

She is named as `why --customer` names her. A notification is hers if its own customer goes by that
identifier: not if she only occurs in it, as the receiver in what a giver is told.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from loyaltystream.keys import normalise_identifier, partition_key

_OF_STORES: Final = {
    "mobile": "mobile",
    "email": "email",
    "externalId": "externalid",
    "card_number": "cardnumber",
    "cardexternalid": "cardexternalid",
}


class Customer(msgspec.Struct, frozen=True):
    """Somebody, by one identifier.

    Attributes:
        kind: type of the identifier, as definitions spell it.
        value: normalised.
        country_code: that mobile numbers of her org are normalised with.
    """

    org_id: int
    kind: str
    value: str
    country_code: str = ""

    def owns(self, key: bytes | None, notification: Mapping[str, Any]) -> bool:
        """Say whether a notification is hers.

        Args:
            key: its record's: where no customerId is known, the partition key of its event.
            notification: what it says.
        """
        if notification.get("orgId") != self.org_id:
            return False
        if key == partition_key(self.org_id, self.kind, self.value).encode():
            return True
        return any(
            kind.lower() == self.kind.lower()
            and normalise_identifier(self.kind, value, self.country_code) == self.value
            for kind, value in _identifiers(notification.get("data") or {})
        )


def _identifiers(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield type and value of everything that names a notification's own customer."""
    if card := content.get("cardNumber"):
        yield "cardnumber", card
    coupons: Sequence[Mapping[str, Any]] = content.get("coupons") or ()
    for one in (content, *coupons):
        yield from _identifiers_in(one.get("customerIdentifiers") or {})


def _identifiers_in(customer: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if (customer_id := customer.get("customerId")) is not None:
        yield "userid", str(customer_id)
    stores = customer.get("instore") or {}
    yield from ((kind, stores[name]) for name, kind in _OF_STORES.items() if stores.get(name))
    yield from (("cardnumber", card) for card in stores.get("cardNumbers") or ())
    others = (customer.get("otherSources") or {}).values()
    for source in (customer.get("wechat") or {}, *others):
        for account in source.get("accounts") or ():
            for one in account.get("identifiers") or ():
                yield one.get("identifierType") or "", one.get("identifierValue") or ""
