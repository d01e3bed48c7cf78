"""Where the vendor's JSON differs from our Avro records, as data. Pure.

Everything else is the same in both, so that the schemas drive the rest. Sources: the vendor's
samples and what is wrong with them (domain.md 1.1 to 1.3).
"""

from functools import cache
from typing import Final

from loyaltystream.avro.schemas import NOTIFICATION_NAMESPACE
from loyaltystream.notifications.catalog import CATALOG, NotificationType
from loyaltystream.notifications.targets import Composite

OTHER_SOURCES: Final = "otherSources"
"""The map that is one key per source in JSON."""

_MISNAMED: Final = {
    f"{NOTIFICATION_NAMESPACE}.TriggeringActivity": {"enteredat": "enteredBy"},
}
"""Keys, as `fold` makes them, of members that a sample calls otherwise; by the record's name."""

LEFT_OUT_EMPTY: Final = {(f"{NOTIFICATION_NAMESPACE}.InstoreIdentifiers", "cardNumbers")}
"""Arrays that no sample shows empty."""

SPELLINGS: Final = {"pointsRedemption": "PointsRedemption"}
"""Names of activities that are written in two ways, and the one that is meant."""

DELIVERY: Final = frozenset({"eventtype", "consumergroupid", "actiontype", "timestamp"})
"""Keys, as `fold` makes them, that tell of a delivery and not of the notification."""

HOISTED: Final = frozenset({"requestUpdated"})
"""Types whose members of `data` may stand beside it."""

_HEADINGS: Final = {
    "pointstransferinitiated": "pointsTransferredInitiated",
    "pointstransferreceived": "pointsTransferredReceived",
}
_MEANT: Final = {
    "customerAdded": ("updatedfields", "customerUpdated"),
    "pointsExpired": ("pointsscheduledforexpiry", "pointsExpiryReminder"),
}


def fold(key: str) -> str:
    """Return what all spellings of a key have in common: no blanks, underscores or capitals."""
    return "".join(key.split()).replace("_", "").lower()


def places(record: Composite) -> dict[str, str]:
    """Return a record's members by the folded keys that they may have in JSON."""
    return _places(record.name, tuple(record.members))


@cache
def _places(record: str, members: tuple[str, ...]) -> dict[str, str]:
    return {fold(name): name for name in members} | _MISNAMED.get(record, {})


def type_of(name: str, facts: set[str]) -> NotificationType | None:
    """Return the type of notification that an event name means, or None.

    Args:
        name: in any spelling, or as a heading of the vendor's page has it.
        facts: folded keys of the notification's data; two samples stand under a wrong name.
    """
    known = _NAMES.get(fold(name))
    sign, meant = _MEANT.get(known or "", ("", ""))
    return CATALOG.get(meant if sign in facts else known or "")


_NAMES: Final = {fold(name): name for name in CATALOG} | _HEADINGS
