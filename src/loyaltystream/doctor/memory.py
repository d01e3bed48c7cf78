"""Whether what is remembered was made under the settings in force. Pure."""

from collections.abc import Iterator

from loyaltystream.doctor.findings import Finding, Kind
from loyaltystream.memory.changelog import Layout
from loyaltystream.memory.partition import explain_layout
from loyaltystream.memory.rebuilding import UNFINISHED
from loyaltystream.memory.relaid import Entry, Moved

CHANGELOG = "the changelog"


def of_changelog(last: Entry | None, ours: Layout) -> Iterator[Finding]:
    """Yield what the changelog's last record says that the settings contradict.

    Args:
        last: of any partition; None: nothing was remembered yet.
        ours: what ids would mean under the settings.
    """
    if isinstance(last, Moved):
        yield Finding(Kind.LAYOUT, CHANGELOG, UNFINISHED, "loyaltystream memory relayout")
    elif last is not None and last.layout.hash_check != ours.hash_check:
        yield Finding(
            Kind.HASH_KEY,
            "memory.hash_key",
            f"{explain_layout(last.layout, ours)}; every resend would count as new",
            "export LOYALTYSTREAM_MEMORY__HASH_KEY=..., the one that the other workers have",
        )
    elif last is not None and last.layout != ours:
        yield Finding(
            Kind.LAYOUT,
            CHANGELOG,
            explain_layout(last.layout, ours),
            "stop all workers, then loyaltystream memory relayout",
        )
