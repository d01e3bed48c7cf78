"""Offsets that a broker has forgotten, in the log."""

import structlog


def note_forgotten(partition: int, offset: int) -> None:
    """Note that the group has no offset in a partition though it has worked there."""
    structlog.get_logger().warning(
        "offsets.forgotten",
        partition=partition,
        offset=offset,
        next="going on behind the last event that has an output",
    )
