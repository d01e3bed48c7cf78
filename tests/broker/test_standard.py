"""Every notification by Kafka: the events of the standard pack in, decoded by stock clients out."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from loyaltystream.platform import Addresses
from loyaltystream.subscriber import Notification, Outcome, Reactions, Subscriber, Subscription
from loyaltystream.subscriber.records import TYPES
from tests.broker.standard import caused, judged_cases, without_arrival
from tests.broker.test_subscribers import subscribe
from tests.shop import Shop, eventually
from tests.subscriber.goldens import typed

pytestmark = pytest.mark.broker

ROOT = Path(__file__).parents[2]


class Written(NamedTuple):
    """A deployment that has judged every event of the pack, and what the files expect of it."""

    shop: Shop
    expected: list[dict[str, Any]]

    def subscription(self, group: str) -> Subscription:
        """Return what a subscriber to its notifications has to be told."""
        settings = self.shop.settings
        return Subscription(
            group=f"{settings.topics.prefix}{group}",
            bootstrap_servers=settings.kafka.bootstrap_servers,
            registry_url=settings.registry.url,
            topic=self.shop.deployment.topics.notifications,
        )


@pytest.fixture(scope="module")
def written(
    proven_cluster: Addresses, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Written]:
    """Return a deployment whose workers have notified of every event of the pack, and left."""
    with judged_cases(proven_cluster, tmp_path_factory.mktemp("standard")) as shop:
        yield Written(shop, caused())


def test_a_stock_client_reads_every_notification_as_it_is_described(written: Written) -> None:
    """All 28 types, with everything and with nothing, are read just as the golden files say."""
    received = subscribe(written.shop, written.shop.deployment.topics.notifications)
    expected = written.expected
    assert len({each["notification"]["eventName"] for each in expected}) == 28
    read = [
        (
            (one.key or b"").decode(),
            one.headers["ce_type"].decode(),
            without_arrival(msgspec.to_builtins(one.value)),
        )
        for one in received
    ]
    told = [(each["key"], each["type"], without_arrival(each["notification"])) for each in expected]
    assert sorted(read, key=_id) == sorted(told, key=_id)


def test_the_subscribers_kit_reads_every_notification_as_it_is_described(written: Written) -> None:
    """All 28 types reach their reactions as typed records that say what the golden files say."""
    reactions = Reactions()
    got: dict[str, Notification] = {}
    for kind in TYPES.values():

        @reactions.on(kind)
        def note(notification: Notification, kind: type[Notification] = kind) -> None:
            assert type(notification) is kind
            got[notification.eventId] = notification

    subscriber = Subscriber(written.subscription("kit"), reactions)
    thread = threading.Thread(target=subscriber.run)
    thread.start()
    try:
        eventually(lambda: len(got) == len(written.expected), "all notifications are handled", 60)
    finally:
        subscriber.stop()
        thread.join(30)
    assert subscriber.tally[Outcome.HANDLED] == len(written.expected)
    for each in map(typed, written.expected):
        arrived = got[each.eventId]
        assert type(arrived) is type(each)
        assert _told(arrived) == _told(each)
    assert len({type(each) for each in got.values()}) == 28


def test_the_example_of_the_readme_is_a_whole_service(written: Written, tmp_path: Path) -> None:
    """The README's subscriber, run as it stands there, prints each transaction until SIGTERM."""
    readme = (ROOT / "README.md").read_text()
    [block] = [
        found
        for found in re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
        if "loyaltystream.subscriber" in found
    ]
    told = written.subscription("readme")
    addresses = (
        f'group="{told.group}", bootstrap_servers="{told.bootstrap_servers}", '
        f'registry_url="{told.registry_url}", topic="{told.topic}"'
    )
    assert block.count('group="my-service"') == 1
    program = tmp_path / "service.py"
    program.write_text(block.replace('group="my-service"', addresses))
    output = tmp_path / "output"
    with output.open("wb") as out:
        process = subprocess.Popen([sys.executable, str(program)], stdout=out, env=dict(os.environ))
    expected = {
        each["notification"]["eventId"]
        for each in written.expected
        if each["notification"]["eventName"] == "transactionAdded"
    }
    try:
        eventually(
            lambda: len(output.read_text().splitlines()) >= len(expected), "they are printed", 60
        )
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
    assert {line.split()[0] for line in output.read_text().splitlines()} == expected


def _told(notification: Notification) -> Any:
    return without_arrival(json.loads(msgspec.json.encode(notification)))


def _id(read: tuple[str, str, dict[str, Any]]) -> str:
    return str(read[2]["eventId"])
