"""A loyalty card's status or fields changed.

Generated from the schemas by `loyaltystream.subscriber.generating`; change those. Pure.
"""

# ruff: noqa: N815 (fields are spelled as they are on the wire)

from dataclasses import dataclass

from loyaltystream.subscriber.records.envelope import Notification


@dataclass(frozen=True, slots=True, kw_only=True)
class NameValue:
    """A card's field, as text."""

    name: str | None = None
    """The field's name, as the card system has it."""
    value: str | None = None
    """Its value; always text, numbers included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardUpdatedData:
    """Which card changed, and how."""

    cardNumber: str | None = None
    """The card's number."""
    previousStatusLabel: str | None = None
    """What the card's status was."""
    currentStatusLabel: str | None = None
    """What it is now."""
    currentExtendedFields: tuple[NameValue, ...] = ()
    """The program's further fields of the card, as they are now."""
    previousExtendedFields: tuple[NameValue, ...] = ()
    """The same, as they were."""
    currentCustomFields: tuple[NameValue, ...] = ()
    """The organization's own fields of the card, as they are now."""
    previousCustomFields: tuple[NameValue, ...] = ()
    """The same, as they were."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardUpdated(Notification):
    """A loyalty card's status or fields changed.

    It names no customer: the record's key is orgId|cardNumber.
    """

    eventName: str = "cardUpdated"
    """Which notification this is: cardUpdated."""
    refId: str | None = None
    """Reference for debugging: orgId_cardNumber."""
    data: CardUpdatedData | None = None
    """What happened."""
