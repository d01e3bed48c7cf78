"""How workers end: asked to, with their parent, or because another one has their name."""

import signal
import subprocess
import time
from collections.abc import Iterator

import psutil
import pytest

from loyaltystream.platform import Addresses
from loyaltystream.story import Recipe, generate
from loyaltystream.working import GRACE_S
from tests.shop import QUICK, Shop, eventually, open_transactions, opened

pytestmark = pytest.mark.broker

RECIPE = Recipe(events=1600, customers=300, partitions=4)
BOTH = ("run", "--stage", "both", "--workers", "2", "--from", "earliest")
WORKERS = 4
PATIENCE_S = 60
"""A worker that its group refuses takes two sessions to find out why."""


@pytest.fixture
def shop(proven_cluster: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Return a deployment with a story to judge, in batches small enough to be met half way."""
    directory = tmp_path_factory.mktemp("leaving") / "shop"
    settings = QUICK | {"worker.batch_records": "20"}
    with opened(proven_cluster, directory, RECIPE.partitions, **settings) as shop:
        shop.send(generate(RECIPE, 9, now_ms=int(time.time() * 1000)))
        yield shop


def crew(parent: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Return a parent's workers, once it has started all of them."""
    process = psutil.Process(parent.pid)
    eventually(lambda: len(process.children()) == WORKERS, "all workers are started")
    return list(process.children())


def running(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Return those that have not ended; nobody has to wait for an orphan."""
    return [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def test_sigterm_under_load_leaves_nothing_open(shop: Shop) -> None:
    """Asked to end in the middle of work, all leave in ten seconds with 0, and no transaction."""
    parent = shop.start(*BOTH)
    workers = crew(parent)
    topics = shop.deployment.topics
    eventually(lambda: shop.read(topics.notifications), "both stages have committed something")
    assert shop.lag("ingest") > 0
    asked_s = time.monotonic()
    assert shop.stop(parent) == 0, shop.log()
    assert time.monotonic() - asked_s < GRACE_S
    assert running(workers) == []
    settings = shop.settings
    prefix = settings.worker.group_prefix
    assert open_transactions(settings.kafka.bootstrap_servers, prefix) == set()
    parent = shop.start(*BOTH)
    shop.drain()
    assert shop.stop(parent) == 0, shop.log()
    findings = shop.audit()
    assert findings.exact, findings.to_json()


def test_sigterm_before_the_workers_are_ready_is_no_failure(shop: Shop) -> None:
    """Asked to end while its workers are still starting, a parent leaves with 0 all the same."""
    parent = shop.start(*BOTH)
    workers = crew(parent)
    assert shop.stop(parent) == 0, shop.log()
    assert running(workers) == []


@pytest.mark.parametrize("ready", [True, False], ids=["at work", "still starting"])
def test_no_worker_outlives_its_parent(shop: Shop, ready: bool) -> None:  # noqa: FBT001
    """A parent that is killed leaves no stray worker behind, however young the worker is."""
    parent = shop.start(*BOTH)
    workers = crew(parent)
    if ready:
        eventually(lambda: shop.log().count("worker.started") == WORKERS, "all are at work")
    parent.kill()
    parent.wait()
    try:
        eventually(lambda: not running(workers), "all workers have ended", GRACE_S + 5)
    finally:
        for stray in running(workers):
            stray.kill()


def test_a_name_is_taken_once_on_a_machine(shop: Shop) -> None:
    """A second worker of the same instance and slot is told which process has its name."""
    worker = shop.start("run", "--stage", "ingest", "--from", "earliest")
    eventually(lambda: "worker.started" in shop.log(), "the first is at work")
    said = shop.command("run", "--stage", "ingest", code=2).stderr
    assert f"already runs here (process {worker.pid})" in said
    assert "worker.instance" in said
    assert "Traceback" not in said
    assert shop.stop(worker) == 0


def test_a_name_is_taken_once_among_machines(shop: Shop) -> None:
    """A worker whose name another machine takes over ends and says so; the other one works on."""
    first = shop.start("run", "--stage", "ingest", "--from", "earliest", log="first")
    eventually(lambda: "partitions.assigned" in shop.log("first"), "the first is at work")
    with shop.changed({"worker.state_dir": str(shop.directory / "another machine")}):
        second = shop.start("run", "--stage", "ingest", "--from", "earliest", log="second")
    eventually(lambda: first.poll() is not None, "the first has ended", PATIENCE_S)
    assert first.returncode == 3
    last = [line for line in shop.log("first").splitlines() if line.startswith("error: ")]
    assert len(last) == 1, shop.log("first")
    assert "worker.instance" in last[0]
    assert "Traceback" not in shop.log("first")
    shop.drain(["ingest"])
    second.send_signal(signal.SIGINT)
    assert second.wait(GRACE_S) == 0, shop.log("second")
    findings = shop.audit()
    assert not [fault for fault in findings.faults if findings.faults[fault]]
