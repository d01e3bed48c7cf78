"""Which notifications are meant."""

from typing import Any

import pytest

from loyaltystream.events import Record
from loyaltystream.reemit.choosing import Choice, type_of
from loyaltystream.reemit.customer import Customer

_MIRA = Customer(1800, "mobile", "919812345678")


def record(written_ms: int = 10, kind: str = "pointsIssued", org_id: int = 1800) -> Record:
    headers = [
        ("ce_type", f"loyalty.notification.v1.{kind}".encode()),
        ("ce_source", f"/loyaltystream/{org_id}".encode()),
    ]
    return Record(0, 0, written_ms, b"k", b"hers", headers)


def read(value: bytes | None) -> dict[str, Any] | str:
    if value == b"broken":
        return "cut off"
    mobile = "919812345678" if value == b"hers" else "1"
    return {"orgId": 1800, "data": {"customerIdentifiers": {"instore": {"mobile": mobile}}}}


@pytest.mark.parametrize(
    ("choice", "taken"),
    [
        (Choice(), True),
        (Choice(since_ms=10, until_ms=11), True),
        (Choice(since_ms=11), False),
        (Choice(until_ms=10), False),
        (Choice(types=frozenset({"pointsIssued", "tierUpgraded"})), True),
        (Choice(types=frozenset({"tierUpgraded"})), False),
        (Choice(org_id=1800), True),
        (Choice(org_id=180), False),
        (Choice(org_id=1800, customer=_MIRA), True),
        (Choice(since_ms=11, customer=_MIRA), False),
    ],
)
def test_all_that_is_said_has_to_hold(choice: Choice, *, taken: bool) -> None:
    """The range begins with its first moment and ends before its last; the rest is equality."""
    assert choice.takes(record(), read) is taken


def test_only_who_asks_for_a_customer_decodes() -> None:
    """By time and type a value is never looked into, and one that can't be read is told."""
    other = Record(0, 0, 10, b"k", b"other", record().headers)
    broken = Record(0, 0, 10, b"k", b"broken", record().headers)
    assert Choice(customer=_MIRA).takes(other, read) is False
    assert Choice(customer=_MIRA).takes(broken, read) == "cut off"
    assert Choice(since_ms=10).takes(broken, read) is True


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ([("ce_type", b"a.b.tierRenewed")], "tierRenewed"),
        ([], "unknown"),
        ([("ce_type", b"")], "unknown"),
    ],
)
def test_a_type_is_told_by_its_header(headers: list[tuple[str, bytes]], told: str) -> None:
    """A record that does not tell its type is none of ours, and of no type."""
    bare = Record(0, 0, 10, None, b"", headers)
    assert type_of(bare) == told
    assert Choice(types=frozenset({"tierUpgraded"})).takes(bare, read) is False


def test_each_part_of_a_choice_counts() -> None:
    """Two choices that mean different notifications differ in what is proven of them."""
    choices = [
        Choice(),
        Choice(since_ms=1),
        Choice(until_ms=1),
        Choice(types=frozenset({"tierRenewed"})),
        Choice(org_id=1),
        Choice(org_id=1, customer=Customer(1, "mobile", "1")),
        Choice(org_id=1, customer=Customer(1, "email", "1")),
        Choice(org_id=1, customer=Customer(1, "mobile", "2")),
    ]
    assert len({tuple(choice.parts()) for choice in choices}) == len(choices)
