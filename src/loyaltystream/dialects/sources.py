"""Where events of other dialects come from: what their documents do not say themselves. Pure.

These are settings (table `[dialects]`), and a part of what verdicts depend on. A source is told by
the header `x-event-source`: a webhook's id, a store's code, a project's id.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from loyaltystream.section import FROM_TEXT, Section

DEFAULT: Final = "default"
"""The name of the source of events whose record has no such header."""


class Dialect(StrEnum):
    """How producers write events; the value stands in headers, settings and accepted events."""

    CANONICAL = "canonical"
    CAPILLARY = "capillary"
    OPEN_LOYALTY = "open_loyalty"
    VOUCHERIFY = "voucherify"


OrgId = Annotated[int, Field(ge=0, lt=2**63)]


class Source(Section):
    """One source of events.

    Attributes:
        org: whose events they are.
        time_zone: of times without an offset.
        events: their names of events, and ours.
        fields: their names of fields, and ours.
    """

    org: OrgId
    time_zone: ZoneInfo = ZoneInfo("UTC")
    events: Mapping[str, str] = Field({})
    fields: Mapping[str, str] = Field({})


class Webhook(Source):
    """A webhook of Capillary.

    Attributes:
        till: of events that name none.
        id_field: the field that holds the event's id; empty: none does.
        child_orgs: the orgs that an event's `orgResolver` may name.
    """

    till: str = ""
    id_field: str = "external_event_id"
    child_orgs: frozenset[OrgId] = frozenset()


class Dialects(Section):
    """How the records of the ingest topic are told apart, and whose events they are.

    Attributes:
        assumed: the dialect of records without the header `x-event-dialect`; auto: by their shape.
        webhooks: of Capillary, by id.
        stores: of Open Loyalty, by code.
        projects: of Voucherify, by id.
    """

    assumed: Literal["auto", "canonical", "capillary", "open_loyalty", "voucherify"] = "auto"
    webhooks: Annotated[dict[str, Webhook], FROM_TEXT] = Field({})
    stores: Annotated[dict[str, Source], FROM_TEXT] = Field({})
    projects: Annotated[dict[str, Source], FROM_TEXT] = Field({})
