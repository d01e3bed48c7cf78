"""An event definition as the compiler and the steps use it: checked, normalised, frozen. Pure.

Source of every rule: the vendor's Create Event API (domain.md 3). `parsing.py` makes these.
"""

from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

DAY_CLASSES: Final = (1, 7, 30, 90, 400)
"""The windows, in days, that a unique key may be remembered for (dedup.md section 2)."""

IDENTIFIER_TYPES: Final = (
    "userId",
    "mobile",
    "email",
    "externalId",
    "wechat",
    "martjackId",
    "cuid",
    "fbid",
    "unionId",
    "fcmToken",
    "line",
    "cardnumber",
    "cardExternalId",
)


class Action(StrEnum):
    """Where an accepted event goes; the value is the vendor's word and the topic's usual name."""

    EMF = "EMFConsumer"
    EI = "EIConsumer"


class FieldType(StrEnum):
    """The type of a field: the vendor's eight, then the extended ones (domain.md 3.3)."""

    TILL_CODE = "tillCode"
    COUPON_CODE = "couponCode"
    CUSTOMER = "customer"
    PRODUCT_SKU = "productSku"
    PRODUCT_BRAND = "productBrand"
    PRODUCT_CATEGORY = "productCategory"
    STRING = "string"
    DOUBLE = "double"
    ENUM = "enum"
    DATE = "date"
    GROUP_ID = "groupId"
    CURRENCY_CODE = "currencyCode"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    JSON = "json"


EXTENDED_TYPES: Final = frozenset(
    {
        FieldType.ENUM,
        FieldType.DATE,
        FieldType.GROUP_ID,
        FieldType.CURRENCY_CODE,
        FieldType.BOOLEAN,
        FieldType.INTEGER,
        FieldType.JSON,
    }
)
"""The types that the vendor's Create Event API does not name."""


PSI_TYPES: Final = frozenset(
    {FieldType.ENUM, FieldType.STRING, FieldType.DOUBLE, FieldType.DATE, FieldType.INTEGER}
)
"""The types that potentially sensitive information may have: the vendor's three, and those that a
day of birth or an age has beside them. A boolean is too small to be hidden by a hash, an object too
large for one mark, and all others name things."""


class Shape(StrEnum):
    """How a field's value is carried, which is all that decoding and encoding need to know."""

    TEXT = "text"
    DOUBLE = "double"
    LONG = "long"
    BOOLEAN = "boolean"
    NESTED = "nested"


_SHAPES: Final = {
    FieldType.DOUBLE: Shape.DOUBLE,
    FieldType.INTEGER: Shape.LONG,
    FieldType.BOOLEAN: Shape.BOOLEAN,
    FieldType.JSON: Shape.NESTED,
}


class Frozen(BaseModel):
    """A value: compared by content, never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FieldDefinition(Frozen):
    """One field of an event, other than its customer; `psi`: its values are sensitive."""

    name: str
    type: FieldType
    required: bool = False
    unique: bool = False
    regex: str | None = None
    possible_values: tuple[str, ...] | None = None
    psi: bool = False

    @property
    def shape(self) -> Shape:
        """How the value is carried: most types are text."""
        return _SHAPES.get(self.type, Shape.TEXT)


class CustomerDefinition(Frozen):
    """Which of the customer's identifiers names her in this event."""

    name: str
    identifier_type: str = "mobile"
    add_if_not_exists: bool = False


class NotificationRule(Frozen):
    """One notification that an accepted event causes; `data` maps the event to its fields.

    Attributes:
        when: conditions, all of which have to hold.
        for_each: an array, for each element of which there is a notification.
    """

    type: str
    rule_id: str
    data: dict[str, Any]
    ref_id: Any = None
    loyalty_event_id: Any = None
    event_log_id: Any = None
    when: Any = None
    for_each: Any = None


class EventDefinition(Frozen):
    """Everything that is known of the events of one name in one org.

    Attributes:
        uniqueness_window_days: how long unique keys are remembered; one of `DAY_CLASSES`.
        unique_key_conflicts: whether a known unique key with other content is held as a conflict.
        accepts_late: whether an event older than the memory reaches is routed all the same.
        disabled: whether its events are rejected from now on, as if it were not defined.
    """

    org_id: int
    event_name: str
    version: int = 1
    description: str = ""
    actions: tuple[Action, ...]
    customer: CustomerDefinition
    fields: tuple[FieldDefinition, ...]
    notifications: tuple[NotificationRule, ...] = ()
    uniqueness_window_days: int = 30
    unique_key_conflicts: bool = False
    accepts_late: bool = False
    disabled: bool = False

    @property
    def unique_fields(self) -> tuple[FieldDefinition, ...]:
        """The fields of the unique key, in order of definition."""
        return tuple(field for field in self.fields if field.unique)
