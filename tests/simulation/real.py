"""The real play: JSON events over months, and the judge that production has."""

import json
from functools import partial
from random import Random
from typing import Any, Final

from loyaltystream.events import Record
from loyaltystream.keys import murmur2, place
from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.pipeline import Ingest
from loyaltystream.times import DAY_MS, SKEW_MS
from loyaltystream.verdicts import Verdict
from tests.core import DEFINITIONS, NOW_MS, TOPICS, event, ingest, layout, pending, raw
from tests.simulation.content import GENERATION_MS, content_of
from tests.simulation.play import RECORDS, Content, Judged, Play, Said, Sent, dice

PARTITIONS: Final = 3
CUSTOMERS: Final = [f"9198123456{number:02}" for number in range(9)]
JUDGE: Final = ingest(partitions=PARTITIONS)
WINDOW_MS: Final = 30 * DAY_MS
PAUSES_MS: Final = [DAY_MS // 8, DAY_MS, 4 * DAY_MS, 11 * DAY_MS, 29 * DAY_MS, 34 * DAY_MS]


def home(mobile: str) -> int:
    """Return the partition of a customer of org 1800."""
    return int(place(murmur2([f"1800|mobile|{mobile}".encode()]), PARTITIONS)[0])


HOMES: Final = {customer: home(customer) for customer in CUSTOMERS}


def tell(random: Random, *, repeats: bool) -> list[Sent]:
    """Return a story of new events, resends, conflicts, same bills, astray, late and bad records.

    It goes on for months: windows end, and some events are of a moment at a window's edge.
    """
    told: list[tuple[int, dict[str, Any]]] = []
    story: list[Sent] = []
    clock_ms = NOW_MS
    for number in range(RECORDS):
        pause_ms = random.choice(PAUSES_MS) if random.random() < 0.15 else 0
        clock_ms += pause_ms
        luck = random.random()
        if luck < 0.06:
            story.append((random.randrange(PARTITIONS), random.choice([None, b"{", b""]), pause_ms))
        elif luck < 0.22 and repeats and told:
            partition, repeated = random.choice(told[-12:])
            more = {"note": "another"} if luck < 0.1 else {}
            again = repeated | {"fields": repeated["fields"] | more}
            story.append((partition, raw(again), pause_ms))
        else:
            customer = random.choice(CUSTOMERS)
            new = _new(number, customer, clock_ms, bill=repeats and luck < 0.4)
            told.append((HOMES[customer], new))
            said: Said = raw(new)
            if random.random() < 0.2:
                said = partial(_say_at_the_edge, new, random.randrange(-2, 3))
            astray = 1 if random.random() < 0.08 else 0
            story.append(((HOMES[customer] + astray) % PARTITIONS, said, pause_ms))
    return story


def _say_at_the_edge(new: dict[str, Any], by_ms: int, now_ms: int) -> bytes:
    """Return an event of so many milliseconds after the moment before which all are late."""
    return raw(new | {"occurredAt": now_ms - WINDOW_MS + SKEW_MS + by_ms})


def _new(number: int, customer: str, now_ms: int, *, bill: bool) -> dict[str, Any]:
    common: dict[str, Any] = {
        "eventId": f"0b6f3c1e-8d1f-4b52-9f6e-{number:012x}",
        "occurredAt": now_ms,
        "customer": {"identifiers": [{"type": "mobile", "value": customer}]},
    }
    if bill:
        fields = {"orderId": f"A-{number % 7}", "amount": 5}
        return event(eventName="orderPlaced", fields=fields, **common)
    return event(**common)


class RealModel:
    """The truth: verdicts by a few rules of its own, and the outputs that go with each.

    The outputs are those of the judge when it gets each record by itself and loses none.
    """

    def __init__(self, partition: int) -> None:
        self._partition = partition
        self._judge: Ingest = JUDGE
        self._memory = PartitionMemory(layout(PARTITIONS), 0)
        self._said: dict[str, tuple[object, int]] = {}
        self._billed: dict[tuple[str, str], int] = {}

    @property
    def ids(self) -> int:
        """How many ids are to be remembered now."""
        return sum(self._memory.remembered().values())

    def content(self) -> Content:
        """Return what is to be remembered now."""
        return {unit: held for unit, held in content_of(self._memory).items() if held[0]}

    def judge(self, record: Record) -> Judged:
        """Return what has to become of the next record."""
        plan = self._judge.judge(
            [record], memory=self._memory, definitions=DEFINITIONS, generation=0
        )
        self._memory.expect(pending(plan))
        self._memory.remember()
        caused = [output for output in plan.outputs if output.topic != TOPICS.changelog]
        effects = [(output.topic, output.value) for output in caused]
        return Judged(self._foretell(record), effects)

    def _foretell(self, record: Record) -> Verdict:
        if record.value in {None, b"{", b""}:
            return Verdict.TOMBSTONE if record.value is None else Verdict.REJECTED
        sent = json.loads(record.value or b"")
        customer = sent["customer"]["identifiers"][0]["value"]
        if HOMES[customer] != self._partition:
            return Verdict.REKEYED
        clock_ms, content = record.timestamp_ms, (sent["eventName"], sent["fields"])
        if (said := self._said.get(sent["eventId"])) and _counts(said[1], clock_ms):
            return Verdict.DUPLICATE if said[0] == content else Verdict.CONFLICT
        bill = (customer, sent["fields"]["orderId"]) if "orderId" in sent["fields"] else None
        if bill in self._billed and _counts(self._billed[bill], clock_ms):
            return Verdict.DUPLICATE
        if sent["occurredAt"] < clock_ms - WINDOW_MS + SKEW_MS:
            return Verdict.LATE
        self._said[sent["eventId"]] = content, clock_ms
        if bill is not None:
            self._billed[bill] = clock_ms
        return Verdict.ACCEPTED


def _counts(accepted_ms: int, clock_ms: int) -> bool:
    """Say whether what was accepted at one clock is known at another: to its generation's end."""
    return clock_ms // GENERATION_MS - accepted_ms // GENERATION_MS <= 10


def real_play(seed: int) -> Play:
    """Return the real play of a seed."""
    blind = seed % 2 == 1
    return Play(
        partitions=PARTITIONS,
        story=tell(dice(seed, "play"), repeats=not blind),
        judge=JUDGE,
        layout=layout(PARTITIONS),
        model=RealModel,
        blind=blind,
        lasting_ids=seed // 2 % 2 == 0,
    )
