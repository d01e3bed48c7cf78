"""Which notifications are sent again: by time, type, org and customer. Pure.

A notification's time is that of its record: when subscribers could read it first. `createdAt` may
be days older, as after the replay of a dead letter.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from loyaltystream.events import TYPE_HEADER, Record
from loyaltystream.reemit.customer import Customer

ORG_HEADER: Final = "ce_source"
UNTOLD: Final = "unknown"
"""The type of a record that does not tell it: not one of ours."""

Read = Callable[[bytes | None], dict[str, Any] | str]
"""Decodes a notification, or says why it can't."""


class Choice(msgspec.Struct, frozen=True):
    """What is meant; what is None or empty chooses nothing.

    Attributes:
        since_ms: written at that moment or later.
        until_ms: written before that moment.
        types: one of these.
    """

    since_ms: int | None = None
    until_ms: int | None = None
    types: frozenset[str] = frozenset()
    org_id: int | None = None
    customer: Customer | None = None

    def takes(self, record: Record, read: Read) -> bool | str:
        """Say whether a record is meant, or why that can't be told."""
        written_ms = record.timestamp_ms
        if self.since_ms is not None and written_ms < self.since_ms:
            return False
        if self.until_ms is not None and written_ms >= self.until_ms:
            return False
        if self.types and type_of(record) not in self.types:
            return False
        if self.org_id is not None and _org_of(record) != str(self.org_id):
            return False
        if self.customer is None:
            return True
        found = read(record.value)
        return found if isinstance(found, str) else self.customer.owns(record.key, found)

    def parts(self) -> list[bytes]:
        """Return it in parts, for a proof: they hold whose notifications are meant."""
        types = ",".join(sorted(self.types))
        listed = (self.since_ms, self.until_ms, types, self.org_id)
        customer = self.customer
        named = (customer.kind, customer.value) if customer else (None, None)
        return [str(part).encode() for part in (*listed, *named)]


def type_of(record: Record) -> str:
    """Return the type of notification in a record, as its header has it."""
    told = record.header(TYPE_HEADER) or b""
    return told.decode(errors="replace").rpartition(".")[2] or UNTOLD


def _org_of(record: Record) -> str:
    told = record.header(ORG_HEADER) or b""
    return told.decode(errors="replace").rpartition("/")[2]
