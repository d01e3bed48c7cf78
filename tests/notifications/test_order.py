"""In which order one event's notifications come, whatever the order of its definition's rules."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.definitions.registry import Definitions
from loyaltystream.notifications.catalog import CATALOG, TURN_OF, TURNS
from tests.core import header
from tests.laws.strategies import LAW
from tests.notifications.model import turn
from tests.notifications.shop import accept, causing, happened, plan, read_notification

_IN_TURN = [
    "customerAdded",
    "transactionAdded",
    "targetAchievedValueUpdated",
    "badgeEarned",
    "pointsIssued",
    "tierUpgraded",
]
"""One of each step of domain.md 5."""


def rules(names: Sequence[str]) -> list[dict[str, Any]]:
    return [{"id": f"rule-{number}", "type": name} for number, name in enumerate(names)]


def notified(*listed: dict[str, Any], **fields: object) -> list[dict[str, Any]]:
    definitions = causing(*listed)
    made = plan(accept(happened(**fields), definitions=definitions), definitions)
    assert [header(output, "src") for output in made.outputs] == [
        f"EMFConsumer/0/0/{index}/3" for index in range(len(made.outputs))
    ]
    return [read_notification(output) for output in made.outputs]


def names(made: Sequence[dict[str, Any]]) -> list[str]:
    return [each["eventName"] for each in made]


def test_every_type_has_its_turn() -> None:
    """Each type of the catalogue has exactly one turn, the one that the domain gives it."""
    assert [name for turn_names in TURNS.values() for name in turn_names] == list(CATALOG)
    assert {name: turn(name) for name in CATALOG} == TURN_OF


@pytest.mark.parametrize("listed", [_IN_TURN, _IN_TURN[::-1], [*_IN_TURN[3:], *_IN_TURN[:3]]])
def test_a_cause_brings_its_notifications_in_turn(listed: list[str]) -> None:
    """Customer, the event itself, milestone, badge, points, tier: however the rules are listed."""
    assert names(notified(*rules(listed))) == _IN_TURN


def test_a_transfer_is_initiated_before_it_is_received() -> None:
    """The giver's notification of a transfer comes before the receiver's."""
    listed = rules(["pointsTransferredReceived", "pointsTransferredInitiated"])
    given_first = ["pointsTransferredInitiated", "pointsTransferredReceived"]
    assert names(notified(*listed)) == given_first


@LAW
@given(st.lists(st.sampled_from(list(CATALOG)), min_size=1, max_size=12))
def test_in_one_turn_the_order_of_rules_stays(listed: list[str]) -> None:
    """Rules of one turn, of the same type or not, make their notifications as they are listed."""
    made = [(turn(each["eventName"]), each["causeRule"]) for each in notified(*rules(listed))]
    wanted = sorted((turn(name), number) for number, name in enumerate(listed))
    assert made == [(number, f"rule-{position}") for number, position in wanted]


def test_the_place_of_a_rule_does_not_change_ids() -> None:
    """A notification has the same id and content wherever its rule is listed."""
    listed = rules([*_IN_TURN, "CouponIssue"])
    listed[-1] |= {"forEach": "nested.cart"}
    cart = [{"id": 1}, {"id": 2}, {"id": 3}]
    one, other = notified(*listed, cart=cart), notified(*listed[::-1], cart=cart)
    by_id = {each["eventId"]: each for each in one}
    assert len(by_id) == len(one) == 9
    assert {each["eventId"]: each for each in other} == by_id


def test_an_id_by_position_is_the_position_in_the_definition() -> None:
    """A rule without an id goes by where it is listed, not by its turn."""
    first, second = notified({"type": "tierUpgraded"}, {"type": "customerAdded"})
    assert (first["eventName"], first["causeRule"]) == ("customerAdded", "1")
    assert (second["eventName"], second["causeRule"]) == ("tierUpgraded", "0")


def test_events_stay_in_their_order() -> None:
    """A later event's notifications follow all of an earlier one's, whatever their turns."""
    definitions: Definitions = causing(*rules(["tierUpgraded", "customerAdded"]))
    events = [happened() | {"eventId": f"e-{number}"} for number in range(3)]
    made = plan(accept(*events, definitions=definitions), definitions).outputs
    told = [read_notification(output) for output in made]
    assert [(each["causeEventId"], each["eventName"]) for each in told] == [
        (f"e-{number}", name) for number in range(3) for name in ("customerAdded", "tierUpgraded")
    ]
