"""How the customer's identifiers become `CustomerIdentifiers`."""

from typing import Any

import pytest

from loyaltystream.notifications.identifiers import customer_identifiers
from tests.core import TOPICS, outputs
from tests.notifications.shop import accept, causing, happened, mapped, plan, transaction


def identifier(
    kind: str, value: str, source: str = "INSTORE", account: str | None = None
) -> dict[str, Any]:
    return {"type": kind, "value": value, "source": source, "accountId": account}


def account(name: str | None, *pairs: tuple[str, str]) -> dict[str, Any]:
    identifiers = [{"identifierType": kind, "identifierValue": value} for kind, value in pairs]
    return {"accountId": name, "identifiers": identifiers}


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("mobile", "mobile"),
        ("email", "email"),
        ("externalId", "externalId"),
        ("cardnumber", "card_number"),
        ("CARDNUMBER", "card_number"),
        ("cardExternalId", "cardexternalid"),
    ],
)
def test_stores_know_a_customer_by_name(kind: str, name: str) -> None:
    """An identifier of source INSTORE stands under the vendor's own name for it."""
    made = customer_identifiers([identifier(kind, "v")])
    assert made == {
        "customerId": None,
        "instore": {name: "v"},
        "wechat": None,
        "otherSources": None,
    }


def test_wechat_accounts_are_grouped() -> None:
    """WeChat's identifiers stand under their account, in the order in which they came."""
    made = customer_identifiers(
        [
            identifier("cuid", "1", "WECHAT", "A"),
            identifier("mobile", "2", "wechat", "B"),
            identifier("unionId", "3", "WeChat", "A"),
        ]
    )
    accounts = [account("A", ("cuid", "1"), ("unionId", "3")), account("B", ("mobile", "2"))]
    assert made["wechat"] == {"accounts": accounts}
    assert made["instore"] is None


def test_other_sources_stand_under_their_name() -> None:
    """Every other source has an entry of its own, its name in lower case."""
    made = customer_identifiers(
        [identifier("fbid", "1", "FACEBOOK"), identifier("line", "2", "LINE", "L")]
    )
    assert made["otherSources"] == {
        "facebook": {"accounts": [account(None, ("fbid", "1"))]},
        "line": {"accounts": [account("L", ("line", "2"))]},
    }


@pytest.mark.parametrize(
    ("value", "customer_id"),
    [
        ("414935964", 414935964),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", None),
        ("12345678901234567890", None),
        ("u-17", None),
        ("٤١٤", None),
        ("-5", None),
    ],
)
def test_a_numeric_user_id_is_the_customer_id(value: str, customer_id: int | None) -> None:
    """The customerId is a userId of digits that fit 64 bits; any other userId is kept as text."""
    made = customer_identifiers([identifier("userId", value)])
    assert made["customerId"] == customer_id
    kept = {"instore": {"accounts": [account(None, ("userId", value))]}}
    assert made["otherSources"] == (kept if customer_id is None else None)


def test_a_user_id_of_another_source_stays_with_it() -> None:
    """A channel's userId gives the customerId and remains among the channel's identifiers."""
    made = customer_identifiers([identifier("userId", "5", "WECHAT", "A")])
    assert made["customerId"] == 5
    assert made["wechat"] == {"accounts": [account("A", ("userId", "5"))]}


def test_no_identifier_is_lost() -> None:
    """A second mobile number, and a type without a place, stand under the source instore."""
    made = customer_identifiers(
        [
            identifier("mobile", "1"),
            identifier("mobile", "2"),
            identifier("fcmToken", "3"),
            identifier("cardnumber", "4"),
            identifier("cardnumber", "5"),
        ]
    )
    assert made["instore"] == {"mobile": "1", "card_number": "4", "cardNumbers": ["4", "5"]}
    kept = [account(None, ("mobile", "2"), ("fcmToken", "3"))]
    assert made["otherSources"] == {"instore": {"accounts": kept}}


MOBILE = {"type": "mobile", "value": "919812345678"}


def test_a_template_overrides_what_it_names() -> None:
    """What a rule says of the customer replaces that part; the rest is still automatic."""
    rule = transaction(
        customerIdentifiers={"customerId": "fields.count", "loyaltyType": "tillCode"}
    )
    made = mapped(rule, happened(count=17))["data"]["customerIdentifiers"]
    assert made["customerId"] == 17
    assert made["instore"]["mobile"] == "919812345678"
    assert made["loyaltyType"] is None


def test_an_unknown_override_changes_nothing() -> None:
    """Where the rule's path has no value, the automatic one stays."""
    rule = transaction(customerIdentifiers={"customerId": "fields.count"})
    people = [MOBILE, {"type": "userId", "value": "5"}]
    made = mapped(rule, happened(identifiers=people))["data"]["customerIdentifiers"]
    assert made["customerId"] == 5


def test_a_leaf_replaces_the_whole_customer() -> None:
    """A path or a constant in the customer's place leaves nothing automatic."""
    rule = transaction(customerIdentifiers={"const": {"customerId": 3}})
    made = mapped(rule, happened())["data"]["customerIdentifiers"]
    assert (made["customerId"], made["instore"]) == (3, None)
    rule = transaction(customerIdentifiers="customer.identifiers")
    made = mapped(rule, happened())["data"]["customerIdentifiers"]
    assert made["instore"]["mobile"] == "919812345678"


@pytest.mark.parametrize(
    ("people", "key"),
    [
        ([MOBILE, {"type": "userId", "value": "414935964"}], b"1800|414935964"),
        ([MOBILE, {"type": "userId", "value": "u-17"}], b"1800|mobile|919812345678"),
        ([MOBILE], b"1800|mobile|919812345678"),
    ],
)
def test_the_key_is_the_customer_or_the_cause(people: list[Any], key: bytes) -> None:
    """A record is keyed by org and customerId, or as its cause where there is no customerId."""
    definitions = causing(transaction())
    made = plan(accept(happened(identifiers=people), definitions=definitions), definitions)
    assert [output.key for output in outputs(made, TOPICS.notifications)] == [key]
