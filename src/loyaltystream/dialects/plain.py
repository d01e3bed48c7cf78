"""Events of the other dialects of the usual kind, at the speed of a typed decoder. Pure.

Only what surely means the same as in the careful reading is taken: texts without escapes, no key
that is unknown, sent twice or null. Quotation marks prove that: each key and each text has two, and
`marks` says how many were accounted for (`validation/theirs.py`).
"""

from typing import Any, Final

import msgspec

from loyaltystream.content import number_text
from loyaltystream.dialects.inspection import MAX_NAME_CHARACTERS
from loyaltystream.dialects.sources import Dialect
from loyaltystream.dialects.voucherify import MAX_EVENT_CHARACTERS

_NONE: Final = msgspec.Raw()
_EMPTY: Final = msgspec.Raw(b"{}")
_WIDTH: Final = 8
"""So far behind the key the value of `event` begins, however it is spaced."""


CAPILLARY: Final = Dialect.CAPILLARY.value
OPEN_LOYALTY: Final = Dialect.OPEN_LOYALTY.value
VOUCHERIFY: Final = Dialect.VOUCHERIFY.value
"""As plain texts: asking an enum for its hash costs more than a lookup."""


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """What an event says around its fields.

    Attributes:
        dialect: that it is written in.
        name: of the event, as its producer calls it.
        event_id: empty where there is none.
        occurred_at: a local time as text; empty: there is none.
        customer: the JSON of its customer.
        fields: the JSON that has its fields.
        marks: how many quotation marks all of that has, the customer's and fields' apart.
        card: a loyalty card's code.
        referral: code and referrer, each empty where there is none.
    """

    dialect: str
    name: str
    event_id: str
    occurred_at: str
    customer: msgspec.Raw
    fields: msgspec.Raw
    marks: int
    card: str = ""
    referral: tuple[str, str] = ("", "")


class _Sent(msgspec.Struct, frozen=True, gc=False):
    type: str
    eventDate: str  # noqa: N815 (their spelling)
    customerData: msgspec.Raw  # noqa: N815
    eventId: str = ""  # noqa: N815
    body: msgspec.Raw = _NONE


class _OpenLoyalty(msgspec.Struct, frozen=True, gc=False):
    event: _Sent


class _Referral(msgspec.Struct, frozen=True, gc=False):
    code: str = ""
    referrer_id: str = ""


class _Card(msgspec.Struct, frozen=True, gc=False):
    code: str = ""


class _Voucherify(msgspec.Struct, frozen=True, gc=False):
    event: str
    customer: msgspec.Raw
    metadata: msgspec.Raw = _NONE
    referral: _Referral | None = None
    loyalty: _Card | None = None


class _Capillary(msgspec.Struct, frozen=True, gc=False):
    event_name: str


class People(msgspec.Struct, frozen=True, gc=False):
    """A customer: types and values of her identifiers, and what else is said of her."""

    identifiers: list[tuple[str, str]]
    profile: dict[str, str]
    marks: int
    card: str = ""


class _Member(msgspec.Struct, frozen=True, gc=False):
    customerId: str = ""  # noqa: N815
    email: str = ""
    phone: str = ""
    loyaltyCardNumber: str = ""  # noqa: N815


class _Customer(msgspec.Struct, frozen=True, gc=False):
    id: str = ""
    source_id: str = ""
    email: str = ""
    phone: str = ""
    birthdate: str = ""
    birthday: str = ""
    description: str = ""
    name: str = ""


_decode_open_loyalty = msgspec.json.Decoder(_OpenLoyalty).decode
_decode_voucherify = msgspec.json.Decoder(_Voucherify).decode
_decode_capillary = msgspec.json.Decoder(_Capillary).decode
_decode_member = msgspec.json.Decoder(_Member).decode
_decode_customer = msgspec.json.Decoder(_Customer).decode
_decode_value = msgspec.json.Decoder(str | int).decode

DecodeError: Final = (msgspec.MsgspecError, ValueError, RecursionError)


def shape_of(raw: bytes) -> str | None:
    """Return the dialect of a JSON object, if it has the shape of one of the other dialects.

    It may have another shape after all; then it does not decode.
    """
    at = raw.find(b'"event"')
    if at < 0:
        return CAPILLARY if b'"event_name"' in raw else None
    value = raw[at + 7 : at + 7 + _WIDTH].lstrip(b" :\t\r\n")
    return OPEN_LOYALTY if value[:1] == b"{" else VOUCHERIFY


def open_loyalty(raw: bytes) -> Envelope | None:
    """Return what an event of Open Loyalty says, or None."""
    try:
        sent = _decode_open_loyalty(raw).event
    except DecodeError:
        return None
    if not 0 < len(sent.type) <= MAX_NAME_CHARACTERS or not sent.eventDate:
        return None
    # Keys: event, type, eventDate, customerData. Texts: type, eventDate.
    marks = 12 + (4 if sent.eventId else 0) + (2 if sent.body else 0)
    body = sent.body or _EMPTY
    return Envelope(
        OPEN_LOYALTY, sent.type, sent.eventId, sent.eventDate, sent.customerData, body, marks
    )


def voucherify(raw: bytes) -> Envelope | None:
    """Return what an event of Voucherify says, or None; headers have its id and time."""
    try:
        sent = _decode_voucherify(raw)
    except DecodeError:
        return None
    if not 0 < len(sent.event) <= MAX_EVENT_CHARACTERS:
        return None
    # Keys: event, customer. Texts: event.
    marks = 6 + (2 if sent.metadata else 0)
    referral, card = ("", ""), ""
    if sent.loyalty is not None:
        card = sent.loyalty.code
        marks += 6 if card else 2
    if sent.referral is not None:
        referral = sent.referral.code, sent.referral.referrer_id
        marks += 2 + 4 * len([text for text in referral if text])
    metadata = sent.metadata or _EMPTY
    return Envelope(VOUCHERIFY, sent.event, "", "", sent.customer, metadata, marks, card, referral)


def capillary_name(raw: bytes) -> str | None:
    """Return the name of an event of Capillary, or None; its definition tells the rest."""
    try:
        name = _decode_capillary(raw).event_name
    except DecodeError:
        return None
    return name if 0 < len(name) <= MAX_NAME_CHARACTERS else None


def people_of(dialect: str, raw: bytes, identifier_type: str) -> People | None:
    """Return a customer, or None if only a careful look can tell.

    Args:
        dialect: what her JSON is written in.
        raw: that JSON.
        identifier_type: the definition's, which Capillary does not send.
    """
    try:
        if dialect == OPEN_LOYALTY:
            return _member(_decode_member(raw))
        if dialect == VOUCHERIFY:
            return _customer(_decode_customer(raw))
        value = _decode_value(raw)
        marks = 2 if isinstance(value, str) else 0
        text = value if isinstance(value, str) else number_text(value)
        return People([(identifier_type, text)], {}, marks)
    except DecodeError:
        return None


def _member(sent: _Member) -> People:
    identifiers = [
        (kind, value)
        for kind, value in (
            ("userId", sent.customerId),
            ("email", sent.email),
            ("mobile", sent.phone),
            ("cardnumber", sent.loyaltyCardNumber),
        )
        if value
    ]
    return People(identifiers, {}, 4 * len(identifiers), sent.loyaltyCardNumber)


def _customer(sent: _Customer) -> People | None:
    if sent.id and sent.source_id:
        return None
    identifiers = [
        (kind, value)
        for kind, value in (
            ("userId", sent.id),
            ("externalId", sent.source_id),
            ("email", sent.email),
            ("mobile", sent.phone),
        )
        if value
    ]
    known = {
        "birthdate": sent.birthdate,
        "birthday": sent.birthday,
        "description": sent.description,
        "name": sent.name,
    }
    profile = {name: text for name, text in known.items() if text}
    return People(identifiers, profile, 4 * (len(identifiers) + len(profile)))


def canonical_text(raw: bytes) -> str | None:
    """Return the whole object as canonical JSON, or None if only a careful look can tell.

    Takes ASCII without escapes. What was not decoded above may be no JSON after all.
    """
    try:
        text = _encode(_decode_all(raw))
    except (OverflowError, *DecodeError):
        return None
    # Whole numbers of any length are written digit by digit, but for the very long.
    return None if _LONG in text.translate(_DIGITS) else text.decode()


def _by_value(digits: str) -> float:
    """Return a number that the encoder writes by value; 5.0 is 5."""
    number = float(digits)
    if number.is_integer() and -_EXACT < number < _EXACT:
        return int(number)
    if not _SMALLEST <= abs(number) < _EXACT:
        raise ValueError(digits)  # written with an exponent, or digit by digit
    return number


_EXACT: Final = 10**15
_SMALLEST: Final = 0.0001
_DIGITS: Final = bytes.maketrans(b"123456789", b"000000000")
_LONG: Final = b"0" * 20
_encode = msgspec.json.Encoder(order="sorted").encode
_decode_all = msgspec.json.Decoder(dict[str, Any], float_hook=_by_value).decode
