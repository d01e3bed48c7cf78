"""Which faults there are, and in which order a seed makes them. Pure."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Final, NamedTuple

from tests.chaos import deaths, networks, outages, places
from tests.chaos.deaths import Blow
from tests.chaos.failpoints import POINTS
from tests.chaos.networks import bad_weather
from tests.chaos.proxy import Weather


class Fault(NamedTuple):
    """One kind of fault.

    Attributes:
        family: what it belongs to.
        name: what is done.
        blow: how.
        since: what recovery is counted from.
        bar_s: how long recovery may take; None: a minute.
    """

    family: str
    name: str
    blow: Blow
    since: str = "heal"
    bar_s: float | None = None


class Injection(NamedTuple):
    """One fault of a schedule, with the seed of its particulars."""

    fault: Fault
    seed: int


_BLACK: Final = {
    "to the broker": Weather(holds_requests=True),
    "to the worker": Weather(holds_answers=True),
}

FAULTS: Final = (
    *(Fault("kill", point.name, deaths.at_point(point), "death") for point in POINTS),
    Fault("kill", "commit sent, answer unseen", deaths.around_a_commit(at_answer=False), "death"),
    Fault("kill", "commit done, answer unseen", deaths.around_a_commit(at_answer=True), "death"),
    Fault("kill", "at any moment", deaths.at_any_moment, "death"),
    Fault("kill", "all workers of a stage", deaths.all_of_a_stage, "death"),
    Fault("takeover", "killed, stays away", deaths.and_stay_away, "death"),
    Fault("takeover", "SIGSTOP past its session (zombie)", deaths.held_past_its_session, "SIGSTOP"),
    Fault("stop", "SIGSTOP of a worker, 0.5 to 3 s", deaths.held_briefly),
    Fault("broker", "SIGTERM, started again", outages.broker_restarted),
    Fault("broker", "kill -9, started again", outages.broker_killed),
    Fault("broker", "SIGSTOP, 1 to 3 s", outages.broker_held(1, 3)),
    Fault(
        "broker", "SIGSTOP, 6 to 10 s (past the transaction's timeout)", outages.broker_held(6, 10)
    ),
    Fault("registry", "kill -9, with a worker", outages.registry_killed),
    Fault(
        "foreign",
        "transaction hangs on the ingest topic",
        outages.foreign_transaction("ingest"),
        "its death",
    ),
    Fault(
        "foreign",
        "transaction hangs on the changelog",
        outages.foreign_transaction("changelog"),
        "its death",
    ),
    Fault(
        "network",
        "delay 50 to 400 ms, jitter, 5 s, all",
        bad_weather(
            lambda random: Weather(delay_s=random.uniform(0.05, 0.4), jitter_s=0.1),
            least_s=4,
            most_s=6,
            everybody=True,
        ),
    ),
    Fault(
        "network",
        "cut, 2 to 5 s, all",
        bad_weather(lambda _: Weather(refuses=True), least_s=2, most_s=5, everybody=True),
    ),
    Fault(
        "network",
        "cut, 7 to 10 s (past the session), one",
        bad_weather(lambda _: Weather(refuses=True), least_s=7, most_s=10, everybody=False),
    ),
    Fault("network", "RST of open connections", networks.reset_once),
    *(
        Fault(
            "network",
            f"black hole {way}, {least} to {most} s, {whom}",
            bad_weather(
                lambda _, weather=weather: weather,  # type: ignore[misc]  # a lambda's default has no type
                least_s=least,
                most_s=most,
                everybody=whom == "all",
            ),
        )
        for way, weather in _BLACK.items()
        for least, most, whom in ((2, 3, "all"), (8, 10, "one"))
    ),
    Fault(
        "network", "commit lost with its connection", networks.lost_around_a_commit(at_answer=False)
    ),
    Fault(
        "network",
        "commit's answer lost with its connection",
        networks.lost_around_a_commit(at_answer=True),
    ),
    Fault("network", "join's answer lost with its connection", networks.join_answer_lost),
    Fault("network", "join heard again, late", networks.join_heard_late, "the late join"),
    Fault("network", "silence of 4 to 9 s behind a commit", networks.silence_behind_a_commit),
    Fault("storm", "4 workers join and leave, 1 to 3 s each", places.storm),
    Fault("state", "state directory lost", places.state_lost, "death"),
    Fault("state", "state files flipped or cut", places.state_damaged, "death"),
    Fault("state", "disk runs full, 3 s", places.disk_full),
    Fault("state", "disk full at the start", places.disk_full_at_start, "moved back"),
)


WITH_USUAL_TIMEOUTS: Final = (
    Fault("takeover", "killed, another is level again", deaths.and_stay_away, "death", 20.0),
    Fault("kill", "level again in its own slot", deaths.at_any_moment, "death", 5.0),
)
"""Measured with the timeouts that a deployment has by default."""


def schedule(seed: int, faults: Sequence[Fault] = FAULTS) -> Iterator[Injection]:
    """Yield injections without end: every fault once, shuffled, then every fault again."""
    random = Random(seed)
    while True:
        for fault in random.sample(faults, len(faults)):
            yield Injection(fault, random.getrandbits(32))
