"""The topic of definitions: what is in force at each of its revisions."""

import pytest

from loyaltystream.definitions.changing import verify
from loyaltystream.definitions.stored import StoredEvent, decode, encode, key_of
from loyaltystream.errors import ConfigurationError
from tests.core import ORDERED, VIEWED, field
from tests.definitions.topic import TOPIC, Topic

WIDER = VIEWED | {"fields": [*VIEWED["fields"], field("shelf", "string")]}


def version_of(topic: Topic, revision: int) -> int | None:
    """Return which version of the product's event is in force at a revision."""
    compiled = topic.history().at(revision).get(1800, "productViewed")
    return compiled.definition.version if compiled else None


def changed() -> Topic:
    """Return a topic with two versions of one event between changes of another, then disabled."""
    topic = Topic()
    topic.create(VIEWED)
    topic.create(ORDERED)
    topic.replace(WIDER)
    topic.replace(ORDERED | {"description": "of any shop"})
    topic.disable("productViewed")
    return topic


def test_every_revision_has_its_view() -> None:
    """A version is in force from its revision on, until the next one or until it is disabled."""
    assert [version_of(changed(), revision) for revision in range(1, 6)] == [1, 1, 2, 2, None]


def test_before_the_topic_began_its_first_versions_were_in_force() -> None:
    """Revision 0 is what was judged by files, from which the topic was then filled."""
    assert version_of(changed(), 0) == 1


def test_the_last_record_of_an_event_tells_all_of_its_past() -> None:
    """Once the topic is compacted, each revision has the same view as before."""
    topic = changed()
    last = {record.key: record for record in topic.records}
    compacted = Topic()
    compacted.records = sorted(last.values(), key=lambda record: record.offset)
    for revision in range(6):
        assert version_of(compacted, revision) == version_of(topic, revision)


def test_every_version_stays_available_for_events_that_it_judged() -> None:
    """An accepted event is mapped by its version, also when that is old or the event disabled."""
    view = changed().history().view()
    old, new = (view.of_version(1800, "productViewed", version) for version in (1, 2))
    assert old is not None
    assert new is not None
    assert len(new.definition.fields) == len(old.definition.fields) + 1
    assert view.of_version(1800, "productViewed", 3) is None


def test_a_disabled_event_says_so() -> None:
    """Its events are of no definition, for a reason of its own."""
    view = changed().history().view()
    assert view.get(1800, "productViewed") is None
    assert view.absence(1800, "productViewed") == "the event is disabled"
    assert view.absence(1801, "productViewed") == "no definition of this name in this org"


def test_a_view_does_not_change() -> None:
    """What comes later is another view; the one that a batch was given stays."""
    topic = changed()
    history = topic.history(3)
    view = history.view()
    history.learn(topic.records[3:])
    assert view.get(1800, "productViewed") is not None
    assert view.absence(1800, "productViewed") == "no definition of this name in this org"
    assert view.revision == 3
    assert history.view().revision == 5


def test_a_version_is_compiled_once() -> None:
    """A change of one event compiles nothing else again."""
    topic = changed()
    history = topic.history(3)
    before = history.view().get(1800, "productViewed")
    history.learn(topic.records[3:4])
    assert history.view().get(1800, "productViewed") is before


def test_drafts_judge_nothing() -> None:
    """An event that is only drafted is no event yet, and one that is drafted anew is as it was."""
    topic = Topic()
    topic.create(ORDERED, draft=True)
    topic.create(VIEWED)
    topic.replace(WIDER, draft=True)
    topic.write(verify(topic.events[1800, "productViewed"], "productViewed", mark=topic.mark))
    view = topic.history().view()
    assert view.get(1800, "orderPlaced") is None
    assert version_of(topic, 4) == 1
    assert view.of_version(1800, "productViewed", 2) is None


def test_a_record_without_a_value_takes_its_event_away() -> None:
    """What an operator removes from the topic by hand is not defined any more."""
    topic = changed()
    topic.append(key_of(1800, "orderPlaced"), None)
    view = topic.history().view()
    assert view.get(1800, "orderPlaced") is None
    assert not view.knows(1800, "orderPlaced", 1)


@pytest.mark.parametrize("key", [None, b"", b"x", b"1800", b"\xff|a", b"1801|orderPlaced"])
def test_a_key_that_is_nobodys_removes_nothing(key: bytes | None) -> None:
    """A stray record without a value is of no event."""
    topic = changed()
    topic.append(key, None)
    assert len(topic.history().view()) == 1


def spoilt(**changes: object) -> StoredEvent:
    """Return a stored event that is not as it has to be."""
    topic = changed()
    stored = topic.events[1800, "orderPlaced"]
    return StoredEvent(
        **{name: getattr(stored, name) for name in stored.__struct_fields__} | changes
    )


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (b"", "not a stored definition"),
        (b"{}", "not a stored definition"),
        (b'{"orgId": "x"}', "not a stored definition"),
        (
            encode(changed().events[1800, "orderPlaced"])[:-1] + b',"quietFrom":7}',
            "unknown field `quietFrom`",
        ),
        (encode(spoilt(event_name="another")), "which is not its key"),
        (encode(spoilt(version=3)), "not in order"),
        (encode(spoilt(versions=changed().events[1800, "orderPlaced"].versions[::-1])), "in order"),
        (
            encode(spoilt(versions=changed().events[1800, "productViewed"].versions)),
            "another event",
        ),
    ],
)
def test_a_record_that_cannot_be_read_is_named(value: bytes, told: str) -> None:
    """Nothing is judged by a guess: the topic, the offset and what to do are told."""
    topic = changed()
    topic.append(b"1800|orderPlaced", value)
    with pytest.raises(ConfigurationError) as caught:
        topic.history()
    assert str(caught.value).startswith(f"{TOPIC}, offset 5: ")
    assert told in str(caught.value)


def test_a_broken_record_that_was_mended_is_no_longer_looked_at() -> None:
    """Only the last record of an event counts, also before the topic is compacted."""
    topic = changed()
    topic.append(b"1800|orderPlaced", b"{")
    topic.append(b"1800|orderPlaced", topic.records[3].value)
    assert topic.history().view().get(1800, "orderPlaced") is not None


def test_what_is_stored_is_read_as_it_was() -> None:
    """Writing and reading an event changes nothing of it."""
    for name, stored in changed().events.items():
        assert decode(key_of(*name), encode(stored)) == stored
