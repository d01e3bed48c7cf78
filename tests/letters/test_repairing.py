"""Patches, states and signatures: what people and strangers may write."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyaltystream.audit import Place
from loyaltystream.errors import ConfigurationError
from loyaltystream.events import Record
from loyaltystream.letters.repairing import read_patch, repair
from loyaltystream.letters.signing import Replay, Signer
from loyaltystream.letters.state import OPEN, UNKNOWN, LetterState, States, Step, to_output

SIGNER = Signer("a secret of sixteen or more")
REPLAY = Replay("dead/3/17", 2)
PLACE = Place("dead", 3, 17)


@pytest.mark.parametrize(
    "text",
    ["", "{", "5", "null", "[]", "{}", '[{"op": "jump", "path": "/a"}]', '[{"op": "add"}]', "[1]"],
)
def test_what_is_no_patch_is_refused(text: str) -> None:
    """A patch is a list of operations, and a mistake in it is told before anything is kept."""
    with pytest.raises(ConfigurationError, match="JSON patch"):
        read_patch(text)


def test_a_patch_changes_what_it_names_and_no_more() -> None:
    """Whatever the patch does not name stays, to the last digit and in its order."""
    value = '{"b": 9007199254740993, "a": {"text": "caf\u00e9", "none": null}}'.encode()
    mended = repair(value, read_patch('[{"op": "add", "path": "/a/more", "value": [1]}]'))
    assert (
        mended == '{"b":9007199254740993,"a":{"text":"caf\u00e9","none":null,"more":[1]}}'.encode()
    )


@pytest.mark.parametrize(
    ("value", "patch"),
    [
        (b"{", '[{"op": "add", "path": "/a", "value": 1}]'),
        (b"[]", '[{"op": "add", "path": "/a", "value": 1}]'),
        (b"{}", '[{"op": "remove", "path": "/a"}]'),
        (b"{}", '[{"op": "test", "path": "/a", "value": 1}]'),
        (b'{"a": [1]}', '[{"op": "replace", "path": "/a/x", "value": 1}]'),
        (b'{"a": 5}', '[{"op": "add", "path": "/a/b/c", "value": 1}]'),
    ],
)
def test_a_patch_that_does_not_apply_says_so(value: bytes, patch: str) -> None:
    """Bytes that can't be mended are left alone, and why is told."""
    assert isinstance(repair(value, read_patch(patch)), str)


POINTERS = st.lists(st.sampled_from(["a", "b", "0", "-", "", "~0"]), max_size=4).map(
    lambda steps: "".join(f"/{step}" for step in steps)
)
OPERATIONS = st.fixed_dictionaries(
    {
        "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]),
        "path": POINTERS,
        "from": POINTERS,
        "value": st.none() | st.integers() | st.text() | st.just({"a": [1]}),
    }
)


@settings(deadline=None)
@given(st.lists(OPERATIONS, min_size=1, max_size=4))
def test_no_patch_raises(operations: list[dict[str, Any]]) -> None:
    """Whatever a patch asks for, the answer is bytes of JSON or a reason."""
    mended = repair(b'{"a": {"b": [1, {"a": 2}]}, "b": "text"}', operations)
    if isinstance(mended, bytes):
        json.loads(mended)


def test_a_replay_is_known_by_its_signature() -> None:
    """What we signed is a replay, whatever other headers stand beside it."""
    headers = [("a", b"b"), *SIGNER.headers(REPLAY, b"value")]
    assert SIGNER.replay_of(headers, b"value") == REPLAY


@pytest.mark.parametrize("changed", ["replay-of", "replay-attempt", "replay-mac"])
def test_a_changed_claim_counts_for_nothing(changed: str) -> None:
    """Nobody can say of another letter, attempt or value that we sent it."""
    headers = SIGNER.headers(REPLAY, b"value")
    forged = [(name, b"7" if name == changed else content) for name, content in headers]
    lacking = [(name, content) for name, content in headers if name != changed]
    assert SIGNER.replay_of(forged, b"value") is None
    assert SIGNER.replay_of(lacking, b"value") is None
    assert SIGNER.replay_of(headers, b"other") is None
    assert SIGNER.replay_of(headers, None) is None
    assert Signer("another secret of ours").replay_of(headers, b"value") is None


def test_the_last_word_on_a_letter_counts() -> None:
    """Later states take the place of earlier ones, and a tombstone opens a letter again."""
    words = [
        LetterState(Step.REPAIRED, 1, patch=[{"op": "remove", "path": "/a"}]),
        LetterState(Step.REPLAYED, 2, attempt=3),
    ]
    written = [to_output("state", PLACE, word) for word in words]
    records = [Record(0, 0, 0, one.key, one.value) for one in written]
    assert States(records[:1]).of(PLACE) == words[0]
    assert States(records).of(PLACE) == words[1]
    assert States([*records, Record(0, 0, 0, b"3/17", None)]).of(PLACE) == OPEN
    assert States(records).of(Place("dead", 3, 18)) == OPEN


@pytest.mark.parametrize(
    "value", [b"", b"{", b'{"state": "lost"}', b'{"state": "open", "until": 7}', b"[]", b"\xff"]
)
def test_a_state_that_cannot_be_read_is_not_open(value: bytes) -> None:
    """What a newer version said of a letter keeps it from being sent, and hides no other."""
    kept = to_output("state", PLACE, LetterState(Step.DISCARDED, reason="a test"))
    states = States(
        [
            Record(0, 0, 0, kept.key, kept.value),
            Record(0, 1, 0, b"1/1", value),
            Record(0, 2, 0, b"\xff", b"{}"),
        ]
    )
    assert states.unreadable == 2
    assert states.of(Place("dead", 1, 1)) == UNKNOWN
    assert states.of(PLACE).reason == "a test"
