"""What an event's partition may be chosen by; apart from `keys.py`, which needs numpy. Pure."""

from enum import StrEnum


class PartitionBy(StrEnum):
    """What an event's partition is chosen by."""

    CUSTOMER = "customer"
    EVENT_ID = "event_id"
