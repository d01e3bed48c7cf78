"""What a rule's template makes of an event, and what it refuses to make."""

from typing import Any

import pytest

from tests.notifications.shop import happened, mapped, transaction, violations

_TIME = "a time (epoch milliseconds, or text with date, time and zone)"
_NEVER = f"{_TIME} of 2000 to 9999 is needed"
_NO_INTEGER = "an integer is needed, not a number"


@pytest.mark.parametrize(
    ("name", "path", "fields", "made"),
    [
        ("amount", "fields.text", {"text": "12.50"}, 12.5),
        ("amount", "fields.text", {"text": " -3e2 "}, -300.0),
        ("amount", "fields.count", {"count": 7}, 7.0),
        ("amount", "fields.text", {"text": " "}, None),
        ("transactionId", "fields.text", {"text": "2147864816"}, 2147864816),
        ("transactionId", "fields.amount", {"amount": 5.0}, 5),
        ("transactionId", "nested.cart.id", {"cart": {"id": 9223372036854775807}}, 2**63 - 1),
        ("lineItemCount", "nested.cart.lines.1.n", {"cart": {"lines": [{}, {"n": "3"}]}}, 3),
        ("lineItemCount", "nested.cart.lines.7.n", {"cart": {"lines": []}}, None),
        ("lineItemCount", "nested.cart.x.y", {"cart": {"x": 5}}, None),
        ("lineItemCount", "nested.dotted.name.n", {"dotted.name": {"n": 3}}, 3),
        ("billNumber", "fields.count", {"count": 5}, "5"),
        ("billNumber", "fields.amount", {"amount": 20.19}, "20.19"),
        ("billNumber", "fields.flag", {"flag": True}, "true"),
        ("billNumber", "fields.text", {"text": ""}, ""),
        ("billNumber", "fields.text", {}, None),
        ("billNumber", "orgId", {}, "1800"),
        ("billNumber", "customer.identifiers.mobile", {}, "919812345678"),
        ("billNumber", "customer.identifiers.email", {}, None),
        ("billNumber", "trace.requestId", {}, None),
        ("billNumber", "referral.code", {}, None),
        ("enteredAt", "occurredAt", {}, "2025-11-24T16:00:00Z"),
        ("enteredAt", "fields.text", {"text": "1764000000001"}, "2025-11-24T16:00:00.001000Z"),
        ("enteredAt", "fields.text", {"text": "2025-11-24T17:00:00+01:00"}, "2025-11-24T16:00:00Z"),
        ("enteredAt", "fields.day", {"day": "24-11-2025"}, "2025-11-24T00:00:00Z"),
        (
            "enteredBy",
            "nested.cart",
            {"cart": {"id": "7", "till": {"code": 5}}},
            {"id": 7, "till": {"code": "5", "name": None}, "store": None, "user": None},
        ),
    ],
)
def test_a_value_takes_the_type_that_is_needed(
    name: str, path: str, fields: dict[str, Any], made: object
) -> None:
    """Numbers, texts and times are turned into what the notification needs, nothing is rounded."""
    assert mapped(transaction(**{name: path}), happened(**fields))["data"][name] == made


@pytest.mark.parametrize(
    ("name", "path", "fields", "where", "message"),
    [
        ("amount", "fields.text", {"text": "a lot"}, "", "a number is needed, not a string"),
        ("amount", "fields.text", {"text": "1e999"}, "", "a number is needed, not a string"),
        (
            "amount",
            "nested.cart.n",
            {"cart": {"n": 2**53 + 1}},
            "",
            "an integer that no double equals",
        ),
        (
            "transactionId",
            "fields.amount",
            {"amount": 5.5},
            "",
            _NO_INTEGER,
        ),
        (
            "transactionId",
            "fields.text",
            {"text": "9223372036854775808"},
            "",
            "an integer is needed, this one is larger",
        ),
        (
            "lineItemCount",
            "fields.count",
            {"count": 2**31},
            "",
            "an integer of 32 bits is needed, this one is larger",
        ),
        ("billNumber", "nested.cart", {"cart": []}, "", "a text is needed, not an array"),
        (
            "enteredAt",
            "fields.text",
            {"text": "yesterday"},
            "",
            _NEVER,
        ),
        (
            "enteredAt",
            "fields.count",
            {"count": 1764000000},
            "",
            _NEVER,
        ),
        ("enteredAt", "nested.cart", {"cart": {}}, "", f"{_TIME} is needed, not an object"),
        ("enteredBy", "nested.cart", {"cart": []}, "", "an object is needed, not an array"),
        (
            "enteredBy",
            "nested.cart",
            {"cart": {"till": {"code": {}}}},
            ".till.code",
            "a text is needed, not an object",
        ),
        ("enteredBy", "nested.cart", {"cart": {"secret": 1}}, "", "1 keys that EnteredBy lacks"),
    ],
)
def test_what_does_not_fit_is_refused(
    name: str, path: str, fields: dict[str, Any], where: str, message: str
) -> None:
    """A value that keeps no meaning in the needed type makes a letter, which says where and why."""
    found = violations(transaction(**{name: path}), happened(**fields))
    assert found == [(f"{path}{where}", f"notifications[0].data.{name}: {message}")]


@pytest.mark.parametrize(
    ("leaf", "fields", "made"),
    [
        ({"const": "POS"}, {}, "POS"),
        ({"const": 5}, {}, "5"),
        ({"const": None}, {}, None),
        ({"path": "fields.text"}, {"text": "a"}, "a"),
        ({"path": "fields.text", "default": "b"}, {}, "b"),
        ({"path": "fields.text", "default": "b"}, {"text": ""}, "b"),
        ({"path": "fields.text", "default": "b", "required": True}, {}, "b"),
        ({"path": "fields.text", "required": False}, {}, None),
    ],
)
def test_a_leaf_may_be_a_constant_or_have_a_default(
    leaf: dict[str, Any], fields: dict[str, Any], made: object
) -> None:
    """A constant is what it says; a default stands in for what is absent or empty."""
    assert mapped(transaction(billNumber=leaf), happened(**fields))["data"]["billNumber"] == made


@pytest.mark.parametrize("fields", [{}, {"text": ""}])
def test_what_is_required_has_to_be_there(fields: dict[str, Any]) -> None:
    """A required leaf without a value, or with an empty one, makes a letter."""
    rule = transaction(billNumber={"path": "fields.text", "required": True})
    expected = [("fields.text", "notifications[0].data.billNumber: missing")]
    assert violations(rule, happened(**fields)) == expected


def test_all_violations_are_in_the_letter() -> None:
    """A letter names everything that keeps the event from being mapped, not only the first."""
    rule = transaction(
        amount="fields.text",
        transactionId={"path": "fields.count", "required": True},
        enteredAt="fields.text",
    )
    paths = [path for path, _ in violations(rule, happened(text="x"))]
    assert paths == ["fields.text", "fields.count", "fields.text"]


def test_an_object_of_nothing_is_null() -> None:
    """A record whose parts are all unknown is left out, level by level."""
    rule = transaction(enteredBy={"till": {"code": "tillCode"}, "store": {"code": "fields.text"}})
    assert mapped(rule, happened())["data"]["enteredBy"] is None
    made = mapped(rule, happened(text="S"))["data"]["enteredBy"]
    assert (made["till"], made["store"]["code"]) == (None, "S")


def test_lists_of_templates_make_arrays() -> None:
    """An array holds one entry for each template that the event has something for."""
    rule = transaction(
        customerIdentifiers={
            "instore": {"cardNumbers": ["fields.text", "tillCode", {"const": "C"}]},
            "wechat": {"accounts": [{"accountId": "fields.text"}, {"accountId": "tillCode"}]},
            "otherSources": {"line": {"accounts": "nested.cart"}, "tmall": "nested.dotted.name"},
        }
    )
    made = mapped(rule, happened(text="T", cart=[{"accountId": 5}]))["data"]["customerIdentifiers"]
    assert made["instore"]["cardNumbers"] == ["T", "C"]
    assert made["wechat"] == {"accounts": [{"accountId": "T", "identifiers": []}]}
    line = {"accounts": [{"accountId": "5", "identifiers": []}]}
    assert made["otherSources"] == {"line": line}


@pytest.mark.parametrize(
    ("ref_id", "fields", "made"),
    [
        (None, {"count": 5}, "1800_5"),
        (None, {}, None),
        ("fields.text", {"text": "T"}, "T"),
        ("fields.text", {"count": 5}, "1800_5"),
        ({"const": "R"}, {}, "R"),
        ("{orgId}/{fields.text}/{data.transactionId}", {"text": "T", "count": 5}, "1800/T/5"),
        ("{orgId}/{fields.text}", {}, None),
        ("{data.customerIdentifiers.instore.mobile}!", {}, "919812345678!"),
        ("{data.customerIdentifiers.instore.cardNumbers.0}", {}, None),
        ("{nested.cart.n}", {"cart": {"n": 1}}, "1"),
        ("{nested.cart}", {"cart": {"n": 1}}, None),
    ],
)
def test_the_reference_is_the_types_or_the_rules(
    ref_id: object, fields: dict[str, Any], made: str | None
) -> None:
    """RefId is what the rule says, else the type's own text; null where a part is unknown."""
    rule = transaction(transactionId="fields.count") | ({"refId": ref_id} if ref_id else {})
    assert mapped(rule, happened(**fields))["refId"] == made


def test_the_trace_goes_along() -> None:
    """Trace attributes are passed on, and its requestId becomes apiRequestId."""
    happening = happened() | {"trace": {"requestId": "r-1", "hop": "2"}}
    made = mapped(transaction(), happening)
    assert made["traceAttributes"] == {"requestId": "r-1", "hop": "2"}
    assert made["apiRequestId"] == "r-1"
    made = mapped(transaction(), happened())
    assert (made["traceAttributes"], made["apiRequestId"]) == (None, happened()["eventId"])
