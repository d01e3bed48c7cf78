"""Tells the story: a recipe and a seed in, records in the order of sending out. Pure."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Final, TypeVar

import msgspec

from loyaltystream.definitions.model import EventDefinition
from loyaltystream.errors import ConfigurationError
from loyaltystream.events import Header
from loyaltystream.story import faults
from loyaltystream.story.people import Acquaintance, know, visits, wrong_keys
from loyaltystream.story.recipe import Intent, Recipe, Sent
from loyaltystream.story.shop import parsed_definitions
from loyaltystream.story.values import Maker, compile_makers

NEAR: Final = 48
FAR: Final = 50_000
"""So many events back a near resend may come from, and so many are kept for the far ones."""

DELAY_MS: Final = 90_000
_TILLS: Final = [f'"tillCode":"till.{number:04d}",' for number in range(1, 98)]
_TRACED: Final = 8  # one event in so many carries a trace
_WEIGHTS: Final = {"productViewed": 6, "appOpened": 5, "purchaseCompleted": 4, "couponRedeemed": 2}

T = TypeVar("T")


def generate(recipe: Recipe, seed: int, *, now_ms: int) -> Iterator[Sent]:
    """Yield the records of a story in the order of sending, always the same for the same arguments.

    Args:
        recipe: how much of what it holds.
        seed: which of all such stories.
        now_ms: the time that the events lie before, by 90 seconds at most; epoch milliseconds.

    Raises:
        ConfigurationError: if the example definitions are not usable for it.
    """
    return _Teller(recipe, Random(seed), now_ms).tell()  # noqa: S311 (a story keeps no secret)


class _Kind(msgspec.Struct, frozen=True):
    """Everything that makes events of one definition."""

    definition: EventDefinition
    people: Acquaintance
    head: str
    fields: Sequence[tuple[str, Maker]]

    @property
    def is_unique(self) -> bool:
        """Whether these events have a unique key."""
        return bool(self.definition.unique_fields)


class _Original(msgspec.Struct, frozen=True, gc=False):
    """An event that later ones repeat, with the key that it was sent under."""

    key: bytes
    value: bytes
    kind: _Kind
    customer: int


class _Teller:
    """Remembers what was told, so that later records can repeat it."""

    def __init__(self, recipe: Recipe, random: Random, now_ms: int) -> None:
        self._recipe = recipe
        self._random = random
        self._now_ms = now_ms
        self._kinds = _kinds(recipe, random, now_ms)
        if recipe.unique_duplicates and not any(kind.is_unique for kind in self._kinds):
            raise ConfigurationError("no example definition has a unique key to repeat")
        self._wrong_keys = wrong_keys(recipe.partitions)
        self._serial = 0
        self._turns = dict.fromkeys(Intent, 0)
        self._near: deque[_Original] = deque(maxlen=NEAR)
        self._near_unique: deque[_Original] = deque(maxlen=NEAR)
        self._far: list[_Original] = []
        self._tell: dict[Intent, Callable[[int], Sent]] = {
            Intent.NEW: self._new,
            Intent.WRONG_KEY: self._wrong_key,
            Intent.RESEND: self._resend,
            Intent.REWRITTEN: self._rewritten,
            Intent.CONFLICT: self._conflict,
            Intent.SAME_UNIQUE_KEY: self._same_unique_key,
            Intent.MALFORMED: self._malformed,
            Intent.INVALID: self._invalid,
            Intent.TOMBSTONE: self._tombstone,
        }

    def tell(self) -> Iterator[Sent]:
        """Yield every record of the story."""
        recipe, random = self._recipe, self._random
        intents = recipe.schedule(random)
        who = visits(random, recipe.customers, len(intents))
        for intent, customer in zip(intents, who, strict=True):
            yield self._tell[intent](customer)
            self._turns[intent] += 1

    def _new(self, customer: int) -> Sent:
        kind = self._next_kind()
        key = kind.people.keys[customer]
        value = self._event(kind, customer)
        self._keep(_Original(key, value, kind, customer))
        return Sent(key, value, self._trace(), Intent.NEW)

    def _wrong_key(self, customer: int) -> Sent:
        kind = self._next_kind()
        value = self._event(kind, customer)
        # A record without a key lies anywhere, so a resend of it might overtake it.
        if self._turns[Intent.WRONG_KEY] % 4 == 3:
            return Sent(None, value, self._trace(), Intent.WRONG_KEY)
        key = self._one_of(self._wrong_keys[kind.people.homes[customer]])
        self._keep(_Original(key, value, kind, customer))
        return Sent(key, value, self._trace(), Intent.WRONG_KEY)

    def _resend(self, _: int) -> Sent:
        near = self._turns[Intent.RESEND] % 2 == 0
        original = self._one_of(self._near if near else self._far)
        return Sent(original.key, original.value, (), Intent.RESEND)

    def _rewritten(self, _: int) -> Sent:
        original = self._one_of(self._far)
        event = msgspec.json.decode(original.value)
        event["fields"] = dict(reversed(event["fields"].items()))
        value = msgspec.json.format(msgspec.json.encode(dict(reversed(event.items()))), indent=1)
        return Sent(original.key, value, (), Intent.REWRITTEN)

    def _conflict(self, _: int) -> Sent:
        original = self._one_of(self._near)
        event = msgspec.json.decode(original.value)
        before = event["fields"]
        self._serial += 1
        while event["fields"] == before:
            event["fields"] = msgspec.json.decode(self._fields(original.kind, original.customer))
        return Sent(original.key, msgspec.json.encode(event), (), Intent.CONFLICT)

    def _same_unique_key(self, _: int) -> Sent:
        original = self._one_of(self._near_unique)
        event = msgspec.json.decode(original.value)
        event["eventId"] = self._event_id()
        return Sent(original.key, msgspec.json.encode(event), (), Intent.SAME_UNIQUE_KEY)

    def _malformed(self, customer: int) -> Sent:
        kind = self._next_kind()
        value = faults.malformed(self._event(kind, customer), self._turns[Intent.MALFORMED])
        return Sent(kind.people.keys[customer], value, (), Intent.MALFORMED)

    def _invalid(self, customer: int) -> Sent:
        kind = self._next_kind()
        event = self._event(kind, customer)
        value = faults.invalid(event, kind.definition, self._turns[Intent.INVALID])
        return Sent(kind.people.keys[customer], value, (), Intent.INVALID)

    def _tombstone(self, customer: int) -> Sent:
        return Sent(self._kinds[0].people.keys[customer], None, (), Intent.TOMBSTONE)

    def _next_kind(self) -> _Kind:
        kind = self._kinds[self._serial % len(self._kinds)]
        self._serial += 1
        return kind

    def _event(self, kind: _Kind, customer: int) -> bytes:
        occurred_at_ms = self._now_ms - int(self._random.random() * DELAY_MS)
        people = kind.people.identifiers[customer]
        till = self._one_of(_TILLS) if kind.definition.notifications else ""
        return (
            f'{{"eventId":"{self._event_id()}",{kind.head}{occurred_at_ms},{till}'
            f'"customer":{{"identifiers":{people}}},"fields":{self._fields(kind, customer)}}}'
        ).encode()

    def _fields(self, kind: _Kind, customer: int) -> str:
        serial = self._serial
        fields = ",".join([f"{name}{make(serial, customer)}" for name, make in kind.fields])
        return f"{{{fields}}}"

    def _event_id(self) -> str:
        digits = f"{self._random.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"

    def _trace(self) -> Sequence[Header]:
        if self._serial % _TRACED:
            return ()
        digits = f"{self._random.getrandbits(192):048x}"
        return (("traceparent", f"00-{digits[:32]}-{digits[32:]}-01".encode()),)

    def _keep(self, original: _Original) -> None:
        self._near.append(original)
        if original.kind.is_unique:
            self._near_unique.append(original)
        if len(self._far) < FAR:
            self._far.append(original)
        else:
            self._far[self._serial * 7919 % FAR] = original

    def _one_of(self, choices: Sequence[T]) -> T:
        return choices[int(self._random.random() * len(choices))]


def _kinds(recipe: Recipe, random: Random, now_ms: int) -> list[_Kind]:
    """Return the kinds of events as they take turns: each once, then mixed by their weights."""
    definitions = parsed_definitions()
    types = {definition.customer.identifier_type for definition in definitions}
    people = know(definitions[0].org_id, sorted(types), recipe.customers, recipe.partitions)
    kinds = [
        _Kind(
            definition,
            people[definition.customer.identifier_type],
            f'"eventName":"{definition.event_name}","orgId":{definition.org_id},"occurredAt":',
            [
                (f"{msgspec.json.encode(name).decode()}:", maker)
                for name, maker in compile_makers(definition, random, now_ms).items()
            ],
        )
        for definition in definitions
    ]
    more = [kind for kind in kinds for _ in range(_weight(kind.definition))]
    random.shuffle(more)
    return kinds + more


def _weight(definition: EventDefinition) -> int:
    return _WEIGHTS.get(definition.event_name, 1) - 1
