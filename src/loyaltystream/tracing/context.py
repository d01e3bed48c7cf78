"""The context that a record's trace goes on from: W3C's header, and ids that are made. Pure.

Ids depend on nothing but what they name. Whoever processes a record again makes the same ones, and
another stage knows them without being told: no header has to change for that.
"""

import re
from hashlib import blake2b
from typing import Final, NamedTuple

_TRACEPARENT: Final = re.compile(
    rb"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?"
)
_VERSION: Final = b"00"
TRACEPARENT_BYTES: Final = 55
"""Of a header of the version that there is."""


class Parent(NamedTuple):
    """What a span belongs to; without a span it is the first of its trace."""

    trace_id: int
    span_id: int | None = None


class Context(NamedTuple):
    """What a header says: whose span goes on, and whether that is recorded."""

    parent: Parent
    is_sampled: bool


def read_traceparent(header: bytes) -> Context | None:
    """Return what a `traceparent` says, or None if it says nothing, as W3C has it."""
    found = _TRACEPARENT.fullmatch(header)
    if found is None or (found[1] == _VERSION and len(header) != TRACEPARENT_BYTES):
        return None
    parent = Parent(int(found[2], 16), int(found[3], 16))
    return Context(parent, is_sampled=bool(int(found[4], 16) & 1))


def write_traceparent(context: Context) -> bytes:
    """Return the header that says a context."""
    trace_id, span_id = context.parent
    return f"00-{trace_id:032x}-{span_id or 0:016x}-{context.is_sampled:02x}".encode()


def made_trace_id(*place: object) -> int:
    """Return the id of a trace that begins there."""
    return _digest(16, "trace", *place)


def made_span_id(*what: object) -> int:
    """Return the id of the span of that work on that record."""
    return _digest(8, "span", *what)


def _digest(size: int, *named: object) -> int:
    text = "/".join(map(str, named)).encode()
    return int.from_bytes(blake2b(text, digest_size=size).digest()) or 1
