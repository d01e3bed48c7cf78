"""The records that several notifications have in common.

Generated from the schemas by `loyaltystream.subscriber.generating`; change those. Pure.
"""

# ruff: noqa: N815 (fields are spelled as they are on the wire)

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Till:
    """A till."""

    code: str | None = None
    """The till's code."""
    name: str | None = None
    """The till's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A store."""

    code: str | None = None
    """The store's code."""
    name: str | None = None
    """The store's name."""
    externalId: str | None = None
    """The store's id at the organization's own system."""
    externalId1: str | None = None
    """A second such id."""
    externalId2: str | None = None
    """A third such id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user of the program's own tools."""

    username: str | None = None
    """The user's login name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnteredBy:
    """Who put something in: a user, at a till of a store."""

    id: int | None = None
    """Id of the till or the user."""
    till: Till | None = None
    """The till."""
    store: Store | None = None
    """The till's store."""
    user: User | None = None
    """The user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstoreIdentifiers:
    """How stores know a customer."""

    mobile: str | None = None
    """Mobile number."""
    email: str | None = None
    """E-mail address."""
    externalId: str | None = None
    """Id at the organization's own system."""
    card_number: str | None = None
    """Number of the loyalty card; the first, if there are several."""
    cardexternalid: str | None = None
    """The loyalty card's id at the organization's own system."""
    cardNumbers: tuple[str, ...] = ()
    """All loyalty cards, if there are several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceIdentifier:
    """One name of a customer."""

    identifierType: str | None = None
    """Kind of identifier: cuid, unionId, cardnumber, wechatId, mobile and others."""
    identifierValue: str | None = None
    """The identifier itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceAccount:
    """The organization's account at a source, and how the customer is known there."""

    accountId: str | None = None
    """The account; null where the source has only one."""
    identifiers: tuple[SourceIdentifier, ...] = ()
    """How the account knows the customer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceAccounts:
    """How one source knows a customer."""

    accounts: tuple[SourceAccount, ...] = ()
    """One entry for each account of the organization at the source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerIdentifiers:
    """A customer, by every name that is known of her."""

    customerId: int | None = None
    """The customer's id in the program."""
    loyaltyType: str | None = None
    """Whether the customer takes part in the program."""
    firstName: str | None = None
    """First name."""
    lastName: str | None = None
    """Last name."""
    instore: InstoreIdentifiers | None = None
    """How stores know the customer (source INSTORE)."""
    wechat: SourceAccounts | None = None
    """How WeChat knows the customer (source WECHAT)."""
    otherSources: Mapping[str, SourceAccounts] | None = None
    """How every other source knows the customer, by the source's name in lower case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatedField:
    """A field that was changed."""

    fieldName: str | None = None
    """The field's name."""
    previousValue: str | None = None
    """What it was, as text; null where it was not set."""
    currentValue: str | None = None
    """What it is now, as text; null where it is not set any more."""
    fieldType: str | None = None
    """Kind of field, as the source names it."""
    source: str | None = None
    """The channel that the field belongs to, as INSTORE."""
    accountId: str | None = None
    """The account within the source, where it has several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyValue:
    """An attribute, as text."""

    key: str | None = None
    """The attribute's name, as billNumber."""
    value: str | None = None
    """Its value; always text, numbers included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerDetails:
    """A customer's membership in a partner program."""

    partnerTierExpiryDate: str | None = None
    """When the partner's tier ends. Calendar day, yyyy-MM-dd, in the program's time zone."""
    partnerTierNumber: int | None = None
    """Number of the partner's tier; null where the partner has none."""
    membershipNumber: str | None = None
    """The customer's number at the partner."""
    membershipExpiryDate: str | None = None
    """When the membership ends. Calendar day, yyyy-MM-dd, in the program's time zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityInformation:
    """Who holds points: a customer, or a group of customers."""

    entityType: str | None = None
    """USER for a customer; USERGROUP2 for a group."""
    entityId: int | None = None
    """Id of the customer or the group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggeringActivity:
    """What set something off in the loyalty engine."""

    name: str | None = None
    """Kind of activity.

    GenericEvent for a behavioral event, else as PointsRedemption, ReturnBill, TransactionAdd; null
    where nobody did anything, as at an expiry.
    """
    identifiers: tuple[KeyValue, ...] = ()
    """What it is known by: CustomerId, billId, billNumber, redemptionId and others."""
    enteredBy: EnteredBy | None = None
    """Who entered it."""
    entityInformation: EntityInformation | None = None
    """Whom it was entered for."""
    additionalAttributes: tuple[KeyValue, ...] = ()
    """What else the source told of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """A tier of a loyalty program."""

    tierNumber: int | None = None
    """The tier's number; 1 is the lowest."""
    tierName: str | None = None
    """The tier's name, as Silver."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoyaltyProgramDetails:
    """A loyalty program."""

    id: int | None = None
    """The program's id."""
    name: str | None = None
    """The program's name."""
    isDefault: bool | None = None
    """Whether it is the organization's default program."""
    pointsToCurrencyRatio: float | None = None
    """What a point is worth, in the organization's currency."""
    tiers: tuple[Tier, ...] = ()
    """The program's tiers, the lowest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionalPoints:
    """Points that one promotion gave, or took back."""

    promotionIdentifier: str | None = None
    """The promotion's id."""
    promotionType: str | None = None
    """What it rewards: CUSTOMER_PROMOTION, BILL, LINEITEM and others."""
    promotionPoints: float | None = None
    """How many points."""
    promotionPointsExpiryDate: str | None = None
    """When they expire.

    Calendar day, yyyy-MM-dd, in the program's time zone. Null for a reversal.
    """
    promotionName: str | None = None
    """The promotion's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramRedemption:
    """What one program paid of a redemption or a transfer."""

    programId: int | None = None
    """The program that the points were earned in."""
    pointsRedeemed: float | None = None
    """Points that were taken from it."""
    programCurrentPoints: float | None = None
    """Points that are left there to spend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponSeries:
    """A series of coupons: one offer, many codes."""

    id: int | None = None
    """The series' id."""
    description: str | None = None
    """What the offer is."""
    seriesType: str | None = None
    """Kind of series, as LOYALTY."""
    clientHandlingType: str | None = None
    """How codes are made and handed out, as DISC_CODE."""
    valid_till: datetime | None = None
    """When the series ends; UTC."""
    discount_code: str | None = None
    """The discount's code, as NO_VALUE."""
    discount_type: str | None = None
    """ABS for an amount, PERC for a percentage."""
    discount_value: float | None = None
    """The discount, in the unit of its type."""
