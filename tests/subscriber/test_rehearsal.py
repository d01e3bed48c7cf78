"""What becomes of notifications, as a subscriber's own tests see it: retries, letters, commits."""

import pytest

from loyaltystream.errors import (
    ConfigurationError,
    FatalBrokerError,
    ReactionError,
    RetryableBrokerError,
)
from loyaltystream.subscriber import Notification, Outcome, Reactions, Subscription, Window
from loyaltystream.subscriber.records import (
    CustomerIdentifiers,
    PointsIssued,
    PointsIssuedData,
    TierUpgraded,
)
from loyaltystream.subscriber.testing import Rehearsal, encode, example

ISSUED = example(
    PointsIssued,
    data=PointsIssuedData(
        totalPointsIssued=120.5,
        customerIdentifiers=CustomerIdentifiers(customerId=50000017, firstName="Asha"),
    ),
)


class Crm:
    """A subscriber that notes what it gets, and fails as often as it is told to."""

    def __init__(self, failures: int = 0, *, says: str = "no connection") -> None:
        self.got: list[Notification] = []
        self.failures = failures
        self.says = says
        self.reactions = Reactions()
        self.reactions.on(PointsIssued)(self.note)

    def note(self, issued: Notification) -> None:
        self.got.append(issued)
        if self.failures > 0:
            self.failures -= 1
            raise ConnectionError(self.says)


def test_a_notification_is_handed_over_and_committed() -> None:
    """A notification reaches the reaction of its type once, and is committed behind it."""
    crm = Crm()
    rehearsal = Rehearsal(crm.reactions, partitions=1)
    rehearsal.send(ISSUED)
    assert rehearsal.run()[Outcome.HANDLED] == 1
    assert crm.got == [ISSUED]
    assert rehearsal.committed == {0: 1}


def test_a_reaction_that_fails_is_tried_again() -> None:
    """A reaction that fails twice is called a third time, behind pauses that grow."""
    crm = Crm(failures=2)
    rehearsal = Rehearsal(crm.reactions)
    rehearsal.send(ISSUED)
    assert rehearsal.run()[Outcome.HANDLED] == 1
    assert crm.got == [ISSUED] * 3
    assert [delay.after_s for delay in rehearsal.delays] == [0.5, 1.0]
    assert rehearsal.letters == []


def test_nothing_overtakes_a_notification_that_is_tried_again() -> None:
    """What comes behind it in its partition waits; another partition goes on."""
    first, second, other = (example(PointsIssued) for _ in range(3))
    got, reactions = [], Reactions()

    @reactions.on(PointsIssued)
    def note(issued: PointsIssued) -> None:
        got.append(issued)
        if issued == first and got.count(first) == 1:
            raise ConnectionError

    rehearsal = Rehearsal(reactions)
    rehearsal.send(first, key=b"1800|1")
    rehearsal.send(second, key=b"1800|1")
    rehearsal.send(other, key=b"1800|2")
    rehearsal.run()
    assert [each for each in got if each != other] == [first, first, second]
    assert got.index(other) < 2


def test_what_fails_for_good_is_a_dead_letter() -> None:
    """Behind the last attempt the record lies among the letters, as it came, and why."""
    crm = Crm(failures=99)
    rehearsal = Rehearsal(crm.reactions, partitions=1)
    rehearsal.send(ISSUED, key=b"1800|50000017")
    rehearsal.send(example(PointsIssued), key=b"1800|50000017")
    crm.failures = 5
    assert rehearsal.run()[Outcome.DEAD_LETTER] == 1
    assert crm.got[:5] == [ISSUED] * 5
    assert len(crm.got) == 6
    [letter] = rehearsal.letters
    assert (letter.key, letter.value) == (b"1800|50000017", encode(ISSUED))
    assert dict(letter.headers) == {
        "ce_type": b"loyalty.notification.v1.pointsIssued",
        "dead-letter-origin": b"loyalty-notifications/0/0",
        "dead-letter-group": b"rehearsal",
        "dead-letter-reason": b"REACTION_FAILED",
        "dead-letter-error": b"ConnectionError",
        "dead-letter-message": b"no connection",
        "dead-letter-attempts": b"5",
    }
    assert rehearsal.committed == {0: 2}


def test_a_letter_does_not_repeat_what_the_notification_holds() -> None:
    """An error that names the customer is told without her, and so is every delay."""
    says = f"no row for 50000017 (asha, 120.5), {ISSUED!r}"
    crm = Crm(failures=99, says=says)
    rehearsal = Rehearsal(crm.reactions)
    rehearsal.send(ISSUED)
    rehearsal.run()
    told = [rehearsal.letters[0].header("dead-letter-message") or b""]
    told += [delay.why.encode() for delay in rehearsal.delays]
    assert len(told) == 5
    for text in told:
        assert b"no row for *** (***, ***)" in text
        assert b"50000017" not in text
        assert b"sha" not in text
        assert ISSUED.eventId.encode() not in text
        assert len(text) < 600


def test_without_a_topic_for_letters_the_subscriber_stops() -> None:
    """What fails for good then ends the subscriber in front of it: it is not committed."""
    crm = Crm(failures=99)
    rehearsal = Rehearsal(crm.reactions, subscription=Subscription(group="crm"), partitions=1)
    rehearsal.send(example(TierUpgraded))
    rehearsal.send(ISSUED)
    with pytest.raises(ReactionError, match=r"loyalty-notifications/0/1: REACTION_FAILED"):
        rehearsal.run()
    assert rehearsal.committed == {0: 1}
    crm.failures = 0
    rehearsal.restart()
    assert rehearsal.run()[Outcome.HANDLED] == 1


def test_a_letter_that_can_not_be_written_holds_the_record() -> None:
    """While the letters' broker is away the record waits, and its reaction is not called again."""
    crm = Crm(failures=99)
    rehearsal = Rehearsal(crm.reactions, partitions=1)
    assert rehearsal.letterbox is not None
    rehearsal.letterbox.away = RetryableBrokerError("away")
    rehearsal.send(ISSUED)
    rehearsal.run(limit_s=60)
    assert rehearsal.committed == {}
    rehearsal.letterbox.away = None
    assert rehearsal.run()[Outcome.DEAD_LETTER] == 1
    assert len(crm.got) == 5
    assert rehearsal.committed == {0: 1}


def test_a_letter_that_is_refused_ends_the_subscriber() -> None:
    """A letter that its topic does not take, as too large, is not passed over in silence."""
    rehearsal = Rehearsal(Crm(failures=99).reactions)
    assert rehearsal.letterbox is not None
    rehearsal.letterbox.away = FatalBrokerError("MSG_SIZE_TOO_LARGE")
    rehearsal.send(ISSUED)
    with pytest.raises(FatalBrokerError):
        rehearsal.run()
    assert rehearsal.committed == {}


def test_a_repetition_is_ignored() -> None:
    """A notification whose id was handled is counted, and no reaction hears of it again."""
    crm = Crm()
    rehearsal = Rehearsal(crm.reactions)
    rehearsal.send(ISSUED)
    rehearsal.send(ISSUED)
    tally = rehearsal.run()
    assert (tally[Outcome.HANDLED], tally[Outcome.DUPLICATE]) == (1, 1)
    assert crm.got == [ISSUED]


def test_a_notification_that_failed_is_no_repetition() -> None:
    """An id is remembered only once its reaction has returned: a resend of a dead letter counts."""
    crm = Crm(failures=5)
    rehearsal = Rehearsal(crm.reactions)
    rehearsal.send(ISSUED)
    rehearsal.run()
    [letter] = rehearsal.letters
    rehearsal.send_record(letter.value, key=letter.key, headers=letter.headers)
    assert rehearsal.run()[Outcome.HANDLED] == 1
    assert rehearsal.letters == [letter]


def test_a_letter_of_a_letter_tells_of_the_last_time() -> None:
    """A letter that was sent again and failed again has each of its headers once, as of now."""
    crm = Crm(failures=99)
    rehearsal = Rehearsal(crm.reactions, partitions=1)
    rehearsal.send(ISSUED)
    rehearsal.run()
    [letter] = rehearsal.letters
    rehearsal.send_record(letter.value, key=letter.key, headers=letter.headers)
    rehearsal.run()
    second = rehearsal.letters[1]
    assert [name for name, _ in second.headers] == [name for name, _ in letter.headers]
    assert second.header("dead-letter-origin") == b"loyalty-notifications/0/1"


def test_the_memory_of_ids_dies_with_the_process() -> None:
    """What was not committed before a kill comes again, and the new process does not know it."""
    crm = Crm()
    rehearsal = Rehearsal(crm.reactions)
    rehearsal.send(ISSUED)
    rehearsal.run()
    rehearsal.restart()
    assert rehearsal.run()[Outcome.HANDLED] == 0
    rehearsal.again()
    assert rehearsal.run()[Outcome.HANDLED] == 1
    assert crm.got == [ISSUED] * 2


def test_a_store_of_ids_outlives_the_process() -> None:
    """With a store of its own a subscriber ignores what comes again behind a kill."""
    crm, store = Crm(), Window()
    rehearsal = Rehearsal(crm.reactions, seen=store)
    rehearsal.send(ISSUED)
    rehearsal.run()
    rehearsal.again()
    assert rehearsal.run()[Outcome.DUPLICATE] == 1
    assert crm.got == [ISSUED]


class Store(Window):
    """A store of ids that fails now and then."""

    def __init__(self, *, asked: int = 0, told: int = 0) -> None:
        super().__init__()
        self.asked, self.told = asked, told

    def has(self, notification_id: str) -> bool:
        self.asked -= 1
        if self.asked >= 0:
            raise OSError(f"cannot look for {notification_id}")
        return super().has(notification_id)

    def remember(self, notification_id: str) -> None:
        self.told -= 1
        if self.told >= 0:
            raise OSError(f"cannot keep {notification_id}")
        super().remember(notification_id)


def test_a_store_that_fails_is_waited_for() -> None:
    """A store that can't be asked makes no letters; one that can't keep an id, no second call."""
    crm = Crm()
    rehearsal = Rehearsal(crm.reactions, seen=Store(asked=10, told=10))
    rehearsal.send(ISSUED)
    assert rehearsal.run()[Outcome.HANDLED] == 1
    assert crm.got == [ISSUED]
    assert len(rehearsal.delays) == 20
    assert ISSUED.eventId not in "".join(delay.why for delay in rehearsal.delays)


def test_a_registry_that_is_away_makes_no_letters() -> None:
    """However long the registry is away or has forgotten everything, records wait for it."""
    crm = Crm()
    rehearsal = Rehearsal(crm.reactions)
    for number in range(100):
        rehearsal.send(example(PointsIssued), key=b"1800|%d" % number)
    rehearsal.writers.away = RetryableBrokerError("away")
    rehearsal.run()
    rehearsal.writers.away = None
    known, rehearsal.writers.known = rehearsal.writers.known, {}
    rehearsal.run()
    assert (crm.got, rehearsal.letters, rehearsal.committed) == ([], [], {})
    rehearsal.writers.known = known
    assert rehearsal.run()[Outcome.HANDLED] == 100
    assert rehearsal.letters == []


def test_what_can_not_be_decoded_is_a_dead_letter() -> None:
    """A broken record is a letter at once, and those behind it are handled."""
    crm = Crm()
    rehearsal = Rehearsal(crm.reactions, partitions=1)
    rehearsal.send_record(b"{}", key=b"1800|50000017")
    rehearsal.send(ISSUED)
    tally = rehearsal.run()
    assert (tally[Outcome.DEAD_LETTER], tally[Outcome.HANDLED]) == (1, 1)
    [letter] = rehearsal.letters
    assert letter.value == b"{}"
    assert letter.header("dead-letter-reason") == b"UNDECODABLE"
    assert letter.header("dead-letter-attempts") == b"0"


def test_what_nobody_wants_is_counted() -> None:
    """Types without a reaction, and records without a value, are passed over and counted."""
    rehearsal = Rehearsal(Crm().reactions)
    rehearsal.send(example(TierUpgraded))
    rehearsal.send_record(None, key=b"1800|50000017")
    tally = rehearsal.run()
    assert (tally[Outcome.UNWANTED], tally[Outcome.TOMBSTONE]) == (1, 1)
    assert sum(rehearsal.committed.values()) == 2


@pytest.mark.parametrize(
    ("choice", "outcome", "letters"),
    [("skip", Outcome.UNKNOWN, 0), ("refuse", Outcome.DEAD_LETTER, 1)],
)
def test_an_unknown_type_is_skipped_or_refused(choice: str, outcome: Outcome, letters: int) -> None:
    """A type that this version does not know is counted as such, or is a letter, as was chosen."""
    told = Subscription(
        group="crm",
        dead_letter_topic="crm.dead-letter",
        unknown_types=choice,  # type: ignore[arg-type]  # one of both
    )
    rehearsal = Rehearsal(Crm().reactions, subscription=told)
    name = "loyalty.notification.v1.PointsMelted"
    rehearsal.writers.known[1] = {"type": "record", "name": name, "fields": []}
    headers = [("ce_type", b"loyalty.notification.v1.pointsMelted")]
    rehearsal.send_record(b"\0\0\0\0\1", key=b"1800|1", headers=headers)
    assert rehearsal.run()[outcome] == 1
    assert len(rehearsal.letters) == letters


def test_one_reaction_may_take_every_type() -> None:
    """`Notification` stands for all types that have no reaction of their own."""
    crm, rest = Crm(), Crm()
    crm.reactions.on(Notification)(rest.note)
    rehearsal = Rehearsal(crm.reactions)
    upgraded = example(TierUpgraded)
    rehearsal.send(ISSUED)
    rehearsal.send(upgraded)
    assert rehearsal.run()[Outcome.HANDLED] == 2
    assert (crm.got, rest.got) == ([ISSUED], [upgraded])


def test_an_exit_inside_of_a_reaction_is_a_failure() -> None:
    """A reaction that calls `sys.exit` neither ends the thread in silence nor commits anything."""
    reactions = Reactions()

    @reactions.on(PointsIssued)
    def leave(_: PointsIssued) -> None:
        raise SystemExit(3)

    rehearsal = Rehearsal(reactions)
    rehearsal.send(ISSUED)
    assert rehearsal.run()[Outcome.DEAD_LETTER] == 1


def test_a_second_reaction_to_a_type_is_refused() -> None:
    """A notification is done with once one function has returned: there is one for each type."""
    crm = Crm()
    with pytest.raises(ConfigurationError, match="PointsIssued has a reaction already"):
        crm.reactions.on(PointsIssued)


def test_a_coroutine_is_refused() -> None:
    """A coroutine that nobody awaits would lose every notification in silence."""

    async def note(_: PointsIssued) -> None:
        """Do nothing, later."""

    with pytest.raises(ConfigurationError, match="coroutine"):
        Reactions().on(PointsIssued)(note)  # type: ignore[arg-type]  # what is tried here


def test_what_is_no_type_of_notification_is_refused() -> None:
    """A reaction to a part of a notification would never be called."""
    with pytest.raises(ConfigurationError, match="is no type of notification"):
        Reactions().on(PointsIssuedData)  # type: ignore[type-var]  # what is tried here
