"""A deployment of the version before this one is rolled to this one, and back, under load."""

import io
import json
import os
import shutil
import signal
import subprocess
import tarfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from loyaltystream.audit.findings import Findings, Notice
from loyaltystream.avro import schemas
from loyaltystream.avro.wire import schema_id_of
from loyaltystream.kafka.sending import Sender
from loyaltystream.platform import Addresses
from loyaltystream.story import Recipe, generate
from tests.shop import QUICK, Shop, eventually, opened

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

ROOT: Final = Path(__file__).parent.parent.parent
PREVIOUS: Final = (Path(__file__).parent / "PREVIOUS").read_text().strip()
RECIPE: Final = Recipe(events=20_000, customers=300, partitions=4)
PER_S: Final = 150
INSTANCES: Final = ("a", "b")


def git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Return what git answers in this repository."""
    program = shutil.which("git") or "git"
    return subprocess.run([program, *arguments], cwd=ROOT, capture_output=True, check=False)


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the sources of the version before this one."""
    archive = git("archive", PREVIOUS)
    if archive.returncode:
        if git("rev-parse", "--is-shallow-repository").stdout.strip() == b"false":
            pytest.fail(f"tests/upgrade/PREVIOUS names {PREVIOUS}, which is not in the history")
        pytest.skip(f"the history does not reach back to {PREVIOUS}")
    tree = tmp_path_factory.mktemp("previous")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as packed:
        packed.extractall(tree, filter="data")
    return tree


@contextmanager
def version(tree: Path | None) -> Iterator[None]:
    """Have commands run the sources of a tree; None: this version's."""
    before = os.environ.get("PYTHONPATH")
    if tree is not None:
        os.environ["PYTHONPATH"] = str(tree / "src")
    try:
        yield
    finally:
        os.environ.pop("PYTHONPATH", None)
        if before is not None:
            os.environ["PYTHONPATH"] = before


class Till:
    """Sends a story at its pace, whatever else happens, until it is told to pause."""

    def __init__(self, shop: Shop) -> None:
        self._sender = Sender(shop.settings.kafka, shop.deployment.topics.ingest)
        self._story = generate(RECIPE, 11, now_ms=int(time.time() * 1000))
        self.go_on()

    def go_on(self) -> None:
        """Send from where it was."""
        self._pausing = threading.Event()
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def pause(self) -> None:
        """Send what was begun, and no more."""
        assert self._thread.is_alive(), "the story was over, or its sender failed: no load"
        self._pausing.set()
        self._thread.join()
        self._sender.flush()

    def _send(self) -> None:
        for sent in self._story:
            self._sender.send(sent.value, sent.key, sent.headers)
            if self._pausing.wait(1 / PER_S):
                return


class Crew:
    """Two instances with a worker of each stage, each of which may be another version.

    Attributes:
        away_s: how long each replaced worker was away, until it had partitions again.
    """

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._running: dict[tuple[str, str], subprocess.Popen[bytes]] = {}
        self._generation = 0
        self.away_s: dict[str, float] = {}

    def start(self, stage: str, instance: str, tree: Path | None) -> str:
        """Start a worker, and wait until it has partitions; return its log."""
        self._generation += 1
        log = f"{stage}-{instance}-{self._generation}"
        state = str(self._shop.directory / f"state-{instance}")
        own: dict[str, str | None] = {"worker.instance": instance, "worker.state_dir": state}
        with self._shop.changed(own), version(tree):
            process = self._shop.start("run", "--stage", stage, "--from", "earliest", log=log)
        self._running[stage, instance] = process

        def works() -> bool:
            assert process.poll() is None, self._shop.log(log)
            return any(line.get("partitions") for line in said(self._shop, log))

        eventually(works, f"{log} has partitions")
        return log

    def replace(
        self, stage: str, instance: str, tree: Path | None, how: signal.Signals = signal.SIGTERM
    ) -> str:
        """End a worker, and start another version of it in its place; return its log."""
        process = self._running[stage, instance]
        began_s = time.monotonic()
        process.send_signal(how)
        assert process.wait(20) == (0 if how is signal.SIGTERM else -how)
        log = self.start(stage, instance, tree)
        to = "this version" if tree is None else "the one before"
        self.away_s[f"{stage} {instance}, {how.name}, to {to}"] = time.monotonic() - began_s
        return log

    def stop(self) -> None:
        """End all of them as an operator does."""
        for process in self._running.values():
            assert self._shop.stop(process) == 0


def said(shop: Shop, log: str) -> list[dict[str, object]]:
    """Return the events in a log."""
    lines = shop.log(log).splitlines()
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]


def restored(shop: Shop, log: str) -> set[object]:
    """Return where a worker had its memories from."""
    return {line["source"] for line in said(shop, log) if line["event"] == "memory.restored"}


@pytest.fixture(scope="module")
def rolled(
    proven_cluster: Addresses, previous: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """Return a deployment that the version before this one has made."""
    directory = tmp_path_factory.mktemp("rolled") / "shop"
    with ExitStack() as stack:
        with version(previous):
            made = opened(proven_cluster, directory, RECIPE.partitions, **QUICK)
            shop = stack.enter_context(made)
        yield shop


def demand_exact(shop: Shop) -> Findings:
    """Demand that nothing was lost, doubled or told twice, by this version's audit."""
    found = shop.audit()
    assert found.exact, found.to_json()
    assert found.notices.keys() <= {Notice.OLDER_RELEASE, Notice.SAME_ID_OTHER_CUSTOMER}
    notified = shop.read(shop.deployment.topics.notifications)
    ids = Counter(record.header("ce_id") for record in notified)
    assert set(ids.values()) == {1}
    return found


def releases_read(shop: Shop) -> set[bool]:
    """Read all notifications by the newest schemas; return whether causes have a source in them.

    Read as a subscriber does, by the client library's own deserializer.
    """
    registry, topic = shop.deployment.registry, shop.deployment.topics.notifications
    client = SchemaRegistryClient({"url": shop.settings.registry.url})
    place = SerializationContext(topic, MessageField.VALUE)
    readers: dict[str, AvroDeserializer] = {}
    found = set()
    for record in shop.read(topic):
        value = record.value or b""
        schema_id = schema_id_of(value)
        assert isinstance(schema_id, int)
        writer = registry.writer_schema(schema_id)
        assert writer is not None
        name = writer["name"]
        if name not in readers:
            readers[name] = AvroDeserializer(client, schemas.text(schemas.load(name)))
        notification = readers[name](value, place)
        assert isinstance(notification, dict)
        found.add(notification["causeSource"] is not None)
    return found


def test_a_roll_under_load_is_exact_there_and_back(
    rolled: Shop, previous: Path, show: Callable[[str], None]
) -> None:
    """As docs/upgrading.md says: `init`, notify, then ingest, one at a time, one of each killed."""
    crew = Crew(rolled)
    for stage in ("ingest", "notify"):
        for instance in INSTANCES:
            crew.start(stage, instance, previous)
    till = Till(rolled)
    assert "as it has to be" in rolled.command("init", "--dry-run").stdout
    rolled.command("init")
    crew.replace("notify", "a", None)
    crew.replace("notify", "b", None, signal.SIGKILL)
    log = crew.replace("ingest", "a", None)
    assert restored(rolled, log) == {"snapshot"}, "it reads what the older version has written"
    crew.replace("ingest", "b", None, signal.SIGKILL)
    till.pause()
    rolled.drain()
    assert demand_exact(rolled).notices[Notice.OLDER_RELEASE] > 0
    assert releases_read(rolled) == {False, True}, "of both versions, each by the newest schema"

    till.go_on()
    crew.replace("ingest", "a", previous)
    crew.replace("notify", "a", previous, signal.SIGKILL)
    till.pause()
    rolled.drain()
    demand_exact(rolled)
    crew.stop()
    show("\n".join(f"{who}: {took_s:.1f} s" for who, took_s in crew.away_s.items()))


def test_an_older_version_refuses_topics_of_other_settings(rolled: Shop, previous: Path) -> None:
    """Where `init` has changed what it demands of topics, the older one ends with code 2."""
    kept = rolled.settings.topics.retention_days
    with rolled.changed({"topics.retention_days": str(kept + 1)}):
        rolled.command("init")
    with rolled.changed({"topics.retention_days": str(kept + 2)}), version(previous):
        refused = rolled.command("run", "--stage", "ingest", code=2)
    assert "topics are not as they have to be" in refused.stderr + refused.stdout
