"""A world in memory that judges a story: every partition with its log and its memory."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from loyaltystream.avro.dead_letter import LetterEncoder
from loyaltystream.definitions.registry import Definitions
from loyaltystream.events import Origin, Record
from loyaltystream.keys import KEY_RULE_VERSION, murmur2, place
from loyaltystream.memory.changelog import Layout
from loyaltystream.memory.identity import Identity
from loyaltystream.memory.partition import PartitionMemory, Pending
from loyaltystream.pipeline import Ingest, Plan
from loyaltystream.rules import Rules
from loyaltystream.story import Intent, Sent
from loyaltystream.story.shop import parsed_definitions
from loyaltystream.topology import Output, Topics
from loyaltystream.verdicts import Tally, Verdict

NOW_MS = 1_764_000_000_000
BATCH = 500
TOPICS = Topics(
    ingest="in",
    emf="emf",
    ei="ei",
    notifications="notifications",
    duplicates="duplicates",
    dead_letter="dead",
    changelog="changelog",
    definitions="definitions",
)


class World:
    """Takes what producers send; judges it, re-keyed records looped back, by the real pipeline."""

    def __init__(self, partitions: int) -> None:
        identity = Identity("a key that only this test knows")
        layout = Layout(identity.check, KEY_RULE_VERSION, partitions)
        rules = Rules()
        letters = LetterEncoder("ingest", 2, rules.max_record_bytes)
        self._ingest = Ingest(
            TOPICS, layout=layout, identity=identity, letters=letters, rules=rules
        )
        self._definitions = Definitions(parsed_definitions(), 1)
        self._logs: list[list[Record]] = [[] for _ in range(partitions)]
        self._memories = [PartitionMemory(layout, 0) for _ in range(partitions)]
        self.sent: dict[tuple[int, int], Intent] = {}
        self.verdicts: dict[tuple[int, int], Verdict] = {}
        self.tally = Tally()
        self.written: list[tuple[str, Record]] = []

    def live(self, story: Iterable[Sent]) -> None:
        """Take and judge all of a story."""
        sent = iter(story)
        while batch := list(islice(sent, BATCH)):
            self._take(batch)
            while any(len(log) > memory.next_offset for log, memory in self._open()):
                for log, memory in self._open():
                    self._judge(log, memory)

    def _open(self) -> Iterator[tuple[list[Record], PartitionMemory]]:
        return zip(self._logs, self._memories, strict=True)

    def _take(self, batch: Sequence[Sent]) -> None:
        places = place(murmur2([sent.key or b"" for sent in batch]), len(self._logs)).tolist()
        for turn, (sent, keyed) in enumerate(zip(batch, places, strict=True)):
            # Without a key a producer takes any partition.
            partition = keyed if sent.key is not None else turn % len(self._logs)
            self.sent[partition, len(self._logs[partition])] = sent.intent
            self._append(
                partition,
                Output(TOPICS.ingest, sent.key, sent.value, partition, list(sent.headers)),
            )

    def _append(self, partition: int, output: Output) -> None:
        log = self._logs[partition]
        log.append(_record(output, partition, len(log)))
        self.written.append((output.topic, log[-1]))

    def _judge(self, log: list[Record], memory: PartitionMemory) -> None:
        records = log[memory.next_offset :]
        if not records:
            return
        plan = self._ingest.judge(
            records, memory=memory, definitions=self._definitions, generation=1
        )
        assert plan.delta is not None
        memory.expect(Pending(plan.overlay, plan.delta))
        memory.remember()
        self.tally += plan.tally
        self._learn(records, plan)

    def _learn(self, records: Sequence[Record], plan: Plan) -> None:
        by_offset = {record.offset: record for record in records}
        for record in records:
            if record.value is None:
                self.verdicts[record.partition, record.offset] = Verdict.TOMBSTONE
        for output in plan.outputs:
            if output.topic == TOPICS.changelog:
                continue
            headers = dict(output.headers)
            if output.topic == TOPICS.ingest:
                assert output.partition is not None
                self._append(output.partition, output)
                continue
            self.written.append((output.topic, _record(output, plan.partition, 0)))
            cause = by_offset[int(headers["src"].split(b"/")[-3])]
            verdict = Verdict(headers.get("verdict", b"accepted").decode())
            self.verdicts[_first_place(cause)] = verdict


def _record(output: Output, partition: int, offset: int) -> Record:
    return Record(partition, offset, NOW_MS, output.key, output.value, output.headers)


def _first_place(record: Record) -> tuple[int, int]:
    origin = Origin.from_header(record.header("origin") or b"")
    if origin is None:
        return record.partition, record.offset
    return origin.partition, origin.offset
