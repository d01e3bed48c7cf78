"""How a golden case writes down a record: as text, as bytes, or as a change of the good event."""

import copy
import json
from collections.abc import Mapping
from typing import Any

from loyaltystream.events import Check, Header, Record
from loyaltystream.letters.signing import Release, Replay
from tests.core import GOOD, NOW_MS
from tests.why.world import SIGNER


def to_record(written: Mapping[str, Any], offset: int) -> Record:
    """Return the record that a case means.

    Beside its value it may name `key`, `headers` (name to text) and `timestamp_ms`. A timestamp
    and `shift_ms` are relative: the broker's usual time, moved. `released` names checks: the record
    releases the letter `dead/0/7`, and is spared them by our signature.
    """
    headers: list[Header] = [
        (name, text.encode()) for name, text in written.get("headers", {}).items()
    ]
    if "released" in written:
        release = Release("dead/0/7", frozenset(map(Check, written["released"])))
        headers += SIGNER.headers(Replay("dead/0/7", 1, release), to_bytes(written) or b"")
    key = written.get("key")
    timestamp_ms = written.get("timestamp_ms", NOW_MS + written.get("shift_ms", 0))
    value = to_bytes(written)
    return Record(0, offset, timestamp_ms, None if key is None else to_part(key), value, headers)


def to_bytes(written: Mapping[str, Any]) -> bytes | None:
    """Return a record's value: `null`, bytes, `json`, or the good event `with`, `without` keys."""
    if "null" in written:
        return None
    if written.keys() & {"text", "hex", "repeat", "join"}:
        return to_part(written)
    if "json" in written:
        return json.dumps(written["json"], ensure_ascii=False).encode()
    event = copy.deepcopy(GOOD)
    for path, value in written.get("with", {}).items():
        _put(event, path.split("."), value)
    for path in written.get("without", []):
        *way, last = path.split(".")
        del _walk(event, way)[_step(last)]
    return json.dumps(event, ensure_ascii=False).encode()


def to_part(written: Any) -> bytes:
    """Return `"text"`, or `text`, `hex`, `{"repeat": [part, n]}`, or a `join` of parts."""
    if isinstance(written, str):
        return written.encode()
    if "text" in written:
        return str(written["text"]).encode()
    if "hex" in written:
        return bytes.fromhex(written["hex"])
    if "repeat" in written:
        part, times = written["repeat"]
        return bytes(to_part(part) * int(times))
    return b"".join(map(to_part, written["join"]))


def _put(event: dict[str, Any], way: list[str], value: Any) -> None:
    place = _walk(event, way[:-1])
    # A text may be given in the notation of parts: long ones would fill the file.
    long = isinstance(value, dict) and value.keys() <= {"repeat", "join"} and value
    place[_step(way[-1])] = to_part(value).decode() if long else value


def _walk(value: Any, way: list[str]) -> Any:
    for step in way:
        value = value[_step(step)]
    return value


def _step(step: str) -> str | int:
    return int(step) if step.isdigit() else step
