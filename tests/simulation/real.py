"""The real play: JSON events in a shop's partitions, and the judge that production has."""

from random import Random
from typing import Any, Final

from loyaltystream.events import Record
from loyaltystream.keys import murmur2, place
from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.pipeline import Ingest
from tests.core import DEFINITIONS, NOW_MS, TOPICS, event, ingest, layout, pending, raw
from tests.simulation.play import RECORDS, Judged, Play, Sent, dice

PARTITIONS: Final = 3
CUSTOMERS: Final = [f"9198123456{number:02}" for number in range(9)]
JUDGE: Final = ingest(partitions=PARTITIONS)


def home(mobile: str) -> int:
    """Return the partition of a customer of org 1800."""
    return int(place(murmur2([f"1800|mobile|{mobile}".encode()]), PARTITIONS)[0])


HOMES: Final = {customer: home(customer) for customer in CUSTOMERS}


def tell(random: Random, *, repeats: bool) -> list[Sent]:
    """Return a story of new events, resends, conflicts, same bills, astray and bad records."""
    told: list[tuple[int, dict[str, Any]]] = []
    story: list[Sent] = []
    for number in range(RECORDS):
        luck = random.random()
        if luck < 0.06:
            story.append((random.randrange(PARTITIONS), random.choice([None, b"{", b""])))
        elif luck < 0.22 and repeats and told:
            partition, repeated = random.choice(told[-12:])
            changes = {"fields": {"sku": "another"}} if luck < 0.1 else {}
            story.append((partition, raw(repeated | changes)))
        else:
            customer = random.choice(CUSTOMERS)
            new = _new(number, customer, bill=repeats and luck < 0.4)
            told.append((HOMES[customer], new))
            astray = 1 if random.random() < 0.08 else 0
            story.append(((HOMES[customer] + astray) % PARTITIONS, raw(new)))
    return story


def _new(number: int, customer: str, *, bill: bool) -> dict[str, Any]:
    common: dict[str, Any] = {
        "eventId": f"0b6f3c1e-8d1f-4b52-9f6e-{number:012x}",
        "occurredAt": NOW_MS,
        "customer": {"identifiers": [{"type": "mobile", "value": customer}]},
    }
    if bill:
        fields = {"orderId": f"A-{number % 7}", "amount": 5}
        return event(eventName="orderPlaced", fields=fields, **common)
    return event(**common)


class RealModel:
    """The truth, as the judge sees it that gets each record by itself and loses none."""

    def __init__(self, partition: int) -> None:
        del partition  # each record names it
        self._judge: Ingest = JUDGE
        self._memory = PartitionMemory(layout(PARTITIONS), 0)

    @property
    def ids(self) -> int:
        """How many ids are to be remembered now."""
        return sum(self._memory.remembered().values())

    def judge(self, record: Record) -> Judged:
        """Return what has to become of the next record."""
        plan = self._judge.judge(
            [record], memory=self._memory, definitions=DEFINITIONS, generation=0
        )
        self._memory.expect(pending(plan))
        self._memory.remember()
        caused = [output for output in plan.outputs if output.topic != TOPICS.changelog]
        effects = [(output.topic, output.value) for output in caused]
        return Judged(next(iter(plan.tally.verdicts.elements())), effects)


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
