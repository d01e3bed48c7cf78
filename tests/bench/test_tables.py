"""What the benchmark draws is what it measured."""

from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from loyaltystream.events import Record
from loyaltystream.memory.changelog import Delta, encode
from loyaltystream.memory.units import ENTRY, KeyKind, Section, Unit
from tests.bench.copying import arrange, load_copies
from tests.bench.latency import PERCENTILES, Load, sheet, took_ms
from tests.bench.plot import picture, rows_of
from tests.bench.remembered import RECORD_IDS, shares
from tests.bench.sheet import Sheet
from tests.core import NOW_MS, layout

STAMPS = {2: np.array([NOW_MS, NOW_MS + 1_500, NOW_MS + 2_000, NOW_MS + 3_000])}
LOAD = Load(100.0, 99.5, [(f"in/2/{offset}/0/7".encode(), NOW_MS + 3_040.0) for offset in range(4)])
REMEMBERED = Sheet(
    "by ids", ("ids remembered before", "events/s"), [("0", "30,000"), ("1,000", "29,000")]
)


def test_the_first_seconds_of_a_load_are_left_out() -> None:
    """Only events that were appended two seconds behind the load's first one count."""
    assert took_ms(LOAD, STAMPS).tolist() == [1_040, 40]


def test_a_table_is_read_back_as_it_was_written() -> None:
    """Of several tables of a kind the last one is read, and it ends where its rows end."""
    older = Sheet("by ids", REMEMBERED.columns, [("0", "1")])
    page = f"{older.page()}\n{REMEMBERED.page()}"
    assert rows_of(page, "ids remembered before") == [
        {"ids remembered before": "0", "events/s": "30,000"},
        {"ids remembered before": "1,000", "events/s": "29,000"},
    ]


def test_a_page_without_the_table_is_refused() -> None:
    """Nothing is drawn of a page that lacks what is to be drawn."""
    with pytest.raises(ValueError, match="no table begins with the column 'load'"):
        picture(REMEMBERED.page())


def test_the_picture_says_in_words_what_it_shows() -> None:
    """Every measured number stands in the picture's description."""
    loads = sheet([LOAD] * 3, STAMPS, 500.0, 15)
    drawn = ET.fromstring(picture(f"{loads.page()}\n{REMEMBERED.page()}"))  # noqa: S314 (ours)
    told = drawn.findtext("{http://www.w3.org/2000/svg}desc") or ""
    assert "0: 30,000; events/s by ids remembered, 1,000: 29,000" in told
    assert len(PERCENTILES) == 3
    assert "20%: 100/s: 540, 1,030, 1,039" in told


@pytest.mark.parametrize("partitions", [6, 16])
def test_partitions_are_filled_to_different_levels(partitions: int) -> None:
    """The fullest partition has three times as many ids as the emptiest, all together the asked."""
    levels = shares(10_000_000, partitions)
    assert len(set(levels)) == partitions
    assert levels[-1] // levels[0] in {2, 3}
    assert sum(levels) == 10_000_000


def test_a_prefilled_record_stays_below_900_kilobytes() -> None:
    """A changelog record of the benchmark is one that a broker takes."""
    section = Section(Unit(KeyKind.EVENT_ID, 30), 1, np.zeros(RECORD_IDS, ENTRY))
    assert len(encode(Delta(layout(), 0, 0, NOW_MS, 0, [section]))) < 900_000


def wrote(offset: int, value: bytes, *sources: str) -> list[Record]:
    """Return a record of each source, of that value."""
    return [
        Record(1, offset + number, NOW_MS, b"k", value, [("src", source.encode()), ("late", b"")])
        for number, source in enumerate(sources)
    ]


def test_a_copy_writes_what_was_written_of_the_same_event(tmp_path: Path) -> None:
    """Each event has as many records due, of the sizes and to the topics that INGEST wrote."""
    written = {
        "emf": wrote(0, b"123", "in.put/1/0/0/7", "in.put/1/2/0/7"),
        "ei": wrote(0, b"12345", "in.put/1/2/1/7"),
        "dead": [],
    }
    arrange(written, {0: 1, 1: 3}, "log", 24).save(tmp_path / "copies")
    copies = load_copies(tmp_path / "copies")
    assert copies.due == {0: [()], 1: [((0, 3),), (), ((0, 3), (1, 5))]}
    assert [topic for topic, _ in copies.topics] == ["emf", "ei", "dead"]
    assert copies.topics[1][1] == [("src", b"in.put/1/2/1/7"), ("late", b"")]
    assert copies.outputs == 3
