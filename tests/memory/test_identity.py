"""From event ids and unique keys to 16 bytes."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.memory.identity import Identity, to_array
from tests.core import IDENTITY
from tests.laws.strategies import LAW

UUID = "0b6f3c1e-8d1f-4b52-9f6e-2d0c6f1f4a11"


@LAW
@given(st.sets(st.uuids(), min_size=2, max_size=5))
def test_uuids_of_an_org_never_collide(uuids: set[object]) -> None:
    """Ids of the usual form keep all their bits, under one mask an org."""
    ids = {str(uuid): int.from_bytes(IDENTITY.event_id(1800, str(uuid))) for uuid in uuids}
    for (one, its), (other, others) in combinations(ids.items(), 2):
        plain = int(one.replace("-", ""), 16) ^ int(other.replace("-", ""), 16)
        assert its ^ others == plain != 0


def test_only_one_spelling_of_a_uuid_is_its_own_bytes() -> None:
    """Upper case, braces, missing dashes, blanks and other digits each make another id."""
    spellings = [
        UUID,
        UUID.upper(),
        UUID.replace("-", ""),
        f"{{{UUID}}}",
        f"{UUID} ",
        f"{UUID}\n",
        UUID.replace("1", "\u0661"),
        UUID[:-1],
    ]
    assert len({IDENTITY.event_id(1800, text) for text in spellings}) == len(spellings)


def test_orgs_do_not_share_ids() -> None:
    """The same id in two orgs is two ids, whatever its form."""
    for text in (UUID, "order-17"):
        assert IDENTITY.event_id(1800, text) != IDENTITY.event_id(1801, text)


def test_an_org_and_an_id_do_not_run_together() -> None:
    """Org 18 with id 00x is not org 1800 with id x."""
    assert IDENTITY.event_id(18, "00x") != IDENTITY.event_id(1800, "x")


def test_another_secret_makes_other_ids() -> None:
    """The secret decides ids, and its check says which one it was."""
    other = Identity("another secret, as long")
    assert other.event_id(1800, UUID) != IDENTITY.event_id(1800, UUID)
    assert other.event_id(1800, "x") != IDENTITY.event_id(1800, "x")
    assert other.check != IDENTITY.check
    assert len(IDENTITY.check) == 8
    assert Identity("a secret of sixteen or more").check == IDENTITY.check


def key(name: str, customer: bytes, *values: str) -> bytes:
    """Return a unique key of org 1800."""
    return IDENTITY.unique_key(1800, name, customer, values)


def test_parts_of_a_unique_key_do_not_run_together() -> None:
    """Lengths stand before the parts: nothing can move from one to the next."""
    keys = [
        key("ordered", b"1800|mobile|91", "a_b", "c"),
        key("ordered", b"1800|mobile|91", "a", "b_c"),
        key("ordered", b"1800|mobile|91", "a_bc", ""),
        key("ordered", b"1800|mobile|91", "a_bc"),
        key("ordered", b"1800|mobile|91a", "_b", "c"),
        key("ordereda", b"1800|mobile|91", "_b", "c"),
        IDENTITY.unique_key(18, "ordered", b"1800|mobile|91", ["a_b", "c"]),
        key("ordered", b"1800|mobile|91", "c", "a_b"),
    ]
    assert len(set(keys)) == len(keys)


@LAW
@given(st.lists(st.text(max_size=4), max_size=3), st.lists(st.text(max_size=4), max_size=3))
def test_unique_keys_are_equal_exactly_if_their_values_are(
    one: list[str], other: list[str]
) -> None:
    """Two lists of values have one key if and only if they are the same list."""
    assert (key("x", b"k", *one) == key("x", b"k", *other)) == (one == other)


def test_kinds_of_keys_are_apart() -> None:
    """An event id is never a unique key of the same text."""
    assert IDENTITY.event_id(1800, "x") != IDENTITY.unique_key(1800, "x", b"", [])


def test_ids_become_rows_of_two_words() -> None:
    """Sixteen bytes are read as two little-endian words, in order."""
    rows = to_array([bytes(range(16)), bytes(16)])
    assert rows.tolist() == [[0x0706050403020100, 0x0F0E0D0C0B0A0908], [0, 0]]


def test_ids_of_many_events_are_those_of_each() -> None:
    """Asked for all at once, each event has the id that it has alone, whatever stands beside it."""
    beside: list[list[tuple[int, str]]] = [
        [],
        [(1800, UUID)],
        [(1800, UUID), (1800, UUID.replace("0", "1"))],
        [(1800, UUID), (1801, UUID)],
        [(1800, UUID), (1800, "order-17")],
        [(1800, f"{UUID}\n{UUID}"), (1800, "")],
        [(1800, UUID[:-1]), (1800, f"1{UUID}")],
    ]
    for events in beside:
        orgs, texts = [org for org, _ in events], [text for _, text in events]
        assert IDENTITY.event_ids(orgs, texts) == [IDENTITY.event_id(*event) for event in events]
