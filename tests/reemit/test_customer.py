"""Whose a notification is."""

from typing import Any

import pytest

from loyaltystream.reemit.customer import Customer

_HERS: dict[str, Any] = {
    "customerId": 50000017,
    "instore": {
        "mobile": "919812345678",
        "email": "mira@example.com",
        "externalId": "ext-1",
        "card_number": "C-1",
        "cardexternalid": "cx-1",
        "cardNumbers": ["C-1", "C-2"],
    },
    "wechat": {
        "accounts": [
            {
                "accountId": "W",
                "identifiers": [{"identifierType": "cuid", "identifierValue": "u-1"}],
            }
        ]
    },
    "otherSources": {
        "line": {
            "accounts": [
                {"identifiers": [{"identifierType": "line", "identifierValue": "l-1"}]},
            ]
        },
        "shop": {"accounts": []},
    },
}
_NOBODY: dict[str, Any] = {
    "customerId": None,
    "instore": None,
    "wechat": None,
    "otherSources": None,
}


def told(org_id: int = 1800, **content: Any) -> dict[str, Any]:
    return {"orgId": org_id, "data": content}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("userId", "50000017"),
        ("mobile", "919812345678"),
        ("email", "mira@example.com"),
        ("externalId", "ext-1"),
        ("cardnumber", "C-1"),
        ("cardnumber", "C-2"),
        ("cardExternalId", "cx-1"),
        ("cuid", "u-1"),
        ("line", "l-1"),
    ],
)
def test_a_customer_is_known_by_any_identifier(kind: str, value: str) -> None:
    """Whatever identifier names the notification's own customer finds it, and no other does."""
    found = told(customerIdentifiers=_HERS)
    assert Customer(1800, kind, value).owns(b"1800|50000017", found)
    assert not Customer(1801, kind, value).owns(b"1800|50000017", found)
    assert not Customer(1800, kind, f"{value}0").owns(b"1800|50000017", found)
    assert not Customer(1800, "martjackId", value).owns(b"1800|50000017", found)


def test_an_identifier_is_compared_as_it_is_normalised() -> None:
    """A number that a rule passed on as it was written is the same number."""
    customers = {"instore": {"mobile": "+91 98123-45678"}}
    assert Customer(1800, "mobile", "919812345678").owns(None, told(customerIdentifiers=customers))
    bare = {"instore": {"mobile": "9812345678"}}
    found = told(customerIdentifiers=bare)
    assert Customer(1800, "mobile", "919812345678", "91").owns(None, found)
    assert not Customer(1800, "mobile", "919812345678").owns(None, found)


def test_the_key_of_the_cause_names_her() -> None:
    """Where no customerId is known, the record's key is that of the event, which is hers."""
    assert Customer(1800, "mobile", "9198").owns(
        b"1800|mobile|9198", told(customerIdentifiers=_NOBODY)
    )
    assert not Customer(1800, "mobile", "9198").owns(b"1800|9198", told())


def test_coupons_and_cards_name_her() -> None:
    """A coupon's customer stands inside it; a card's notification names the card alone."""
    coupons = told(coupons=[{"customerIdentifiers": _NOBODY}, {"customerIdentifiers": _HERS}])
    assert Customer(1800, "userId", "50000017").owns(None, coupons)
    assert Customer(1800, "cardnumber", "C-9").owns(b"1800|C-9", told(cardNumber="C-9"))
    assert not Customer(1800, "userId", "50000017").owns(
        b"1800|50000017", told(cardNumber="50000017")
    )


def test_who_only_occurs_in_it_does_not_own_it() -> None:
    """What the giver of points is told is not the receiver's."""
    found = told(customerIdentifiers=_NOBODY, transferReceivingCustomerIdentifiers=_HERS)
    assert not Customer(1800, "userId", "50000017").owns(b"1800|4", found)


@pytest.mark.parametrize("content", [None, {}, {"customerIdentifiers": None, "coupons": None}])
def test_a_notification_that_names_nobody_is_nobodys(content: Any) -> None:
    """Without any identifier there is nothing to know her by."""
    assert not Customer(1800, "mobile", "9198").owns(None, {"orgId": 1800, "data": content})
