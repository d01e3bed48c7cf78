"""Whether schemas are registered, and how their subjects guard them. Pure."""

from collections.abc import Iterator
from typing import Final

import msgspec

from loyaltystream.doctor.findings import Finding, Kind

INIT: Final = "loyaltystream init"


class SubjectFacts(msgspec.Struct, frozen=True):
    """One subject of the registry.

    Attributes:
        schema_id: of our schema there; None: it has none.
        level: of compatibility, its own or else the registry's; None: it was not seen.
    """

    name: str
    schema_id: int | None
    level: str | None


def of_outage(url: str, why: str) -> Iterator[Finding]:
    """Yield that the registry does not answer."""
    yield Finding(
        Kind.REGISTRY_AWAY,
        url,
        f"the schema registry does not answer: {why}",
        "start it (`loyaltystream platform start`), or name another: "
        "export LOYALTYSTREAM_REGISTRY__URL=https://HOST:PORT",
    )


def of_subjects(subjects: list[SubjectFacts], *, needed: str) -> Iterator[Finding]:
    """Yield what is wrong with subjects.

    Args:
        subjects: that records are written under.
        needed: the level that `init` gives them.
    """
    for subject in subjects:
        if subject.schema_id is None:
            yield Finding(
                Kind.SCHEMA_MISSING,
                subject.name,
                "our schema is not registered: no worker starts",
                INIT,
            )
        elif subject.level == "NONE":
            yield Finding(
                Kind.COMPATIBILITY_NONE,
                subject.name,
                "its compatibility is NONE: anybody can register a version that subscribers can't "
                "read",
                INIT,
            )
        elif subject.level not in {None, needed}:
            yield Finding(
                Kind.COMPATIBILITY_WEAK,
                subject.name,
                f"its compatibility is {subject.level}, not {needed}: a next version need not go "
                f"with every one before it",
                INIT,
            )
