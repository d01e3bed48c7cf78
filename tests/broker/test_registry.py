"""Workers and commands beside a registry that fails, on the real broker: no letter comes of it."""

import json
import time
from collections.abc import Iterator

import pytest

from loyaltystream.platform import Addresses
from loyaltystream.story import Recipe, generate
from tests.registry import Answer, StubRegistry, serving
from tests.shop import Shop, eventually, opened

pytestmark = pytest.mark.broker

RECIPE = Recipe(events=300, customers=60, partitions=2, malformed=0, invalid=0)
NOTIFY = ("run", "--stage", "notify", "--from", "earliest")
FIRST_ID = 30


@pytest.fixture(scope="module")
def stub() -> Iterator[StubRegistry]:
    """Return a registry that fails when it is told to."""
    with serving(StubRegistry(FIRST_ID)) as stub:
        yield stub


@pytest.fixture(scope="module")
def shop(
    proven_cluster: Addresses, stub: StubRegistry, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """Return a deployment with that registry whose events are judged, and cause nothing yet."""
    cluster = Addresses(proven_cluster.bootstrap_servers, stub.url)
    directory = tmp_path_factory.mktemp("registry") / "shop"
    hasty = {"registry.client": json.dumps({"max.retries": "0", "timeout": "1"})}
    with opened(cluster, directory, RECIPE.partitions, **hasty) as shop:
        shop.send(generate(RECIPE, 8, now_ms=int(time.time() * 1000)))
        worker = shop.start("run", "--stage", "ingest", "--from", "earliest", log="ingest")
        shop.drain(["ingest"])
        assert shop.stop(worker) == 0, shop.log("ingest")
        yield shop


@pytest.fixture(autouse=True)
def sound(stub: StubRegistry, shop: Shop) -> Iterator[None]:
    """Let each test begin and end with a registry that works."""
    kept = stub.kept
    yield
    stub.kept, stub.instead = kept, lambda _path: None
    shop.close()


def notify_letters(shop: Shop) -> int:
    """Return how many letters stage NOTIFY has written."""
    topics = shop.deployment.topics
    sources = (one.header("src") or b"" for one in shop.read(topics.dead_letter))
    return sum(source.startswith(f"{topics.emf}/".encode()) for source in sources)


def error_of(told: str) -> str:
    """Return the one line that says what is wrong."""
    assert "Traceback" not in told
    [line] = [line for line in told.splitlines() if line.startswith("error: ")]
    return line


def test_other_ids_are_refused_at_the_start(shop: Shop, stub: StubRegistry) -> None:
    """Restored so that it hands out other ids, a registry is refused by whoever relies on it."""
    first, before = min(stub.kept.schemas), len(stub.kept.schemas)
    stub.restart(FIRST_ID + before)
    shop.command("init")
    for arguments in (NOTIFY, ("run", "--stage", "ingest"), ("audit",)):
        told = error_of(shop.command(*arguments, code=3).stderr)
        assert f"can't be read: the registry has no schema {first}." in told
        assert "put its schemas back under the ids that records carry" in told
    assert notify_letters(shop) == 0


def test_an_empty_registry_is_refused_at_the_start(shop: Shop, stub: StubRegistry) -> None:
    """Emptied, it is refused for the same reason, and not taken for one that was never filled."""
    stub.restart(1)
    assert "can't be read" in error_of(shop.command(*NOTIFY, code=3).stderr)


@pytest.mark.parametrize("answer", [Answer(503), Answer(404, b"default backend - 404")])
def test_commands_tell_of_a_registry_that_fails(
    shop: Shop, stub: StubRegistry, answer: Answer
) -> None:
    """What needs a schema ends with 3 and the address; `tail` shows bytes and the reason."""
    stub.instead = lambda _path: answer
    for arguments in (("audit",), ("init",), ("schemas", "diff")):
        assert stub.url in error_of(shop.command(*arguments, code=3).stderr)
    shown = json.loads(shop.command("tail", "emf", "-n", "1", "--json").stdout)
    assert stub.url in shown["problem"]


def test_a_refused_sign_in_ends_a_worker(shop: Shop, stub: StubRegistry) -> None:
    """Waiting would not help, and which setting is wrong is told."""
    stub.instead = lambda _path: Answer(401, b'{"error_code":401,"message":"who?"}')
    assert "registry.client" in error_of(shop.command(*NOTIFY, code=2).stderr)


def test_events_wait_for_a_registry_that_fails(shop: Shop, stub: StubRegistry) -> None:
    """Failing, or hidden by a proxy: NOTIFY waits, and notifies of all in the end."""
    topics = shop.deployment.topics
    events = len(shop.read(topics.emf))
    stub.instead = lambda _path: Answer(503)
    worker = shop.start(*NOTIFY, log="waiting")
    eventually(lambda: "broker.awaited" in shop.log("waiting"), "it says that it waits", 60)
    stub.instead = lambda path: Answer(404, b"gone") if "/ids/" in path else None
    asked = len(stub.asked)
    eventually(lambda: len(stub.asked) > asked + 3, "it asks again", 60)
    stub.instead = lambda _path: None
    shop.drain(["notify"])
    assert shop.stop(worker) == 0, shop.log("waiting")
    assert "Traceback" not in shop.log("waiting")
    assert notify_letters(shop) == 0
    assert events > RECIPE.events / 2
    findings = shop.audit()
    assert findings.exact, findings.to_json()


def test_a_worker_outlives_its_registry(shop: Shop, stub: StubRegistry) -> None:
    """Both stages go on while the registry is away, and judge as they would beside it."""
    workers = shop.start("run", "--from", "earliest", log="both")
    eventually(lambda: shop.log("both").count("partitions.assigned") >= 2, "both work", 60)
    shop.send(generate(RECIPE, 9, now_ms=int(time.time() * 1000)))
    shop.drain()
    stub.instead = lambda _path: Answer(503)
    shop.send(generate(RECIPE, 10, now_ms=int(time.time() * 1000)))
    shop.drain()
    assert notify_letters(shop) == 0
    assert shop.stop(workers) == 0, shop.log("both")
    stub.instead = lambda _path: None
    findings = shop.audit()
    assert findings.exact, findings.to_json()
