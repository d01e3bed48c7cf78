"""Whatever shape or defect a notification has: it is read as meant, or refused with the reason."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from loyaltystream.rendering.reader import Notification, Refusal, Unreadable, read_text
from loyaltystream.tailing.decoding import plain

_CASES: Final = {path.stem: path for path in sorted((Path(__file__).parent / "cases").glob("*"))}


def known(value: Any) -> Any:
    """Return a record without its nulls and empty arrays."""
    if isinstance(value, dict):
        parts = {name: known(part) for name, part in value.items()}
        return {name: part for name, part in parts.items() if part not in (None, [])}
    return [known(part) for part in value] if isinstance(value, list) else value


def read(text: str | bytes) -> Notification:
    found = read_text(text)
    assert isinstance(found, Notification), found
    return found


@pytest.mark.parametrize("name", _CASES)
def test_a_text_is_read_as_it_is_meant(name: str) -> None:
    """Each text in the files becomes the record that stands beside it, or has that reason."""
    case = json.loads(_CASES[name].read_text())
    found = read_text("\n".join(case["given"]))
    if isinstance(found, Refusal):
        assert found.reason == case["refused"]
        assert case.get("details", list(found.details)) == list(found.details)
    else:
        assert known(plain(found.record)) == case["read"]
        assert list(found.unread) == case.get("unread", [])


def test_every_reason_has_a_case() -> None:
    """Each reason for which a text is no notification is proved by a file."""
    cases = [json.loads(path.read_text()) for path in _CASES.values()]
    assert {case["refused"] for case in cases if "refused" in case} == {*Unreadable}


def test_a_byte_order_mark_is_no_part_of_a_notification() -> None:
    """A file that an editor wrote with a byte order mark is read all the same."""
    text = "\n".join(json.loads(_CASES["six_keys"].read_text())["given"]).encode()
    assert read(b"\xef\xbb\xbf" + text) == read(text)


def test_half_a_surrogate_pair_is_refused() -> None:
    """Text that is not Unicode is no notification, and no error."""
    found = read_text('{"eventName": "\ud800"}')
    assert isinstance(found, Refusal)
    assert found.reason is Unreadable.NOT_JSON
