"""What a definition has for plain events of the other dialects, made when it is first asked for.

Pure. The twin of `customers.py` and of what `registry.py` compiles for canonical events.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from loyaltystream.avro.behavioral_event import EventEncoder
from loyaltystream.avro.text import LENGTHS, NULL, SOME, STRINGS, string
from loyaltystream.definitions.customers import Customer
from loyaltystream.definitions.model import EventDefinition, FieldType
from loyaltystream.definitions.plain import ReadPlain, compile_plain
from loyaltystream.dialects import capillary
from loyaltystream.dialects.plain import CAPILLARY, DecodeError, Envelope, People, people_of
from loyaltystream.keys import normalise_identifier, partition_key
from loyaltystream.memo import Memo
from loyaltystream.verdicts import Reason

_REMEMBERED: Final = 16_384


class TheirCustomer(msgspec.Struct, frozen=True, gc=False):
    """A customer as canonical events have her, and her loyalty card as a part of Avro's text."""

    known: Customer
    card: str = NULL


TheirCustomers = Memo[tuple[str, str], Memo[bytes, TheirCustomer | None]]
"""By dialect and country code, and then by her JSON; None: only a careful look can tell."""

TheirCustomersByKind = Memo[tuple[int, str], TheirCustomers]
"""By org and the identifier type that partition keys are made of."""


def their_customers_by_kind() -> TheirCustomersByKind:
    """Return all customers, none of them known yet; definitions of one kind share theirs."""
    return Memo(lambda kind: Memo(lambda asked: _customers(*kind, *asked)))


def _customers(
    org_id: int, needed: str, dialect: str, country_code: str
) -> Memo[bytes, TheirCustomer | None]:
    def read(raw: bytes) -> TheirCustomer | None:
        people = people_of(dialect, raw, needed)
        return None if people is None else _known(people, org_id, needed, country_code)

    return Memo(read, _REMEMBERED)


def _known(people: People, org_id: int, needed: str, country_code: str) -> TheirCustomer | None:
    key, written = None, [LENGTHS[len(people.identifiers)]]
    for kind, text in people.identifiers:
        value = normalise_identifier(kind, text, country_code)
        if isinstance(value, Reason):
            return None
        if key is None and kind == needed:
            key = partition_key(org_id, needed, value)
        written += [STRINGS[kind], string(value), STRINGS["INSTORE"], NULL]
    if key is None:
        return None
    # An array ends with a block of nothing, and so does a map; an empty one is only that.
    written += ["\0", LENGTHS[len(people.profile)] if people.profile else ""]
    written += [STRINGS[name] + string(text) for name, text in people.profile.items()]
    written.append("\0")
    card = SOME + string(people.card) if people.card else NULL
    return TheirCustomer(Customer(key, key.encode(), "".join(written), people.marks), card)


class CapillaryEnvelope(msgspec.Struct, frozen=True):
    """How the envelope of a definition's events is read in Capillary's dialect.

    Attributes:
        decode: of the whole document: attributes `customer`, `occurred_at`, `event_id` if a field
            has that, and `till0`, `till1` and so on; an absent text is empty.
        tills: the latter.
        moment_marks: quotation marks of a time; none if it is a field as well.
        id_marks: the same of an id.
        has_id: whether there is such a field.
    """

    decode: Callable[[bytes], Any]
    tills: tuple[str, ...]
    moment_marks: int
    id_marks: int
    has_id: bool

    def read(self, raw: bytes, name: str) -> tuple[Envelope, list[str]] | None:
        """Return what an event of that name says, and its tills; None: only a careful look."""
        try:
            sent = self.decode(raw)
        except DecodeError:
            return None
        event_id = sent.event_id if self.has_id else ""
        occurred_at = sent.occurred_at
        # Keys: event_name and the customer's. Texts: event_name.
        marks = 6 + (self.moment_marks if occurred_at else 0) + (self.id_marks if event_id else 0)
        tills = [getattr(sent, till) for till in self.tills]
        customer, fields = sent.customer, msgspec.Raw(raw)
        return Envelope(CAPILLARY, name, event_id, occurred_at, customer, fields, marks), tills


class Theirs:
    """What a definition has for plain events of the other dialects.

    Args:
        definition: whose events.
        encoder: of that definition.
        customers: of its kind.
    """

    def __init__(
        self, definition: EventDefinition, encoder: EventEncoder, customers: TheirCustomers
    ) -> None:
        self.customers = customers
        self.read: Memo[tuple[str, str], ReadPlain | None] = Memo(
            lambda told: compile_plain(definition, encoder.their_frame(*told), encoder.psi)
        )
        """By dialect and where the event's id came from."""
        self.envelopes: Memo[str, CapillaryEnvelope | None] = Memo(
            lambda id_field: _envelope(definition, id_field)
        )
        """By the field that has the event's id."""


def _envelope(definition: EventDefinition, id_field: str) -> CapillaryEnvelope | None:
    names = {"customer": definition.customer.name, "occurred_at": capillary.TIME}
    if id_field:
        names["event_id"] = id_field
    fields = [field.name for field in definition.fields if field.type is FieldType.TILL_CODE]
    tills = {f"till{position}": name for position, name in enumerate(fields)}
    names |= tills
    declared = {field.name for field in definition.fields}
    # Each key has one meaning here: its marks are counted once.
    others = {capillary.NAME, capillary.RESOLVER}
    if others & declared or len({*names.values()} | others) < len(names) + len(others):
        return None
    if not all(name.isascii() and not {'"', "\\"} & {*name} for name in names.values()):
        return None
    struct = msgspec.defstruct(
        "Envelope",
        [("customer", msgspec.Raw), *((name, str, "") for name in names if name != "customer")],
        gc=False,
        rename=names,
        kw_only=True,
    )
    return CapillaryEnvelope(
        msgspec.json.Decoder(struct).decode,
        tuple(tills),
        0 if capillary.TIME in declared else 4,
        0 if id_field in declared else 4,
        bool(id_field),
    )
