"""The Create Event API, one request for each row of its documents and for each of its codes."""

from typing import Any

import pytest

from loyaltystream.definitions.limits import VENDOR
from loyaltystream.definitions.model import IDENTIFIER_TYPES, FieldType
from tests.core import VIEWED
from tests.web.conftest import Office, problems

CUSTOMER: dict[str, Any] = {
    "name": "customerMobile",
    "type": "customer",
    "attributes": {"identifierType": {"valueType": "Enum", "value": "mobile"}},
}


def body(*fields: dict[str, Any], **changes: object) -> dict[str, Any]:
    """Return a definition with these fields beside its customer."""
    return {
        "eventName": "hotelReserved",
        "actions": ["EMFConsumer"],
        "fields": [CUSTOMER, *fields],
        **changes,
    }


def attributed(kind: str = "string", **attributes: object) -> dict[str, Any]:
    """Return a field with these attributes as they are."""
    return {"name": "room", "type": kind, "attributes": attributes}


def flag(value: object, value_type: str = "Boolean") -> dict[str, object]:
    """Return an attribute's content."""
    return {"valueType": value_type, "value": value}


def refusals(office: Office, sent: object) -> list[tuple[int | str, str]]:
    """Return what a body is refused for, with status 400, and that it left nothing behind."""
    answer = office.ask("POST", "/v2/events", sent)
    assert answer.status_code == 400, answer.text
    assert office.topic.records == []
    return problems(answer)


def stored(office: Office, sent: dict[str, Any]) -> dict[str, Any]:
    """Return what is shown of an event once it was created."""
    answer = office.post(sent)
    assert (answer.status_code, answer.json()) == (200, {"warnings": [], "errors": []})
    assert answer.headers["x-definition-version"] == "1"
    shown: dict[str, Any] = office.get(f"/v2/events/{sent['eventName']}")
    return shown


def test_event_name(office: Office) -> None:
    """An event goes by its name."""
    shown = stored(office, body(eventName="hotel_Reserved2"))
    assert shown["eventName"] == "hotel_Reserved2"


@pytest.mark.parametrize(
    "actions", [["EMFConsumer"], ["EIConsumer"], ["EIConsumer", "EMFConsumer"]]
)
def test_actions(office: Office, actions: list[str]) -> None:
    """Both destinations can be named, in any order."""
    assert stored(office, body(actions=actions))["actions"] == actions


def test_an_action_that_is_no_list_is_one(office: Office) -> None:
    """The documents call actions an enum, so a single text is taken."""
    assert stored(office, body(actions="EIConsumer"))["actions"] == ["EIConsumer"]


def test_repeated_actions_count_once(office: Office) -> None:
    """Nothing is routed twice."""
    twice = ["EMFConsumer", "EMFConsumer"]
    assert stored(office, body(actions=twice))["actions"] == ["EMFConsumer"]


def test_description(office: Office) -> None:
    """What an event is for can be said."""
    shown = stored(office, body(description="A room was booked"))
    assert shown["description"] == "A room was booked"


@pytest.mark.parametrize("kind", [kind for kind in FieldType if kind != FieldType.CUSTOMER])
def test_field_types(office: Office, kind: str) -> None:
    """Each type can be named in any case, and is shown in capitals."""
    more: dict[str, Any] = {"possibleValues": {"values": ["a"]}} if kind == FieldType.ENUM else {}
    shown = stored(office, body(attributed(kind.swapcase(), **more)))
    assert shown["fields"][1]["type"] == kind.upper()
    assert shown["fields"][1]["name"] == "room"


@pytest.mark.parametrize("value", ["true", "false", "TRUE", True, False])
@pytest.mark.parametrize("attribute", ["isRequired", "isUniqueKeyField"])
def test_flags(office: Office, attribute: str, value: object) -> None:
    """Truth values come as text or as JSON, and are stored as text."""
    shown = stored(office, body(attributed("string", **{attribute: flag(value)})))
    said = shown["fields"][1]["attributes"][attribute]
    assert said == {"valueType": "Boolean", "value": str(value).lower()}


@pytest.mark.parametrize("value", ["true", "false"])
def test_add_customer_if_not_exists(office: Office, value: str) -> None:
    """Whether unknown customers are registered is said at the customer's field."""
    attributes = {**CUSTOMER["attributes"], "addCustomerIfNotExists": flag(value)}
    customer = CUSTOMER | {"attributes": attributes}
    shown = stored(office, body() | {"fields": [customer]})
    assert shown["fields"][0]["attributes"]["addCustomerIfNotExists"]["value"] == value


@pytest.mark.parametrize("kind", IDENTIFIER_TYPES)
def test_identifier_types(office: Office, kind: str) -> None:
    """Each of the thirteen identifier types can be named, in any case."""
    customer = CUSTOMER | {"attributes": {"identifierType": flag(kind.upper(), "ENUM")}}
    shown = stored(office, body() | {"fields": [customer]})
    said = shown["fields"][0]["attributes"]["identifierType"]
    assert said == {"valueType": "Enum", "value": kind}


@pytest.mark.parametrize("value_type", ["Boolean", "BOOLEAN", "Enum", "String", "string", None])
def test_value_types(office: Office, value_type: str | None) -> None:
    """A value's type is one of three, in any case, and may be left out."""
    content = {"value": "true"} if value_type is None else flag("true", value_type)
    shown = stored(office, body(attributed(isRequired=content)))
    assert shown["fields"][1]["attributes"]["isRequired"]["valueType"] == "Boolean"


def test_patterns_and_possible_values(office: Office) -> None:
    """Texts may be bound to a pattern or a list."""
    fields = [
        {"name": "code", "type": "string", "attributes": {"regex": flag("[A-Z]+", "String")}},
        {"name": "tier", "type": "enum", "attributes": {"possibleValues": {"values": ["gold"]}}},
    ]
    shown = stored(office, body(*fields))
    assert shown["fields"][1]["attributes"]["regex"]["value"] == "[A-Z]+"
    assert shown["fields"][2]["attributes"]["possibleValues"]["values"] == ["gold"]


def test_1806_the_name_is_taken(office: Office) -> None:
    """An event is created once; disabled ones keep their name."""
    stored(office, body())
    told = [(1806, "hotelReserved event already exists")]
    again = office.post(body())
    assert (again.status_code, problems(again)) == (400, told)
    assert office.ask("POST", "/v2/events/hotelReserved/disable").status_code == 200
    assert problems(office.post(body())) == told


@pytest.mark.parametrize(
    "actions",
    [None, [], {}, 7, "emfconsumer", ["EMFConsumer", "Other"], [None], [["EMFConsumer"]], ""],
)
def test_1810_actions_are_invalid(office: Office, actions: object) -> None:
    """Anything but the two destinations is refused."""
    told = [(1810, "hotelReserved event actions invalid")]
    assert refusals(office, body(actions=actions)) == told


def test_1810_without_actions(office: Office) -> None:
    """Actions have to be there."""
    sent = body()
    del sent["actions"]
    assert refusals(office, sent) == [(1810, "hotelReserved event actions invalid")]


@pytest.mark.parametrize(
    "name", [None, "", " ", 7, ["a"], "a b", "a-b", "1a", "_a", "a__b", "é", "a" * 101, "a\n"]
)
def test_1811_the_name_is_invalid(office: Office, name: object) -> None:
    """A name begins with a letter; letters, digits and single underscores follow."""
    assert refusals(office, body(eventName=name)) == [(1811, "event name invalid")]


def test_1823_types_are_invalid(office: Office) -> None:
    """All unsupported types are told together, each by its name."""
    fields = [{"name": str(n), "type": kind} for n, kind in enumerate(["tillCod", None, 7])]
    assert refusals(office, body(*fields)) == [
        (1823, "tillCod invalid event field type"),
        (1823, "null invalid event field type"),
        (1823, "7 invalid event field type"),
    ]


@pytest.mark.parametrize(
    ("field", "validation"),
    [
        (attributed(isRequired=None), "isRequired"),
        (attributed(isRequired=flag(None)), "isRequired"),
        (attributed(isRequired={}), "isRequired"),
        (attributed(isRequired=flag("yes")), "isRequired"),
        (attributed(isRequired=flag("false"), isUniqueKeyField=flag("true")), "isRequired"),
        (attributed(isUniqueKeyField=flag(1)), "isUniqueKeyField"),
        (attributed(isRequired=flag("true", "Number")), "valueType"),
        (attributed(regex=flag("(", "String")), "regex"),
        (attributed("enum"), "possibleValues"),
        (attributed("enum", possibleValues={"values": []}), "possibleValues"),
        (attributed(isNew=flag("true")), "isNew"),
        ({"name": None, "type": "string"}, "name"),
        ({"type": "string"}, "name"),
        ({"name": "room", "type": "string", "attributes": 7}, "attributes"),
        ({"name": "room", "type": "string", "attributes": []}, "attributes"),
        ({"name": "room", "type": "string", "attributes": ""}, "attributes"),
    ],
)
def test_1802_an_attribute_is_invalid(
    office: Office, field: dict[str, Any], validation: str
) -> None:
    """The message names the validation that failed."""
    assert refusals(office, body(field)) == [
        (1802, f"field attribute value fails for validation type {validation}")
    ]


@pytest.mark.parametrize(
    ("fields", "validation"),
    [
        ([], "customer"),
        ([CUSTOMER, CUSTOMER | {"name": "other"}], "customer"),
        ([CUSTOMER | {"attributes": {"identifierType": flag("nickname")}}], "identifierType"),
        ([CUSTOMER | {"attributes": {"isPsiData": flag("true")}}], "isPsiData"),
    ],
)
def test_1802_the_customer_is_invalid(
    office: Office, fields: list[dict[str, Any]], validation: str
) -> None:
    """An event has exactly one customer, named by a known identifier, and never as PSI."""
    assert refusals(office, body() | {"fields": fields}) == [
        (1802, f"field attribute value fails for validation type {validation}")
    ]


def test_1802_names_are_used_once(office: Office) -> None:
    """Two fields of one name are told twice."""
    told = refusals(office, body(attributed(), attributed("double")))
    assert [code for code, _ in told] == [1802, 1802]


def test_all_problems_of_a_stage_come_together(office: Office) -> None:
    """Names come before actions, actions before types, types before attributes."""
    wrong = body(attributed("tillCod", isRequired=None), eventName="a b", actions=[])
    assert [code for code, _ in refusals(office, wrong)] == [1811]
    assert [code for code, _ in refusals(office, wrong | {"eventName": "a"})] == [1810]
    sent = wrong | {"eventName": "a", "actions": ["EIConsumer"]}
    assert [code for code, _ in refusals(office, sent)] == [1823]
    fields = [attributed(isRequired=None), {"name": "b", "type": "double", "attributes": {"a": 1}}]
    assert [code for code, _ in refusals(office, body(*fields))] == [1802, 1802]


def test_what_no_word_of_the_vendors_fits_has_one_of_ours(office: Office) -> None:
    """Keys that mean nothing are refused by symbolic codes, and so are rules that can't work."""
    assert refusals(office, body(fiels=[])) == [
        ("UNKNOWN_KEY", "fiels is not part of a definition")
    ]
    rule = {"type": "transactionAdded", "data": {"billNumber": "fields.room"}}
    hidden = body(attributed(isPsiData=flag("true")), notifications=[rule])
    told = "field room has isPsiData, and no notification carries such values"
    assert refusals(office, hidden) == [
        ("NOTIFICATION", f"notifications[0].data.billNumber: {told}")
    ]


def test_a_sensitive_field_is_stored_and_told_of(office: Office) -> None:
    """What is marked so is shown as it was written; fields-meta tells which types may be."""
    shown = stored(office, body(attributed(isPsiData=flag("true"))))
    assert shown["fields"][1]["attributes"] == {"isPsiData": flag("true")}
    meta = office.get("/v2/events/meta")
    may = {one["type"] for one in meta["fields"] if "isPsiData" in one["attributes"]}
    assert may == {"STRING", "DOUBLE", "ENUM", "DATE", "INTEGER"}


def test_1802_no_other_type_may_be_sensitive(office: Office) -> None:
    """A product's name is not hidden: the message names the validation that failed."""
    [(code, text)] = refusals(office, body(attributed("productSku", isPsiData=flag("true"))))
    assert (code, text) == (
        1802,
        "field attribute value fails for validation type isPsiData",
    )


@pytest.mark.parametrize(
    ("sent", "code"),
    [(b"", "EMPTY"), (b"{", "JSON_SYNTAX"), (b"[]", "NOT_OBJECT"), (b'{"a":1,"a":2}', "DUP_KEY")],
)
def test_a_body_that_is_no_object_is_told(office: Office, sent: bytes, code: str) -> None:
    """What is not JSON, or not one object, is refused as events are."""
    headers = {"Authorization": f"Bearer {office.tokens['owner']}"}
    answer = office.client.post("/v2/events", content=sent, headers=headers)
    assert (answer.status_code, [found for found, _ in problems(answer)]) == (400, [code])


def test_a_body_that_is_too_large_is_not_read(office: Office) -> None:
    """A definition takes a mebibyte at most."""
    answer = office.post(body(description="x" * 1_100_000))
    assert (answer.status_code, [code for code, _ in problems(answer)]) == (413, ["SIZE"])


def test_the_vendors_profile_has_the_vendors_types_and_limits() -> None:
    """Other types are no types there; more events, fields or characters are too many."""
    office = Office(VENDOR)
    assert refusals(office, VIEWED) == [
        (1823, f"{kind} invalid event field type")
        for kind in ("integer", "boolean", "enum", "date", "currencyCode", "json")
    ]
    many = [{"name": f"{'n' * 60}{n}", "type": "string"} for n in range(20)]
    answer = office.post(body(*many))
    assert answer.status_code == 422
    assert {code for code, _ in problems(answer)} == {"LIMIT_EXCEEDED"}
    for number in range(10):
        assert office.post(body(eventName=f"event{number}")).status_code == 200
    assert office.post(body(eventName="event10")).status_code == 422
    assert office.post(body(eventName="event9")).status_code == 400  # it is there already
    assert office.post(body(), by="stranger").status_code == 200
