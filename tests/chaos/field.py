"""One deployment under load while faults are made: how far it is, when it rests, what came of it.

Does I/O: topics, workers, clients.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from confluent_kafka import KafkaException

from loyaltystream.audit.findings import Findings
from loyaltystream.errors import RetryableBrokerError
from loyaltystream.story import Recipe, Sent, generate
from tests.chaos.auditor import ROLES, Auditor, Evidence, Ruling
from tests.chaos.crew import Crew, Member
from tests.chaos.generations import beginnings
from tests.chaos.ground import Ground
from tests.chaos.load import Load, mixed
from tests.chaos.observer import Observer
from tests.chaos.reading import Ends, Row, read
from tests.shop import Shop

PARTITIONS: Final = 6
STAGES: Final = ("ingest", "notify")
WITHIN_S: Final = 60.0
LONGEST: Final = 200_000
"""Records of a round at most."""

_LOOK_S: Final = 0.05


class Mark(NamedTuple):
    """A moment, and the end of each stage's input then: who is beyond it works again."""

    since_s: float
    ends: dict[str, dict[int, int]]


class Outcome(NamedTuple):
    """What a round came to."""

    ruling: Ruling
    evidence: Evidence
    findings: Findings
    codes: dict[Member, int]


class Field:
    """A deployment, its workers, its load, and an observer.

    Args:
        ground: the platform.
        directory: where state and logs go; must not exist.
        seed: of the story.
        members: the workers.
        settings: beyond the usual ones.
        rate: records a second.
    """

    def __init__(  # noqa: PLR0917 (a round is all of this)
        self,
        ground: Ground,
        directory: Path,
        seed: int,
        members: Sequence[Member],
        settings: dict[str, str],
        rate: int,
    ) -> None:
        self.ground = ground
        self.shop = Shop(ground.addresses, directory, PARTITIONS, settings)
        deployment = self.shop.deployment
        self.names = {role: str(getattr(deployment.topics, role)) for role in (*ROLES, "changelog")}
        self._groups = {stage: deployment.group(stage) for stage in STAGES}
        straight = ground.addresses.bootstrap_servers
        self.ends = Ends(straight)
        story = mixed(_story(seed), Random(seed), _now_ms)
        self.load = Load(straight, self.names["ingest"], story, rate=rate)
        self.observer = Observer(straight, list(self.names.values()), PARTITIONS)
        self.crew = Crew(self.shop, ground.detour, members)
        self._later: list[Callable[[], object]] = []

    def later(self, what: Callable[[], object]) -> None:
        """Have something done once recovery was measured."""
        self._later.append(what)

    def mark(self, stages: Sequence[str] = STAGES, since_s: float | None = None) -> Mark:
        """Return the ends of the stages' input, now or a moment ago.

        Raises:
            TimeoutError: if the broker does not tell.
        """
        moment_s = time.monotonic() if since_s is None else since_s
        deadline = time.monotonic() + WITHIN_S
        while True:
            try:
                ends = {
                    stage: self.ends.written(self._input(stage), PARTITIONS) for stage in stages
                }
            except KafkaException as error:
                if time.monotonic() > deadline:
                    raise TimeoutError("the broker does not tell where topics end") from error
                time.sleep(_LOOK_S)
            else:
                return Mark(moment_s, ends)

    def recovery(self, mark: Mark, within_s: float = WITHIN_S) -> float | None:
        """Wait until each partition has committed an event that came after the mark.

        Returns:
            Seconds from the mark; None: not in time.
        """
        waiting = dict(mark.ends)
        while waiting:
            for stage, ends in list(waiting.items()):
                if self._is_beyond(stage, ends):
                    del waiting[stage]
            if self._waited_s(mark.since_s) > within_s:
                return None
            self.crew.mend()
            time.sleep(_LOOK_S)
        return time.monotonic() - mark.since_s

    def state(self) -> str:
        """Return how far everything is, for whoever wonders why nothing goes on."""
        told = [f"{len(self.load.told)} sent, {len(self.load.places)} written"]
        for stage in STAGES:
            topic = self._input(stage)
            ends = {
                "written": self.ends.written(topic, PARTITIONS),
                "stable": self.ends.stable(topic, PARTITIONS),
                "committed": self.ends.committed(self._groups[stage], topic, PARTITIONS),
            }
            told += [f"{stage} {name} {sorted(found.items())}" for name, found in ends.items()]
        return "; ".join(told)

    def rest(self) -> None:
        """Stop the load, and wait until all is judged and no transaction is open.

        Raises:
            TimeoutError: if that does not come.
        """
        for what in self._later:
            what()
        self._later.clear()
        self.load.pause()
        since_s = time.monotonic()
        while open_ones := self._unfinished():
            if self._waited_s(since_s) > WITHIN_S:
                raise TimeoutError(f"no rest: {open_ones}; {self.state()}")
            self.crew.mend()

    def judge(self) -> Outcome:
        """End everything, and hold the topics against what was sent."""
        codes = self.crew.close()
        bootstrap = self.ground.addresses.bootstrap_servers
        findings = self.shop.audit()
        rows = {role: self._read(role) for role in ROLES}
        committed = {
            stage: self.ends.committed(self._groups[stage], self._input(stage), PARTITIONS)
            for stage in STAGES
        }
        anew = {stage: beginnings(bootstrap, group) for stage, group in self._groups.items()}
        evidence = Evidence(self.load.told, self.load.places, rows, self.names, committed, anew)
        ruling = Auditor(evidence, PARTITIONS).rule(findings.partitions)
        everything = [row for found in rows.values() for row in found] + self._read("changelog")
        ruling.complaints.extend(self.observer.contradictions(everything))
        if not findings.exact:
            ruling.complaints.append(f"the program's audit: {findings.faults}")
        return Outcome(ruling, evidence, findings, codes)

    def close(self) -> None:
        """End what still runs, and remove the topics."""
        self.crew.abandon()
        self.load.close()
        self.observer.contradictions(())
        with suppress(KafkaException, TimeoutError):  # only to keep the broker small
            self.ends.remove(list(self.names.values()))
        self.ends.close()

    def _waited_s(self, since_s: float) -> float:
        return time.monotonic() - since_s - self.ground.stalls.since(since_s)

    def _unfinished(self) -> list[str]:
        try:
            behind = [f"{stage}: {lag} behind" for stage in STAGES if (lag := self.shop.lag(stage))]
            return behind or self.ends.open_partitions(self.names.values(), PARTITIONS)
        except (KafkaException, RetryableBrokerError) as error:
            return [str(error)]

    def _is_beyond(self, stage: str, ends: dict[int, int]) -> bool:
        try:
            committed = self.ends.committed(self._groups[stage], self._input(stage), PARTITIONS)
        except KafkaException:
            return False
        return all(committed.get(number, 0) > end for number, end in ends.items())

    def _input(self, stage: str) -> str:
        return self.names["ingest" if stage == "ingest" else "emf"]

    def _read(self, role: str) -> list[Row]:
        return read(self.ground.addresses.bootstrap_servers, self.names[role], PARTITIONS)


def _story(seed: int) -> Iterator[Sent]:
    """Return one story that is longer than any round: a second one would reuse bill numbers."""
    recipe = Recipe(events=LONGEST, customers=400, partitions=PARTITIONS)
    return generate(recipe, seed, now_ms=_now_ms())


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
