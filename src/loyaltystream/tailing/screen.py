"""A record as a person reads it: where it lies, when it came, what is in it. Pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rich.text import Text

from loyaltystream.avro.schemas import DEAD_LETTER
from loyaltystream.tailing.decoding import BYTES, JSON, TOMBSTONE, plain
from loyaltystream.tailing.shown import Shown, moment, visible


def render(shown: Shown) -> Text:
    """Return a record's lines, an empty one last."""
    text = Text()
    for line in _lines(shown):
        text.append_text(line).append("\n")
    return text


def _lines(shown: Shown) -> Iterator[Text]:
    record, content = shown.record, shown.content
    yield Text.assemble(
        (f"{visible(shown.topic)}/{record.partition}@{record.offset}", "bold cyan"),
        "  ",
        (moment(record.timestamp_ms) or "no time", "dim"),
        "  ",
        (_bytes(record.key) if record.key is not None else "no key", "bold"),
    )
    if record.headers:
        pairs = "  ".join(f"{visible(name)}={_bytes(value)}" for name, value in record.headers)
        yield Text(f"  {pairs}", style="dim")
    if content.problem is not None:
        yield Text(f"  can't be decoded: {visible(content.problem)}", style="red")
        yield Text(f"  {_string(content.value)}")
    elif content.kind == DEAD_LETTER:
        yield from _letter(content.value)
        if content.locked is not None:
            yield Text(f"  {content.locked}", style="yellow")
    elif content.kind == TOMBSTONE:
        yield Text("  no value (a tombstone)", style="yellow")
    elif content.kind == BYTES:
        yield Text(f"  {_string(content.value)}")
    else:
        yield from _table(content.kind, content.value)


def _table(kind: str, value: object) -> Iterator[Text]:
    if kind != JSON:
        yield Text(f"  {visible(kind)}", style="green")
    text = json.dumps(value, indent=2, ensure_ascii=False)
    yield from (Text(f"  {line}") for line in visible(text, keep="\n").split("\n"))


def _letter(letter: Mapping[str, Any]) -> Iterator[Text]:
    name = letter.get("eventName") or "a record"
    event = f" {letter['eventId']}" if letter.get("eventId") else ""
    org = f" of org {letter['orgId']}" if letter.get("orgId") is not None else ""
    came = "/".join(str(letter.get(f"origin{part}")) for part in ("Topic", "Partition", "Offset"))
    yield Text.assemble(
        "  ",
        (visible(str(letter.get("verdict"))), "bold red"),
        visible(f" at {letter.get('stage')}: {name}{event}{org}, first at {came}"),
        visible(f" ({letter.get('originTimestamp')})"),
    )
    violations = letter.get("violations") or []
    for found in violations:
        yield _violation(found)
    if (more := (letter.get("violationCount") or 0) - len(violations)) > 0:
        yield Text(f"  - and {more} more")
    yield from _original(letter)


def _violation(found: Mapping[str, Any]) -> Text:
    vendor = f" (vendor's {found['vendorCode']})" if found.get("vendorCode") else ""
    path = f" {found['path']}" if found.get("path") else ""
    return Text.assemble(
        "  - ",
        (visible(str(found.get("code"))), "yellow"),
        visible(f"{path}: {found.get('message')}{vendor}"),
    )


def _original(letter: Mapping[str, Any]) -> Iterator[Text]:
    sealed, size = letter.get("value"), letter.get("valueBytes")
    if sealed is None:
        yield Text("  original value: none", style="dim")
        return
    about = f"{size} bytes"
    if letter.get("truncated"):
        about = f"the first part of {about}, SHA-256 {letter.get('valueSha256')}"
    if sealed.get("alg") != "none":
        about += f", sealed by {sealed.get('alg')} with key {sealed.get('keyId')}"
    yield Text(f"  original value ({visible(about)}):", style="dim")
    yield Text(f"    {_string(sealed.get('bytes'))}")


def _bytes(value: bytes | None) -> str:
    return _string(plain(value))


def _string(value: object) -> str:
    """Return what `decoding.plain` made of bytes, on one line."""
    match value:
        case str():
            return visible(value)
        case {"base64": str(encoded)}:
            return f"base64:{encoded}"
        case _:
            return "null"
