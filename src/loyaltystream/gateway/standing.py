"""The story of an event in, what its producer is told of it out. Pure.

Its producer is told what became of it and why: neither its content, nor whose it is, nor anything
of another org, not even that there is something.
"""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from loyaltystream.tailing.shown import moment
from loyaltystream.verdicts import Reason, Verdict
from loyaltystream.why.story import Answer, Arrival
from loyaltystream.why.story import State as Told

State = Literal["pending", "accepted", "duplicate", "conflict", "late", "rejected"]

_STATES: Final[dict[str, State]] = {
    Told.WAITING: "pending",
    Verdict.ACCEPTED: "accepted",
    Verdict.DUPLICATE: "duplicate",
    Verdict.CONFLICT: "conflict",
    Verdict.LATE: "late",
    Verdict.REJECTED: "rejected",
}
_REPEATED: Final = {
    Reason.DUPLICATE_EVENT_ID.value: ("eventId", "was accepted before, with the same content"),
    Reason.DUPLICATE_UNIQUE_KEY.value: ("fields", "its unique key was accepted before"),
}
"""What a duplicate is told, which has no letter that would tell it."""


class Why(msgspec.Struct, frozen=True):
    """One thing that was wrong with an event, and where: as a dead letter has it."""

    reason: str
    path: str
    detail: str


class Attempt(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One time that an event was sent, or a letter of it replayed.

    Attributes:
        received_at: when it came first, by the broker's clock.
        judged_at: when its verdict was written.
        replay: the how-manieth replay of its dead letter that is.
        handled: what people did with its dead letter.
        late: it was accepted though it was late.
    """

    state: State
    reasons: tuple[Why, ...]
    received_at: str | None = None
    judged_at: str | None = None
    replay: int | None = None
    handled: str | None = None
    late: bool = False


class Standing(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What became of an event: of what was sent last under its id, and of all before it.

    Attributes:
        state: of the last attempt.
        reasons: likewise.
        judged_at: likewise.
        accepted: one of the attempts was.
        attempts: all that the topics still tell of, in their order.
    """

    event_id: str
    state: State
    accepted: bool
    reasons: tuple[Why, ...]
    attempts: tuple[Attempt, ...]
    judged_at: str | None = None


def standing_of(answer: Answer, event_id: str, org_id: int) -> Standing | None:
    """Return what is told of an event; None: nothing of that org's is known under its id."""
    own = [
        one for one in answer.arrivals if (one.org_id, one.event_id) == (org_id, event_id)
    ]  # what can't be read has no org: it might be anybody's
    attempts = [_attempt(one) for one in sorted(own, key=_moment) if one.verdict in _STATES]
    if not attempts:
        return None
    last = attempts[-1]
    return Standing(
        event_id=event_id,
        state=last.state,
        accepted=any(one.state == "accepted" for one in attempts),
        reasons=last.reasons,
        attempts=tuple(attempts),
        judged_at=last.judged_at,
    )


def _attempt(arrival: Arrival) -> Attempt:
    return Attempt(
        state=_STATES[arrival.verdict],
        reasons=tuple(_reasons(arrival)),
        received_at=_time(arrival.received_ms),
        judged_at=_time(arrival.judged_ms),
        replay=arrival.replay.attempt if arrival.replay else None,
        handled=arrival.handled,
        late=arrival.late,
    )


def _reasons(arrival: Arrival) -> Sequence[Why]:
    if arrival.complaints:
        return [Why(one.code, one.path, one.message) for one in arrival.complaints]
    return [Why(code, *_REPEATED.get(code, ("", ""))) for code in arrival.reasons]


def _moment(arrival: Arrival) -> tuple[int, int]:
    """Return when an arrival was sent: a replay's first arrival is that of its event."""
    if arrival.replay is not None:
        moments = (arrival.replay.at_ms, arrival.judged_ms, arrival.received_ms)
    else:
        moments = (arrival.received_ms, arrival.judged_ms, None)
    known = [moment for moment in moments if moment is not None]
    return (known[0] if known else 2**63), arrival.judged.offset


def _time(moment_ms: int | None) -> str | None:
    return None if moment_ms is None else moment(moment_ms)
