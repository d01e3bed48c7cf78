"""What is told at the end of a run."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from loyaltystream.audit import Detail, Fault, Findings, Notice, PartitionFindings, Place
from loyaltystream.avro import schemas
from loyaltystream.demo import closing, samples
from loyaltystream.demo.screen import Snapshot
from loyaltystream.demo.workers import Worker
from loyaltystream.errors import SchemaError
from loyaltystream.events import Record
from loyaltystream.settings import Settings
from loyaltystream.story import Recipe, generate
from tests.story.world import NOW_MS, TOPICS, World

# The ids that the world's encoders frame their values with.
SCHEMAS = {1: schemas.BEHAVIORAL_EVENT, 2: schemas.DEAD_LETTER}


class Kept:
    """A log of what a world has written, each topic as one partition."""

    def __init__(self, written: list[tuple[str, Record]]) -> None:
        self._written = written

    def bounds(self, topic: str) -> Mapping[int, tuple[int, int]]:
        """Return the bounds of the one partition."""
        return {0: (0, sum(name == topic for name, _ in self._written))}

    def records(self, topic: str, partition: int, start: int, end: int) -> Iterator[Record]:
        """Yield the records of a topic."""
        assert partition == 0
        yield from [record for name, record in self._written if name == topic][start:end]


def _find(schema_id: int) -> schemas.Schema | None:
    return schemas.load(SCHEMAS[schema_id]) if schema_id in SCHEMAS else None


@pytest.fixture(scope="module")
def kept() -> Kept:
    """Return the topics after a story; routed events stand in for notifications."""
    recipe = Recipe(events=600)
    world = World(recipe.partitions)
    world.live(generate(recipe, 3, now_ms=NOW_MS))
    written = [
        (TOPICS.notifications if topic == TOPICS.emf else topic, record)
        for topic, record in world.written
    ]
    return Kept(written)


def test_the_letter_with_most_to_say_is_told(kept: Kept) -> None:
    """The sample letter has several violations; each is told with its code and its path."""
    letter = samples.dead_letter(kept, TOPICS, _find)
    assert letter is not None
    lines = list(closing.told_letter(letter))
    assert len(lines) == len(letter["violations"]) + 1 >= 4
    assert "was rejected" in lines[0]
    assert any("NO_ID" in line and "eventId" in line for line in lines)


def test_three_notifications_are_told(kept: Kept) -> None:
    """Three notifications are decoded by the registry's schemas and told as JSON."""
    lines = list(closing.told_notifications(samples.notifications(kept, TOPICS, _find)))
    assert len(lines) == 4
    assert '"orgId": 1800' in lines[1]


def test_nothing_to_tell_is_said() -> None:
    """A run without notifications and letters says so."""
    empty = Kept([])
    assert samples.dead_letter(empty, TOPICS, _find) is None
    assert len(list(closing.told_letter(None))) == 1
    assert "none" in list(closing.told_notifications([]))[1]


@pytest.mark.parametrize("value", [b"", b"\x01\0\0\0\x02", b"\0\0\0\0\x09", b"\0\0\0\0\x02broken"])
def test_what_cannot_be_decoded_is_an_error(value: bytes) -> None:
    """A value without frame, of an unknown schema or not of its own is not told as anything."""
    with pytest.raises(SchemaError):
        samples.decode(value, _find)


def _findings(faults: dict[Fault, int]) -> Findings:
    part = PartitionFindings(
        "ingest", "in", 0, 0, 0, 1_000, 1_000, 1_000, {"accepted": 1_000}, {}, {}
    )
    detail = Detail(Fault.MISSING, Place("in", 0, 7), "no output in emf")
    return Findings([part], faults, {Notice.OUTPUT_EXPIRED: 2}, [detail] if faults else [])


def test_the_audit_is_told_as_it_is() -> None:
    """An exact audit says so; another one names what is wrong and where."""
    exact = "\n".join(closing.told_audit(_findings({})))
    assert exact.startswith("Audit: EXACT. 1,000 records")
    assert "OUTPUT_EXPIRED: 2" in exact
    wrong = "\n".join(closing.told_audit(_findings({Fault.MISSING: 1})))
    assert "NOT EXACT" in wrong
    assert "in/0/7: no output in emf" in wrong


def test_a_kept_run_tells_every_address(tmp_path: Path) -> None:
    """Whoever keeps a run learns where everything is, and how to end it."""
    file = tmp_path / "loyaltystream.toml"
    settings = Settings()
    workers = [Worker("ingest", file, 18_001), Worker("notify", file, 18_002)]
    told = "\n".join(closing.told_addresses(settings, file, workers))
    for there in (settings.kafka.bootstrap_servers, settings.registry.url, ":18001/", ":18002/"):
        assert there in told
    assert "platform stop" in told


def test_the_end_says_what_next() -> None:
    """Every run ends with what to do next; only one that was not kept offers to keep the next."""
    assert "--keep" in "\n".join(closing.told_next(kept=False))
    assert "--keep" not in "\n".join(closing.told_next(kept=True))
    assert "20,000 records in 31 s" in closing.told_summary(Snapshot(20_000, at_s=31.2))
