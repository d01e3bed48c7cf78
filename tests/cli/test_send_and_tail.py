"""`send` and `tail` on the real broker: what goes in by the one is seen by the other."""

import json
import random
import signal
from typing import Any

import pytest

from loyaltystream.keys import murmur2, place
from loyaltystream.plans import MAX_RECORD_BYTES
from loyaltystream.rendering.reader import Notification, read_text
from loyaltystream.rendering.shapes import Rendering
from loyaltystream.story import ORG_ID
from loyaltystream.tailing.decoding import plain
from tests.cli.conftest import PARTITIONS
from tests.shop import Shop, eventually

pytestmark = pytest.mark.broker

ROLES = ("ingest", "emf", "ei", "notifications", "duplicates", "dead-letter", "changelog")
MOBILES = [f"91981234{number:04d}" for number in range(12)]


def event(event_id: str, mobile: str) -> str:
    """Return a line with a purchase."""
    return json.dumps(
        {
            "eventId": event_id,
            "eventName": "purchaseCompleted",
            "orgId": ORG_ID,
            "customer": {"identifiers": [{"type": "mobile", "value": f"+{mobile}"}]},
            "fields": {"billNumber": event_id, "amount": 12.5, "transactionId": 4},
        }
    )


def sent(shop: Shop, *arguments: str, code: int = 0, given: str | None = None) -> dict[str, Any]:
    """Return what `send --json` says."""
    done = shop.command("send", "--json", *arguments, code=code, given=given)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def tailed(shop: Shop, topic: str, *options: str) -> list[dict[str, Any]]:
    """Return the records that `tail --json` shows, one a line."""
    shown = shop.command("tail", topic, "--json", *options).stdout
    return [json.loads(line) for line in shown.splitlines()]


@pytest.fixture(scope="module")
def served(counter: Shop) -> Shop:
    """Return the deployment with records in every topic."""
    lines = [event(f"bill {mobile}", mobile) for mobile in MOBILES]
    (counter.directory / "day.ndjson").write_text("\n".join([*lines, lines[0], "{broken"]) + "\n")
    told = sent(counter, "day.ndjson")
    topic = counter.deployment.topics.ingest
    assert told == {"topic": topic, "sent": 14, "withoutKey": 1, "tooLarge": []}
    workers = counter.start("run", "--from", "earliest")
    counter.drain()
    assert counter.stop(workers) == 0, counter.log()
    return counter


def test_an_event_goes_to_the_partition_of_its_key(served: Shop) -> None:
    """Each line is sent under the key of its customer, placed as Java clients place it."""
    for record in served.read(served.deployment.topics.ingest):
        assert record.header("origin") is None, "something was astray"
        if record.value == b"{broken":
            assert record.key is None
            continue
        mobile = json.loads(record.value or b"")["customer"]["identifiers"][0]["value"]
        key = f"{ORG_ID}|mobile|{mobile.removeprefix('+')}".encode()
        assert record.key == key
        assert record.partition == place(murmur2([key]), PARTITIONS)[0]


def test_lines_may_come_through_a_pipe(served: Shop) -> None:
    """What comes by standard input is sent as it stands, blank lines apart."""
    lines = [event("piped 1", MOBILES[0]), "", "not JSON at all", event("piped 2", MOBILES[1])]
    before = served.read(served.deployment.topics.ingest)
    told = sent(served, "-", given="\n".join(lines))
    assert (told["sent"], told["withoutKey"], told["tooLarge"]) == (3, 1, [])
    values = {record.value for record in served.read(served.deployment.topics.ingest)}
    assert {line.encode() for line in lines if line} <= values
    assert len(served.read(served.deployment.topics.ingest)) == len(before) + 3


def test_an_oversized_line_is_told_and_the_others_are_sent(served: Shop) -> None:
    """A line that no record can hold costs exit code 2, its number is told, and nothing else."""
    file = served.directory / "large.ndjson"
    letters = random.Random(1).randbytes(MAX_RECORD_BYTES // 2 + 1).hex()
    file.write_text(
        "\n".join([event("small 1", MOBILES[2]), letters, event("small 2", MOBILES[3])])
    )
    told = sent(served, file.name, code=2)
    assert (told["sent"], told["tooLarge"]) == (2, [2])
    for_people = served.command("send", file.name, code=2)
    assert "not sent: 1 too large for a record, line 2" in for_people.stdout


def test_a_file_that_is_not_there_is_named(served: Shop) -> None:
    """A missing file is one clear line and exit code 2."""
    told = served.command("send", "nowhere.ndjson", code=2).stderr
    assert "nowhere.ndjson: No such file" in told
    assert "Traceback" not in told


@pytest.mark.parametrize("role", ROLES)
def test_every_topic_can_be_tailed(served: Shop, role: str) -> None:
    """Each role's records are one line of JSON each, decoded, with place, key and headers."""
    topic = getattr(served.deployment.topics, role.replace("-", "_"))
    shown = tailed(served, role, "--from-start")
    records = served.read(topic)
    assert len(shown) == len(records) > 0
    places = {(one["partition"], one["offset"]) for one in shown}
    assert places == {(record.partition, record.offset) for record in records}
    for one in shown:
        assert one["topic"] == topic
        assert "problem" not in one or one["value"] in {"{broken", "not JSON at all"}
        names = [header["name"] for header in one["headers"]]
        assert names.count("src") == (role not in {"ingest", "changelog"})


def test_a_tail_shows_the_last_ones(served: Shop) -> None:
    """As many of the last records are shown as were asked for."""
    assert len(tailed(served, "emf", "-n", "3")) == 3
    assert tailed(served, "emf", "-n", "0") == []


def test_notifications_can_be_tailed_as_the_vendors_json(served: Shop) -> None:
    """Each committed notification is one line in each rendering, read as the very same record."""
    records = [one["value"] for one in tailed(served, "notifications", "--from-start")]
    assert len(records) > 0
    for rendering in Rendering:
        format_of = ("--from-start", "--format", rendering)
        lines = served.command("tail", "notifications", *format_of).stdout.splitlines()
        found = [read_text(line) for line in lines]
        assert [plain(one.record) for one in found if isinstance(one, Notification)] == records


def test_a_tail_follows(served: Shop) -> None:
    """A followed topic shows what comes, until ^C ends it with 0."""
    following = served.start("tail", "ingest", "--json", "-f", "-n", "1", log="followed")
    eventually(lambda: served.log("followed").count("\n") == 1, "the last record is shown")
    sent(served, "-", given=event("followed", MOBILES[4]))
    eventually(lambda: '"followed"' in served.log("followed"), "what came is shown")
    following.send_signal(signal.SIGINT)
    assert following.wait(10) == 0
    assert "Traceback" not in served.log("followed")


def test_an_unknown_topic_is_told_with_those_that_exist(served: Shop) -> None:
    """Whoever asks for no topic at all is shown every role and its topic."""
    told = served.command("tail", "emff", code=2).stderr
    assert "no topic emff" in told
    assert all(role in told for role in ROLES)


def test_an_audit_counts_what_waits(served: Shop) -> None:
    """Unjudged records are lag and no fault: the audit is exact, for people and for programs."""
    told = json.loads(served.command("audit", "--json").stdout)
    assert told["exact"] is True
    ingest = [found for found in told["partitions"] if found["stage"] == "ingest"]
    assert sum(found["consumed"] for found in ingest) == 14
    assert sum(found["found"].get("accepted", 0) for found in ingest) == 12
    assert sum(found["lag"] for found in ingest) > 0
    assert "exact: 14 records" in served.command("audit").stdout
