"""Rules that ask, repeat themselves, name other customers and convert units."""

from typing import Any

import pytest

from loyaltystream.definitions.parsing import parse_definition
from loyaltystream.definitions.problem import Problem
from tests.core import TOPICS, outputs
from tests.notifications.shop import (
    accept,
    body,
    causing,
    happened,
    mapped,
    plan,
    read_notification,
    transaction,
    violations,
)

_TIME = "a time (epoch milliseconds, or text with date, time and zone)"


def made(rule: dict[str, Any], **fields: object) -> list[dict[str, Any]]:
    """Return all notifications that a rule makes of an event."""
    definitions = causing(rule)
    planned = plan(accept(happened(**fields), definitions=definitions), definitions)
    assert not outputs(planned, TOPICS.dead_letter)
    return [read_notification(output) for output in outputs(planned, TOPICS.notifications)]


@pytest.mark.parametrize(
    ("when", "fields", "count"),
    [
        ({"path": "fields.text", "equals": "GIFT"}, {"text": "GIFT"}, 1),
        ({"path": "fields.text", "equals": "GIFT"}, {"text": "gift"}, 0),
        ({"path": "fields.text", "equals": "GIFT"}, {}, 0),
        ({"path": "fields.count", "in": [4, 5.0]}, {"count": 5}, 1),
        ({"path": "fields.amount", "equals": 5}, {"amount": 5.0}, 1),
        ({"path": "fields.flag", "equals": True}, {"flag": True}, 1),
        ({"path": "nested.cart.n", "equals": 1}, {"cart": {"n": True}}, 0),
        ({"path": "nested.cart.n", "equals": True}, {"cart": {"n": 1}}, 0),
        ({"path": "nested.cart.n", "equals": "1"}, {"cart": {"n": 1}}, 0),
        ({"path": "nested.cart.n", "equals": 1}, {"cart": {"n": [1]}}, 0),
        ({"path": "fields.text", "present": True}, {"text": " "}, 0),
        ({"path": "fields.text", "present": False}, {"text": ""}, 1),
        ({"path": "nested.cart", "present": True}, {"cart": {}}, 1),
        ([], {}, 1),
        (
            [{"path": "fields.text", "present": True}, {"path": "fields.flag", "equals": False}],
            {"text": "a", "flag": True},
            0,
        ),
    ],
)
def test_a_rule_makes_nothing_unless_all_conditions_hold(
    when: object, fields: dict[str, Any], count: int
) -> None:
    """A value equals what it is: 5 is 5.0, but true is not 1, and blank text is not there."""
    assert len(made(transaction() | {"when": when}, **fields)) == count


def test_what_is_not_asked_for_is_not_demanded() -> None:
    """A rule whose conditions fail demands nothing of the event that it needs otherwise."""
    required = {"billNumber": {"path": "fields.text", "required": True}}
    rule = transaction(**required) | {"when": {"path": "fields.flag", "equals": True}}
    assert made(rule, flag=False) == []
    expected = [("fields.text", "notifications[0].data.billNumber: missing")]
    assert violations(rule, happened(flag=True)) == expected


def test_each_element_causes_a_notification_of_its_own() -> None:
    """An element's id is of its position, whatever becomes of those before it; null has none."""
    rule = transaction(transactionId="entry.id") | {"forEach": "nested.cart.bills"}
    bills: list[Any] = [{"id": 7, "paid": True}, None, {"id": 7, "paid": True}]
    first, second = made(rule, cart={"bills": bills})
    assert (first["data"], first["refId"]) == (second["data"], "1800_7")
    assert first["eventId"] != second["eventId"]
    asking = rule | {"when": {"path": "entry.paid", "equals": True}}
    assert made(asking, cart={"bills": [{"id": 7}, *bills[1:]]}) == [second]
    assert made(rule, cart={"bills": []}) == made(rule) == []


def test_a_group_causes_one_notification() -> None:
    """Elements with the same value belong together, as a number or as text, in their order."""
    rule = {
        "type": "CouponIssue",
        "forEach": {"path": "nested.cart", "by": "customer.id"},
        "data": {"coupons": {"each": "entry", "as": {"id": "element.id"}}},
    }
    cart = [{"id": number, "customer": {"id": who}} for number, who in ((1, 7), (2, 8), (3, "7"))]
    coupons = [
        [coupon["id"] for coupon in each["data"]["coupons"]] for each in made(rule, cart=cart)
    ]
    assert coupons == [[1, 3], [2]]
    found = violations(rule, happened(cart=[*cart, {"id": 4}]))
    assert found == [("nested.cart[3].customer.id", "notifications[0].forEach: missing")]


@pytest.mark.parametrize(
    ("cart", "path", "message"),
    [
        ({"a": 5}, "nested.cart.a", "an array is needed, not a number"),
        ({"a": [{}, 5]}, "nested.cart.a[1]", "an object is needed, not a number"),
        ({"a": [{"id": "x"}]}, "nested.cart.a[].id", "an integer is needed, not a string"),
    ],
)
def test_an_array_that_is_none_makes_a_letter(cart: object, path: str, message: str) -> None:
    """Neither a value in an array's place nor an element that is no object is passed over."""
    rule = {
        "type": "pointsRedeemed",
        "data": {
            "redemptionFromEarningPrograms": {
                "each": "nested.cart.a",
                "as": {"programId": "element.id"},
            }
        },
    }
    [(where, told)] = violations(rule, happened(cart=cart))
    assert where == path
    assert told.endswith(f": {message}")


def test_another_customer_is_made_of_her_identifiers() -> None:
    """What the path leads to becomes the record; what stands beside it is added."""
    rule = {
        "type": "pointsTransferredReceived",
        "data": {"customerIdentifiers": {"identifiers": "nested.cart", "firstName": "fields.text"}},
    }
    [receiver] = made(rule, text="Ravi", cart=[{"type": "userId", "value": 23}])
    known = receiver["data"]["customerIdentifiers"]
    assert (known["customerId"], known["firstName"]) == (23, "Ravi")
    found = violations(rule, happened(cart=[{"type": "mobile"}]))
    where = "notifications[0].data.customerIdentifiers"
    assert found == [("nested.cart[0].value", f"{where}: missing")]


@pytest.mark.parametrize(
    ("name", "leaf", "fields", "result"),
    [
        ("enteredAt", "secondsToMoment", {"count": 1764000000}, "2025-11-24T16:00:00Z"),
        ("enteredAt", "secondsToMoment", {"count": None}, None),
        ("amount", "hundredthsToAmount", {"count": 1999}, 19.99),
        ("amount", "hundredthsToAmount", {"count": -5}, -0.05),
        ("amount", "absolute", {"count": -5}, 5.0),
        ("billNumber", "absolute", {"count": -5}, "5"),
    ],
)
def test_a_number_takes_the_unit_that_is_needed(
    name: str, leaf: str, fields: dict[str, Any], result: object
) -> None:
    """Seconds become milliseconds, hundredths amounts, and returns lose their sign."""
    rule = transaction(**{name: {"path": "fields.count", "convert": leaf}})
    sent = {key: value for key, value in fields.items() if value is not None}
    assert mapped(rule, happened(**sent))["data"][name] == result


@pytest.mark.parametrize(
    ("name", "leaf", "text", "result"),
    [
        ("amount", "commaToDecimal", "12,50", 12.5),
        ("amount", "commaToDecimal", "12.50", 12.5),
        ("billNumber", "absolute", "-14.000", "14.000"),
        ("billNumber", "momentToDay", "2121-04-27", "2121-04-27"),
        ("billNumber", "momentToDay", "30-09-2026 23:59:59", "2026-09-30"),
        ("billNumber", "momentToDay", "2026-09-30T23:30:00-05:00", "2026-10-01"),
        ("billNumber", "momentToDay", " ", None),
        ("enteredAt", "secondsToMoment", "1764000000.5", "2025-11-24T16:00:00.500000Z"),
    ],
)
def test_a_text_takes_the_unit_that_is_needed(
    name: str, leaf: str, text: str, result: object
) -> None:
    """Decimal commas, days in any pattern and fractions of seconds keep their meaning."""
    rule = transaction(**{name: {"path": "fields.text", "convert": leaf}})
    assert mapped(rule, happened(text=text))["data"][name] == result


@pytest.mark.parametrize(
    ("name", "leaf", "text", "message"),
    [
        ("enteredAt", "secondsToMoment", "soon", "a number of seconds is needed, not a string"),
        ("enteredAt", "secondsToMoment", "1764000000000", f"{_TIME} of 2000 to 9999 is needed"),
        (
            "enteredAt",
            "secondsToMoment",
            "1764000000.0005",
            "seconds of which a millisecond is the smallest part are needed",
        ),
        ("amount", "hundredthsToAmount", "1.5", "an integer of hundredths is needed, not a string"),
        ("amount", "commaToDecimal", "1.234,5", "a number is needed, not a string"),
        ("billNumber", "absolute", "none", "a number is needed, not a string"),
        ("billNumber", "momentToDay", "2026-02-30", f"{_TIME} of 2000 to 9999 is needed"),
    ],
)
def test_what_has_no_such_unit_makes_a_letter(
    name: str, leaf: str, text: str, message: str
) -> None:
    """Nothing is guessed at, and nothing rounded."""
    rule = transaction(**{name: {"path": "fields.text", "convert": leaf}})
    expected = [("fields.text", f"notifications[0].data.{name}: {message}")]
    assert violations(rule, happened(text=text)) == expected


_LINES = {"each": "nested.cart", "as": {"programId": "element.id"}}


def redeemed(**data: object) -> dict[str, Any]:
    """Return a rule that makes a pointsRedeemed."""
    return {"type": "pointsRedeemed", "data": data}


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (transaction() | {"whn": []}, "notifications[0]: no such key: whn (did you mean when?)"),
        (
            transaction(amount={"path": "fields.count", "convert": "hundredthToAmount"}),
            (
                "notifications[0].data.amount: no conversion hundredthToAmount (did you mean"
                " hundredthsToAmount?); there are secondsToMoment, hundredthsToAmount,"
                " commaToDecimal, momentToDay, absolute, objectToPairs"
            ),
        ),
        (
            transaction(amount={"path": "fields.count", "convert": "momentToDay"}),
            "notifications[0].data.amount: momentToDay never makes a number",
        ),
        (
            transaction(amount={"path": "fields.flag", "convert": "absolute"}),
            (
                "notifications[0].data.amount: fields.flag holds true or false; absolute takes none"
                " of it"
            ),
        ),
        (
            transaction(amount="element.id"),
            "notifications[0].data.amount: element stands inside each only",
        ),
        (
            transaction(amount="entry.id"),
            "notifications[0].data.amount: entry stands inside forEach only",
        ),
        (
            redeemed(redemptionFromEarningPrograms=_LINES | {"each": "fields.text"}),
            "notifications[0].data.redemptionFromEarningPrograms: fields.text holds text, no array",
        ),
        (
            redeemed(redemptionFromEarningPrograms=_LINES | {"as": {"programID": "element.id"}}),
            (
                "notifications[0].data.redemptionFromEarningPrograms.programID: ProgramRedemption"
                " has no such field (did you mean programId?); it has programId, pointsRedeemed,"
                " programCurrentPoints"
            ),
        ),
        (
            redeemed(redemptionFromEarningPrograms={"pairs": {"a": "fields.text"}}),
            (
                "notifications[0].data.redemptionFromEarningPrograms: an array is filled by a path"
                ' or {"const": ...}, or by an array of templates or {"each": path, "as": template},'
                " not by an object"
            ),
        ),
        (
            redeemed(customerIdentifiers={"identifiers": "fields.text"}),
            "notifications[0].data.customerIdentifiers: fields.text holds text, no identifiers",
        ),
        (
            transaction() | {"forEach": {"path": "nested.cart"}},
            (
                'notifications[0].forEach: a path, or {"path": path, "by": path inside an element}'
                " is needed, not an object"
            ),
        ),
        (
            transaction() | {"forEach": "nested.crt"},
            (
                "notifications[0].forEach: thingHappened has no json field crt (did you mean"
                " cart?); it has cart, dotted.name"
            ),
        ),
        (
            transaction() | {"when": {"path": "fields.count", "equals": "5"}},
            "notifications[0].when: fields.count holds a number, which never equals a string",
        ),
        (
            transaction() | {"when": [{"path": "fields.text", "above": 5}]},
            "notifications[0].when[0]: no such key: above",
        ),
        (
            transaction() | {"when": {"path": "fields.txt", "present": True}},
            (
                "notifications[0].when: thingHappened has no field txt (did you mean text?); it has"
                " text, amount, count, flag, day, currency, secret"
            ),
        ),
        (
            transaction() | {"eventLogId": "fields.flag"},
            "notifications[0].eventLogId: fields.flag holds true or false; an integer is needed",
        ),
    ],
)
def test_what_can_never_work_is_refused(rule: dict[str, Any], message: str) -> None:
    """A definition is refused with the place, what is wrong, and the nearest name there is."""
    refused = parse_definition(1800, body(rule))
    assert isinstance(refused, list)
    assert refused[0] == Problem("NOTIFICATION", message)
