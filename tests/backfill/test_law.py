"""The law of imports: whatever comes live or as history, in any order, is accepted once at most."""

from collections import Counter
from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyaltystream.backfill.beginnings import beginnings
from loyaltystream.backfill.entering import Wish, enter
from loyaltystream.backfill.ledger import read_ledger, to_output
from loyaltystream.backfill.proven import Proven, prove
from loyaltystream.errors import ConfigurationError
from loyaltystream.events import Import, Record
from loyaltystream.rules import Rules
from tests.audit.world import World, home_of, viewed
from tests.backfill.test_claim import DAY_MS, SIGNER
from tests.core import NOW_MS, TOPICS, raw, read_event

WINDOW_DAYS: Final = 7
HOUR_MS: Final = 3_600_000
IMPORTS: Final = ("a", "b", "c")

WAITS: Final = st.sampled_from([0, HOUR_MS, DAY_MS, 3 * DAY_MS, 6 * DAY_MS, 9 * DAY_MS])
EVENTS: Final = st.integers(0, 11)
LIVE: Final = st.tuples(st.just("live"), EVENTS)
HISTORY: Final = st.tuples(st.sampled_from(IMPORTS), EVENTS)
SLOW: Final = st.tuples(st.sampled_from([name.upper() for name in IMPORTS]), EVENTS)
"""What was signed under an import's claim, and arrives whenever it does."""

DEEDS: Final = st.lists(st.tuples(WAITS, st.one_of(LIVE, HISTORY, SLOW)), max_size=40)


class Country(World):
    """A world with tills and imports, whose clock jumps."""

    def __init__(self) -> None:
        super().__init__(Rules(window_days=WINDOW_DAYS, waiver_of=SIGNER.waiver_of))
        self._claims: dict[str, Import] = {}

    def event(self, number: int) -> bytes:
        """Return one of the events: some of before the first day, some of each day after it."""
        return raw(viewed(number, number, occurredAt=NOW_MS + (number - 5) * 4 * DAY_MS))

    def live(self, number: int) -> None:
        """Have a till send an event, once it has occurred."""
        if NOW_MS + (number - 5) * 4 * DAY_MS <= self.now_ms:
            self._send(number, None)

    def history(self, import_id: str, number: int) -> bool:
        """Have an import send an event, with the most that it may claim; say if it may."""
        try:
            claim = self.claim(import_id)
        except ConfigurationError:
            return False
        written = to_output(TOPICS.letter_state, claim)
        self.log.append(TOPICS.letter_state, Record(0, 0, self.now_ms, written.key, written.value))
        self._claims[import_id] = claim
        self._send(number, claim)
        return True

    def slow(self, import_id: str, number: int) -> None:
        """Have an import's record arrive that was signed when it might be."""
        if (claim := self._claims.get(import_id)) is not None:
            self._send(number, claim)

    def claim(self, import_id: str) -> Import:
        """Return what an import claims, at the latest moment that it may."""
        begun = read_ledger(self.log, TOPICS.letter_state)
        proven = self.prove()
        until_ms = proven.until_ms if proven else self.now_ms
        if import_id in begun:
            until_ms = begun[import_id].until_ms
        return enter(Wish(import_id, until_ms, self.now_ms), begun, self.prove)

    def prove(self) -> Proven | None:
        found = beginnings(self.log, TOPICS, window_days=WINDOW_DAYS)
        return prove(found, window_days=WINDOW_DAYS, now_ms=self.now_ms, live_since_ms=None)

    def _send(self, number: int, claim: Import | None) -> None:
        body = self.event(number)
        headers = SIGNER.headers(claim, body) if claim else []
        mobile = viewed(number, number)["customer"]["identifiers"][0]["value"]
        self.send(body, home_of(mobile), headers=headers)

    def accepted(self) -> Counter[str]:
        """Return how often each event was accepted."""
        return Counter(
            str(read_event(record.value)["eventId"]) for record in self.log.all(TOPICS.emf)
        )


def play(deeds: list[tuple[int, tuple[str, int]]], *, at_once: bool) -> tuple[Country, int]:
    """Play what people do; return the world, and how many imports were allowed."""
    country, allowed = Country(), 0
    for wait_ms, (who, number) in deeds:
        country.now_ms += wait_ms
        if who == "live":
            country.live(number)
        elif who.isupper():
            country.slow(who.lower(), number)
        else:
            allowed += country.history(who, number)
        if at_once:
            country.run()
    country.run()
    return country, allowed


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(DEEDS, st.booleans())
def test_no_event_is_accepted_twice(
    deeds: list[tuple[int, tuple[str, int]]],
    at_once: bool,  # noqa: FBT001 (as hypothesis gives it)
) -> None:
    """Live and by any number of imports, over months, forgotten or not: once, and it audits."""
    country, _ = play(deeds, at_once=at_once)
    assert all(count == 1 for count in country.accepted().values())
    findings = country.audit()
    assert findings.exact, findings.to_json()


def test_the_law_has_something_to_hold() -> None:
    """An import soon after the first day brings what no till could send any more."""
    country, allowed = play([(0, ("live", 5)), (DAY_MS, ("a", 0)), (0, ("a", 1))], at_once=True)
    assert allowed == 2
    assert sum(country.accepted().values()) == 3
