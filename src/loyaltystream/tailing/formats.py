"""Which form of its records a tail shows, and a notification as the vendor's JSON. Pure."""

from enum import StrEnum
from typing import Final

import msgspec

from loyaltystream.avro.schemas import NOTIFICATION_NAMESPACE
from loyaltystream.errors import ConfigurationError
from loyaltystream.rendering.reader import Refusal, read_value
from loyaltystream.rendering.shapes import Rendering, render
from loyaltystream.tailing.shown import Shown, in_ascii, visible
from loyaltystream.tailing.topics import Asked

_RENDERED: Final = "notifications"
"""The role of the topic that can be rendered."""


class Format(StrEnum):
    """The forms that records are shown in."""

    TABLE = "table"
    JSON = "json"
    FLAT = "flat"
    BODY = "body"
    ATTRIBUTES = "attributes"


class Line(msgspec.Struct, frozen=True):
    """A record in a rendering; or, as `problem`, what of it is not shown and why."""

    text: str | None
    problem: str | None = None


def choose(asked: Asked, named: Format | None, shorthand: Format | None) -> Format:
    """Return the form that a topic is shown in.

    Args:
        asked: the topic.
        named: the form that was named.
        shorthand: the form of the option that has no value.

    Raises:
        ConfigurationError: if two are asked for, or the topic has no such form.
    """
    if named and shorthand and named is not shorthand:
        raise ConfigurationError(f"--{shorthand} and --format {named} are two forms: choose one")
    chosen = named or shorthand or Format.TABLE
    if chosen not in (Format.TABLE, Format.JSON) and asked.role != _RENDERED:
        raise ConfigurationError(
            f"--format {chosen} is for {_RENDERED}, not for {asked.topic}: take json or table"
        )
    return chosen


def to_rendered(shown: Shown, rendering: Rendering) -> Line:
    """Return a notification as one line of the vendor's JSON, in ASCII.

    Its delivery is when its record came into the topic.
    """
    record, content = shown.record, shown.content
    place = f"{shown.topic}/{record.partition}@{record.offset}"
    if content.problem is not None or not content.kind.startswith(f"{NOTIFICATION_NAMESPACE}."):
        return Line(None, _told(place, content.problem or f"it is no notification: {content.kind}"))
    found = read_value(content.value)
    if isinstance(found, Refusal):
        return Line(None, _told(place, f"{found.reason}: {'; '.join(found.details)}"))
    moment_ms = record.timestamp_ms if record.timestamp_ms >= 0 else None
    made = render(found.record, rendering, delivered_ms=moment_ms)
    left_out = ", ".join(found.unread)
    return Line(in_ascii(made), _told(place, f"no key for {left_out}") if left_out else None)


def _told(place: str, why: str) -> str:
    return visible(f"{place}: not rendered: {why}")
