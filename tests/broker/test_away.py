"""Broker and registry away, before and while a worker runs; on a platform made to be killed."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from loyaltystream.errors import RetryableBrokerError
from loyaltystream.platform import LocalPlatform
from loyaltystream.story import Recipe, generate
from loyaltystream.working import GRACE_S
from tests.shop import QUICK, Shop, eventually, opened

pytestmark = pytest.mark.broker

RECIPE = Recipe(events=600, customers=200, partitions=2)
NOBODY = "127.0.0.1:9"
PATIENCE_S = 40
RUN = ("run", "--workers", "1", "--from", "earliest")


@pytest.fixture(scope="module")
def shop(fragile: LocalPlatform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Return a deployment on that platform, with a story to judge."""
    directory = tmp_path_factory.mktemp("away") / "shop"
    settings = QUICK | {"worker.batch_records": "20"}
    with opened(fragile.start(), directory, RECIPE.partitions, **settings) as shop:
        yield shop


@pytest.fixture(autouse=True)
def up(fragile: LocalPlatform, shop: Shop) -> Iterator[None]:
    """Let every test begin with broker and registry running, and end without workers."""
    fragile.start()
    yield
    shop.close()


def kill(pid: int | None) -> None:
    """Kill a service of the platform as a power cut does."""
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def tell(shop: Shop, seed: int) -> None:
    """Send a story."""
    shop.send(generate(RECIPE, seed, now_ms=int(time.time() * 1000)))


def drain(shop: Shop, worker: subprocess.Popen[bytes]) -> None:
    """Wait until both stages have done everything, as long as the worker lives."""

    def is_done() -> bool:
        assert worker.poll() is None, "the worker has ended by itself"
        return not (shop.lag("ingest") or shop.lag("notify"))

    eventually(is_done, "all is judged", PATIENCE_S)


def test_a_killed_broker_is_waited_for(fragile: LocalPlatform, shop: Shop) -> None:
    """A broker that is killed under a worker and comes back costs nothing but time."""
    tell(shop, 1)
    worker = shop.start(*RUN, log="killed")
    topics = shop.deployment.topics
    eventually(lambda: shop.read(topics.emf), "it has begun")
    kill(fragile.broker.pid)
    eventually(lambda: "broker.awaited" in shop.log("killed"), "it says that it waits")
    assert worker.poll() is None, shop.log("killed")
    fragile.broker.start()
    tell(shop, 2)
    drain(shop, worker)
    assert shop.stop(worker) == 0, shop.log("killed")
    assert "Traceback" not in shop.log("killed")
    findings = shop.audit()
    assert findings.exact, findings.to_json()


def test_an_absent_broker_is_waited_for(fragile: LocalPlatform, shop: Shop) -> None:
    """A worker that starts before its broker says so soon, and works once the broker is there."""
    tell(shop, 3)
    kill(fragile.broker.pid)
    worker = shop.start(*RUN, log="absent")
    eventually(lambda: "broker.awaited" in shop.log("absent"), "it says that it waits", 20)
    assert worker.poll() is None, shop.log("absent")
    assert shop.settings.kafka.bootstrap_servers in shop.log("absent")
    fragile.broker.start()
    drain(shop, worker)
    assert shop.stop(worker) == 0, shop.log("absent")


def test_an_absent_registry_is_waited_for(fragile: LocalPlatform, shop: Shop) -> None:
    """A worker that starts before its registry says which one it asks, and waits for it too."""
    tell(shop, 4)
    kill(fragile.registry.pid)
    worker = shop.start(*RUN, log="registry")
    eventually(lambda: "broker.awaited" in shop.log("registry"), "it says that it waits")
    assert shop.settings.registry.url in shop.log("registry")
    fragile.registry.start()
    drain(shop, worker)
    assert shop.stop(worker) == 0, shop.log("registry")
    assert "Traceback" not in shop.log("registry")


@pytest.mark.parametrize("when", ["starting", "working"])
def test_a_worker_that_waits_can_be_stopped(fragile: LocalPlatform, shop: Shop, when: str) -> None:
    """Asked to end while its broker is away, a worker leaves in ten seconds with code 0."""
    if when == "starting":
        kill(fragile.broker.pid)
    worker = shop.start("run", "--stage", "ingest", "--from", "earliest", log=when)
    locks = shop.directory / "state"
    eventually(
        lambda: any(lock.read_text() == str(worker.pid) for lock in locks.glob("*/lock")),
        "it has its name",
    )
    if when == "working":
        eventually(lambda: "partitions.assigned" in shop.log(when), "it is at work")
        kill(fragile.broker.pid)
        eventually(lambda: "Connection refused" in shop.log(when), "it has noticed")
    asked_s = time.monotonic()
    assert shop.stop(worker) == 0, shop.log(when)
    assert time.monotonic() - asked_s < GRACE_S


def test_a_reader_outlives_restarts(fragile: LocalPlatform, shop: Shop) -> None:
    """Whoever reads where topics end can do so again behind any number of restarts."""
    tell(shop, 5)
    deployment = shop.deployment
    reader, topic = deployment.reader, deployment.topics.ingest
    ends = {number: reader.high_watermark(topic, number) for number in range(RECIPE.partitions)}
    for _ in range(3):
        kill(fragile.broker.pid)
        fragile.broker.start()

        def found() -> dict[int, int]:
            try:
                return {number: reader.high_watermark(topic, number) for number in ends}
            except RetryableBrokerError:
                return {}

        eventually(lambda: found() == ends, "the ends are told")


def test_a_command_without_a_broker_says_where_it_looked(shop: Shop) -> None:
    """Where nothing listens, every command ends with 3 and one line that names the address."""
    commands = ("init", "audit", "tail emf", "send story.ndjson")
    (shop.directory / "story.ndjson").write_text("{}\n")
    with shop.changed({"kafka.bootstrap_servers": NOBODY}):
        started = {name: shop.start(*name.split(), log=f"no {name}") for name in commands}
        codes = {name: process.wait(PATIENCE_S) for name, process in started.items()}
    assert codes == dict.fromkeys(commands, 3)
    for name in commands:
        told = shop.log(f"no {name}")
        assert "Traceback" not in told
        errors = [line for line in told.splitlines() if line.startswith("error: ")]
        assert len(errors) == 1, told
        assert NOBODY in errors[0]


def test_a_taken_port_is_told_in_one_line(fragile: LocalPlatform, shop: Shop) -> None:
    """A platform whose Kafka port somebody has is refused with who it is, and starts nothing."""
    port = (fragile.broker.address or "").rpartition(":")[2]
    settings = {
        "platform.directory": str(shop.directory / "other"),
        "platform.kafka_port": port,
        "platform.registry_port": "0",
    }
    with shop.changed(settings):
        told = shop.command("platform", "start", code=2).stderr
    errors = [line for line in told.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, told
    assert f"platform.kafka_port = {port}" in errors[0]
    assert f"pid {fragile.broker.pid}" in errors[0]
    assert "Traceback" not in told
