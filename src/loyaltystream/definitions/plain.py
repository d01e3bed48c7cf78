"""A definition in, generated functions for the usual kind of its events out: the hot path.

Pure. An event is plain when its fields are declared, of their very type, and all ASCII without
escapes; then decoding, content and encoding are straight-line code made for this definition. What
is not plain goes to `checking.py`, which gives the same result (a property test holds them to it).
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec

from loyaltystream.avro.behavioral_event import Frame
from loyaltystream.avro.text import GROUPS, HIGH, LENGTHS, NULL, zigzag
from loyaltystream.content import END, canonical_json
from loyaltystream.definitions.customers import Customer
from loyaltystream.definitions.model import EventDefinition, Shape
from loyaltystream.definitions.pieces import Piece, literal
from loyaltystream.definitions.psi import Psi, Side
from loyaltystream.events import PlainEvent

# What msgspec takes in no field's name.
_UNNAMEABLE: Final = frozenset('"\\')

_FLAT_ENOUGH: Final = 48
"""So many brackets are surely not too deep."""

_DOUBLE_TOKEN: Final = re.compile(rb"[:,\[]-?[0-9]+[.eE]")
_encode = msgspec.json.Encoder(order="sorted").encode

PlainFields = tuple[int, bytes, tuple[str, ...] | None, bytes | None]
"""What is made of plain fields: the content's fingerprint, the Avro record, the canonical texts of
the unique key or None, and the masked record where that is another."""

ReadPlain = Callable[[PlainEvent, int, Customer, int | None, str], PlainFields | None]
"""Reads the fields of an event; None: only a careful look can tell.

Takes the event, how many quotation marks of its fields have to be accounted for (two a key and two
a text), its customer, when it occurred in epoch milliseconds if that was supplied, and when it
arrived as Avro text.
"""


def compile_plain(definition: EventDefinition, frame: Frame, psi: Psi) -> ReadPlain | None:
    """Return the reader made for this definition, or None where none of its events can be plain."""
    ordered = sorted(definition.fields, key=lambda field: field.name)
    names_used = [definition.event_name, *(field.name for field in ordered)]
    if not all(name.isascii() and _UNNAMEABLE.isdisjoint(name) for name in names_used):
        return None
    conceal = psi.concealers(definition).get
    pieces = [Piece(place, field, conceal(field.name)) for place, field in enumerate(ordered)]
    fields = msgspec.defstruct(
        "Fields",
        [piece.struct_field() for piece in pieces],
        gc=False,
        rename={piece.attribute: piece.field.name for piece in pieces},
        kw_only=True,
    )
    names: dict[str, Any] = {
        "HEAD_SUPPLIED": frame.head_supplied,
        "HEAD_INGEST": frame.head_ingest,
        "TAIL": frame.tail,
        "TILL": frame.till,
        "DECODE": msgspec.json.Decoder(fields).decode,
        "ERROR": msgspec.MsgspecError,
        "LENGTHS": LENGTHS,
        "COUNTS": ("", *LENGTHS[1:]),
        "GROUPS": GROUPS,
        "HIGH": HIGH,
        "LONG": zigzag,
        "CRC": zlib.crc32,
        "PACK": struct.Struct("<d").pack,
        "NULL": NULL,
        "LATIN": "latin-1",
        "TRUTHS": {True: "true", False: "false"},
        "BITS": {True: "\x01", False: "\x00"},
        "NEST": _nest,
        **{name: matcher for piece in pieces for name, matcher in piece.matchers().items()},
        **{name: conceal for piece in pieces for name, conceal in piece.concealers().items()},
    }
    exec(_source(pieces, definition, psi.sides(definition)), names)  # noqa: S102 (the source is ours, names are escaped)
    read: ReadPlain = names["read"]
    return read


def _source(pieces: Sequence[Piece], definition: EventDefinition, sides: Sequence[Side]) -> str:
    """Return a function of two bodies: one for events that have every field, and one for all.

    The first has nothing to decide, which saves a third; most sources fill in all that they know.
    """
    optional = [piece for piece in pieces if not piece.field.required]
    complete = " and ".join(f"{piece.value} is not None" for piece in optional) or "True"
    return "\n".join(
        [
            "def read(event, quotes, customer, occurred_ms, arrived):",
            "    try: fields = DECODE(event.fields)",
            "    except ERROR: return None",
            "    if occurred_ms is None:",
            "        start, moment = HEAD_INGEST, arrived",
            "    else:",
            "        folded = occurred_ms << 1",
            "        start = HEAD_SUPPLIED",
            "        moment = (",
            "            GROUPS[folded & 127] + GROUPS[folded >> 7 & 127] + HIGH[folded >> 14]",
            "        )",
            "    event_id, till = event.eventId, event.tillCode",
            "    end = TILL(till) if till else NULL",
            *(f"    {piece.value} = fields.{piece.attribute}" for piece in pieces),
            f"    if {complete}:",
            *(f"        {line}" for line in _body(pieces, definition, sides, may_lack=())),
            "    else:",
            *(f"        {line}" for line in _body(pieces, definition, sides, may_lack=optional)),
        ]
    )


def _body(
    pieces: Sequence[Piece],
    definition: EventDefinition,
    sides: Sequence[Side],
    *,
    may_lack: Sequence[Piece],
) -> Iterator[str]:
    """Yield statements that return what is made of the values, some of which may be None."""
    yield f"quotes -= {sum(piece.marks for piece in pieces if piece not in may_lack)}"
    for piece in pieces:
        if piece not in may_lack:
            yield from piece.preparation()
            continue
        entries = {piece.entry_name(side): piece.entry(side) for side in sides}
        yield f"if {piece.value} is None: {' = '.join([piece.content_name, *entries])} = ''"
        yield "else:"
        yield f"    quotes -= {piece.marks}"
        yield from (f"    {line}" for line in piece.preparation())
        yield f"    {piece.content_name} = f'{piece.content()}'"
        yield from (f"    {name} = f'{entry}'" for name, entry in entries.items())
    conditions = [condition for piece in pieces for condition in piece.conditions()]
    yield f"if not ({' and '.join(['not quotes', *conditions])}): return None"
    content = [f"{{{p.content_name}}}" if p in may_lack else p.content() for p in pieces]
    yield "return ("
    before = literal(definition.event_name + END) + "{customer.key}" + literal(END)
    yield f"    CRC(f'{before}{''.join(content)}'.encode(LATIN)),"
    record, *masked = [_record(pieces, side, may_lack) for side in sides]
    yield f"    {record},"
    by_name = {piece.field.name: piece for piece in pieces}
    unique = [_unique_text(by_name[field.name]) for field in definition.unique_fields]
    yield f"    {'(' + ', '.join(unique) + ',)' if unique else 'None'},"
    yield f"    {masked[0] if masked else None},"
    yield ")"


def _record(pieces: Sequence[Piece], side: Side, may_lack: Sequence[Piece]) -> str:
    """Return the expression of one side's Avro record."""
    scalars = [piece for piece in pieces if piece.field.shape is not Shape.NESTED]
    objects = [piece for piece in pieces if piece.field.shape is Shape.NESTED]
    maps = _map(scalars, side, may_lack) + _map(objects, side, may_lack)
    about = "{start}{LENGTHS[len(event_id)]}{event_id}{moment}{arrived}{customer.people}"
    return f"f'{about}{maps}{{end}}{{TAIL}}'.encode(LATIN)"


def _map(pieces: Sequence[Piece], side: Side, may_lack: Sequence[Piece]) -> str:
    """Return the part of an f-string that is an Avro map."""
    present = [f"({piece.value} is not None)" for piece in pieces if piece in may_lack]
    entries = "".join(
        f"{{{piece.entry_name(side)}}}" if piece in may_lack else piece.entry(side)
        for piece in pieces
    )
    sure = len(pieces) - len(present)
    if not present:
        return f"{literal(LENGTHS[sure])}{entries}\\0" if sure else "\\0"
    count = " + ".join([str(sure), *present])
    # A map without entries has no block, only the end.
    head = "{LENGTHS[" + count + "]}" if sure else "{COUNTS[" + count + "]}"
    return f"{head}{entries}\\0"


def _nest(value: dict[str, Any] | list[Any]) -> tuple[str | None, int]:
    """Return an object or array as canonical JSON, and how many quotation marks it has inside.

    No text: only a careful look can tell.
    """
    try:
        encoded = _encode(value)
    except (OverflowError, RecursionError):
        return None, 0
    if encoded.count(b"{") + encoded.count(b"[") > _FLAT_ENOUGH:
        return None, 0
    # The quick encoder writes some doubles otherwise than by value: 5.0, 1e16.
    exact = _DOUBLE_TOKEN.search(encoded) is None
    return encoded.decode() if exact else canonical_json(value), encoded.count(b'"')


def _unique_text(piece: Piece) -> str:
    if piece.field.shape is Shape.TEXT:
        return f"'\"' + {piece.value}.strip()"
    return f"f'{piece.text()}'"
