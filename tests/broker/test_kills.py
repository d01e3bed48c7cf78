"""SIGKILL at random moments, under load, on the real broker: every effect exactly once."""

import random
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice

import pytest

from loyaltystream.story import Intent, Recipe, Sent, generate
from loyaltystream.verdicts import Verdict
from tests.shop import Shop, open_transactions

pytestmark = [pytest.mark.broker, pytest.mark.timeout(600)]

KILLS = 20
LEFT_OPEN = 3
MORE_KILLS = 20
CHUNK = 1500
CROSSING = 30
WORKERS = [(stage, slot) for stage in ("ingest", "notify") for slot in (0, 1)]


class Crew:
    """Two workers a stage, each a process that can be killed and comes back."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._processes = {worker: self._start(*worker) for worker in WORKERS}

    def kill(self, stage: str, slot: int) -> bool:
        """Kill a worker and start it again; return whether it left an open transaction."""
        process = self._processes[stage, slot]
        process.kill()
        process.wait()
        worker = self._shop.settings.worker
        name = f"{worker.group_prefix}.{stage}.{worker.instance}.{slot}"
        bootstrap = self._shop.settings.kafka.bootstrap_servers
        left_open = name in open_transactions(bootstrap, name)
        self._processes[stage, slot] = self._start(stage, slot)
        return left_open

    def stop(self) -> list[int]:
        """End all as an operator does; return their exit codes."""
        return [self._shop.stop(process) for process in self._processes.values()]

    def _start(self, stage: str, slot: int) -> subprocess.Popen[bytes]:
        arguments = ("--stage", stage, "--slot", str(slot), "--from", "earliest")
        return self._shop.start("run", *arguments, log=f"{stage}-{slot}")


@pytest.mark.parametrize("wrong_keys", [0.05, 0.30], ids=["usual keys", "30 % astray"])
def test_twenty_kills_lose_and_double_nothing(
    make_shop: Callable[..., Shop], wrong_keys: float, show: Callable[[str], None]
) -> None:
    """Whatever a kill interrupts, each event is judged once, and a resend across it is told."""
    shop = make_shop(worker__batch_records="50", worker__instance="host")
    moments = random.Random(wrong_keys)
    recipe = Recipe(
        events=CHUNK * (KILLS + MORE_KILLS), customers=500, partitions=4, wrong_keys=wrong_keys
    )
    story = generate(recipe, 7, now_ms=int(time.time() * 1000))
    meant: Counter[Verdict] = Counter()
    crew = Crew(shop)
    killed: Counter[bool] = Counter()
    crossing: list[Sent] = []
    last = WORKERS[0]
    while killed.total() < KILLS or (
        killed[True] < LEFT_OPEN and killed.total() < KILLS + MORE_KILLS
    ):
        chunk = list(islice(story, CHUNK))
        shop.send([*crossing, *chunk])
        meant.update(sent.intent.verdict for sent in chunk)
        meant[Verdict.DUPLICATE] += len(crossing)
        crossing = list(_resendable(chunk))
        time.sleep(moments.uniform(0.0, 0.3))
        # Not the one that has just come back: it may not even have joined again.
        last = moments.choice([worker for worker in WORKERS if worker != last])
        killed[crew.kill(*last)] += 1
    shop.drain()
    assert crew.stop() == [0, 0, 0, 0]
    show(f"{killed.total()} kills, {killed[True]} left a transaction open")
    assert killed[True] >= LEFT_OPEN
    findings = shop.audit()
    assert findings.exact, findings.to_json()
    judged: Counter[Verdict] = Counter()
    for partition in findings.partitions:
        if partition.stage == "ingest":
            judged.update({Verdict(name): count for name, count in partition.judged.items()})
    assert judged.pop(Verdict.REKEYED) >= recipe.wrong_keys * CHUNK
    assert judged == meant


def _resendable(chunk: list[Sent]) -> Iterator[Sent]:
    """Yield new events of a chunk, to be sent again on the other side of a kill."""
    new = (sent for sent in reversed(chunk) if sent.intent is Intent.NEW)
    for sent in islice(new, CROSSING):
        yield Sent(sent.key, sent.value, sent.headers, Intent.RESEND)
