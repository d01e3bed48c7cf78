"""Whether this machine can hold a worker: its directory, room on the disk, its ports. Pure."""

from collections.abc import Iterator
from typing import Final

import msgspec

from loyaltystream.doctor.findings import Finding, Kind

SNAPSHOTS: Final = 2.5
"""Two snapshots, and one on its way."""

ID_BYTES: Final = 29
"""What an id takes, in memory and on the disk."""


class StateFacts(msgspec.Struct, frozen=True):
    """Where a worker keeps its state.

    Attributes:
        path: worker.state_dir.
        refused: why it can't be written to; None: it can.
        free_bytes: what the disk has left; None: that was not seen.
        snapshot_bytes: what one snapshot of all partitions takes, seen or estimated.
    """

    path: str
    refused: str | None
    free_bytes: int | None
    snapshot_bytes: int


class PortFacts(msgspec.Struct, frozen=True):
    """A port that metrics are to be served on.

    Attributes:
        who: which process that is for.
        refused: why it can't be had; None: it can, or one of ours has it.
    """

    who: str
    address: str
    refused: str | None


def of_state(state: StateFacts) -> Iterator[Finding]:
    """Yield what is wrong with the state directory."""
    if state.refused is not None:
        yield Finding(
            Kind.STATE_DIR,
            state.path,
            f"not usable: {state.refused}; no worker starts",
            "export LOYALTYSTREAM_WORKER__STATE_DIR=DIRECTORY, one that this user may write to",
        )
        return
    needed = int(SNAPSHOTS * state.snapshot_bytes)
    if state.free_bytes is not None and state.free_bytes < needed:
        yield Finding(
            Kind.DISK_ROOM,
            state.path,
            f"{_mebibytes(state.free_bytes)} free, two and a half snapshots take "
            f"{_mebibytes(needed)}: the next one fails, and restarts read the whole changelog",
            "make room there, or export LOYALTYSTREAM_WORKER__STATE_DIR=DIRECTORY on a larger disk",
        )


def of_ports(ports: list[PortFacts]) -> Iterator[Finding]:
    """Yield the ports that something else has."""
    for port in ports:
        if port.refused is not None:
            yield Finding(
                Kind.METRICS_PORT,
                port.address,
                f"wanted by {port.who}, and can't be had: {port.refused}",
                "export LOYALTYSTREAM_TELEMETRY__METRICS_PORT=PORT, a free one; others count up "
                "from it; 0 takes free ones",
            )


def _mebibytes(count: int) -> str:
    return f"{count / 1_048_576:,.0f} MiB"
