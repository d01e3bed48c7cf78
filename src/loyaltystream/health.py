"""What is known of a process in, what it answers to probes out. Pure.

Three questions, as Kubernetes asks them: is it alive (else kill it), is it ready (else send it
nothing, and stop a rollout), has it started (until then the other two are not asked).
"""

from enum import StrEnum
from typing import Final

import msgspec

PROBES: Final = ("/livez", "/readyz", "/startupz")
OK: Final = 200
UNAVAILABLE: Final = 503


class State(StrEnum):
    """What can keep a process from working as it should."""

    STARTING = "starting"
    JOINING = "joining"
    RESTORING = "restoring"
    WAITING_FOR_BROKER = "waiting_for_broker"
    WAITING_FOR_REGISTRY = "waiting_for_registry"
    STUCK = "stuck"
    NO_PARTITIONS = "no_partitions"
    BEHIND = "behind"
    WINDOW_SHORTENED = "window_shortened"
    SNAPSHOT_FAILING = "snapshot_failing"
    POLL_GAP = "poll_gap"


DEGRADED: Final = frozenset(
    {
        State.NO_PARTITIONS,
        State.BEHIND,
        State.WINDOW_SHORTENED,
        State.SNAPSHOT_FAILING,
        State.POLL_GAP,
    }
)
"""It works all the same; in any other state it does not."""


class Condition(msgspec.Struct, frozen=True):
    """One state that a process is in, and why."""

    state: State
    why: str


class Answer(msgspec.Struct, frozen=True):
    """What is answered to a probe."""

    status: int
    content_type: str
    body: bytes


def answer_to(probe: str, conditions: list[Condition], *, started: bool, as_json: bool) -> Answer:
    """Return the answer to one of the probes.

    Args:
        probe: its path.
        conditions: all that the process is in.
        started: whether it has ever been ready to work.
        as_json: in which form.
    """
    failing = [one for one in conditions if _fails(probe, one.state, started)]
    told = conditions if probe == "/readyz" else failing
    status = "failing" if failing else "degraded" if told else "ok"
    code = UNAVAILABLE if failing else OK
    if as_json:
        body = msgspec.json.encode({"status": status, "reasons": told})
        return Answer(code, "application/json", body)
    lines = [status, *(f"{one.state.value}: {one.why}" for one in told)]
    return Answer(code, "text/plain; charset=utf-8", "".join(f"{one}\n" for one in lines).encode())


def _fails(probe: str, state: State, started: bool) -> bool:  # noqa: FBT001 (a fact)
    if probe == "/livez":
        return state is State.STUCK
    if probe == "/startupz":
        return not started and state not in DEGRADED
    return state not in DEGRADED
