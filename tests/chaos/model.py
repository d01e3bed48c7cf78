"""What has to come of what was sent: a model of its own, a page long. Pure.

It knows what the generator meant by each record, the shop's definitions as JSON, Java's murmur2,
and the rule of the window's edge; nothing of it is shared with the code that it judges.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from loyaltystream.story import Intent, definitions
from tests.chaos.load import Place, Told
from tests.chaos.reading import Row, Source

WINDOW_MS: Final = 30 * 86_400_000
SKEW_MS: Final = 300_000
JUDGED: Final = frozenset(
    {
        Intent.NEW,
        Intent.WRONG_KEY,
        Intent.RESEND,
        Intent.REWRITTEN,
        Intent.CONFLICT,
        Intent.SAME_UNIQUE_KEY,
    }
)
"""Records that are events: these go to the partition of their key before anything else."""

_DUPLICATES: Final = {Intent.RESEND, Intent.REWRITTEN, Intent.SAME_UNIQUE_KEY}
_ROLES: Final = {"EMFConsumer": "emf", "EIConsumer": "ei"}


class Effect(NamedTuple):
    """One record that has to be in a topic: which output of which record, and what it says."""

    role: str
    partition: int
    source: Place
    ordinal: int
    content: str


class Judged(NamedTuple):
    """One record of the ingest topic that is to be judged where it lies."""

    place: Place
    told: Told
    clock_ms: int


class Shop:
    """The shop's definitions, as far as they decide where an event goes."""

    def __init__(self, partitions: int) -> None:
        self.partitions = partitions
        self._definitions: dict[str, Mapping[str, Any]] = {
            one["eventName"]: one for one in definitions()
        }

    def home(self, told: Told) -> int:
        """Return the partition of an event's customer."""
        return self.place(key_of(json.loads(told.sent.value or b"")))

    def place(self, key: bytes) -> int:
        """Return where Java's producer puts a key."""
        return (murmur2(key) & 0x7FFFFFFF) % self.partitions

    def effects(self, judged: Judged) -> Iterable[Effect]:
        """Yield what a record that lies in its right partition causes in the topics of INGEST."""
        told, place = judged.told, judged.place
        intent = told.sent.intent
        if intent is Intent.TOMBSTONE:
            return
        late = told.edge_ms is not None and told.edge_ms < judged.clock_ms - WINDOW_MS + SKEW_MS
        if intent in _DUPLICATES:
            yield Effect("duplicates", place[0], place, 0, digest(told.sent.value))
        elif late or intent not in {Intent.NEW, Intent.WRONG_KEY}:
            reason = "late" if late else _LETTERS[intent]
            content = f"{reason} {digest(told.sent.value)}"
            yield Effect("dead_letter", place[0], place, 0, content)
        else:
            event = json.loads(told.sent.value or b"")
            for index, action in enumerate(self._definitions[event["eventName"]]["actions"]):
                yield Effect(_ROLES[action], place[0], place, index, event["eventId"])

    def notifications(self, emf: Row, event: Mapping[str, Any]) -> Iterable[Effect]:
        """Yield what a routed event causes in the topic of NOTIFY."""
        rules = self._definitions[event["eventName"]].get("notifications", [])
        for index, rule in enumerate(rules):
            place = (emf.partition, emf.offset)
            yield Effect("notifications", -1, place, index, rule["type"])


_LETTERS: Final = {
    Intent.CONFLICT: "conflict",
    Intent.MALFORMED: "rejected",
    Intent.INVALID: "rejected",
}


def key_of(event: Mapping[str, Any]) -> bytes:
    """Return the partition key of one of the shop's events; all of them go by the mobile number."""
    [mobile] = [one["value"] for one in event["customer"]["identifiers"] if one["type"] == "mobile"]
    digits = "".join(character for character in mobile if character.isdigit())
    return f"{event['orgId']}|mobile|{digits}".encode()


def digest(value: bytes | None) -> str:
    """Return a short name for exact bytes."""
    return hashlib.sha1(value or b"", usedforsecurity=False).hexdigest()


def clocks(rows: Sequence[Row]) -> dict[Place, int]:
    """Return the partition's clock at each record: the greatest broker's time up to there."""
    running: Counter[int] = Counter()
    found: dict[Place, int] = {}
    for row in rows:
        running[row.partition] = max(running[row.partition], row.timestamp_ms)
        found[row.partition, row.offset] = running[row.partition]
    return found


def murmur2(key: bytes) -> int:
    """Return the hash of Java's clients (org.apache.kafka.common.utils.Utils)."""
    mask, multiplier = 0xFFFFFFFF, 0x5BD1E995
    value = 0x9747B28C ^ len(key)
    whole = len(key) // 4 * 4
    for start in range(0, whole, 4):
        word = int.from_bytes(key[start : start + 4], "little") * multiplier & mask
        word = (word ^ (word >> 24)) * multiplier & mask
        value = (value * multiplier & mask) ^ word
    if whole < len(key):
        value = (value ^ int.from_bytes(key[whole:], "little")) * multiplier & mask
    value = (value ^ (value >> 13)) * multiplier & mask
    return value ^ (value >> 15)


def place_of(source: Source) -> Place:
    """Return where the causing record lies."""
    return source.partition, source.offset
