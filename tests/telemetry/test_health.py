"""What a worker answers to probes, by what its loop tells and its metrics say."""

import json
from collections.abc import Sequence
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from loyaltystream.health import DEGRADED, PROBES, Condition, State, answer_to
from loyaltystream.telemetry.health import BEHIND_S, Health
from loyaltystream.telemetry.metrics import Metrics
from loyaltystream.telemetry.serving import serve_worker

REGISTRY = "http://registry:8081"
LIMIT_S = 300.0


class Clock:
    """Seconds that pass when somebody says so."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    """Return a clock that stands still."""
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    """Return the health of a worker that has just begun."""
    return Health(limit_s=LIMIT_S, registry_url=REGISTRY, batch_records=5_000, now_s=clock)


def working(health: Health, partitions: Sequence[int] = (0, 1)) -> Metrics:
    """Have a worker be put together, join and take a turn; return its metrics."""
    metrics = Metrics()
    health.built(metrics.registry)
    health.opening(partitions)
    health.owns(partitions)
    health.turned()
    return metrics


def states(health: Health) -> list[State]:
    """Return the states that it is in."""
    return [one.state for one in health.conditions()]


def codes(health: Health) -> dict[str, int]:
    """Return the status that each probe is answered with."""
    return {
        probe: answer_to(probe, health.conditions(), started=health.started, as_json=True).status
        for probe in PROBES
    }


def test_a_worker_that_works_is_green(health: Health) -> None:
    """With partitions, and a loop that turns, all three answers are 200 without a reason."""
    working(health)
    assert states(health) == []
    assert codes(health) == {"/livez": 200, "/readyz": 200, "/startupz": 200}


def test_a_start_has_its_stages(health: Health) -> None:
    """Alive from the first moment; started and ready once what is remembered is restored."""
    seen = [states(health)]
    health.built(Metrics().registry)
    seen.append(states(health))
    health.opening([0, 3])
    seen.append(states(health))
    assert seen == [[State.STARTING], [State.JOINING], [State.RESTORING]]
    assert codes(health) == {"/livez": 200, "/readyz": 503, "/startupz": 503}
    assert health.conditions()[0].why.startswith("opening 0, 3 since")
    health.owns([0, 3])
    assert codes(health)["/readyz"] == codes(health)["/startupz"] == 200


@pytest.mark.parametrize(
    ("why", "state"),
    [
        ("reading events: all brokers are down", State.WAITING_FOR_BROKER),
        (f"fetching schema 7 at {REGISTRY}: refused", State.WAITING_FOR_REGISTRY),
    ],
)
def test_an_outage_is_not_ready_and_stays_alive(health: Health, why: str, state: State) -> None:
    """Whoever waits for broker or registry is not killed for it, and says which it is."""
    working(health)
    health.waiting(why)
    assert states(health) == [state]
    assert codes(health) == {"/livez": 200, "/readyz": 503, "/startupz": 200}
    health.turned()
    assert codes(health)["/readyz"] == 200


def test_a_loop_that_hangs_is_never_green(health: Health, clock: Clock) -> None:
    """Silent for longer than its group has patience, a worker is dead and unready."""
    working(health)
    clock.now_s += LIMIT_S
    assert codes(health)["/livez"] == 200
    clock.now_s += 1
    assert states(health) == [State.STUCK]
    assert codes(health) == {"/livez": 503, "/readyz": 503, "/startupz": 200}


@pytest.mark.parametrize("stage", ["begun", "built", "opening", "waiting"])
def test_it_may_hang_anywhere(health: Health, clock: Clock, stage: str) -> None:
    """Also what begins, restores or waits is stuck once it tells nothing any more."""
    if stage != "begun":
        health.built(Metrics().registry)
    if stage == "opening":
        health.opening([0])
    if stage == "waiting":
        health.waiting("no broker")
    clock.now_s += LIMIT_S + 1
    assert codes(health)["/livez"] == 503


def test_waiting_again_and_again_is_alive(health: Health, clock: Clock) -> None:
    """An outage may last for days: each try that fails is a sign of life."""
    for _ in range(10):
        clock.now_s += LIMIT_S / 2
        health.waiting("no broker")
    assert codes(health)["/livez"] == 200


def test_a_worker_that_stands_by_is_ready(health: Health) -> None:
    """More workers than partitions are no fault: the spare one is ready, and says what it is."""
    working(health, [])
    assert states(health) == [State.NO_PARTITIONS]
    assert codes(health)["/readyz"] == 200


def test_a_worker_is_behind_after_a_while(health: Health, clock: Clock) -> None:
    """More than a batch for more than a minute is behind; a burst is not."""
    metrics = working(health)
    metrics.lag_records.labels("1").set(5_001)
    assert states(health) == []
    clock.now_s += BEHIND_S + 1
    assert states(health) == [State.BEHIND]
    assert codes(health)["/readyz"] == 200
    metrics.lag_records.labels("1").set(5_000)
    assert states(health) == []
    metrics.lag_records.labels("1").set(5_001)
    assert states(health) == []


def test_a_shortened_window_is_told(health: Health) -> None:
    """A memory that knows less than its window says so, for each kind of key."""
    metrics = working(health)
    window = metrics.registry.get_sample_value
    gauge = "loyaltystream_memory_effective_window_seconds"
    assert window(gauge) is None
    found = {name: value for name, value in vars(metrics).items() if "window" in name}
    effective = next(one for one in found.values() if one._name == gauge)
    effective.labels("event_id", "30").set(30 * 86_400)
    assert states(health) == []
    effective.labels("event_id", "30").set(29 * 86_400)
    [condition] = health.conditions()
    assert condition.state is State.WINDOW_SHORTENED
    assert "29.0 of 30 days" in condition.why


def test_snapshots_fail_until_one_is_written(health: Health) -> None:
    """A failed snapshot is told until the next one lies on the disk."""
    metrics = working(health)
    for outcome, expected in (
        ("written", []),
        ("failed", [State.SNAPSHOT_FAILING]),
        ("refused", [State.SNAPSHOT_FAILING]),
        ("written", []),
    ):
        metrics.memory_snapshots.labels(outcome).inc()
        assert states(health) == expected


def test_a_long_poll_gap_is_told(health: Health) -> None:
    """Half of what the group allows is a warning."""
    metrics = working(health)
    metrics.poll_gap_seconds.set(LIMIT_S / 2)
    assert states(health) == []
    metrics.poll_gap_seconds.set(LIMIT_S / 2 + 1)
    assert states(health) == [State.POLL_GAP]


@pytest.mark.parametrize("state", list(State))
def test_every_state_has_its_answer(state: State) -> None:
    """Only a stuck loop is dead; what is degraded is ready; nothing else is."""
    conditions = [Condition(state, "why")]
    got = {
        probe: answer_to(probe, conditions, started=True, as_json=False).status for probe in PROBES
    }
    assert got == {
        "/livez": 503 if state is State.STUCK else 200,
        "/readyz": 200 if state in DEGRADED else 503,
        "/startupz": 200,
    }


def test_probes_are_answered_beside_the_metrics(health: Health) -> None:
    """Over HTTP: reasons as text, as JSON for whoever accepts that, and metrics once there are."""
    port = serve_worker(health, "127.0.0.1", 0)
    assert ask(port, "/metrics") == (200, "")
    assert ask(port, "/readyz")[0] == 503
    working(health, [])
    assert ask(port, "/livez") == (200, "ok\n")
    status, text = ask(port, "/readyz")
    assert (status, text.splitlines()[0]) == (200, "degraded")
    assert text.splitlines()[1].startswith("no_partitions: ")
    status, text = ask(port, "/readyz", accept="application/json")
    told = json.loads(text)
    assert (told["status"], [one["state"] for one in told["reasons"]]) == (
        "degraded",
        ["no_partitions"],
    )
    assert "loyaltystream_partitions" in ask(port, "/metrics")[1]


def ask(port: int, path: str, accept: str = "*/*") -> tuple[int, str]:
    """Return status and body of an answer."""
    request = Request(f"http://127.0.0.1:{port}{path}", headers={"Accept": accept})
    try:
        with urlopen(request, timeout=5) as answer:  # noqa: S310 (likewise)
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()
