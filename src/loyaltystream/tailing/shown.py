"""A record as it is shown, and its one line for programs. Pure.

Records hold what strangers wrote: here everything that could steer a terminal or forge a line of a
log leaves as a visible escape.
"""

import json
import unicodedata
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from loyaltystream.events import Record
from loyaltystream.tailing.decoding import Content, plain

_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINERS: Final = frozenset("\u200c\u200d")
"""Scripts of India and emoji need these to look right; alone they change no order."""


class Shown(msgspec.Struct, frozen=True):
    """A record of a topic with what is in it."""

    topic: str
    record: Record
    content: Content


def visible(text: str, *, keep: str = "") -> str:
    """Return `text` with every control, direction and unassigned character as an escape.

    Args:
        text: from anywhere.
        keep: characters that are left alone all the same.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character
        if character in keep or character in _JOINERS or not _steers(character)
        else _escape(character)
        for character in text
    )


def moment(timestamp_ms: int) -> str | None:
    """Return a record's time, UTC, or None where it has none, which is below 0."""
    if timestamp_ms < 0:
        return None
    try:
        when = datetime.fromtimestamp(timestamp_ms / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return f"{timestamp_ms} ms"  # beyond the year 9999
    return when.isoformat(timespec="milliseconds")[:-6] + "Z"


def to_line(shown: Shown) -> str:
    """Return a record as one line of JSON in ASCII."""
    record, content = shown.record, shown.content
    table: dict[str, Any] = {
        "topic": shown.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": moment(record.timestamp_ms),
        "key": plain(record.key),
        "headers": [{"name": name, "value": plain(value)} for name, value in record.headers],
        "kind": content.kind,
        "value": content.value,
    }
    if content.problem is not None:
        table["problem"] = content.problem
    if content.locked is not None:
        table["locked"] = content.locked
    return in_ascii(table)


def in_ascii(value: object) -> str:
    """Return JSON on one line, in which no character steers a terminal."""
    return json.dumps(value).replace("\x7f", "\\u007f")


def _steers(character: str) -> bool:
    return unicodedata.category(character) in _UNSEEN


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
