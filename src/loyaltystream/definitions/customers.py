"""The customer of a plain event in, her key and her Avro text out; those who recur are remembered.

Pure. Customers come in bursts, and most events are of few of them: what is made of the JSON of one
is kept for a while, which saves two of the eight microseconds that reading an event takes.
"""

from typing import Final

import msgspec

from loyaltystream.avro.text import LENGTHS, STRINGS, optional_string, string
from loyaltystream.events import PlainCustomer
from loyaltystream.keys import normalise_identifier, partition_key
from loyaltystream.memo import Memo
from loyaltystream.verdicts import Reason

_REMEMBERED: Final = 16_384
_END_OF_CUSTOMER: Final = "\0\0"
"""Ends the array of identifiers, and is an empty profile."""

_decode = msgspec.json.Decoder(PlainCustomer).decode


class Customer(msgspec.Struct, frozen=True, gc=False):
    """What an event needs of its customer.

    Attributes:
        key: the partition key.
        key_bytes: the same, encoded.
        people: the whole Avro record of the customer, as ASCII text.
        marks: how many quotation marks of the JSON they account for.
    """

    key: str
    key_bytes: bytes
    people: str
    marks: int


Customers = Memo[bytes, Customer | None]
"""The customers of one org by their JSON; None: only a careful look can tell."""


CustomersByKind = Memo[tuple[int, str], Memo[str, Customers]]
"""By org and the identifier type that partition keys are made of, and then by country code."""


def customers_by_kind() -> CustomersByKind:
    """Return all customers, none of them known yet; definitions of one kind share theirs."""
    return Memo(lambda kind: Memo(lambda country_code: _customers(*kind, country_code)))


def _customers(org_id: int, needed: str, country_code: str) -> Customers:
    return Memo(lambda raw: _read(raw, org_id, needed, country_code), _REMEMBERED)


def _read(raw: bytes, org_id: int, needed: str, country_code: str) -> Customer | None:
    try:
        identifiers = _decode(raw).identifiers
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    key = None
    people, marks = [LENGTHS[len(identifiers)]], 0
    for known in identifiers:
        value = normalise_identifier(known.type, known.value, country_code)
        if isinstance(value, Reason) or not known.type:
            return None
        if key is None and known.type.lower() == needed.lower():
            key = partition_key(org_id, needed, value)
        # Two marks a key and two a text.
        marks += 8 + 4 * (known.source is not None) + 4 * (known.accountId is not None)
        source, account = STRINGS[known.source or "INSTORE"], optional_string(known.accountId)
        people += [STRINGS[known.type], string(value), source, account]
    people.append(_END_OF_CUSTOMER)
    return None if key is None else Customer(key, key.encode(), "".join(people), marks)
