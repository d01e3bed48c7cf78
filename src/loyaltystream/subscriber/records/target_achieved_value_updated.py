"""What a customer has achieved of a target moved, up by an activity or down by a return.

Generated from the schemas by `loyaltystream.subscriber.generating`; change those. Pure.
"""

# ruff: noqa: N815 (fields are spelled as they are on the wire)

from dataclasses import dataclass
from datetime import datetime

from loyaltystream.subscriber.records.envelope import Notification
from loyaltystream.subscriber.records.shared import CustomerIdentifiers, TriggeringActivity


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetDetails:
    """A target that a customer works towards."""

    id: int | None = None
    """The target's id."""
    name: str | None = None
    """The target's name."""
    targetGroupId: int | None = None
    """The group of targets that it belongs to."""
    targetGroupName: str | None = None
    """The group's name."""
    targetPeriodId: int | None = None
    """The period that counts."""
    targetPeriodName: str | None = None
    """The period's name."""
    description: str | None = None
    """What the target is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneDetails:
    """A milestone on the way to a target."""

    id: int | None = None
    """The milestone's id."""
    name: str | None = None
    """The milestone's name."""
    valueType: str | None = None
    """What is counted: COUNT, VISIT, SUM and others."""
    definedValue: str | None = None
    """What has to be reached; a decimal number as text."""
    achievedDate: datetime | None = None
    """When it was reached; UTC. Null before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetAchievedValueUpdatedData:
    """Which target moved, by how much and to what.

    A return is told by the activity ReturnBill: the amount is the one by which the value fell, and
    never negative.
    """

    customerIdentifiers: CustomerIdentifiers | None = None
    """The customer."""
    eventName: str | None = None
    """The activity that moved it, as TransactionAdd."""
    eventId: int | None = None
    """The engine's number of that kind of activity."""
    targetDetails: TargetDetails | None = None
    """The target."""
    currentEventTargetValue: str | None = None
    """By how much it moved, never negative; a decimal number as text, in the target's unit."""
    achievedTargetValue: str | None = None
    """What is achieved now, never negative; a decimal number as text, in the target's unit."""
    definedTargetValue: str | None = None
    """What has to be achieved; a decimal number as text, in the target's unit."""
    triggeringActivity: TriggeringActivity | None = None
    """What set it off, as the engine names it."""
    milestoneDetails: tuple[MilestoneDetails, ...] = ()
    """The milestones on the way."""
    transactionId: int | None = None
    """The transaction that moved it; null where none did."""
    returnId: int | None = None
    """The return that moved it; null where none did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetAchievedValueUpdated(Notification):
    """What a customer has achieved of a target moved, up by an activity or down by a return.

    The record's key is orgId|customerId, or the cause's key where no customerId is known.
    """

    eventName: str = "targetAchievedValueUpdated"
    """Which notification this is: targetAchievedValueUpdated."""
    refId: str | None = None
    """Reference for debugging: orgId_causeEventId."""
    data: TargetAchievedValueUpdatedData | None = None
    """What happened."""
