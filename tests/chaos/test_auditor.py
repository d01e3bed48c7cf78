"""The auditor finds what is planted, and nothing where nothing is."""

from collections.abc import Callable, Sequence
from functools import cache
from random import Random
from typing import Final

import pytest

from loyaltystream.definitions.registry import Definitions
from loyaltystream.events import Record
from loyaltystream.story import Recipe, generate
from loyaltystream.story.shop import parsed_definitions
from tests.audit.world import PARTITIONS, World
from tests.chaos.auditor import ROLES, Auditor, Evidence, Ruling
from tests.chaos.load import Told, mixed
from tests.chaos.model import Shop, murmur2
from tests.chaos.reading import Row
from tests.core import EVENT_SCHEMA_ID, NOW_MS, TOPICS
from tests.notifications.shop import notify

NAMES: Final = {role: str(getattr(TOPICS, role)) for role in ROLES}
Rows = dict[str, list[Row]]


@cache
def honest() -> Evidence:
    """Return what comes of a story with every kind of record, judged in memory."""
    definitions = Definitions(parsed_definitions(), EVENT_SCHEMA_ID)
    world = World(definitions=definitions)
    shop = Shop(PARTITIONS)
    story = generate(Recipe(events=900, customers=60, partitions=3), 5, now_ms=NOW_MS)
    told: list[Told] = []
    places = {}
    for one in mixed(story, Random(5), lambda: world.now_ms):
        sent = one.sent
        partition = len(told) % PARTITIONS if sent.key is None else shop.place(sent.key)
        record = world.send(sent.value, partition, key=sent.key, headers=sent.headers)
        places[partition, record.offset] = len(told)
        told.append(one)
    world.run(batch=25)
    rows = {role: [_row(NAMES[role], one) for one in world.log.all(NAMES[role])] for role in ROLES}
    for partition, records in enumerate(world.log.topics[TOPICS.emf]):
        plan = notify().plan(records, definitions=definitions, generation=5)
        for output in plan.outputs:
            home = shop.place(output.key or b"")
            made = Record(home, len(rows["notifications"]), 0, output.key, output.value)
            rows["notifications"].append(
                _row(output.topic, made)._replace(headers=tuple(output.headers))
            )
        assert partition < PARTITIONS
    rows["notifications"].sort(key=lambda row: (row.partition, row.offset))
    committed = {
        "ingest": dict(world.log.offsets["ingest", TOPICS.ingest]),
        "notify": {row.partition: row.offset + 1 for row in rows["emf"]},
    }
    return Evidence(told, places, rows, NAMES, committed)


def _row(topic: str, record: Record) -> Row:
    headers = tuple(record.headers)
    moment = record.timestamp_ms
    return Row(topic, record.partition, record.offset, moment, record.key, record.value, headers)


def rule(rows: Rows) -> Ruling:
    """Return the ruling on an honest world with other rows."""
    return Auditor(honest()._replace(rows=rows), PARTITIONS).rule(())


def copied() -> Rows:
    """Return the honest rows, to be spoiled."""
    return {role: list(rows) for role, rows in honest().rows.items()}


def with_header(row: Row, name: str, value: str) -> Row:
    """Return a row with another header."""
    others = tuple(header for header in row.headers if header[0] != name)
    return row._replace(headers=(*others, (name, value.encode())))


def test_an_honest_world_is_exact() -> None:
    """Where everything is as it has to be, the auditor has nothing to say."""
    ruling = rule(copied())
    assert ruling.exact, ruling.complaints
    assert ruling.sent > 900
    assert {role for role, rows in honest().rows.items() if rows} == set(ROLES)


def test_both_sides_of_the_edge_are_met() -> None:
    """Among the events on the edge of the window some are late and some are not."""
    letters = [row.header("verdict") for row in honest().rows["dead_letter"]]
    edges = [told for told in honest().told if told.edge_ms is not None]
    assert 0 < letters.count("late") < len(edges)


@pytest.mark.parametrize("role", ROLES)
def test_a_missing_record_is_missed(role: str) -> None:
    """A record that is gone from any topic is told."""
    rows = copied()
    caused = [row for row in rows[role] if row.header("src")]
    rows[role].remove(caused[len(caused) // 2])
    ruling = rule(rows)
    assert sum(harm.lost for harm in ruling.harm.values()) > 0


@pytest.mark.parametrize("role", ROLES)
def test_a_doubled_record_is_seen(role: str) -> None:
    """A record that stands twice in any topic is told."""
    rows = copied()
    caused = [row for row in rows[role] if row.header("src")]
    twin = caused[len(caused) // 2]
    rows[role].insert(rows[role].index(twin) + 1, twin)
    ruling = rule(rows)
    assert sum(harm.doubled for harm in ruling.harm.values()) > 0


@pytest.mark.parametrize("role", ROLES)
def test_a_swapped_pair_is_seen(role: str) -> None:
    """Two records of one source partition in the wrong order are told."""
    rows = copied()
    for number, (one, two) in enumerate(zip(rows[role], rows[role][1:], strict=False)):
        ways = [row.header("src").split("/")[1] for row in (one, two) if row.header("src")]
        if len(ways) == 2 and ways[0] == ways[1] and one.partition == two.partition:
            rows[role][number : number + 2] = [two, one]
            break
    ruling = rule(rows)
    assert sum(harm.disordered for harm in ruling.harm.values()) > 0


def _earlier_owner(rows: Rows) -> None:
    row = rows["emf"][-1]
    rows["emf"][-1] = with_header(row, "src", row.header("src").rpartition("/")[0] + "/4")


def _sent_record_gone(rows: Rows) -> None:
    del rows["ingest"][0]


def _stranger(rows: Rows) -> None:
    last = rows["ingest"][-1]
    rows["ingest"].append(last._replace(offset=last.offset + 1, headers=()))


def _other_bytes(rows: Rows) -> None:
    rows["duplicates"][0] = rows["duplicates"][0]._replace(value=b"{}")


def _other_partition(rows: Rows) -> None:
    row = rows["notifications"][0]
    rows["notifications"][0] = row._replace(partition=(row.partition + 1) % PARTITIONS)


def _id_twice(rows: Rows) -> None:
    one, two = rows["notifications"][:2]
    rows["notifications"][1] = with_header(two, "ce_id", one.header("ce_id"))


def _unsourced(rows: Rows) -> None:
    rows["ei"][0] = rows["ei"][0]._replace(headers=())


def _other_verdict(rows: Rows) -> None:
    rows["dead_letter"][0] = with_header(rows["dead_letter"][0], "verdict", "lost")


SPOILED: Final[Sequence[Callable[[Rows], None]]] = (
    _earlier_owner,
    _sent_record_gone,
    _stranger,
    _other_bytes,
    _other_partition,
    _id_twice,
    _unsourced,
    _other_verdict,
)


@pytest.mark.parametrize("spoil", SPOILED, ids=lambda spoil: str(spoil.__name__).strip("_"))
def test_what_is_spoiled_is_told(spoil: Callable[[Rows], None]) -> None:
    """Whatever else is not as it has to be is told."""
    rows = copied()
    spoil(rows)
    assert not rule(rows).exact


@pytest.mark.parametrize("stage", ["ingest", "notify"])
@pytest.mark.parametrize("step", [-1, 1])
def test_an_offset_beside_the_last_record_is_told(stage: str, step: int) -> None:
    """A committed offset is exactly the one behind the last record."""
    evidence = honest()
    committed = {name: dict(offsets) for name, offsets in evidence.committed.items()}
    committed[stage][1] += step
    ruling = Auditor(evidence._replace(committed=committed), PARTITIONS).rule(())
    assert len(ruling.complaints) == 1
    assert f"{stage}/1" in ruling.complaints[0]


@pytest.mark.parametrize(
    ("key", "hash_"),
    [(b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536)],
)
def test_keys_are_placed_as_java_does(key: bytes, hash_: int) -> None:
    """The model's own murmur2 gives what Kafka's own tests say."""
    assert murmur2(key) == hash_ % 2**32


@pytest.mark.parametrize(("beginnings", "complaints"), [(0, 1), (1, 0)])
def test_an_earlier_owner_behind_a_later_one_is_told(beginnings: int, complaints: int) -> None:
    """A zombie's output is told by its generation, unless the broker began to count anew there."""
    rows = copied()
    place, _, _ = rows["notifications"][-1].header("src").rpartition("/")
    for at, row in enumerate(rows["notifications"]):
        if row.header("src").startswith(f"{place}/"):
            rows["notifications"][at] = with_header(row, "src", f"{place}/4")
    evidence = honest()._replace(rows=rows, beginnings={"notify": beginnings})
    told = Auditor(evidence, PARTITIONS).rule(()).complaints
    assert len([each for each in told if "earlier owner" in each]) == complaints
