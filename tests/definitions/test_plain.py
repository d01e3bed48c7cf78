"""The short way that is made for a definition: what it takes, and what it leaves to the other."""

import zlib
from typing import Any

import msgspec
import pytest

from loyaltystream.avro.behavioral_event import EventEncoder
from loyaltystream.content import END, fields_text
from loyaltystream.definitions.customers import Customer
from loyaltystream.definitions.plain import PlainFields, ReadPlain, compile_plain
from loyaltystream.definitions.psi import STARRED
from loyaltystream.events import PlainEvent
from tests.core import CUSTOMER, EVENT_SCHEMA_ID, VIEWED, define, field, read_event

KEY = "100|mobile|919812345678"


def plain(*fields: dict[str, Any]) -> ReadPlain | None:
    """Return the short way of a definition of these fields."""
    definition = define(VIEWED | {"fields": [CUSTOMER, *fields]})
    return compile_plain(definition, EventEncoder(definition, EVENT_SCHEMA_ID).frame(), STARRED)


def read(way: ReadPlain | None, text: bytes) -> PlainFields | None:
    """Return what the way makes of fields in JSON, all of whose quotation marks count."""
    assert way is not None
    event = PlainEvent("e-1", VIEWED["eventName"], 100, msgspec.Raw(b"{}"), msgspec.Raw(text))
    return way(event, text.count(b'"'), Customer(KEY, KEY.encode(), "\0\0", 0), None, "\0")


def crc(fields: dict[str, Any]) -> int:
    """Return the checksum of the content of an event with these fields."""
    content = f"{VIEWED['eventName']}{END}{KEY}{END}{fields_text(fields)}"
    return zlib.crc32(content.encode("latin-1"))


@pytest.mark.parametrize("name", ['say "x"', "a\\b", "größe"])
def test_a_name_that_needs_care_has_no_short_way(name: str) -> None:
    """Names that JSON escapes, or that are not ASCII, leave all events to the careful way."""
    assert plain(field(name, "string")) is None


@pytest.mark.parametrize("name", ["it's", "{x}", "a=b", "%s", "f0", "fields", "class", "a b", "{{"])
def test_any_other_name_is_only_a_name(name: str) -> None:
    """A name is never part of a program: whatever it holds, it is written as it stands."""
    way = plain(field(name, "string"))
    made = read(way, msgspec.json.encode({name: "x"}))
    assert made is not None
    fingerprint, record, _, _ = made
    assert fingerprint == crc({name: "x"})
    assert name.encode() in record


def test_a_key_that_no_field_accounts_for_takes_care() -> None:
    """A field that is unknown, null or there twice leaves quotation marks over."""
    way = plain(field("sku", "string"))
    assert read(way, b'{"sku":"a"}') is not None
    for text in (b'{"sku":"a","sku":"b"}', b'{"sku":null}', b'{"more":1,"sku":"a"}'):
        assert read(way, text) is None


def test_a_date_with_a_regex_has_to_satisfy_both() -> None:
    """Two conditions on one field are two, on the short way as on the other."""
    way = plain(field("day", "date", regex="2025.*"))
    assert read(way, b'{"day":"2025-01-01"}') is not None
    assert read(way, b'{"day":"2024-01-01"}') is None


def test_a_regex_on_a_number_is_held_against_nothing() -> None:
    """A regular expression is for text; a number does not stop the worker."""
    way = plain(field("price", "double", regex="[0-9]+"))
    assert read(way, b'{"price":5}') is not None


@pytest.mark.parametrize("required", ["true", "false"])
def test_an_object_is_canonical_on_the_short_way(required: str) -> None:
    """Objects are sorted, and numbers in them are by value, whether or not one has to be there."""
    way = plain(field("basket", "json", isRequired=required))
    basket = {"b": [5.0, 1e16, -0.0, 7], "a": {"z": None, "y": True}}
    made = read(way, msgspec.json.encode({"basket": basket}))
    assert made is not None
    fingerprint, record, _, _ = made
    assert fingerprint == crc({"basket": basket})
    assert b'{"a":{"y":true,"z":null},"b":[5,10000000000000000,0,7]}' in record


def test_an_object_of_many_brackets_takes_care() -> None:
    """Whether something is too deep is for the careful way to tell."""
    way = plain(field("basket", "json"))
    assert read(way, b'{"basket":%s}' % (b"[" * 60 + b"]" * 60)) is None


@pytest.mark.parametrize(
    "text", [b'{"n":9007199254740992}', b'{"n":1.5}', b'{"n":true}', b'{"n":"1"}']
)
def test_an_integer_beyond_doubles_or_of_another_type_takes_care(text: bytes) -> None:
    """What has no double of its value, or is no integer, is not plain."""
    assert read(plain(field("n", "integer")), text) is None


def test_no_fields_are_an_empty_map() -> None:
    """A definition of the customer alone has a short way, with nothing in it."""
    made = read(plain(), b"{}")
    assert made is not None
    fingerprint, value, unique, _ = made
    assert (fingerprint, unique) == (crc({}), None)
    content = read_event(value)
    assert (content["fields"], content["nested"]) == ({}, {})
