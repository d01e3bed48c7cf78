"""What is wrong with a rule is said when its definition is loaded, all of it."""

from typing import Any

import pytest

from loyaltystream.definitions.model import Action, EventDefinition, NotificationRule
from loyaltystream.definitions.parsing import parse_definition
from loyaltystream.definitions.problem import Problem
from loyaltystream.definitions.registry import Definitions
from loyaltystream.errors import ConfigurationError
from loyaltystream.notifications.catalog import CATALOG
from loyaltystream.notifications.mapping import compile_rules
from tests.core import define
from tests.notifications.shop import body, transaction

_FIELDS = "text, amount, count, flag, day, currency, secret"


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (
            {"type": "pointsIsued", "data": {}},
            (
                "notifications[0].type: no type pointsIsued (did you mean pointsIssued?);"
                f" there are {', '.join(CATALOG)}"
            ),
        ),
        (
            {"type": "customerAdded", "data": {"amount": "fields.amount"}},
            (
                "notifications[0].data.amount: CustomerAddedData has no such field;"
                " it has loyaltyType, source, enteredAt, enteredBy, customerIdentifiers"
            ),
        ),
        (
            transaction(enteredBy={"till": {"colour": "tillCode"}}),
            (
                "notifications[0].data.enteredBy.till.colour: Till has no such field;"
                " it has code, name"
            ),
        ),
        (
            transaction(amount="fields.amuont"),
            (
                "notifications[0].data.amount: thingHappened has no field amuont"
                f" (did you mean amount?); it has {_FIELDS}"
            ),
        ),
        (
            transaction(amount="fields.customer"),
            "notifications[0].data.amount: customer is the customer; write customer.identifiers",
        ),
        (
            transaction(amount="fields.cart"),
            "notifications[0].data.amount: field cart is an object or array; write nested.cart",
        ),
        (
            transaction() | {"refId": "{fields.secret}"},
            (
                "notifications[0].refId: {fields.secret}: field secret has isPsiData,"
                " and no notification carries such values"
            ),
        ),
        (
            transaction(billNumber={"path": "fields.secret", "default": "none"}),
            (
                "notifications[0].data.billNumber: field secret has isPsiData,"
                " and no notification carries such values"
            ),
        ),
        (
            transaction(amount="nested.trolley.total"),
            (
                "notifications[0].data.amount: thingHappened has no json field trolley.total;"
                " it has cart, dotted.name"
            ),
        ),
        (
            transaction(billNumber="customer.identifiers.shoeSize"),
            (
                "notifications[0].data.billNumber: no such type of identifier; there are userId,"
                " mobile, email, externalId, wechat, martjackId, cuid, fbid, unionId, fcmToken,"
                " line, cardnumber, cardExternalId"
            ),
        ),
        (
            transaction(amount="fields.flag"),
            "notifications[0].data.amount: fields.flag holds true or false; a number is needed",
        ),
        (
            transaction(amount="fields.day"),
            "notifications[0].data.amount: fields.day holds a date as text; a number is needed",
        ),
        (
            transaction(transactionId="fields.currency"),
            (
                "notifications[0].data.transactionId: fields.currency holds text that is never a"
                " number; an integer is needed"
            ),
        ),
        (
            transaction(billNumber="trace"),
            "notifications[0].data.billNumber: trace holds an object of texts; a text is needed",
        ),
        (
            transaction(enteredBy="tillCode"),
            "notifications[0].data.enteredBy: tillCode holds text; EnteredBy is needed",
        ),
        (
            transaction(enteredBy="customer.identifiers"),
            (
                "notifications[0].data.enteredBy: customer.identifiers holds the customer's"
                " identifiers; EnteredBy is needed"
            ),
        ),
        (
            transaction(amount={"const": "a lot"}),
            "notifications[0].data.amount: a number is needed, not a string",
        ),
        (
            transaction(billNumber={"const": "\ud800"}),
            "notifications[0].data.billNumber: not Unicode",
        ),
        (
            transaction(enteredBy={"const": {"till": 5}}),
            "notifications[0].data.enteredBy.till: an object is needed, not a number",
        ),
        (
            transaction(amount={"path": "fields.amount", "default": "none"}),
            "notifications[0].data.amount: default: a number is needed, not a string",
        ),
        (
            transaction(amount={"path": "fields.amount", "required": "yes"}),
            "notifications[0].data.amount: required is true or false",
        ),
        (
            transaction(amount={"path": "fields.amount", "fallback": 0}),
            "notifications[0].data.amount: no such key: fallback",
        ),
        (
            transaction(amount={"const": 5, "default": 0}),
            "notifications[0].data.amount: no such key: default",
        ),
        (
            transaction(amount=5),
            (
                'notifications[0].data.amount: a number is filled by a path or {"const": ...},'
                " not by a number"
            ),
        ),
        (
            transaction(amount={"sum": "fields.amount"}),
            (
                'notifications[0].data.amount: a number is filled by a path or {"const": ...},'
                " not by an object"
            ),
        ),
        (
            transaction(enteredBy=["tillCode"]),
            (
                "notifications[0].data.enteredBy: EnteredBy is filled by a path or"
                ' {"const": ...}, or by an object of templates, not by an array'
            ),
        ),
        (
            transaction(customerIdentifiers={"wechat": {"accounts": {"accountId": "tillCode"}}}),
            (
                "notifications[0].data.customerIdentifiers.wechat.accounts: an array is filled by a"
                ' path or {"const": ...}, or by an array of templates or'
                ' {"each": path, "as": template}, not by an object'
            ),
        ),
        (
            transaction() | {"refId": "{fields.billl}"},
            (
                "notifications[0].refId: {fields.billl}: thingHappened has no field billl;"
                f" it has {_FIELDS}"
            ),
        ),
        (
            transaction() | {"refId": "{data.bill}"},
            "notifications[0].refId: {data.bill}: the notification has no such field",
        ),
        (
            transaction() | {"refId": "{data.enteredBy}"},
            "notifications[0].refId: {data.enteredBy}: not a single value",
        ),
        (
            transaction() | {"refId": "{trace}"},
            (
                "notifications[0].refId: {trace}: holds an object of texts,"
                " which is not a single value"
            ),
        ),
        (
            transaction() | {"refId": "{orgId"},
            "notifications[0].refId: braces stand in pairs, around one path each",
        ),
        (
            transaction() | {"refId": 5},
            'notifications[0].refId: a text is filled by a path or {"const": ...}, not by a number',
        ),
    ],
)
def test_a_rule_that_can_never_work_is_refused(rule: dict[str, Any], message: str) -> None:
    """A problem names the rule, the place in it, and what would be right."""
    assert parse_definition(1800, body(rule)) == [Problem("NOTIFICATION", message)]


def test_an_unknown_path_is_answered_with_the_known() -> None:
    """A path that no event has is refused with a list of those that there are."""
    refused = parse_definition(1800, body(transaction(amount="amount")))
    assert isinstance(refused, list)
    [problem] = refused
    start = "notifications[0].data.amount: an event has no amount (did you mean fields.amount?); it"
    assert problem.message.startswith(start)
    assert problem.message.endswith(
        "and fields.*, nested.*, customer.identifiers.*, customer.profile.*, trace.*, extensions.*"
    )


def test_all_problems_are_told_at_once() -> None:
    """Every rule is checked to its end, whatever is wrong with the others."""
    refused = parse_definition(
        1800,
        body(
            transaction(amount="fields.a", billNumber="fields.b"),
            {"type": "nothing"},
            transaction(discount="fields.c") | {"id": "0"},
        ),
    )
    assert isinstance(refused, list)
    starts = [problem.message.split(":")[0] for problem in refused]
    assert starts == [
        "notifications",
        "notifications[0].data.amount",
        "notifications[0].data.billNumber",
        "notifications[1].type",
        "notifications[2].data.discount",
    ]
    assert refused[0].message == "notifications: 2 rules have the id 0"


def test_notifications_need_the_action_that_leads_to_them() -> None:
    """Rules on an event that never reaches EMFConsumer would be silent for ever."""
    refused = parse_definition(1800, body(transaction(), actions=["EIConsumer"]))
    message = "notifications: none is ever sent without the action EMFConsumer"
    assert refused == [Problem("NOTIFICATION", message)]


def test_a_definition_from_elsewhere_is_checked_too() -> None:
    """No view of definitions holds a rule that can't work, however the definition was made."""
    good = define(body())
    broken = good.model_copy(
        update={"notifications": (NotificationRule(type="nothing", rule_id="0", data={}),)}
    )
    with pytest.raises(ConfigurationError, match=r"1800/thingHappened: .*no type nothing"):
        Definitions([broken], 7)


def test_a_definition_without_rules_has_no_problems() -> None:
    """Most events cause nothing, and that is no problem."""
    definition = define(body())
    assert isinstance(definition, EventDefinition)
    assert Action.EMF in definition.actions
    compiled = compile_rules(definition)
    assert compiled.rules is None
    assert compiled.problems == ()
