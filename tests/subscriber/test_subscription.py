"""What a subscriber is told: all mistakes at once, and no secret is shown."""

import pytest

from loyaltystream.errors import ConfigurationError
from loyaltystream.subscriber import Reactions, Subscriber, Subscription


def test_every_mistake_is_told_at_once() -> None:
    """A subscription that is not usable says of each setting what is wrong with it."""
    with pytest.raises(ConfigurationError) as refused:
        Subscription(
            group="",
            bootstrap_servers="",
            registry_url="registry:8081",
            dead_letter_topic="loyalty-notifications",
            unknown_types="ignore",  # type: ignore[arg-type]  # what is tried here
            attempts=0,
            backoff_s=-1,
            kafka_client={"group.id": "another"},
        )
    lines = str(refused.value).splitlines()
    named = {line.strip(" -").partition(":")[0] for line in lines[1:]}
    assert named == {
        "group",
        "bootstrap_servers",
        "registry_url",
        "dead_letter_topic",
        "unknown_types",
        "attempts",
        "backoff_s",
        "kafka_client",
    }


def test_secrets_are_not_shown() -> None:
    """What signs in is in no text that a subscription is shown as."""
    secret = {"sasl.password": "hunter2"}
    told = Subscription(group="crm", kafka_client=secret, registry_client=secret)
    assert "hunter2" not in f"{told!r} {told.kafka()!r} {told.registry()!r}"


def test_pauses_grow_to_a_bound() -> None:
    """The pause doubles with each failure until it is the longest."""
    told = Subscription(group="crm", backoff_s=1, backoff_max_s=10)
    assert [told.backoff(failures) for failures in (1, 2, 3, 4, 5, 10_000)] == [1, 2, 4, 8, 10, 10]


def test_a_subscriber_without_reactions_is_refused() -> None:
    """Who reacts to nothing has forgotten something."""
    with pytest.raises(ConfigurationError, match="no reaction"):
        Subscriber(Subscription(group="crm"), Reactions())
