"""What topics have to be: how many partitions, how many copies in sync, and what is said else."""

import pytest

from loyaltystream.errors import ConfigurationError
from loyaltystream.kafka.topics import TopicPlan, demand_counts, differences
from loyaltystream.topology import INSYNC


def plans(partitions: int) -> list[TopicPlan]:
    """Return plans of three topics, of which the last is keyed by itself."""
    return [
        TopicPlan(name, partitions, 1, {}, {}, alike=name != "notifications")
        for name in ("events", "routed", "notifications")
    ]


def test_topics_that_are_as_planned_are_taken() -> None:
    """Nothing is said of topics that are right, or not there yet."""
    demand_counts(plans(6), {"events": 6, "routed": 6, "notifications": 6, "another": 1})
    demand_counts(plans(6), {})


def test_a_topic_with_keys_of_its_own_keeps_its_partitions() -> None:
    """Notifications stay in their partitions when all else is given more."""
    demand_counts(plans(12), {"events": 12, "routed": 12, "notifications": 6})


def test_too_few_partitions_need_a_relayout() -> None:
    """Where partitions are missing, it is told what adds them without forgetting anything."""
    with pytest.raises(ConfigurationError, match=r"routed has 6 partitions, not 12.*relayout"):
        demand_counts(plans(12), {"events": 12, "routed": 6})


def test_too_many_partitions_are_taken_as_they_are() -> None:
    """No topic loses partitions, so that the setting has to follow."""
    with pytest.raises(ConfigurationError, match=r"set topics\.partitions to 12 everywhere"):
        demand_counts(plans(6), {"events": 12, "routed": 6})


@pytest.mark.parametrize(("copies", "insync"), [(1, None), (2, None), (3, "2"), (5, "2")])
def test_of_three_copies_two_have_to_be_in_sync(copies: int, insync: str | None) -> None:
    """A new topic of three copies or more asks for two; no setting of a topic demands it later."""
    plan = TopicPlan("events", 6, copies, {"cleanup.policy": "delete"}, {})
    assert plan.settings.get(INSYNC) == insync
    assert differences(plan, {"cleanup.policy": "delete", INSYNC: "1"}) == {}
