"""What the doctor concludes from facts, without a broker."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from loyaltystream.access import Operation
from loyaltystream.doctor import brokers, groups, letters, machine, schemas, timeouts, topics
from loyaltystream.doctor.brokers import Reached, Trial
from loyaltystream.doctor.findings import Finding, Kind, Severity, Unseen, report, severity_of
from loyaltystream.doctor.groups import GroupFacts, Held
from loyaltystream.doctor.letters import LetterFacts
from loyaltystream.doctor.machine import PortFacts, StateFacts
from loyaltystream.doctor.placement import Sample, of_placement
from loyaltystream.doctor.schemas import SubjectFacts
from loyaltystream.doctor.timeouts import Timeouts
from loyaltystream.doctor.topics import TopicFacts
from loyaltystream.doctor.wording import of_definitions, of_settings
from loyaltystream.keys import murmur2, place
from loyaltystream.premises import look_at_port, look_at_state

SOUND = {
    "transaction.max.timeout.ms": "900000",
    "group.min.session.timeout.ms": "6000",
    "group.max.session.timeout.ms": "1800000",
    brokers.VERIFICATION: "true",
    "auto.create.topics.enable": "false",
}


def kinds(found: Iterable[Finding]) -> list[Kind]:
    """Return the kinds of findings."""
    return [one.kind for one in found]


@pytest.mark.parametrize(
    ("copies", "insync", "expected"),
    [
        (3, "1", [Kind.MIN_INSYNC]),
        (3, "2", []),
        (3, "3", [Kind.NO_SPARE]),
        (1, "1", []),
        (1, "2", [Kind.UNWRITABLE]),
        (2, "2", [Kind.NO_SPARE]),
    ],
)
def test_copies_are_held_against_what_has_to_be_in_sync(
    copies: int, insync: str, expected: list[Kind]
) -> None:
    """One copy in sync of three loses what was acknowledged; three of three stand no restart."""
    settings = {"min.insync.replicas": insync}
    topic = TopicFacts("t", copies=copies, insync=copies, settings=settings)
    assert kinds(topics.of_copies(topic, wanted=copies, brokers=copies)) == expected


def test_the_fix_of_too_few_in_sync_is_a_command() -> None:
    """What has to be typed names the topic and the value."""
    topic = TopicFacts("t", copies=3, insync=3, settings={"min.insync.replicas": "1"})
    [found] = topics.of_copies(topic, wanted=3, brokers=3)
    assert found.fix.endswith("--entity-name t --add-config min.insync.replicas=2")


def test_missing_copies_are_told() -> None:
    """Fewer copies than planned, one alone on three brokers, and one behind are warnings."""
    few = TopicFacts("t", copies=2, insync=1)
    assert kinds(topics.of_copies(few, wanted=3, brokers=3)) == [Kind.FEW_COPIES, Kind.OUT_OF_SYNC]
    assert kinds(topics.of_copies(TopicFacts("t"), wanted=1, brokers=3)) == [Kind.FEW_COPIES]
    assert kinds(topics.of_copies(TopicFacts("t"), wanted=1, brokers=1)) == []


def test_a_topic_that_hides_is_not_missing() -> None:
    """A broker that may not tell of a topic is told by its own word, with the rule that lacks."""
    needs = (Operation.READ, Operation.DESCRIBE_CONFIGS)
    [found] = topics.of_topic(TopicFacts("t", refused="authorization failed", needs=needs))
    assert found.kind is Kind.ACCESS
    assert "--operation Read --operation DescribeConfigs --topic t" in found.fix


def test_a_topic_that_is_only_written_needs_no_reading() -> None:
    """Rights that a role does not need are not asked for."""
    may, written = frozenset({"WRITE", "DESCRIBE"}), (Operation.WRITE,)
    assert kinds(topics.of_topic(TopicFacts("t", may=may, needs=written))) == []
    read = (Operation.READ, *written)
    assert kinds(topics.of_topic(TopicFacts("t", may=may, needs=read))) == [Kind.ACCESS]


def test_too_many_partitions_become_the_setting() -> None:
    """Kafka takes no partitions away, so that the setting follows the largest topic."""
    [found] = topics.of_topic(TopicFacts("t", planned=6, partitions=12))
    assert found.kind is Kind.PARTITIONS
    assert "LOYALTYSTREAM_TOPICS__PARTITIONS=12" in found.fix
    [found] = topics.of_topic(TopicFacts("t", planned=12, partitions=6))
    assert found.fix == "stop all workers, then loyaltystream memory relayout"


def test_a_sound_broker_is_not_spoken_of() -> None:
    """A new Kafka with its own settings and our default timeouts gives no finding."""
    assert kinds(brokers.of_settings(SOUND, "b")) == []
    assert kinds(timeouts.of_broker(Timeouts(8_000, 15_000), SOUND)) == []
    assert kinds(timeouts.of_poll(Timeouts(8_000, 15_000))) == []


def test_a_broker_that_verifies_nothing_is_told() -> None:
    """One that does not know the setting is too old, one that has it off is not safe."""
    old = {name: value for name, value in SOUND.items() if name != brokers.VERIFICATION}
    off = SOUND | {brokers.VERIFICATION: "false"}
    assert kinds(brokers.of_settings(old, "b")) == [Kind.BROKER_OLD]
    assert kinds(brokers.of_settings(off, "b")) == [Kind.BROKER_OLD]
    making = SOUND | {"auto.create.topics.enable": "true"}
    assert kinds(brokers.of_settings(making, "b")) == [Kind.AUTO_CREATE]


@pytest.mark.parametrize(
    ("ours", "place"),
    [
        (Timeouts(900_001, 900_002), "worker.transaction_timeout_ms"),
        (Timeouts(1_000, 5_999), "worker.session_timeout_ms"),
        (Timeouts(8_000, 1_800_001), "worker.session_timeout_ms"),
    ],
)
def test_timeouts_are_held_against_the_brokers(ours: Timeouts, place: str) -> None:
    """A transaction or a session that the broker does not allow is told, one ms inside is not."""
    [found] = timeouts.of_broker(ours, SOUND)
    assert (found.kind, found.place) == (Kind.TIMEOUTS, place)
    assert not [*timeouts.of_broker(Timeouts(900_000, 1_800_000), SOUND)]


def test_a_session_outlasts_no_poll() -> None:
    """A busy worker may be silent for a session at least before the group goes on without it."""
    assert kinds(timeouts.of_poll(Timeouts(8_000, 15_000, 14_999))) == [Kind.TIMEOUTS]
    assert kinds(timeouts.of_poll(Timeouts(8_000, 15_000, 15_000))) == []


def test_one_address_of_many_is_a_warning() -> None:
    """Only where no address answers there is no broker."""
    up, down = Reached("a:1", None), Reached("b:1", "refused")
    assert kinds(brokers.of_addresses([up, down])) == [Kind.ADDRESS_AWAY]
    assert kinds(brokers.of_addresses([down, down])) == [Kind.BROKER_AWAY, Kind.BROKER_AWAY]
    assert kinds(brokers.of_advertised([up, down])) == [Kind.ADVERTISED_AWAY]


@pytest.mark.parametrize(("skew_ms", "word"), [(31_000, "ahead of"), (-31_000, "behind")])
def test_a_wrong_clock_is_told_with_its_direction(skew_ms: float, word: str) -> None:
    """Half a minute is told, a second is not."""
    [found] = brokers.of_trial(Trial(None, skew_ms), "p.doctor.1")
    assert found.kind is Kind.CLOCK_SKEW
    assert word in found.what
    assert not [*brokers.of_trial(Trial(None, 1_000), "p.doctor.1")]


def test_a_refused_transaction_names_the_workers_ids() -> None:
    """The rule to add is for all transactional ids of the deployment."""
    [found] = brokers.of_trial(Trial("denied"), "shop.doctor.12345678")
    assert found.fix.endswith("--resource-pattern-type prefixed --transactional-id shop.")


def test_subjects_are_held_against_the_level_of_init() -> None:
    """NONE is a fault, anything weaker than ours a warning, an unknown level nothing."""
    subjects = [SubjectFacts("s", 1, level) for level in ("NONE", "BACKWARD", None, "OURS")]
    found = kinds(schemas.of_subjects(subjects, needed="OURS"))
    assert found == [Kind.COMPATIBILITY_NONE, Kind.COMPATIBILITY_WEAK]
    missing = [SubjectFacts("s", None, "NONE")]
    assert kinds(schemas.of_subjects(missing, needed="OURS")) == [Kind.SCHEMA_MISSING]


def test_there_is_room_for_two_and_a_half_snapshots() -> None:
    """Two and a half have to fit; one byte less is told."""
    assert not [*machine.of_state(StateFacts("d", None, 2_500, 1_000))]
    assert kinds(machine.of_state(StateFacts("d", None, 2_499, 1_000))) == [Kind.DISK_ROOM]
    assert kinds(machine.of_state(StateFacts("d", "no", 2_499, 1_000))) == [Kind.STATE_DIR]


def test_a_state_directory_need_not_be_there_yet(tmp_path: Path) -> None:
    """What a worker will make is judged by where it makes it, and nothing is made."""
    wanted = tmp_path / "a" / "b"
    assert look_at_state(wanted, 0).refused is None
    assert not (tmp_path / "a").exists()
    (tmp_path / "a").write_text("a file")
    assert "is no directory" in (look_at_state(wanted, 0).refused or "")


def test_a_port_that_somebody_else_has_is_told() -> None:
    """A free port is nothing to tell, and one that a stranger holds is."""
    import socket  # noqa: PLC0415 (only here)

    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        port = stranger.getsockname()[1]
        taken = look_at_port("a worker", "127.0.0.1", port)
    assert kinds(machine.of_ports([taken])) == [Kind.METRICS_PORT]
    free = look_at_port("a worker", "127.0.0.1", port)
    assert not [*machine.of_ports([free, PortFacts("one of ours", "h:1", None)])]


def test_samples_tell_partitioners_apart() -> None:
    """Keys where murmur2 puts them are right; where CRC32 does, it is named; else neither."""
    keys = [f"1800|mobile|91{number:010d}".encode() for number in range(40)]
    homes = place(murmur2(keys), 6).tolist()
    import zlib  # noqa: PLC0415 (the wrong way, only here)

    placed = {
        "right": homes,
        "crc": [zlib.crc32(key) % 6 for key in keys],
        "else": [(home + 1) % 6 for home in homes],
    }
    found = {
        name: kinds(of_placement([Sample(at, key, key, "t/0/0") for at, key in pairs], 6, "t"))
        for name, where in placed.items()
        for pairs in [list(zip(where, keys, strict=True))]
    }
    assert found == {"right": [], "crc": [Kind.KEYS_BY_CRC32], "else": [Kind.KEYS_ELSEWHERE]}


def test_an_event_that_can_not_be_read_needs_no_key() -> None:
    """Of bytes that are no event nobody can tell the key, so that a missing one is not held up."""
    assert not [*of_placement([Sample(0, None, None, "t/0/0")], 6, "t")]
    assert not [*of_placement([], 6, "t")]


def test_partitions_without_an_owner_are_told_once_a_group_has_settled() -> None:
    """While members come and go a partition may have no owner; with nobody there, it has none."""
    group = GroupFacts("g", "ingest", "t", settled=True, members=2, unowned=[3], waiting=0)
    assert kinds(groups.of_group(group)) == [Kind.UNOWNED]
    moving = GroupFacts("g", "ingest", "t", settled=False, members=2, unowned=[3], waiting=0)
    assert kinds(groups.of_group(moving)) == []
    empty = GroupFacts("g", "ingest", "t", settled=True, members=0, unowned=[3], waiting=7)
    assert kinds(groups.of_group(empty)) == [Kind.NOBODY_READS]


def test_a_hanging_transaction_can_be_ended_by_what_is_told() -> None:
    """The command names topic, partition and the offset where the transaction begins."""
    [found] = groups.of_held([Held("t", 2, 17, 40, 20.0)])
    assert found.kind is Kind.HANGING_TRANSACTION
    assert found.fix.endswith("abort --topic t --partition 2 --start-offset 17")


def test_letters_wait_for_a_person_and_for_their_key() -> None:
    """A lost key is a warning, letters alone are a notice."""
    facts = LetterFacts("d", open=3, seen=3, all_seen=False, unopened={"2025": 2})
    found = list(letters.of_letters(facts))
    assert [one.severity for one in found] == [Severity.WARNING, Severity.NOTICE]
    assert "2025" in found[0].fix
    assert found[1].what == "3 of the last 3 letters wait for a person"
    [all_of_them] = letters.of_letters(LetterFacts("d", open=3, seen=3, all_seen=True))
    assert all_of_them.what == "3 letters wait for a person"


def test_every_wrong_setting_is_a_finding() -> None:
    """Each line of the settings' mistakes is told, with its place."""
    lines = [
        "loyaltystream.toml, topics.partitions: Input should be greater than 0",
        "loyaltystream.toml, worker: the timeouts must rise in this order: a (1) < b (0)",
    ]
    found = list(of_settings(lines))
    assert kinds(found) == [Kind.SETTINGS, Kind.TIMEOUTS]
    assert found[0].place == "loyaltystream.toml, topics.partitions"


def test_no_definition_at_all_is_a_warning() -> None:
    """A deployment without definitions starts, and rejects everything."""
    assert kinds(of_definitions([], 0)) == [Kind.NO_DEFINITIONS]
    assert kinds(of_definitions(["what is wrong"], 0)) == [Kind.DEFINITIONS]
    assert kinds(of_definitions([], 1)) == []


def test_the_worst_finding_decides_the_code() -> None:
    """An outage is 3, a fault 2, a warning 4; a notice, and what was not seen, change nothing."""
    unseen = [Unseen("x", "y")]
    by_code = {
        3: [Kind.DEAD_LETTERS, Kind.RETENTION, Kind.BROKER_AWAY, Kind.CLOCK_SKEW],
        2: [Kind.CLOCK_SKEW, Kind.RETENTION, Kind.DEAD_LETTERS],
        4: [Kind.DEAD_LETTERS, Kind.CLOCK_SKEW],
        0: [Kind.DEAD_LETTERS],
    }
    for code, some in by_code.items():
        found = report([], [Finding(kind, "p", "w", "f") for kind in some], unseen)
        assert found.exit_code == code
    assert report([], [], unseen).exit_code == 0


def test_findings_are_told_the_worst_first() -> None:
    """Order is by severity, and within one as they were found."""
    some = [Kind.DEAD_LETTERS, Kind.RETENTION, Kind.BROKER_AWAY, Kind.CLOCK_SKEW, Kind.ACCESS]
    found = report([], [Finding(kind, "p", "w", "f") for kind in some], []).findings
    assert kinds(found) == [some[2], some[1], some[4], some[3], some[0]]
    order = [severity_of(kind) for kind in kinds(found)]
    assert order == sorted(order, key=list(Severity).index)
