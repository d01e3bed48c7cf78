"""What became of an event: each of its arrivals, with everything that this caused. Pure."""

from enum import StrEnum

import msgspec

from loyaltystream.audit.findings import Place
from loyaltystream.letters.letter import Complaint


class State(StrEnum):
    """What is said where there is no verdict, or no outcome, to be told."""

    WAITING = "waiting"
    UNKNOWN = "unknown"


class Told(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A part of a story; as JSON it leaves out what is not known."""


class Replay(Told, frozen=True):
    """That a record is a letter sent again: which letter, and the how-manieth attempt.

    Attributes:
        spared: by a release: the checks that are not asked of it.
    """

    letter: str
    attempt: int
    at_ms: int | None = None
    spared: tuple[str, ...] = ()


class Routed(Told, frozen=True):
    """A record that an arrival caused, and when it was written; `name` is a notification's.

    Attributes:
        replay: of a record of `EMFConsumer` that was sent again.
    """

    place: Place
    at_ms: int
    name: str | None = None
    id: str | None = None
    replay: Replay | None = None


class First(Told, frozen=True):
    """The event that was accepted before a duplicate or a conflict came.

    Attributes:
        place: the record that was judged; None: only a range of offsets is known, or nothing.
        at_ms: when it was accepted, by the broker's clock.
        text: what else there is to say.
    """

    place: Place | None = None
    at_ms: int | None = None
    event_id: str | None = None
    text: str | None = None


class Arrival(Told, frozen=True):
    """One record of the ingest topic, and what became of it.

    Attributes:
        judged: the record that was judged, or that waits for it.
        received: where it arrived first; another place if it was put into its right partition.
        verdict: a `Verdict`, or a `State`.
        kept: the duplicate or the letter.
        routed: the records of `EMFConsumer` and `EIConsumer`.
        notify: a `NotifyOutcome` or a `State`; None: it never came to NOTIFY.
        notify_handled: what people did with the letter of stage notify.
        refused: why no notification could be made.
        handled: what people did with the letter.
        import_id: the import of history that brought it; None: it came by itself.
    """

    judged: Place
    received: Place
    verdict: str
    received_ms: int | None = None
    judged_ms: int | None = None
    org_id: int | None = None
    event_name: str | None = None
    event_id: str | None = None
    key: str | None = None
    size: int | None = None
    version: int | None = None
    reasons: tuple[str, ...] = ()
    complaints: tuple[Complaint, ...] = ()
    complaint_count: int = 0
    kept: Place | None = None
    late: bool = False
    routed: tuple[Routed, ...] = ()
    notify: str | None = None
    notified: tuple[Routed, ...] = ()
    notify_letter: Place | None = None
    notify_handled: str | None = None
    refused: tuple[Complaint, ...] = ()
    first: First | None = None
    replay: Replay | None = None
    handled: str | None = None
    handled_ms: int | None = None
    import_id: str | None = None
    text: str | None = None


class Reach(Told, frozen=True):
    """How far back a topic tells: since when, or from its first record on."""

    topic: str
    since_ms: int | None
    whole: bool


class Answer(Told, frozen=True):
    """Everything that was found, in the order of its arrival."""

    asked: str
    found: bool
    arrivals: tuple[Arrival, ...]
    notes: tuple[str, ...] = ()
    reach: tuple[Reach, ...] = ()

    def to_json(self) -> str:
        """Return all of it as JSON."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode()
