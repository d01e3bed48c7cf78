"""Whether timeouts hold together: ours among themselves, and with the broker's. Pure.

The order that is demanded: a batch < a message < a transaction < a session <= the longest time
between polls; and the broker has to allow a transaction and a session of that length.
"""

from collections.abc import Iterator, Mapping

import msgspec

from loyaltystream.clients import DEFAULT_POLL_INTERVAL_MS, POLL_INTERVAL
from loyaltystream.doctor.findings import Finding, Kind


class Timeouts(msgspec.Struct, frozen=True):
    """What workers are set to, in milliseconds."""

    transaction_ms: int
    session_ms: int
    poll_ms: int = DEFAULT_POLL_INTERVAL_MS


def of_poll(ours: Timeouts) -> Iterator[Finding]:
    """Yield what the client's own longest time between polls contradicts."""
    if ours.poll_ms < ours.session_ms:
        yield Finding(
            Kind.TIMEOUTS,
            f"kafka.client: {POLL_INTERVAL}",
            f"{ours.poll_ms} ms, below worker.session_timeout_ms ({ours.session_ms}): the group "
            f"goes on without a worker that is only busy",
            f'"{POLL_INTERVAL}" = "{DEFAULT_POLL_INTERVAL_MS}" in table [kafka.client]',
        )


def of_broker(ours: Timeouts, settings: Mapping[str, str | None]) -> Iterator[Finding]:
    """Yield what a broker does not allow."""
    longest = _number(settings, "transaction.max.timeout.ms")
    if longest is not None and ours.transaction_ms > longest:
        yield Finding(
            Kind.TIMEOUTS,
            "worker.transaction_timeout_ms",
            f"{ours.transaction_ms}, the broker allows {longest} at most: no transaction begins",
            f"export LOYALTYSTREAM_WORKER__TRANSACTION_TIMEOUT_MS={min(longest, 8_000)}",
        )
    shortest = _number(settings, "group.min.session.timeout.ms")
    longest = _number(settings, "group.max.session.timeout.ms")
    low, high = shortest or 0, longest or ours.session_ms
    if not low <= ours.session_ms <= high:
        yield Finding(
            Kind.TIMEOUTS,
            "worker.session_timeout_ms",
            f"{ours.session_ms}, the broker allows {low} to {high}: no worker joins its group",
            f"export LOYALTYSTREAM_WORKER__SESSION_TIMEOUT_MS={min(max(15_000, low), high)}",
        )


def _number(settings: Mapping[str, str | None], name: str) -> int | None:
    found = settings.get(name)
    return None if found is None else int(found)
