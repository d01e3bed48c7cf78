"""What was judged before the topics got more partitions is told as if they always had them."""

import pytest

from loyaltystream.errors import StateError
from loyaltystream.letters.state import name_of
from loyaltystream.verdicts import Verdict
from tests.audit.world import CUSTOMERS, fill, home_of, ordered, viewed
from tests.core import ORDERED, define
from tests.letters.test_desk import foretold_and_found
from tests.letters.town import PATCH, desk_of, forecast, letters_of
from tests.relayout.world import GrowingWorld
from tests.why.test_why import id_of, told
from tests.why.world import Town

AFTER = 7


class GrowingTown(GrowingWorld, Town):
    """A town whose topics are given more partitions."""


def moved_away() -> int:
    """Return a customer whose home is another one among more partitions."""
    town = GrowingTown()
    town.partitions = AFTER
    return next(
        number for number, mobile in enumerate(CUSTOMERS) if town.home_of(mobile) != home_of(mobile)
    )


MOVED = moved_away()
KEY = f"1800|mobile|{CUSTOMERS[MOVED]}".encode()


def grown() -> GrowingTown:
    """Return a town in which every verdict was given, and some more behind a relayout."""
    town = fill(GrowingTown())
    town.place(ordered(800, "Z-1", MOVED))
    town.run()
    town.relayout(AFTER)
    town.place(viewed(900, MOVED))
    town.run()
    return town


def test_nothing_is_lost_of_what_was_told() -> None:
    """Every event of before is told as it was, without a note that something can't be read."""
    town = fill(GrowingTown())
    numbers = [*range(24), *range(100, 108)]
    before = [told(town, number) for number in numbers]
    town.relayout(AFTER)
    assert [told(town, number) for number in numbers] == before
    assert town.why().of_id(id_of(0)).notes == ()


def test_a_resend_names_what_was_accepted_in_another_partition() -> None:
    """A duplicate of a customer who moved is told with the event that it repeats."""
    town = grown()
    town.place(viewed(MOVED, MOVED))
    town.place(ordered(801, "Z-1", MOVED))
    town.run()
    *_, first, again = told(town, MOVED)
    assert (first.verdict, again.verdict) == (Verdict.ACCEPTED, Verdict.DUPLICATE)
    assert again.judged.partition != first.judged.partition
    assert again.first is not None
    assert again.first.place == first.judged
    [same_key] = told(town, 801)
    [original] = told(town, 800)
    assert same_key.verdict == Verdict.DUPLICATE
    assert same_key.judged.partition != original.judged.partition
    assert same_key.first is not None
    assert same_key.first.place == original.judged


def test_a_unique_key_of_before_leads_to_its_event() -> None:
    """The values of a unique key lead to what was accepted under it, wherever that was."""
    answer = grown().why().of_unique_key(define(ORDERED), KEY, {"orderId": "Z-1", "amount": "5"})
    assert [one.event_id for one in answer.arrivals] == [id_of(800)]


def test_a_customer_who_moved_keeps_her_events() -> None:
    """A partition key leads to what was judged where its customer was, and where she is."""
    arrivals = grown().why().of_customer(KEY).arrivals
    found = {one.event_id: one.judged.partition for one in arrivals}
    assert {id_of(MOVED), id_of(800), id_of(900)} <= found.keys()
    assert found[id_of(800)] != found[id_of(900)]


def test_what_waits_is_told_behind_a_switch() -> None:
    """In a partition that nothing was judged in yet an event waits, and is not lost."""
    town = grown()
    town.place(viewed(901, MOVED))
    [arrival] = told(town, 901)
    assert arrival.verdict == "waiting"


def test_replays_are_foretold_by_what_was_moved() -> None:
    """A mended copy of what was accepted before a relayout is foretold as the duplicate it is."""
    town = GrowingTown()
    town.place(viewed(1, MOVED, fields={"price": 1}))
    town.place(viewed(2, MOVED, fields={"price": 1}))
    town.place(viewed(3, MOVED, fields={"price": 1}))
    town.run()
    town.place(viewed(1, MOVED, fields={"price": 1, "sku": "SKU-1"}))
    town.place(viewed(2, MOVED, fields={"price": 2, "sku": "SKU-1"}))
    town.run()
    letters = letters_of(town)
    desk = desk_of(town)
    desk.repair(desk.sort(letters, PATCH).resent, PATCH)
    town.relayout(AFTER)
    foretold, found = foretold_and_found(town, letters)
    assert foretold == found
    assert [foretold[name_of(letter.place)] for letter in letters] == [
        Verdict.DUPLICATE,
        Verdict.CONFLICT,
        Verdict.ACCEPTED,
    ]


@pytest.mark.parametrize("moved", [0, 3], ids=["not begun", "not finished"])
def test_nothing_is_foretold_before_the_switch(moved: int) -> None:
    """Until a relayout is done, nobody knows what a worker will remember."""
    town = GrowingTown()
    town.place(viewed(1, MOVED, fields={"price": 1}))
    for number in range(10, 40):
        town.place(viewed(number, number % 12))
    town.run()
    resent = desk_of(town).sort(letters_of(town)).resent
    town.grow(AFTER)
    town.move(AFTER, most=moved)
    town.partitions = AFTER
    with pytest.raises(StateError, match="memory relayout"):
        forecast(town, resent)
