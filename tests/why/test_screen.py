"""How an answer looks to a person."""

import io
import json

from rich.console import Console, RenderableType

from loyaltystream.audit.findings import Place
from loyaltystream.why.screen import render, render_list
from loyaltystream.why.story import Answer, Arrival, Replay
from tests.audit.world import CUSTOMERS, viewed
from tests.core import NOW_MS, TOPICS
from tests.why.test_why import id_of
from tests.why.world import Town, bought, lively


def shown(made: RenderableType) -> str:
    """Return the text that a wide terminal shows."""
    text = io.StringIO()
    Console(file=text, width=220, highlight=False).print(made)
    return text.getvalue()


def answer(town: Town, number: int) -> Answer:
    """Return what is said of an event."""
    return town.why().of_id(id_of(number))


def test_a_timeline_is_in_order() -> None:
    """An event's way is told from its arrival to its routed records, each with its time."""
    text = shown(render(answer(lively(), 10)))
    order = ["received", "re-keyed", "accepted", f"routed    {TOPICS.emf}", TOPICS.ei]
    places = [text.index(word) for word in order]
    assert places == sorted(places)
    assert text.count("2025-11-24T16:0") == 4


def test_a_replay_is_not_told_as_re_keyed() -> None:
    """A replay keeps where its event first arrived, and says where it was written itself."""
    at = Place(TOPICS.ingest, 2, 7)
    replay = Replay(letter=f"{TOPICS.dead_letter}/2/0", attempt=1, at_ms=NOW_MS)
    told = Arrival(
        judged=at, received=Place(TOPICS.ingest, 2, 1), verdict="accepted", replay=replay
    )
    text = shown(render(Answer(id_of(1), found=True, arrivals=(told,))))
    assert f"replayed  letter {TOPICS.dead_letter}/2/0, attempt 1, written to {at}" in text
    assert "re-keyed" not in text


def test_every_arrival_of_a_resent_event_is_shown() -> None:
    """A resent event has a timeline for each arrival, and the later one names the first."""
    text = shown(render(answer(lively(), 3)))
    assert "arrival 1 of 2" in text
    assert "arrival 2 of 2" in text
    assert f"DUPLICATE_EVENT_ID; kept as {TOPICS.duplicates}/" in text
    assert f"first was  event {id_of(3)}, accepted as {TOPICS.ingest}/" in text


def test_violations_are_shown_with_their_paths() -> None:
    """A rejected event's timeline has a line for each violation."""
    assert "because  REQUIRED fields.sku: missing" in shown(render(answer(lively(), 100)))


def test_notifications_are_shown() -> None:
    """What an event caused stands at the end of its timeline, or why there is nothing."""
    town = Town()
    town.place(bought(1))
    town.place(bought(2, basket={"count": "many"}))
    town.place(viewed(3))
    town.run()
    assert "NOTIFY has not come to it yet" in shown(render(answer(town, 3)))
    town.notify()
    assert "notified  transactionAdded " in shown(render(answer(town, 1)))
    assert "UNMAPPED " in shown(render(answer(town, 2)))
    assert "its definition asks for none" in shown(render(answer(town, 3)))


def test_never_seen_says_how_far_back_the_topics_reach() -> None:
    """Of an unknown id the screen says that it was never seen, and what that is worth."""
    text = shown(render(answer(lively(), 999)))
    assert "never seen" in text
    assert f"{TOPICS.changelog} has lost nothing" in text


def test_a_customers_events_are_a_table() -> None:
    """All events of a customer are shown, one a line."""
    found = lively().why().of_customer(f"1800|mobile|{CUSTOMERS[6]}".encode())
    text = shown(render_list(found))
    assert all(id_of(number) in text for number in (6, 18, 102, 103, 104))
    assert CUSTOMERS[6] not in text


def test_what_strangers_wrote_cannot_steer_a_terminal() -> None:
    """An id or name with control characters is shown in escapes."""
    town = Town()
    town.place(viewed(1) | {"eventName": "a\u001b[2Jb"})
    town.run()
    text = shown(render(answer(town, 1)))
    assert "\u001b[2J" not in text
    assert "\\u001b[2J" in text


def test_json_leaves_out_what_is_not_known() -> None:
    """As JSON an answer is one object, spelled as the topics spell their records."""
    told = json.loads(answer(lively(), 3).to_json())
    assert told["found"] is True
    first, again = told["arrivals"]
    assert "first" not in first
    assert again["first"]["place"] == first["judged"]
    assert first["routed"][0]["place"]["topic"] == TOPICS.emf
