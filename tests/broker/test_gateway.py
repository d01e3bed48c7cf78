"""The gateway on the real broker: what it acknowledges is judged, whatever ends it."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest

from loyaltystream.dialects.sources import Dialect
from loyaltystream.platform import Addresses
from loyaltystream.story import Intent, Sent
from tests.broker.golden import sources, write_definitions
from tests.broker.test_dialects import THEIR_OWN, judge, routed
from tests.core import event, raw
from tests.facts import Facts, Written, write
from tests.gateway.conftest import PATHS
from tests.shop import QUICK, Shop, eventually, opened

pytestmark = pytest.mark.broker

PAGE: Final = Path(__file__).parent.parent.parent / "docs" / "gateway.md"
CLIENTS: Final = 4
BATCH: Final = 20
MANY: Final = 300
"""So many events are acknowledged before the gateway is ended."""


def free_port() -> int:
    """Return a port that nobody has."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Gate:
    """A gateway of a deployment, which may be ended and started again."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.port = int(shop.environment["LOYALTYSTREAM_GATEWAY__PORT"])
        made = shop.command("serve", "token", "till", "--org", "1800", "--role", "producer")
        self.token = made.stdout.strip()

    def start(self) -> subprocess.Popen[bytes]:
        """Start it, and wait until it takes connections."""
        process = self.shop.start("serve", "gateway", log="gateway")

        def answers() -> bool:
            assert process.poll() is None, self.shop.log("gateway")
            with socket.socket() as asked:
                return asked.connect_ex(("127.0.0.1", self.port)) == 0

        eventually(answers, "the gateway takes connections")
        return process

    def post(self, path: str, body: bytes, **headers: str) -> tuple[int, Any]:
        """Return status and body of an answer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._ask("POST", path, body, named | {"Content-Type": "application/json"})

    def get(self, event_id: str) -> tuple[int, Any]:
        """Return status and body of what is told of an event."""
        return self._ask("GET", f"/events/{quote(event_id)}", None, {})

    def _ask(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        named = headers | {"Authorization": f"Bearer {self.token}"}
        try:
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def send(self, written: Written, dialect: Dialect) -> int:
        """Return the status of the answer to a document with its headers."""
        given = {name: value.decode() for name, value in written.headers}
        return self.post(PATHS[dialect], written.value, **given)[0]


class Crowd:
    """Clients that post and post; each event again under its id until it is acknowledged."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._stopping = threading.Event()
        self.acknowledged: list[str] = []
        self.failures = 0
        self._threads = [
            threading.Thread(target=self._post, args=(number,)) for number in range(CLIENTS)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Have each client finish the event that it is at."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _post(self, client: int) -> None:
        turn = 0
        while not self._stopping.is_set():
            turn += 1
            ids = [f"{client}-{turn}-{number}" for number in range(BATCH if turn % 4 == 0 else 1)]
            sent = [_event(one, client) for one in ids]
            path = "/events" if len(sent) == 1 else "/events/batch"
            body = raw(sent[0] if len(sent) == 1 else sent)
            while not self._is_taken(path, body):
                self.failures += 1
                if self._stopping.wait(0.05):
                    return
            self.acknowledged += ids

    def _is_taken(self, path: str, body: bytes) -> bool:
        try:
            return self._gate.post(path, body)[0] == 202
        except (OSError, http.client.HTTPException, ValueError):
            return False


def _event(event_id: str, client: int) -> dict[str, Any]:
    customer = {"identifiers": [{"type": "mobile", "value": f"91981234567{client}"}]}
    return event(eventId=event_id, customer=customer, occurredAt=int(time.time() * 1000))


@pytest.fixture
def gate(proven_cluster: Addresses, tmp_path: Path) -> Iterator[Gate]:
    """Return the gateway of a new deployment; it does not run yet."""
    definitions = write_definitions(tmp_path / "definitions")
    settings = {"rules.definitions": str(definitions), "gateway.port": str(free_port())}
    with opened(proven_cluster, tmp_path / "shop", 3, **QUICK, **settings, **sources()) as shop:
        yield Gate(shop)


def demand_judged(shop: Shop, acknowledged: list[str]) -> None:
    """Hold what was acknowledged against what was accepted: each once, and all is exact."""
    judge(shop)
    accepted = [found["eventId"] for _, found in routed(shop)]
    assert len(accepted) == len(set(accepted))
    assert set(acknowledged) - set(accepted) == set()
    findings = shop.audit()
    assert findings.exact, findings.to_json()


def test_each_dialect_ends_as_by_kafka(gate: Gate) -> None:
    """An event is the same by HTTP as by Kafka, and by both ways it is accepted once."""
    shop, process = gate.shop, gate.start()
    moment_ms = int(time.time()) * 1000 - 60_000
    by_kafka = []
    for dialect in Dialect:
        for way in ("http", "kafka", "both"):
            written = write(Facts(event_id=f"{dialect} {way}", occurred_ms=moment_ms), dialect)
            if way != "kafka":
                assert gate.send(written, dialect) in {200, 202}
            if way != "http":
                by_kafka.append(Sent(None, written.value, written.headers, Intent.NEW))
    shop.send(by_kafka)
    assert shop.stop(process) == 0, shop.log("gateway")
    judge(shop)
    found = {one["eventId"]: (key, one) for key, one in routed(shop)}
    assert len(found) == 3 * len(Dialect) == len(routed(shop))
    own = THEIR_OWN - {"dialect", "createCustomer", "webhookId"}
    for dialect in Dialect:
        told = [found[f"{dialect} {way}"] for way in ("http", "kafka", "both")]
        same = [
            (key, {name: value for name, value in one.items() if name not in own})
            for key, one in told
        ]
        assert same == [same[0]] * 3
        assert same[0][1]["dialect"] == dialect.value
    findings = shop.audit()
    assert findings.exact, findings.to_json()


def test_what_is_acknowledged_survives_a_kill(gate: Gate) -> None:
    """A gateway that is killed under load has acknowledged nothing that is not judged."""
    process = gate.start()
    crowd = Crowd(gate)
    for kill in range(1, 4):
        eventually(lambda: len(crowd.acknowledged) > MANY * kill, "much is acknowledged")  # noqa: B023
        process.send_signal(signal.SIGKILL)
        process.wait()
        process = gate.start()
    crowd.stop()
    assert crowd.failures > 0
    assert gate.shop.stop(process) == 0, gate.shop.log("gateway")
    demand_judged(gate.shop, crowd.acknowledged)


def test_a_gateway_that_ends_finishes_what_it_began(gate: Gate) -> None:
    """Asked to end under load it answers what it took, has it written, and leaves with code 0."""
    process = gate.start()
    crowd = Crowd(gate)
    eventually(lambda: len(crowd.acknowledged) > MANY, "much is acknowledged")
    assert gate.shop.stop(process) == 0, gate.shop.log("gateway")
    crowd.stop()
    assert "Traceback" not in gate.shop.log("gateway")
    assert "POST" not in gate.shop.log("gateway")
    demand_judged(gate.shop, crowd.acknowledged)


def test_a_wrong_event_has_its_dead_letter(gate: Gate) -> None:
    """What is taken and wrong is a letter that `why` tells of; what can't be taken leaves none."""
    shop, process = gate.shop, gate.start()
    assert gate.post("/events", raw(event(eventId="bad", fields={})))[0] == 202
    status, told = gate.post("/events", raw(event(eventId="")))
    assert (status, told["violations"][0]["reason"]) == (422, "NO_ID")
    assert gate.post("/events", raw(event(orgId=1801)))[0] == 403
    assert shop.stop(process) == 0, shop.log("gateway")
    judge(shop)
    assert len(shop.read(shop.deployment.topics.ingest)) == 1
    assert "REQUIRED" in shop.command("why", "bad").stdout


def test_a_header_without_end_is_not_read(gate: Gate) -> None:
    """Before anybody has shown a token, no request takes more than so much memory."""
    process = gate.start()
    with socket.create_connection(("127.0.0.1", gate.port), timeout=20) as asked:
        asked.sendall(b"POST /events HTTP/1.1\r\nHost: a\r\nx-long: " + b"x" * 200_000)
        assert asked.recv(100).startswith(b"HTTP/1.1 400 ")
    assert gate.shop.stop(process) == 0, gate.shop.log("gateway")


def test_the_examples_of_the_page_work(gate: Gate) -> None:
    """What the page tells producers to type is answered as it says."""
    shop, process = gate.shop, gate.start()
    examples = re.findall(r"^```sh\n(curl .*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    lines = [raw(event(eventId=f"d-{number}")) for number in range(2)]
    (shop.directory / "day.ndjson").write_bytes(b"\n".join(lines))
    told = []
    for example in examples:
        done = subprocess.run(
            ["sh", "-c", example.replace(":8090", f":{gate.port}")],  # noqa: S607 (any shell)
            env={**os.environ, "TOKEN": gate.token},
            cwd=shop.directory,
            capture_output=True,
            check=True,
        )
        told.append(json.loads(done.stdout))
    assert told == [{"eventId": "a-1"}, {"accepted": 2, "eventIds": ["d-0", "d-1"]}]
    assert shop.stop(process) == 0, shop.log("gateway")
    assert len(shop.read(shop.deployment.topics.ingest)) == 3
