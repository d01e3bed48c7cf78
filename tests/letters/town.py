"""A town whose people deal with dead letters."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from loyaltystream.audit import Findings
from loyaltystream.errors import RetryableBrokerError
from loyaltystream.events import Record
from loyaltystream.keys import murmur2, place
from loyaltystream.letters.choosing import Choice, Shelf
from loyaltystream.letters.desk import Desk
from loyaltystream.letters.letter import Letter, LetterReader
from loyaltystream.letters.preview import Forecast, Judges, Preview
from loyaltystream.letters.replaying import Resender, Resent
from loyaltystream.sending import Keyer
from loyaltystream.topology import Output
from tests.core import TOPICS, ingest, layout
from tests.why.world import IMPORTS, SIGNER, SearchedLog, Town, writer_schema

PATCH = [{"op": "add", "path": "/fields/sku", "value": "SKU-1"}]


class SettledLog(SearchedLog):
    """A log in memory, in which everything is settled."""

    def settled_bounds(self, topic: str) -> Mapping[int, tuple[int, int]]:
        return self.bounds([topic])[topic]


class TownWriter:
    """Appends what is written, all or nothing; dies at a chosen write, before or after it."""

    def __init__(self, town: Town, dies_at: int = -1, *, late: bool = False) -> None:
        self._town = town
        self._left = dies_at
        self._late = late
        self.sizes: list[int] = []

    def open(self) -> None:
        """Take over: in memory nobody else writes."""

    def write(self, outputs: Sequence[Output]) -> None:
        dies, self._left = self._left == 0, self._left - 1
        if not dies or self._late:
            self.sizes.append(len(outputs))
            for output in outputs:
                self._append(output)
        if dies:
            raise RetryableBrokerError("killed")

    def _append(self, output: Output) -> None:
        home = int(place(murmur2([output.key or b""]), self._town.partitions)[0])
        self._town.now_ms += 1
        written = Record(home, 0, self._town.now_ms, output.key, output.value, output.headers)
        self._town.log.append(output.topic, written)


def letters_of(town: Town, **choice: Any) -> list[Letter]:
    """Return the letters that are meant."""
    reader = LetterReader(writer_schema, town.ring)
    shelf = Shelf(SearchedLog(town.log), TOPICS.dead_letter, reader)
    return shelf.find(Choice(**choice))


def desk_of(town: Town, writer: TownWriter | None = None) -> Desk:
    """Return a desk that somebody has just sat down at."""
    resender = Resender(
        TOPICS, keyer=Keyer(town.definitions, town.rules), signer=SIGNER, imports=IMPORTS
    )
    desk = Desk(
        SettledLog(town.log),
        TOPICS.letter_state,
        writer=writer or TownWriter(town),
        resender=resender,
        now_ms=lambda: town.now_ms,
    )
    desk.open()
    return desk


def replay(town: Town, desk: Desk, letters: Sequence[Letter], at_once: int = 500) -> list[Resent]:
    """Send letters again, let both stages work, and return what was sent."""
    sent = list(desk.replay(desk.sort(letters).resent, at_once=at_once))
    town.run()
    return sent


def release(
    town: Town,
    desk: Desk,
    letters: Sequence[Letter],
    *,
    reason: str = "asked for",
    at_once: int = 500,
) -> list[Resent]:
    """Release letters, let stage ingest work, and return what was sent."""
    found = desk.sort_held(letters).resent
    sent = list(desk.release(found, reason=reason, at_once=at_once))
    town.run()
    return sent


def audit(town: Town) -> Findings:
    """Return what an audit of both stages finds."""
    return town.audit(town.derive)


def forecast(town: Town, resent: Sequence[Resent]) -> Forecast:
    """Return what would become of replays that were sent now."""
    preview = Preview(
        SettledLog(town.log),
        TOPICS,
        layout=layout(town.partitions),
        judges=Judges(ingest(town.rules, town.partitions), lambda: town.notifier),
        definitions=town.definitions,
    )
    return preview.forecast(resent, now_ms=town.now_ms)


def body(value: bytes | None) -> Any:
    """Return what JSON says."""
    return json.loads(value or b"null")
