"""A letter in, what JSON says of it out: without whose event it is, unless somebody asks. Pure."""

from base64 import b64encode
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from loyaltystream.dialects.strict_json import ANY_SIZE, parse
from loyaltystream.events import Header
from loyaltystream.letters.letter import Letter, Original
from loyaltystream.letters.signing import PROOF_HEADER, REPLAY_HEADERS
from loyaltystream.letters.state import States, name_of
from loyaltystream.masking import MASK, mask_event, mask_key
from loyaltystream.sealing.originals import PLAIN
from loyaltystream.tailing.decoding import plain
from loyaltystream.verdicts import Violation

_OURS: Final = (REPLAY_HEADERS | {"src", "origin", "traceparent"}) - {PROOF_HEADER}
"""Headers that name no person, whoever wrote them."""


def to_table(letter: Letter, states: States) -> dict[str, Any]:
    """Return what a letter says about its event, without the event."""
    original = letter.original
    return {
        "letter": name_of(letter.place),
        "handled": msgspec.to_builtins(states.of(letter.place)),
        "place": msgspec.to_builtins(letter.place),
        "writtenMs": letter.written_ms,
        "stage": letter.stage,
        "verdict": letter.verdict,
        "orgId": letter.org_id,
        "eventName": letter.event_name,
        "eventId": letter.event_id,
        "definitionVersion": letter.version,
        "origin": msgspec.to_builtins(letter.origin),
        "originMs": letter.origin_ms,
        "violations": msgspec.to_builtins(letter.complaints),
        "violationCount": letter.complaint_count,
        "valueBytes": original.size,
        "truncated": original.truncated,
        "sealed": _seal(original),
    }


def to_whole_table(letter: Letter, states: States, *, reveal: bool) -> dict[str, Any]:
    """Return the same with the event, its key and its headers."""
    value, original = event_of(letter), letter.original
    shown = {
        "event": value if reveal else mask_event(value),
        "key": plain(original.key) if reveal else mask_key(original.key),
        "headers": [
            {"name": name, "value": plain(content)}
            for name, content in shown_headers(original.headers, reveal=reveal)
        ],
    }
    if value is None and reveal and original.value is not None:
        shown["base64"] = b64encode(original.value).decode()
    return {**to_table(letter, states), **shown}


def _seal(original: Original) -> dict[str, Any] | None:
    if original.alg == PLAIN:
        return None
    locked = None if original.locked is None else original.locked.name
    return {"alg": original.alg, "keyId": original.key_id, "locked": locked}


def event_of(letter: Letter) -> Any:  # noqa: ANN401 (any JSON value)
    """Return the event as JSON has it, or None if its bytes are none, sealed, or no JSON."""
    if letter.original.value is None:
        return None
    parsed = parse(letter.original.value, max_bytes=ANY_SIZE)
    return None if isinstance(parsed, Violation) else parsed


def shown_headers(headers: Sequence[Header], *, reveal: bool) -> list[Header]:
    """Return the original headers, those of strangers masked unless somebody asks."""
    return [
        (name, content if reveal or name in _OURS else MASK.encode()) for name, content in headers
    ]
