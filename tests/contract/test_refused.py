"""When a member that its group refuses joins anew, and when it takes that for another one."""

import socket
from collections.abc import Iterator

import pytest
from confluent_kafka import KafkaError

from loyaltystream.clients import KafkaSettings
from loyaltystream.errors import FatalBrokerError, RetryableBrokerError
from loyaltystream.kafka.claim import SESSIONS, Claim
from loyaltystream.kafka.source import GroupSource
from loyaltystream.settings import WorkerSettings
from tests.contract.ports import Told

SESSION_S = 15.0


class Group:
    """What a group answers, and the time at which it is asked.

    Attributes:
        until_s: how long it has a member of our name; None: it does not answer.
        asked: how often it was.
    """

    def __init__(self, until_s: float | None) -> None:
        self.now_s = 1000.0
        self.until_s = until_s
        self.asked = 0

    def is_taken(self) -> bool:
        self.asked += 1
        if self.until_s is None:
            raise RetryableBrokerError("the group does not answer")
        return self.now_s < self.until_s

    def claim(self) -> Claim:
        return Claim("one", session_s=SESSION_S, is_taken=self.is_taken, now_s=lambda: self.now_s)

    def renewed_after_s(self, claim: Claim, step_s: float = 0.1) -> float:
        """Return how long a refused member waits until it takes its name again."""
        began_s = self.now_s
        claim.note_refusal("fenced")
        while claim.is_refused:
            try:
                claim.renew()
            except RetryableBrokerError:
                self.now_s += step_s
        return self.now_s - began_s


@pytest.fixture
def source() -> Iterator[GroupSource]:
    """Return a member whose broker takes connections, and says nothing."""
    server = socket.create_server(("127.0.0.1", 0))
    member = GroupSource(
        KafkaSettings(bootstrap_servers=f"127.0.0.1:{server.getsockname()[1]}"),
        WorkerSettings(),
        topic="in",
        group="group",
        member="one",
    )
    member.join(Told())
    yield member
    member.close()
    server.close()


def test_an_outage_explains_a_refusal() -> None:
    """Behind each outage the group may refuse us once, and we join anew without asking."""
    group = Group(until_s=2000.0)
    claim = group.claim()
    for _ in range(3):
        group.now_s += 1
        claim.note_outage()
        assert group.renewed_after_s(claim) == 0
    assert group.asked == 0


def test_an_outage_that_is_told_later_explains_it_too() -> None:
    """A member that is refused before it hears of the outage joins anew once it does."""
    group = Group(until_s=2000.0)
    claim = group.claim()
    claim.note_refusal("fenced")
    with pytest.raises(RetryableBrokerError):
        claim.renew()
    claim.note_outage()
    claim.renew()
    assert not claim.is_refused


def test_a_name_that_nobody_has_is_ours() -> None:
    """Where the group has no member of our name, we join anew at once."""
    group = Group(until_s=0.0)
    assert group.renewed_after_s(group.claim()) == 0


def test_nobody_s_heart_beats_for_a_late_join() -> None:
    """A join of ours that was heard late keeps our name for a session, and then it is ours."""
    group = Group(until_s=1000.0 + SESSION_S)
    assert SESSION_S <= group.renewed_after_s(group.claim()) < SESSION_S + 2


def test_a_name_that_is_kept_alive_is_another_worker_s() -> None:
    """A member of our name that outlives two sessions is another process, and ours ends."""
    group = Group(until_s=2000.0)
    with pytest.raises(FatalBrokerError, match=r"worker\.instance"):
        group.renewed_after_s(group.claim())
    assert SESSIONS * SESSION_S <= group.now_s - 1000.0 < SESSIONS * SESSION_S + 2


def test_an_outage_explains_no_second_refusal() -> None:
    """Refused again without another outage, a member asks, or two would take turns for ever."""
    group = Group(until_s=2000.0)
    claim = group.claim()
    claim.note_outage()
    assert group.renewed_after_s(claim) == 0
    with pytest.raises(FatalBrokerError):
        group.renewed_after_s(claim)


def test_a_refusal_is_no_flood_of_questions() -> None:
    """However often the loop comes round, the group is asked once in a second."""
    group = Group(until_s=1000.0 + SESSION_S)
    group.renewed_after_s(group.claim(), step_s=0.01)
    assert group.asked <= SESSION_S + 2


def test_a_group_that_can_not_be_asked_decides_nothing() -> None:
    """While nobody answers a member neither joins nor ends, however long that takes."""
    group = Group(until_s=None)
    claim = group.claim()
    claim.note_refusal("fenced")
    for _ in range(100):
        group.now_s += SESSION_S
        with pytest.raises(RetryableBrokerError):
            claim.renew()
    group.until_s = group.now_s + SESSION_S  # it stood still, and has let go of nobody
    assert SESSION_S - 1 <= group.renewed_after_s(claim) < SESSION_S + 2


def test_a_refused_source_joins_with_a_client_of_its_own(source: GroupSource) -> None:
    """What was refused is let go of at once, and behind an outage the source is a member anew."""
    source._claim.note_refusal("fenced")
    refused = source._consumer
    source._let_go()
    assert source._consumer is not refused
    source._note_outage(KafkaError(KafkaError._ALL_BROKERS_DOWN))
    assert source.poll() == {}
    assert not source._claim.is_refused
