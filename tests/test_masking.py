"""What is left of events and keys when nobody may see whose they are."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyaltystream.masking import MASK, mask_event, mask_key
from tests.core import event


@pytest.mark.parametrize(
    ("key", "masked"),
    [
        (None, None),
        (b"1800|mobile|919812345678", "1800|mobile|***"),
        (b"1800|externalId|a|b", "1800|externalId|***"),
        (b"919812345678", MASK),
        (b"919812345678|x", MASK),
        (b"a|mobile|1", MASK),
        (b"1800|mo bile|1", MASK),
        (b"\xff", MASK),
        (b"", MASK),
    ],
)
def test_a_key_keeps_its_org_and_kind(key: bytes | None, masked: str | None) -> None:
    """Of a partition key org and kind are seen, of any other key nothing."""
    assert mask_key(key) == masked


def test_a_canonical_event_loses_its_customer() -> None:
    """Of an event all is seen but who it is about."""
    whole = event(
        customer={
            "identifiers": [{"type": "mobile", "value": "919812345678", "source": "INSTORE"}],
            "profile": {"name": "Asha", "likes": ["tea", 5], "member": True},
        },
        loyaltyCard={"code": "L-1"},
    )
    masked = mask_event(whole, ())
    assert masked["customer"] == {
        "identifiers": [{"type": "mobile", "value": MASK, "source": "INSTORE"}],
        "profile": {"name": MASK, "likes": [MASK, MASK], "member": True},
    }
    assert masked["loyaltyCard"] == {"code": MASK}
    assert masked["fields"] == whole["fields"]


def test_what_has_a_sensitive_name_is_hidden_wherever_it_stands() -> None:
    """A letter's event may have its fields anywhere: a sensitive name hides what stands there."""
    secret = {"pan": {"number": "4929"}, "source": "4929", "bank": "Alpine"}
    names = {"pan", "source"}
    masked = mask_event(event(fields=secret, more=[secret]), names)
    hidden = {"pan": MASK, "source": MASK, "bank": "Alpine"}
    assert (masked["fields"], masked["more"]) == (hidden, [hidden])
    flat = mask_event({"event_name": "cardLinked", **secret}, names)
    assert flat == {"event_name": MASK, "pan": MASK, "source": MASK, "bank": MASK}
    assert mask_event(event(fields={"pan": None}), names)["fields"] == {"pan": None}


LEAVES = st.none() | st.booleans() | st.integers() | st.text()
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@settings(deadline=None)
@given(VALUES)
def test_any_other_value_loses_all_leaves(value: Any) -> None:
    """Of a value in no known form only its shape is seen."""
    if isinstance(value, dict) and isinstance(value.get("fields"), dict):
        return
    assert _leaves(mask_event(value, ())) <= {MASK, None, True, False}


def _leaves(value: Any) -> set[Any]:
    if isinstance(value, dict):
        return {leaf for name, child in value.items() if name != "type" for leaf in _leaves(child)}
    if isinstance(value, list):
        return {leaf for child in value for leaf in _leaves(child)}
    return {value}
