"""What stands on a line of the log; no broker."""

import io
import json
import logging
import sys
import threading
from collections.abc import Iterator

import pytest

from loyaltystream import kit_events
from loyaltystream.settings import TelemetrySettings
from loyaltystream.telemetry import log_events, logs
from loyaltystream.telemetry.gateway import GatewayTelemetry
from loyaltystream.telemetry.seldom import Seldom


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the log of a worker holds."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    page = io.StringIO()
    monkeypatch.setattr(sys, "stderr", page)
    logs.configure(TelemetrySettings(log_format="json"), "ingest", "loyaltystream.ingest.a.0")
    yield page
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


def lines(page: io.StringIO) -> list[dict[str, object]]:
    """Return the lines, without their times."""
    found = map(json.loads, page.getvalue().splitlines())
    return [{name: told for name, told in line.items() if name != "timestamp"} for line in found]


def test_a_line_says_what_who_and_what_next(written: io.StringIO) -> None:
    """An event's fields, what happens next, and the worker stand on its line."""
    log_events.snapshot_failed(partition=3, why="no room")
    [line] = lines(written)
    assert line.pop("next") == (
        "the work goes on, the changelog has everything; it is tried again in a minute"
    )
    assert line == {
        "event": "snapshot.failed",
        "level": "warning",
        "partition": 3,
        "why": "no room",
        "stage": "ingest",
        "worker": "loyaltystream.ingest.a.0",
    }


def test_every_thread_says_who_it_is(written: io.StringIO) -> None:
    """A line has the worker's name on it whichever thread says it, and whoever's it is."""
    thread = threading.Thread(target=lambda: log_events.worker_left(why="it hangs"))
    thread.start()
    thread.join()
    logging.getLogger("librdkafka").warning("FAIL [thrd:x]: Connect failed")
    assert {line["worker"] for line in lines(written)} == {"loyaltystream.ingest.a.0"}
    assert [line["event"] for line in lines(written)][1] == "FAIL [thrd:x]: Connect failed"


def test_an_outage_is_told_once_in_a_while(written: io.StringIO) -> None:
    """A thousand refused requests are one line of each kind."""
    telemetry = GatewayTelemetry()
    for _ in range(1_000):
        telemetry.not_written("the broker is away")
        telemetry.not_followed("the broker is away")
    assert [line["event"] for line in lines(written)] == ["events.refused", "definitions.awaited"]


def test_what_is_told_seldom_is_told_again() -> None:
    """Ten seconds behind a line its like is told again, and not before."""
    moments = iter([0.0, 9.9, 10.0, 12.0, 20.0])
    seldom = Seldom(now_s=lambda: next(moments))
    assert [seldom.take() for _ in range(5)] == [True, False, True, False, True]


def test_a_subscriber_says_text_and_fields(caplog: pytest.LogCaptureFixture) -> None:
    """The kit's line reads as text, and has its fields for whoever formats JSON."""
    kit_events.notification_delayed(partition=2, offset=17, after_s=0.5, why="a function failed")
    [record] = caplog.records
    assert record.getMessage() == (
        "notification.delayed: partition=2, offset=17, after_s=0.5, why=a function failed"
    )
    assert (record.name, record.levelname) == ("loyaltystream.subscriber", "WARNING")
    told = vars(record)
    assert (told["event"], told["partition"], told["offset"]) == ("notification.delayed", 2, 17)
