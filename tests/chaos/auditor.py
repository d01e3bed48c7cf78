"""Holds what topics hold against what had to come of what was sent. Pure.

An independent recount (reliability.md section 2, invariants 1, 2, 4 to 8 and 12); it shares no code
with the product's own audit, whose numbers are compared with it.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import msgspec

from loyaltystream.audit.findings import PartitionFindings
from tests.chaos.load import Place, Told
from tests.chaos.model import JUDGED, Effect, Judged, Shop, clocks, digest, place_of
from tests.chaos.reading import Row, Source, avro_reader, source_of

OUTPUTS: Final = ("emf", "ei", "duplicates", "dead_letter", "notifications")
ROLES: Final = ("ingest", *OUTPUTS)

ContentReader = Callable[[Row], str]


class Harm(msgspec.Struct):
    """What went wrong for the events of one epoch, in records."""

    lost: int = 0
    doubled: int = 0
    disordered: int = 0


class Ruling(NamedTuple):
    """What the auditor found; without harm and without complaints all is exact."""

    sent: int
    effects: int
    harm: dict[int, Harm]
    complaints: list[str]

    @property
    def exact(self) -> bool:
        """Whether nothing speaks against exactly once."""
        return not self.harm and not self.complaints


class Evidence(NamedTuple):
    """What is judged.

    Attributes:
        told: what was sent, in order.
        places: where the broker says each of it lies.
        rows: committed records by the topic's role.
        names: the topics' names by role.
        committed: by stage, each partition's committed offset.
        beginnings: by stage, how often the broker began to count its generations anew.
    """

    told: Sequence[Told]
    places: Mapping[Place, int]
    rows: Mapping[str, Sequence[Row]]
    names: Mapping[str, str]
    committed: Mapping[str, Mapping[int, int]]
    beginnings: Mapping[str, int] = {}


class Auditor:
    """Judges one deployment at rest."""

    def __init__(self, evidence: Evidence, partitions: int) -> None:
        self._evidence = evidence
        self._rows = evidence.rows
        self._shop = Shop(partitions)
        self._complaints: list[str] = []
        self._harm: dict[int, Harm] = {}
        self._originals: dict[Place, Told] = {}
        self._arrivals: dict[Place, Told] = {}  # each ingest record, the sent-back ones as well
        self._routed: dict[Place, Told] = {}  # by the place on EMFConsumer
        self._sources = {
            role: [(row, source) for row in rows if (source := source_of(row)) is not None]
            for role, rows in evidence.rows.items()
        }

    def rule(self, product: Sequence[PartitionFindings]) -> Ruling:
        """Return what is wrong; `product` is what the program's own audit counted."""
        self._identify()
        due, found = Counter(self._due()), Counter(self._found())
        for effect, count in (due - found).items():
            self._hurt(effect).lost += count
            self._complain(f"lost: {effect}")
        for effect, count in (found - due).items():
            self._hurt(effect).doubled += count
            self._complain(f"doubled or never due: {effect}")
        self._check_order()
        self._check_owners()
        self._check_ids()
        self._check_offsets()
        self._check_accounts(product)
        return Ruling(len(self._evidence.told), due.total(), self._harm, self._complaints)

    def _identify(self) -> None:
        """Find out which sent record each ingest record is."""
        evidence = self._evidence
        for row in self._rows["ingest"]:
            if source_of(row) is not None:
                continue
            serial = evidence.places.get((row.partition, row.offset))
            if serial is None:
                self._complain(f"nobody sent ingest/{row.partition}/{row.offset}")
                continue
            told = evidence.told[serial]
            if (row.key, row.value) != (told.sent.key, told.sent.value):
                self._complain(f"ingest/{row.partition}/{row.offset} is not what was sent")
            self._originals[row.partition, row.offset] = told
        gone = evidence.places.keys() - self._originals.keys()
        if gone:
            self._complain(f"the broker lost {len(gone)} sent records, {min(gone)} first")
        self._arrivals.update(self._originals)
        for row, source in self._sources["ingest"]:
            if (original := self._originals.get(place_of(source))) is not None:
                self._arrivals[row.partition, row.offset] = original

    def _due(self) -> Iterator[Effect]:
        clock_ms = clocks(self._rows["ingest"])
        for place, told in self._arrivals.items():
            sent_back = place not in self._originals
            if told.sent.intent in JUDGED and not sent_back:
                home = self._shop.home(told)
                if home != place[0]:
                    yield Effect("ingest", home, place, 0, digest(told.sent.value))
                    continue
            yield from self._shop.effects(Judged(place, told, clock_ms[place]))
        decode = avro_reader("loyalty.event.v1.BehavioralEvent")
        for row, source in self._sources["emf"]:
            if (told_of := self._arrivals.get(place_of(source))) is not None:
                self._routed[row.partition, row.offset] = told_of
            yield from self._shop.notifications(row, decode(row.value))

    def _found(self) -> Iterator[Effect]:
        for role in ROLES:
            stage = self._evidence.names["emf" if role == "notifications" else "ingest"]
            unsourced = len(self._rows[role]) - len(self._sources[role])
            if unsourced and role != "ingest":
                self._complain(f"{unsourced} records of {role} have no src")
            contents = map(self._content_reader(role), self._rows[role])
            content_of = dict(zip(map(id, self._rows[role]), contents, strict=True))
            for row, source in self._sources[role]:
                partition = -1 if role == "notifications" else row.partition
                shown = role if source.topic == stage else f"{role} of another stage"
                yield Effect(
                    shown, partition, place_of(source), source.ordinal, content_of[id(row)]
                )

    @staticmethod
    def _content_reader(role: str) -> ContentReader:
        event = avro_reader("loyalty.event.v1.BehavioralEvent")
        letter = avro_reader("loyalty.event.v1.DeadLetter")
        readers: dict[str, ContentReader] = {
            "emf": lambda row: str(event(row.value)["eventId"]),
            "ei": lambda row: str(event(row.value)["eventId"]),
            "dead_letter": lambda row: (
                f"{row.header('verdict')} {digest(letter(row.value)['value']['bytes'])}"
            ),
            "notifications": lambda row: row.header("ce_type").rpartition(".")[2],
        }
        return readers.get(role, lambda row: digest(row.value))

    def _check_order(self) -> None:
        """4: along an output partition, the records of a source partition come in its order."""
        for role in ROLES:
            last: dict[tuple[int, int], tuple[int, int]] = {}
            for row, source in self._sources[role]:
                way = row.partition, source.partition
                place = source.offset, source.ordinal
                if place <= last.get(way, (-1, -1)):
                    self._hurt_by(role, source).disordered += 1
                    self._complain(f"out of order: {role}/{row.partition}/{row.offset}")
                last[way] = place

    def _check_owners(self) -> None:
        """12: along a source partition no output is of an earlier owner than the one before.

        But where the broker itself began to count anew.
        """
        made: dict[tuple[str, int], set[tuple[int, int]]] = {}
        for role in ROLES:
            for _, source in self._sources[role]:
                way = source.topic, source.partition
                made.setdefault(way, set()).add((source.offset, source.generation))
        for (topic, partition), owners in made.items():
            generations = [generation for _, generation in sorted(owners)]
            falls = sum(later < earlier for earlier, later in pairwise(generations))
            stage = "ingest" if topic == self._evidence.names["ingest"] else "notify"
            if falls > self._evidence.beginnings.get(stage, 0):
                self._complain(f"{topic}/{partition}: an earlier owner's output behind a later's")

    def _check_ids(self) -> None:
        """7: no id is accepted twice; no notification has another's id, or lies astray."""
        event = avro_reader("loyalty.event.v1.BehavioralEvent")
        for role in ("emf", "ei"):
            ids = Counter(str(event(row.value)["eventId"]) for row in self._rows[role])
            self._complain_of_repeats(role, ids)
        rows = self._rows["notifications"]
        self._complain_of_repeats("notifications", Counter(row.header("ce_id") for row in rows))
        astray = [row for row in rows if self._shop.place(row.key or b"") != row.partition]
        if astray:
            self._complain(f"{len(astray)} notifications lie in another partition than their key's")

    def _check_offsets(self) -> None:
        """5: each committed offset is exactly the one after the last record."""
        for stage, role in (("ingest", "ingest"), ("notify", "emf")):
            ends: dict[int, int] = {}
            for row in self._rows[role]:
                ends[row.partition] = row.offset + 1
            for partition in range(self._shop.partitions):
                found = self._evidence.committed[stage].get(partition, 0)
                if found != ends.get(partition, 0):
                    due = ends.get(partition, 0)
                    self._complain(f"{stage}/{partition}: committed {found}, not {due}")

    def _check_accounts(self, product: Sequence[PartitionFindings]) -> None:
        """5, 6: every ingest record has one outcome; the product's audit counts the same ones."""
        outcomes = self._outcomes()
        ours: dict[int, Counter[str]] = {n: Counter() for n in range(self._shop.partitions)}
        for row in self._rows["ingest"]:
            named_all = outcomes.get((row.partition, row.offset), set())
            ours[row.partition][" and ".join(sorted(named_all)) or "nothing"] += 1
        for findings in product:
            if findings.stage == "ingest":
                theirs = {name: count for name, count in findings.found.items() if count}
                if theirs != ours[findings.partition]:
                    counted = dict(ours[findings.partition])
                    self._complain(f"ingest/{findings.partition}: {theirs}, recounted {counted}")

    def _outcomes(self) -> dict[Place, set[str]]:
        outcomes: dict[Place, set[str]] = {}
        for role, named in (("emf", "accepted"), ("ei", "accepted"), ("duplicates", "duplicate")):
            for _, source in self._sources[role]:
                outcomes.setdefault(place_of(source), set()).add(named)
        for row, source in self._sources["dead_letter"]:
            outcomes.setdefault(place_of(source), set()).add(row.header("verdict"))
        for _, source in self._sources["ingest"]:
            outcomes.setdefault(place_of(source), set()).add("rekeyed")
        for row in self._rows["ingest"]:
            if row.value is None:
                outcomes.setdefault((row.partition, row.offset), set()).add("tombstone")
        return outcomes

    def _complain_of_repeats(self, role: str, ids: Counter[str]) -> None:
        if repeated := [name for name, count in ids.items() if count > 1]:
            self._complain(f"{len(repeated)} ids are twice in {role}, as {repeated[0]}")

    def _hurt(self, effect: Effect) -> Harm:
        return self._of_epoch(effect.source, routed=effect.role == "notifications")

    def _hurt_by(self, role: str, source: Source) -> Harm:
        return self._of_epoch(place_of(source), routed=role == "notifications")

    def _of_epoch(self, place: Place, *, routed: bool) -> Harm:
        told = (self._routed if routed else self._arrivals).get(place)
        return self._harm.setdefault(-1 if told is None else told.epoch, Harm())

    def _complain(self, text: str) -> None:
        self._complaints.append(text)
