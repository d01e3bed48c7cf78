"""The shop's customers: who they are, how often each is seen, under which key she belongs. Pure."""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from random import Random
from typing import Final

import msgspec

from loyaltystream.errors import ConfigurationError
from loyaltystream.keys import murmur2, normalise_identifier, partition_key, place
from loyaltystream.verdicts import Reason

_SPREAD: Final = 99_999_989  # a prime: no two customers get the same number
_FIRST: Final = ("aarav", "diya", "ishaan", "kavya", "meera", "rohan", "saanvi", "vikram")
_LAST: Final = ("bose", "gupta", "iyer", "khan", "mehta", "nair", "patel", "reddy", "sharma")
_TILLS: Final = 97


class Acquaintance(msgspec.Struct, frozen=True):
    """All customers as the events of one identifier type know them, by their number.

    Attributes:
        identifiers: JSON text, with an identifier of another type behind the one that counts.
        keys: partition keys, normalised as loyaltystream does it.
        homes: the partition of each key.
    """

    identifiers: Sequence[str]
    keys: Sequence[bytes]
    homes: Sequence[int]


def acquaint(org_id: int, kind: str, customers: int) -> tuple[list[str], list[bytes]]:
    """Return identifiers and partition keys of all customers, by their number."""
    other = "email" if kind != "email" else "mobile"
    identifiers, keys = [], []
    for number in range(customers):
        value = _identifier(kind, number)
        normalised = normalise_identifier(kind, value)
        if isinstance(normalised, Reason):
            raise ConfigurationError(f"no story can be told of customers with a {kind}")
        pair = [
            {"type": kind, "value": value, "source": "INSTORE"},
            {"type": other, "value": _identifier(other, number), "source": "INSTORE"},
        ]
        identifiers.append(msgspec.json.encode(pair).decode())
        keys.append(partition_key(org_id, kind, normalised).encode())
    return identifiers, keys


def know(
    org_id: int, kinds: Iterable[str], customers: int, partitions: int
) -> dict[str, Acquaintance]:
    """Return what is known of all customers, by identifier type."""
    known = {}
    for kind in dict.fromkeys(kinds):
        identifiers, keys = acquaint(org_id, kind, customers)
        known[kind] = Acquaintance(identifiers, keys, place(murmur2(keys), partitions).tolist())
    return known


def visits(random: Random, customers: int, count: int) -> list[int]:
    """Return who comes, `count` times: the n-th customer about 1/n as often as the first."""
    # The first few share the top: one customer with a tenth of all events would not be believed.
    weights = list(accumulate(1 / (rank + 10) for rank in range(customers)))
    return random.choices(range(customers), cum_weights=weights, k=count)


def wrong_keys(partitions: int) -> list[list[bytes]]:
    """Return, by home partition, codes of tills that lie elsewhere: some producers key by till.

    With one partition nothing lies elsewhere; then they are only wrong.
    """
    tills = [f"till.{number:04d}".encode() for number in range(1, _TILLS + 1)]
    places = place(murmur2(tills), partitions).tolist()
    return [
        [till for till, at in zip(tills, places, strict=True) if at != home] or tills
        for home in range(partitions)
    ]


def _identifier(kind: str, number: int) -> str:
    scattered = number * 7_654_321 % _SPREAD
    match kind:
        case "mobile":
            digits = f"9198{scattered:08d}"
            # Some tills print what people read.
            return f"+{digits[:2]} {digits[2:7]} {digits[7:]}" if number % 7 == 3 else digits
        case "email":
            first, last = _FIRST[number % len(_FIRST)], _LAST[number % len(_LAST)]
            return f"{first}.{last}.{number}@mail.example"
        case _:
            return f"{kind.upper()}-{scattered:08d}"
