"""A definition as somebody wrote it: what it says, and the body that says so. Pure."""

from typing import Any

import msgspec

from loyaltystream.definitions.model import EventDefinition


class Written(msgspec.Struct, frozen=True):
    """A definition, and the body of the Create Event API that it was read from."""

    definition: EventDefinition
    body: dict[str, Any]
