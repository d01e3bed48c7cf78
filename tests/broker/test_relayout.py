"""Topics are given more partitions on the real broker: what was seen stays seen, kills or not."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

import pytest
from confluent_kafka.admin import AdminClient, NewPartitions

from loyaltystream.audit.findings import Findings
from loyaltystream.memory.relaid import Moved, Switched, read
from loyaltystream.platform import Addresses
from loyaltystream.story import Intent, Recipe, Sent, generate
from loyaltystream.verdicts import Verdict
from tests.broker.test_why import asker, letters
from tests.shop import QUICK, Shop, eventually, opened

pytestmark = [pytest.mark.broker, pytest.mark.timeout(600)]

BEFORE, AFTER = 4, 10
EVENTS = 2_000
GROWN = {"topics.partitions": str(AFTER)}
RELAYOUT = ("memory", "relayout")
RUN = ("run", "--from", "earliest")


class Judged(NamedTuple):
    """A deployment that has judged a story and left."""

    shop: Shop
    new: list[Sent]


def judge(shop: Shop, story: Iterator[Sent], log: str = "worker") -> list[Sent]:
    """Send a part of a story and judge it; return the events that were new."""
    sent = list(islice(story, EVENTS))
    shop.send(sent)
    work(shop, log)
    return [one for one in sent if one.intent is Intent.NEW]


def work(shop: Shop, log: str) -> None:
    """Run workers until everything is judged."""
    workers = shop.start(*RUN, log=log)
    shop.drain()
    assert shop.stop(workers) == 0, shop.log(log)


def story(seed: int) -> Iterator[Sent]:
    """Return a story without end."""
    recipe = Recipe(events=10 * EVENTS, customers=400, partitions=BEFORE)
    return generate(recipe, seed, now_ms=int(time.time() * 1000))


def resends(events: list[Sent]) -> list[Sent]:
    """Return copies of events, as their producers send them again."""
    return [Sent(one.key, one.value, one.headers, Intent.RESEND) for one in events]


def judged(findings: Findings) -> Counter[str]:
    """Return how many records of stage ingest were what."""
    assert findings.exact, findings.to_json()
    assert findings.notices.keys() <= {"SAME_ID_OTHER_CUSTOMER"}, findings.notices
    counts: Counter[str] = Counter()
    for found in findings.partitions:
        if found.stage == "ingest":
            counts.update(found.judged)
    return counts


def killed(shop: Shop, at: int) -> None:
    """Run a relayout that is killed with its `at`-th transaction open."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.broker.killed_relayout", str(at), *RELAYOUT],
        env={**os.environ, **shop.environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr


def written(shop: Shop) -> Counter[type]:
    """Return what the changelog has, by kind."""
    changelog = shop.read(shop.deployment.topics.changelog)
    return Counter(type(read(record.value or b"")) for record in changelog)


def counts(shop: Shop) -> list[int]:
    """Return how many partitions each topic has, in the order of the roles."""
    deployment = shop.deployment
    topics = deployment.topics
    names = (topics.ingest, topics.emf, topics.ei, topics.duplicates, topics.dead_letter)
    return [
        deployment.reader.partitions(name)
        for name in (*names, topics.changelog, topics.notifications)
    ]


def refused(shop: Shop, *arguments: str, code: int) -> str:
    """Return the one line that a command ends with."""
    told = shop.command(*arguments, code=code).stderr
    assert "Traceback" not in told
    [line] = [line for line in told.splitlines() if line.startswith("error: ")]
    return line


def told_as_before(shop: Shop, resent: list[Sent]) -> None:
    """Demand that each event is told with its acceptance, and a resend that names it."""
    moved = 0
    with asker(shop) as why:
        for one in resent:
            arrivals = why.of_id(json.loads(one.value or b"")["eventId"]).arrivals
            [first] = [found for found in arrivals if found.verdict == Verdict.ACCEPTED]
            again = [found for found in arrivals if found.verdict == Verdict.DUPLICATE]
            assert again
            assert all(found.first and found.first.place == first.judged for found in again)
            moved += any(found.judged.partition != first.judged.partition for found in again)
    assert moved


def test_killed_three_times_it_moves_everything_once(make_shop: Callable[..., Shop]) -> None:
    """Whatever a kill interrupts, resends of customers that moved are duplicates, all of them."""
    shop = make_shop(BEFORE, **QUICK)
    told = story(7)
    new = judge(shop, told)
    before = judged(shop.audit())
    with shop.changed(GROWN):
        assert "loyaltystream memory relayout" in refused(shop, *RUN, "--stage", "ingest", code=2)
        plan = shop.command(*RELAYOUT, "--dry-run").stdout
        assert "partitions of" in plan
        assert counts(shop) == [BEFORE] * 7
        killed(shop, 2)
        assert "loyaltystream memory relayout" in refused(shop, *RUN, "--stage", "ingest", code=5)
        killed(shop, 2)
        killed(shop, 3)  # two are left, and then the one that switches
        assert counts(shop) == [AFTER] * 6 + [BEFORE]
        found = written(shop)
        assert found[Moved] > 0
        assert found[Switched] == 0
        assert "done" in shop.command(*RELAYOUT).stdout
        assert written(shop)[Switched] == AFTER
        assert "as it has to be" in shop.command(*RELAYOUT).stdout
        shop.send(resends(new))
        more = judge(shop, told, "afterwards")
        after = judged(shop.audit())
        grown = shop.deployment.reader.bounds(shop.deployment.topics.emf)
        assert all(end > 0 for _, end in grown.values()), "no customer has moved"
        snapshots = shop.command("memory", "inspect", "--json").stdout
        assert f'"partition":{AFTER - 1}' in snapshots
        told_as_before(shop, new[:: len(new) // 50])
        forecast = letters(shop, "replay", "--all", "--dry-run")["forecast"]
        assert sum(forecast["verdicts"].values()) > 0
    assert after["duplicate"] >= before["duplicate"] + len(new)
    assert after["accepted"] >= before["accepted"] + len(more)


@pytest.fixture(scope="module")
def left(proven_cluster: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judged]:
    """Judge a story and leave, for tests that change nothing but what they say."""
    directory = tmp_path_factory.mktemp("relayout") / "shop"
    with opened(proven_cluster, directory, BEFORE, **QUICK) as shop:
        yield Judged(shop, judge(shop, story(8)))


def test_workers_that_run_are_named(left: Judged) -> None:
    """While anybody is in a group, nothing is moved, and it is told who has to be stopped."""
    worker = left.shop.start(*RUN, "--stage", "notify", log="running")
    eventually(lambda: "partitions.assigned" in left.shop.log("running"), "it has joined")
    with left.shop.changed(GROWN):
        said = refused(left.shop, *RELAYOUT, code=2)
    assert f"{left.shop.settings.worker.group_prefix}.notify." in said
    assert "Stop all of them" in said
    assert counts(left.shop) == [BEFORE] * 7
    assert left.shop.stop(worker) == 0


def test_fewer_partitions_are_refused(left: Judged) -> None:
    """Kafka takes no partitions away, so what the settings say is put right instead."""
    with left.shop.changed({"topics.partitions": "2"}):
        assert "set it to 4" in refused(left.shop, *RELAYOUT, code=2)
        assert "set topics.partitions to 4" in refused(left.shop, "init", code=2)


def test_unjudged_events_of_a_topic_that_grew_by_hand(left: Judged) -> None:
    """What waits is told beforehand, and judged in its new partition; the audit is exact."""
    shop = left.shop
    waiting = list(islice(story(9), 500))
    shop.send(waiting)
    with shop.changed(GROWN):
        assert "--accept-unjudged" in refused(shop, *RELAYOUT, code=2)
        assert counts(shop) == [BEFORE] * 7
        ingest = shop.deployment.topics.ingest
        admin = AdminClient({"bootstrap.servers": shop.settings.kafka.bootstrap_servers})
        admin.create_partitions([NewPartitions(ingest, AFTER)])[ingest].result(30)
        shop.send(resends(left.new))
        plan = shop.command(*RELAYOUT).stdout
        assert "events were not judged under the old count" in plan
        work(shop, "grown")
        shop.send(resends([one for one in waiting if one.intent is Intent.NEW]))
        work(shop, "again")
        assert judged(shop.audit())["duplicate"] > len(left.new)
