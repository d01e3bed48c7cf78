"""The function that is made of a definition's rules, held against the rules read one by one."""

import json
from math import inf, nan
from typing import Any

import pytest
from hypothesis import event as note
from hypothesis import given, settings
from hypothesis import strategies as st

from loyaltystream.notifications.catalog import CATALOG, CUSTOMER_IDENTIFIERS
from loyaltystream.notifications.conversions import CONVERSIONS
from loyaltystream.notifications.mapping import compile_rules, map_event
from loyaltystream.notifications.program import Notification
from loyaltystream.notifications.targets import (
    Composite,
    Kind,
    Listing,
    Scalar,
    Table,
    Target,
    load_target,
)
from loyaltystream.notifications.templates import Checker
from tests.core import CUSTOMER, NOW_MS, define, field
from tests.laws.strategies import LAW, NUMBERS, TEXTS
from tests.notifications.model import Model
from tests.notifications.shop import body

_DEFINITION = define(body())
_TEXT = Scalar(Kind.STRING, nullable=True)
_PATHS = [
    *("fields.text", "fields.amount", "fields.count", "fields.flag", "fields.day"),
    *("nested.cart", "nested.cart.a", "nested.cart.a.0", "nested.cart.b", "nested.dotted.name.a"),
    *("occurredAt", "ingestedAt", "orgId", "eventId", "tillCode", "createCustomer", "webhookId"),
    *("referral.code", "loyaltyCard.code", "trace.hop", "extensions.x", "customer.profile.name"),
    *("customer.identifiers.mobile", "customer.identifiers.userId", "customer.identifiers"),
    *("trace", "customer.profile"),
]
_CONSTANTS: list[Any] = [None, "", "it's {odd}", "5", 5, 0, -0.0, 5.5, True, "2025-11-24", [], {}]
_PHRASES = [
    *(
        "{orgId}_{fields.text}",
        "{nested.cart.a}",
        "fields.text",
        "it's {eventId}",
    ),
    *("{extensions.x}{fields.amount}", "{loyaltyEventId}/{apiRequestId}"),
]
_CONVERTED = [*CONVERSIONS]
_ARRAYS = ["nested.cart", "nested.cart.a", "nested.dotted.name.a"]
_CONDITIONS = [
    *(
        {"path": path, "present": flag}
        for path in ("fields.text", "trace")
        for flag in (True, False)
    ),
    {"path": "fields.text", "equals": "5"},
    {"path": "fields.amount", "in": [5, 5.5]},
    {"path": "fields.flag", "equals": True},
    *({"path": "nested.cart.b", "equals": value} for value in (1, True, "5")),
    {"path": "extensions.x", "present": True},
]
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | NUMBERS | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["a", "b", "code", "accounts"]), inner, max_size=3)
    ),
    max_leaves=6,
)
_ELEMENTS = st.lists(
    st.dictionaries(
        st.sampled_from(["a", "b", "code", "type", "value"]), _JSON | st.just("5"), max_size=4
    )
    | st.fixed_dictionaries({"type": st.just("mobile"), "value": st.just("5")})
    | st.none(),
    max_size=3,
)
_NESTED = st.one_of(
    _JSON.map(json.dumps),
    _ELEMENTS.map(json.dumps),
    st.fixed_dictionaries({"a": _ELEMENTS}, optional={"b": _JSON}).map(json.dumps),
    st.sampled_from(["{", "", '{"a": 1', '{"b": 1}', '{"b": true}']),
)
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.just(NOW_MS),
    st.floats(),
    TEXTS.filter(lambda text: text.isascii() or "\ud800" not in text),
    st.sampled_from(["", " ", "5", "5.5", "true", "2025-11-24", "2025-11-24T16:00:00Z", "é"]),
)
_WORDS = st.sampled_from(["", " ", "5", "x", "é", "2025-11-24", str(NOW_MS)])
_MAYBE = st.none() | _WORDS
_IDENTIFIERS = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["mobile", "MOBILE", "userId", "cardnumber", "line", "email"]),
        "value": st.sampled_from(["919812345678", "5", "", "99999999999999999999"]),
        "source": st.sampled_from(["INSTORE", "", "WECHAT", "line "]),
        "accountId": st.sampled_from([None, "A"]),
    }
)
_EVENTS = st.fixed_dictionaries(
    {
        "orgId": st.sampled_from([1800, 0, -5]),
        "eventName": st.just("thingHappened"),
        "definitionVersion": st.just(1),
        "dialect": st.just("canonical"),
        "eventIdOrigin": st.just("SUPPLIED"),
        "occurredAtOrigin": st.just("SUPPLIED"),
        "eventId": st.sampled_from(["e", "é"]),
        "occurredAt": st.sampled_from([NOW_MS, 0, -1]),
        "ingestedAt": st.just(NOW_MS),
        "customer": st.fixed_dictionaries(
            {
                "identifiers": st.lists(_IDENTIFIERS, min_size=1, max_size=3),
                "profile": st.dictionaries(st.sampled_from(["name", "x"]), _WORDS, max_size=2),
            }
        ),
        "fields": st.fixed_dictionaries(
            {},
            optional=dict.fromkeys(("text", "amount", "count", "flag", "day"), _SCALARS),
        ),
        "nested": st.fixed_dictionaries({}, optional={"cart": _NESTED, "dotted.name": _NESTED}),
        "tillCode": _MAYBE,
        "webhookId": _MAYBE,
        "referral": st.none() | st.fixed_dictionaries({"code": _MAYBE, "referrerId": _MAYBE}),
        "loyaltyCard": st.none() | st.fixed_dictionaries({"code": _WORDS}),
        "createCustomer": st.sampled_from([None, True, False]),
        "trace": st.dictionaries(st.sampled_from(["hop", "requestId"]), _WORDS, max_size=2),
        "extensions": st.fixed_dictionaries({}, optional={"x": _NESTED}),
    }
)


def paths(roots: tuple[str, ...]) -> list[str]:
    """Return paths, and those into what a template is repeated for."""
    return [*_PATHS, *(f"{root}{rest}" for root in roots for rest in ("", ".a", ".b", ".0.a"))]


def leaves(roots: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """Return leaves, most of which fit some target only."""
    path = st.sampled_from(paths(roots))
    options = {
        "default": st.sampled_from(_CONSTANTS),
        "required": st.booleans(),
        "convert": st.sampled_from(_CONVERTED),
    }
    return st.one_of(
        st.fixed_dictionaries({"path": path}),
        st.fixed_dictionaries({"path": path}, optional=options),
        st.fixed_dictionaries({"const": st.sampled_from(_CONSTANTS)}),
    )


def is_right(template: Any, target: Target, roots: tuple[str, ...]) -> bool:
    """Say whether the definition accepts a template."""
    checker = Checker(_DEFINITION, [], dict.fromkeys(roots, "nested.cart[]"))
    checker.check(template, target, "")
    return not checker.problems


@st.composite
def templates(draw: st.DrawFn, target: Target, roots: tuple[str, ...] = ()) -> Any:
    """Return a template that the definition accepts for this target, or None."""
    if draw(st.integers(0, 3)):
        match target:
            case Composite(members=members):
                made = draw(objects(members, roots))
                if target.name == CUSTOMER_IDENTIFIERS and draw(st.booleans()):
                    made["identifiers"] = draw(st.sampled_from(paths(roots)))
                return made if is_right(made, target, roots) else None
            case Table(values=values):
                return draw(objects({"line": values, "it's": values}, roots))
            case Listing():
                return draw(arrays(target, roots))
            case Scalar():
                pass
    leaf = draw(leaves(roots))
    return leaf if is_right(leaf, target, roots) else None


@st.composite
def arrays(draw: st.DrawFn, target: Listing, roots: tuple[str, ...]) -> Any:
    """Return a template of an array: entry by entry, element by element, or pairs."""
    form = draw(st.sampled_from(["list", "each", "pairs"]))
    made: Any = [each for _ in range(2) if (each := draw(templates(target.items, roots)))]
    if form == "each":
        inside = (*roots, "element")
        entry = draw(templates(target.items, inside))
        array = draw(st.sampled_from([*_ARRAYS, *(f"{root}.a" for root in roots), *roots]))
        made = {"each": array, "as": entry}
    elif form == "pairs":
        made = {"pairs": draw(objects({"k": _TEXT, "it's": _TEXT}, roots))}
    return made if is_right(made, target, roots) else None


@st.composite
def objects(
    draw: st.DrawFn, members: dict[str, Target], roots: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return templates for some of an object's members."""
    chosen = draw(st.lists(st.sampled_from(sorted(members)), max_size=3, unique=True))
    parts = {name: draw(templates(members[name], roots)) for name in chosen}
    return {name: part for name, part in parts.items() if part is not None}


@st.composite
def rules(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Return the rules of a definition, some of them of the same type."""
    made = []
    for number in range(draw(st.integers(1, 2))):
        name = draw(st.sampled_from(sorted(CATALOG)))
        target = load_target(CATALOG[name].schema).members["data"]
        assert isinstance(target, Composite)
        array = draw(st.sampled_from(_ARRAYS))
        options = {
            "refId": st.sampled_from(_PHRASES),
            "loyaltyEventId": st.sampled_from(["fields.text", {"const": None}]),
            "eventLogId": st.sampled_from(["fields.count", {"const": None}]),
            "when": st.sampled_from(_CONDITIONS) | st.lists(st.sampled_from(_CONDITIONS)),
            "forEach": st.sampled_from([array, {"path": array, "by": "a"}]),
        }
        rule = draw(st.fixed_dictionaries({}, optional=options))
        roots = ("entry",) if "forEach" in rule else ()
        content = draw(objects(target.members, roots))
        made.append({"type": name, "id": f"it's {number}", "data": content, **rule})
    return made


@settings(LAW, max_examples=200)
@given(rules(), st.lists(_EVENTS, min_size=1, max_size=3))
def test_a_rule_makes_what_it_says(
    made: list[dict[str, Any]], events: list[dict[str, Any]]
) -> None:
    """Generated code makes the notifications, or the violations, that the rules spell out."""
    for each in compared(made, events):
        note("mapped" if each else "refused")


_COUPONS = {
    "type": "CouponIssue",
    "data": {
        "coupons": {
            "each": "entry",
            "as": {
                "id": "element.b",
                "code": "element.code",
                "issued_on": {"path": "element.b", "convert": "secondsToMoment"},
                "customerIdentifiers": {"identifiers": "element.a", "customerId": "element.b"},
            },
        }
    },
}
_FEATURES: dict[str, list[dict[str, Any]]] = {
    "grouped": [_COUPONS | {"forEach": {"path": "nested.cart.a", "by": "b"}}],
    "each": [
        {
            "type": "pointsRedeemed",
            "when": {"path": "nested.cart.b", "in": [True, "5"]},
            "data": {
                "totalPointsRedeemed": {"path": "nested.cart.b", "convert": "absolute"},
                "redemptionFromEarningPrograms": {
                    "each": "nested.cart.a",
                    "as": {"programId": "element.b", "pointsRedeemed": "element.code"},
                },
                "triggeringActivity": {
                    "identifiers": {"pairs": {"a": "fields.text", "b": "fields.count"}},
                    "additionalAttributes": {"path": "nested.cart", "convert": "objectToPairs"},
                },
            },
        },
        {"type": "transactionAdded", "data": {"transactionId": "nested.cart.b"}},
    ],
    "forEach": [
        {
            "type": "pointsTransferredReceived",
            "forEach": "nested.cart.a",
            "when": {"path": "entry.b", "present": True},
            "loyaltyEventId": "entry.code",
            "eventLogId": "fields.count",
            "data": {
                "customerIdentifiers": {"identifiers": "nested.cart.a", "firstName": "entry.value"},
                "transferInitiatingCustomerIdentifiers": {"identifiers": "customer.identifiers"},
                "totalPointsTransferred": {"path": "entry.value", "convert": "hundredthsToAmount"},
            },
        }
    ],
    "days": [
        {
            "type": "tierUpgraded",
            "when": [{"path": "fields.flag", "present": True}],
            "data": {
                "tierExpiryDate": {"path": "fields.text", "convert": "momentToDay"},
                "previousTierNumber": {"path": "fields.count", "convert": "absolute"},
                "notes": {"path": "fields.text", "convert": "commaToDecimal", "default": "x"},
            },
        }
    ],
}


@pytest.mark.parametrize("name", _FEATURES)
def test_repeated_and_conditional_rules_make_what_they_say(name: str) -> None:
    """Arrays, groups, conditions, conversions and other customers come out as described."""
    outcomes: list[bool] = []

    @settings(LAW, max_examples=150)
    @given(_EVENTS)
    def agree(event: dict[str, Any]) -> None:
        outcomes.extend(compared(_FEATURES[name], [event]))

    agree()
    assert True in outcomes
    assert False in outcomes


def compared(made: list[dict[str, Any]], events: list[dict[str, Any]]) -> list[bool]:
    """Map the events both ways; return which of them could be."""
    definition = define(body(*made))
    compiled = compile_rules(definition)
    assert compiled.problems == ()
    assert compiled.rules is not None
    outcomes = []
    for event in events:
        model = Model(definition, event, b"k")
        expected = model.notifications()
        found = map_event(event, key=b"k", rules=compiled.rules)
        outcomes.append(isinstance(found, list))
        if isinstance(found, list):
            assert model.violations == []
            assert repr([(each.value, each.key) for each in found]) == repr(expected)
        else:
            assert list(found) == model.violations
    return outcomes


_BARE: dict[str, Any] = {
    "orgId": 1800,
    "eventId": "e",
    "ingestedAt": NOW_MS,
    "customer": {"identifiers": [], "profile": {}},
    "fields": {},
    "nested": {},
    "trace": {},
}
_VALUES: list[object] = [
    *(None, True, False, 0, 5, -1, 2**31, -(2**31) - 1, 2**53 + 1, 2**63 - 1, -(2**63), NOW_MS),
    *(0.0, -0.0, 5.0, 5.5, -5.5, 1e300, inf, -inf, nan, "", " ", "5", "5.5", "x", "é", "true"),
    *("2025-11-24", "2025-11-24T16:00:00Z", "-0.0"),
]
_JSON_VALUES: list[object] = [*_VALUES, 2**63, -(2**63) - 1, 2**70, [], {}, ["5"]]


@pytest.mark.parametrize(
    "form", [{}, {"default": 1}, {"required": True}, {"default": None}], ids=str
)
@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("billNumber", "x"),
        ("amount", 5),
        ("lineItemCount", 5),
        ("transactionId", "5"),
        ("enteredAt", NOW_MS),
    ],
)
def test_every_value_makes_what_the_leaf_says(
    name: str, default: object, form: dict[str, Any]
) -> None:
    """A value of any class becomes what is needed, or a violation, by whichever way it comes."""
    fields = [_BARE | {"fields": {"text": value, "count": value}} for value in _VALUES]
    texts = [json.dumps(value) for value in _JSON_VALUES]
    nested = [_BARE | {"nested": {"cart": text}} for text in [*texts, "{", "1e999"]]
    inner = [_BARE | {"nested": {"cart": f'{{"a": [{text}]}}'}} for text in texts]
    mapped = []
    for path, events in {
        "fields.text": fields,
        "fields.count": fields,
        "nested.cart": nested,
        "nested.cart.a.0": inner,
    }.items():
        leaf = {"path": path, **form} | ({"default": default} if form.get("default") else {})
        mapped += compared([{"type": "transactionAdded", "data": {name: leaf}}], events)
    assert True in mapped
    assert False in mapped


@pytest.mark.parametrize("name", ["it's", 'a"]', "{x}", "a\\", "%s", "größe", "violations"])
def test_a_name_is_never_part_of_the_program(name: str) -> None:
    """Whatever a definition calls its fields and rules, it is only a name."""
    rule = {
        "type": "transactionAdded",
        "id": name,
        "refId": {"const": name},
        "data": {"billNumber": f"fields.{name}", "customerIdentifiers": {}},
    }
    definition = define(body(rule, fields=[CUSTOMER, field(name, "string")]))
    compiled = compile_rules(definition)
    assert compiled.rules is not None
    event = _BARE | {"fields": {name: "found"}}
    [made] = map_event(event, key=b"k", rules=compiled.rules)
    assert isinstance(made, Notification)
    assert made.value["data"]["billNumber"] == "found"
    assert made.value["refId"] == name
