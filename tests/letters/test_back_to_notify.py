"""Letters of stage notify: they go back to `EMFConsumer`, and everybody can tell."""

from collections.abc import Sequence

import msgspec
import pytest

from loyaltystream.audit import Fault, Findings
from loyaltystream.audit.audit import Audit
from loyaltystream.events import Record, Resending
from loyaltystream.letters.desk import Desk
from loyaltystream.letters.letter import Letter
from loyaltystream.letters.replaying import Stay
from loyaltystream.letters.signing import Replay, Signer
from loyaltystream.letters.state import Step
from loyaltystream.topology import Output
from loyaltystream.verdicts import NotifyOutcome
from loyaltystream.why.screen import render as render_why
from loyaltystream.why.story import Arrival
from tests.audit.world import GROUPS
from tests.core import TOPICS, event
from tests.definitions.topic import Topic
from tests.letters.test_screen import shown
from tests.letters.town import desk_of, forecast, letters_of
from tests.notifications.shop import body, transaction
from tests.why.world import SIGNER, Town

BROKEN = body(transaction(amount="fields.amount", lineItemCount="nested.cart.lines"))
MENDED = body(transaction(amount="fields.amount"))
HAPPENED = event(eventName="thingHappened", fields={"amount": 5, "cart": {"lines": "many"}})
ID = HAPPENED["eventId"]


class Mending:
    """A town whose definitions come from their topic: a version that maps nothing, and others."""

    def __init__(self) -> None:
        self.topic = Topic()
        self.topic.create(BROKEN)
        self.town = Town()
        self._hear()
        self.town.place(HAPPENED)
        self.run()

    def run(self) -> None:
        """Let both stages work."""
        self.town.run()
        self.town.notify()

    def mend(self, *bodies: object) -> None:
        """Define the event's next versions."""
        for one in bodies or (MENDED,):
            assert isinstance(one, dict)
            self.topic.replace(one)
        self._hear()

    def replay(self, *letters: Letter) -> Desk:
        """Send letters of stage notify again; return the desk."""
        desk = desk_of(self.town)
        found = desk.sort(letters or letters_of(self.town, stage="notify"))
        list(desk.replay(found.resent))
        self.town.notify()
        return desk_of(self.town)

    def told(self) -> Arrival:
        """Return the event's only arrival."""
        [arrival] = self.town.why([*self.town.definitions]).of_id(ID).arrivals
        return arrival

    def audit(self) -> Findings:
        """Return what an audit finds that reads the topic of definitions as it is now."""
        town, history = self.town, self.topic.history()

        def derive(records: Sequence[Record]) -> Sequence[Output]:
            return town.notifier.plan(records, definitions=history.view(), generation=0).outputs

        deployment = msgspec.structs.replace(
            town.deployment(), definitions=history.view(), views=history.at
        )
        return Audit(town.log, deployment, groups=GROUPS, deriver=derive).run()

    def _hear(self) -> None:
        self.town.definitions = self.topic.history().view()


def test_an_event_is_mapped_once_its_definition_is_mended() -> None:
    """It lies on `EMFConsumer` again, byte by byte, and causes what it should have caused."""
    place = Mending()
    assert place.told().notify == NotifyOutcome.UNMAPPED
    place.mend()
    [letter] = letters_of(place.town, stage="notify")
    found = desk_of(place.town).sort([letter]).resent
    assert forecast(place.town, found).verdicts == {"notified": 1}
    desk = place.replay()
    assert desk.states.of(letter.place).state is Step.REPLAYED
    first, again = place.town.log.all(TOPICS.emf)
    assert (first.value, first.key, first.partition) == (again.value, again.key, again.partition)
    assert again.header("replay-of") == str(letter.place).encode()
    assert again.header("src") == f"{letter.place}/0/0".encode()
    assert len(place.town.log.all(TOPICS.notifications)) == 1
    findings = place.audit()
    assert findings.exact, findings.to_json()
    assert sum(one.replayed for one in findings.partitions) == 1


def test_the_story_has_both_attempts() -> None:
    """First unmapped and why, then replayed, then notified: in this order, by one id."""
    place = Mending()
    place.mend()
    place.replay()
    arrival = place.told()
    assert (arrival.notify, arrival.notify_handled) == ("notified", "replayed, attempt 1")
    _, again = arrival.routed
    assert again.replay is not None
    assert again.replay.letter == str(arrival.notify_letter)
    text = shown(render_why(place.town.why([*place.town.definitions]).of_id(ID)))
    order = ["routed", "unmapped", "UNMAPPED", "replayed, attempt 1", "notified"]
    places = [text.index(word) for word in order]
    assert places == sorted(places)
    answer = place.town.why([*place.town.definitions]).of_place(again.place)
    assert answer.arrivals == (arrival,)


def test_a_replay_without_a_mended_definition_is_refused_again() -> None:
    """The same version maps it as little as before; the next letter may come back as well."""
    place = Mending()
    place.replay()
    assert place.told().notify == NotifyOutcome.UNMAPPED
    first, second = letters_of(place.town, stage="notify")
    place.mend()
    assert desk_of(place.town).sort([first]).staying == {Stay.DONE: [first]}
    place.replay(second)
    assert (place.told().notify, place.told().notify_letter) == ("notified", second.place)
    assert place.audit().exact


def test_what_a_replay_was_mapped_by_stays_known() -> None:
    """It names its version: what is defined later changes nothing of what an audit expects."""
    place = Mending()
    place.mend()
    place.replay()
    place.mend(body(transaction(amount="fields.amount", billNumber={"const": "7"})))
    findings = place.audit()
    assert findings.exact, findings.to_json()


def test_an_event_that_its_own_version_maps_is_mapped_by_that() -> None:
    """A letter for another cause, as a size that was too small, keeps its own notifications."""
    place = Mending()
    place.mend()
    happened = HAPPENED | {"eventId": "by version 2"}
    place.town.place(happened)
    place.run()
    [_, record] = place.town.log.all(TOPICS.emf)
    value = record.value or b""
    signed = SIGNER.headers(Replay("dead/0/0", 1, version=1), value)
    again = Record(record.partition, 0, 1, record.key, value, signed)
    plan = place.town.notifier.plan([again], definitions=place.town.definitions, generation=0)
    assert plan.tally.outcomes[NotifyOutcome.NOTIFIED] == 1


def test_only_a_signed_replay_has_another_version() -> None:
    """Whoever writes a version into a header of `EMFConsumer` changes nothing by it."""
    place = Mending()
    place.mend()
    [record] = place.town.log.all(TOPICS.emf)
    others = Signer("another secret of ours")
    for signer, outcome in ((others, NotifyOutcome.UNMAPPED), (SIGNER, NotifyOutcome.NOTIFIED)):
        value = record.value or b""
        headers = signer.headers(Replay("dead/0/0", 1, version=2), value)
        again = Record(record.partition, 0, 1, record.key, value, headers)
        plan = place.town.notifier.plan([again], definitions=place.town.definitions, generation=0)
        assert plan.tally.outcomes[outcome] == 1


def test_the_same_event_causes_the_same_ids_again() -> None:
    """Were a letter sent twice, its notifications would be known by their ids; audits see it."""
    place = Mending()
    place.mend()
    place.replay()
    _, again = place.town.log.all(TOPICS.emf)
    place.town.log.append(TOPICS.emf, again)
    place.town.notify()
    one, other = place.town.log.all(TOPICS.notifications)
    assert one.header("ce_id") == other.header("ce_id")
    assert place.audit().faults == {Fault.REPEATED: 1}


@pytest.mark.parametrize("header", ["replay-of", "replay-mac", "replay-version", "src"])
def test_a_forged_replay_on_the_routed_topic_is_a_fault(header: str) -> None:
    """A record of `EMFConsumer` that no judged event and no signed letter explains is found."""
    place = Mending()
    place.mend()
    place.replay()
    _, again = place.town.log.all(TOPICS.emf)
    changed = [(name, b"7" if name == header else content) for name, content in again.headers]
    place.town.log.replace(TOPICS.emf, again, headers=changed)
    assert Fault.NO_SOURCE in place.audit().faults


def test_a_replay_is_of_the_letter_that_it_names_as_its_source() -> None:
    """A signed record under another letter's place is not explained by that."""
    place = Mending()
    place.mend()
    place.replay()
    _, again = place.town.log.all(TOPICS.emf)
    other = f"{TOPICS.dead_letter}/0/99/0/0".encode()
    changed = [(name, other if name == "src" else content) for name, content in again.headers]
    place.town.log.replace(TOPICS.emf, again, headers=changed)
    assert Fault.NO_SOURCE in place.audit().faults


def test_a_letter_names_the_version_that_was_tried_last() -> None:
    """Mended in vain, the next letter is of the version that was to map it."""
    place = Mending()
    place.mend(body(transaction(lineItemCount="nested.cart.lines")))
    place.replay()
    first, second = letters_of(place.town, stage="notify")
    assert (first.version, second.version) == (1, 2)
    assert place.audit().exact


def test_a_letter_of_notify_is_neither_released_nor_repaired() -> None:
    """It is no conflict, and its bytes are Avro: its definition is what can be mended."""
    place = Mending()
    [letter] = letters_of(place.town, stage="notify")
    desk = desk_of(place.town)
    assert desk.sort_held([letter]).staying == {Stay.NOT_HELD: [letter]}
    patch = [{"op": "remove", "path": "/fields/cart"}]
    assert desk.sort([letter], patch).staying == {Stay.PATCH: [letter]}


def test_a_replay_says_what_it_is() -> None:
    """Letter, attempt and version are told of what we signed, and of nothing else."""
    headers = SIGNER.headers(Replay("dead/0/7", 2, version=3), b"value")
    record = Record(0, 0, 0, None, b"value", headers)
    assert SIGNER.resending_of(record) == Resending("dead/0/7", 2, 3)
    for name, _ in headers:
        lacking = [header for header in headers if header[0] != name]
        assert SIGNER.resending_of(msgspec.structs.replace(record, headers=lacking)) is None
    swapped = [("release-of" if name == "replay-version" else name, one) for name, one in headers]
    assert SIGNER.resending_of(msgspec.structs.replace(record, headers=swapped)) is None
