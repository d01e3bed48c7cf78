"""A history is sent file by file, and goes on where it stopped, wherever it was killed."""

import gzip
import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyaltystream.backfill import importing
from loyaltystream.backfill.files import Part, parts_of
from loyaltystream.backfill.importing import Imported, Importer, Writer
from loyaltystream.backfill.journal import Journal, journal_of
from loyaltystream.backfill.lane import LOOK_EVERY_S, Gauge, Lane
from loyaltystream.backfill.survey import Outlook, moment_of
from loyaltystream.errors import ConfigurationError, RetryableBrokerError
from loyaltystream.events import Header
from loyaltystream.rules import Rules
from loyaltystream.sending import Keyer, Pace
from tests.backfill.test_claim import CLAIM, SIGNER
from tests.core import DIALECTS, GOOD, NOW_MS, SHOP, TOPICS, event, raw

KEYER: Final = Keyer(SHOP, Rules(dialects=DIALECTS))
MAX_BYTES: Final = 5_000


class KilledError(Exception):
    """Stands for a SIGKILL: nothing behind it happens."""


class Broker:
    """Has what was flushed; what was only sent may be there as well."""

    def __init__(self, dies_at: int = -1) -> None:
        self.values: list[bytes] = []
        self.headers: list[Header] = []
        self._dies_at = dies_at

    def send(self, value: bytes | None, _key: bytes | None, headers: Sequence[Header]) -> None:
        if len(self.values) == self._dies_at:
            raise KilledError
        self.values.append(value or b"")
        self.headers += headers

    def flush(self) -> None:
        """Have everything."""


def line(number: int) -> bytes:
    """Return one line of a history."""
    return raw(GOOD | {"eventId": f"event {number}"})


def send(parts: list[Part], journal: Journal, broker: Broker) -> Imported:
    """Send what is left of a history."""
    imported = Imported()
    writer = Writer(TOPICS.ingest, KEYER, SIGNER, CLAIM)
    importer = Importer(broker, writer, journal=journal, imported=imported, admit=lambda: None)
    importer.send(parts, max_bytes=MAX_BYTES)
    return imported


def test_a_directory_is_sent_in_the_order_of_its_names(tmp_path: Path) -> None:
    """Zipped or not, each line once, under the claim's headers."""
    folder = tmp_path / "history"
    folder.mkdir()
    (folder / "b.jsonl").write_bytes(line(3) + b"\r\n\n" + line(4))
    (folder / "a.ndjson.gz").write_bytes(gzip.compress(line(1) + b"\n" + line(2) + b"\n"))
    (folder / ".hidden").write_bytes(b"nothing")
    broker = Broker()
    send(parts_of(folder), journal_of(tmp_path, CLAIM, "topic"), broker)
    assert broker.values == [line(1), line(2), line(3), line(4)]
    assert broker.headers[:6] == SIGNER.headers(CLAIM, line(1))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=3), st.data())
def test_nothing_is_lost_wherever_it_is_killed(
    tmp_path: Path,
    sizes: list[int],
    data: st.DataObject,
) -> None:
    """Killed at any line and repeated, every line arrives, in the order of the files at last."""
    folder = Path(mkdtemp(dir=tmp_path))
    total = 0
    for number, size in enumerate(sizes):
        lines = [line(total + at) for at in range(size)]
        (folder / f"{number}.json").write_bytes(b"\n".join(lines))
        total += size
    parts, arrived = parts_of(folder), list[bytes]()
    for dies_at in data.draw(st.lists(st.integers(0, 20), max_size=4)):
        broker = Broker(dies_at)
        with suppress(KilledError):
            send(parts, journal_of(folder, CLAIM, "topic"), broker)
        arrived += broker.values
    last = Broker()
    send(parts, journal_of(folder, CLAIM, "topic"), last)
    arrived += last.values
    assert list(dict.fromkeys(arrived)) == [line(at) for at in range(total)]
    again = Broker()
    send(parts, journal_of(folder, CLAIM, "topic"), again)
    assert again.values == []


def test_an_import_goes_on_behind_its_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the broker has acknowledged is not sent again; a topic that was made anew gets all."""
    monkeypatch.setattr(importing, "MARK_LINES", 3)
    file = tmp_path / "all.json"
    file.write_bytes(b"\n".join(line(at) for at in range(10)))
    with pytest.raises(KilledError):
        send(parts_of(file), journal_of(tmp_path, CLAIM, "topic"), Broker(8))
    journal = journal_of(tmp_path, CLAIM, "topic")
    assert journal.entry.lines == 6
    broker = Broker()
    send(parts_of(file), journal, broker)
    assert broker.values == [line(at) for at in range(6, 10)]
    anew = Broker()
    send(parts_of(file), journal_of(tmp_path, CLAIM, "another topic"), anew)
    assert len(anew.values) == 10


def test_a_file_that_was_changed_is_not_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies before the mark has to be what was sent; one word sends everything again."""
    monkeypatch.setattr(importing, "MARK_LINES", 3)
    file = tmp_path / "all.json"
    file.write_bytes(b"\n".join(line(at) for at in range(10)))
    with pytest.raises(KilledError):
        send(parts_of(file), journal_of(tmp_path, CLAIM, "topic"), Broker(8))
    file.write_bytes(b"\n".join(line(at + 1) for at in range(10)))
    journal = journal_of(tmp_path, CLAIM, "topic")
    with pytest.raises(ConfigurationError, match="--from-start"):
        send(parts_of(file), journal, Broker())
    journal.forget()
    broker = Broker()
    send(parts_of(file), journal, broker)
    assert len(broker.values) == 10


def test_lines_that_no_record_can_hold_are_named(tmp_path: Path) -> None:
    """They are told by file and number, and all others are sent."""
    file = tmp_path / "all.json"
    file.write_bytes(line(1) + b"\n" + b"x" * (MAX_BYTES + 1) + b"\n" + b"not JSON")
    broker = Broker()
    imported = send(parts_of(file), journal_of(tmp_path, CLAIM, "topic"), broker)
    assert imported.too_large == ["all.json:2"]
    assert imported.without_key == 1
    assert broker.values == [line(1), b"not JSON"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("history/a.csv", b"1,2", "holds a.csv"),
        ("history/.hidden", b"", "holds no file"),
        ("history/a.json.gz", gzip.compress(b"x" * 99, mtime=0)[:-9], "not copied to its end"),
    ],
)
def test_what_is_no_history_is_refused(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    """A stranger's file, an empty folder, a file that was cut off: one line says what it is."""
    (tmp_path / "history").mkdir()
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigurationError, match=says):
        send(parts_of(tmp_path / "history"), journal_of(tmp_path, CLAIM, "topic"), Broker())
    with pytest.raises(ConfigurationError, match="No such file"):
        parts_of(tmp_path / "nowhere")


def test_a_journal_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Whoever meets it is told that removing it is harmless."""
    (tmp_path / "backfill").mkdir()
    (tmp_path / "backfill" / "tills-2019.json").write_text("{")
    with pytest.raises(ConfigurationError, match="remove it"):
        journal_of(tmp_path, CLAIM, "topic")


class Clock:
    """Seconds that pass only while somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def test_a_lane_holds_while_too_many_records_wait() -> None:
    """Live events come first: history waits, also while the broker does not answer."""
    clock, held = Clock(), list[int | None]()
    answers: list[int | None] = [5, 6, None, 7, 5]

    def lag() -> int:
        if (waiting := answers.pop(0)) is None:
            raise RetryableBrokerError("away")
        return waiting

    pace = Pace(1, clock=clock, sleep=clock.sleep)
    lane = Lane(pace, Gauge(lag, 5), clock=clock, sleep=clock.sleep, held=held.append)
    lane.wait()
    assert held == []
    while clock.now_s < LOOK_EVERY_S:
        lane.wait()
    assert held == [6, None, 7]
    assert clock.now_s >= 4 * LOOK_EVERY_S
    assert answers == []


def test_no_line_goes_before_it_may(tmp_path: Path) -> None:
    """A lane that holds from the start holds the first line too, and none waits behind the last."""
    (tmp_path / "all.json").write_bytes(b"\n".join(line(at) for at in range(3)))
    broker, sent_before = Broker(), list[int]()
    importer = Importer(
        broker,
        Writer(TOPICS.ingest, KEYER, SIGNER, CLAIM),
        journal=journal_of(tmp_path, CLAIM, "topic"),
        imported=Imported(),
        admit=lambda: sent_before.append(len(broker.values)),
    )
    importer.send(parts_of(tmp_path / "all.json"), max_bytes=MAX_BYTES)
    assert sent_before == [0, 1, 2]


def test_a_history_is_surveyed_before_it_begins() -> None:
    """How many lines, from when to when, and how many of them are judged like live ones."""
    outlook = Outlook()
    texts = [
        raw(event(occurredAt=NOW_MS - 10)),
        raw(event(occurredAt="2019-03-01T00:00:00Z")),
        raw(event(occurredAt=NOW_MS + 10)),
        json.dumps({key: GOOD[key] for key in GOOD if key != "occurredAt"}).encode(),
        b"not JSON",
        None,
    ]
    for text in texts:
        outlook.take(moment_of(text, KEYER), NOW_MS)
    assert (outlook.lines, outlook.before, outlook.after) == (6, 2, 4)
    assert (outlook.first_ms, outlook.last_ms) == (1_551_398_400_000, NOW_MS + 10)
