"""On the real broker: sensitive values in no output, and on no screen, unless they are revealed."""

import json
import struct

import pytest

from loyaltystream.story import ORG_ID
from tests.core import NOW_MS
from tests.telemetry.conftest import INCOME, LINKED, PAN, SENSITIVE, Watched, sensitive

pytestmark = pytest.mark.broker

ROLES = ("ingest", "emf", "ei", "notifications", "duplicates", "dead-letter", "changelog")
TRACES = (*(text.encode() for text in SENSITIVE), struct.pack("<d", INCOME))


def leaks(told: str) -> list[str]:
    """Return the sensitive values in a text."""
    return [canary for canary in SENSITIVE if canary in told]


@pytest.mark.parametrize("topic", ["emf", "ei", "notifications", "changelog"])
def test_no_output_holds_a_sensitive_value(watched: Watched, topic: str) -> None:
    """What subscribers read has stars where its events had them, and the rest as it came."""
    records = watched.shop.read(getattr(watched.shop.deployment.topics, topic))
    assert records
    for record in records:
        told = [record.key or b"", record.value or b"", *(value for _, value in record.headers)]
        assert [trace for trace in TRACES for part in told if trace in part] == []
    linked = [one for one in records if b"Alpin" in (one.value or b"")]
    assert len(linked) == {"emf": 2, "ei": 2, "notifications": 2, "changelog": 0}[topic]


def test_letters_repeat_no_value_in_what_they_say(watched: Watched) -> None:
    """A letter holds its event as it came, and tells what was wrong without it."""
    listed = watched.shop.command("dead-letters", "list", "-n", "1000", "--json").stdout
    assert leaks(listed) == []
    named = [one for one in json.loads(listed) if (one["eventId"] or "").startswith("psi-")]
    reasons = {found["code"] for one in named for found in one["violations"]}
    assert reasons == {"CONFLICT", "TYPE", "UNMAPPED", "UNKNOWN_EVENT", "TOO_LATE"}


@pytest.mark.parametrize("role", ROLES)
def test_no_tail_shows_a_sensitive_value(watched: Watched, role: str) -> None:
    """Neither a person nor a program that looks at a topic sees one without asking for it."""
    for options in ([], ["--json"]):
        told = watched.shop.command("tail", role, "--from-start", *options).stdout
        assert told
        assert leaks(told) == []


@pytest.mark.parametrize("role", ["ingest", "duplicates", "dead-letter"])
def test_a_tail_reveals_what_came(watched: Watched, role: str) -> None:
    """Topics that hold events as they came show them to whoever asks for it."""
    told = watched.shop.command("tail", role, "--from-start", "--reveal").stdout
    assert PAN in told


def test_no_letter_is_shown_with_a_sensitive_value(watched: Watched) -> None:
    """Of a letter whatever its definition hides is hidden, and what can't be read as well."""
    shop, revealed = watched.shop, 0
    sizes = {len(sent.value or b"") for sent in sensitive(NOW_MS)}
    listed = json.loads(shop.command("dead-letters", "list", "-n", "1000", "--json").stdout)
    for letter in (one["letter"] for one in listed if one["valueBytes"] in sizes):
        for options in ([], ["--json"]):
            assert leaks(shop.command("dead-letters", "show", letter, *options).stdout) == []
        revealed += PAN in shop.command("dead-letters", "show", letter, "--reveal").stdout
    assert revealed >= 6


def test_why_and_what_if_tell_no_sensitive_value(watched: Watched) -> None:
    """What became of an event, and what another definition would do, is told without its values."""
    shop = watched.shop
    for event_id in (f"psi-{number}" for number in range(1, 8)):
        for options in ([], ["--json"]):
            told = shop.command("why", event_id, *options).stdout
            assert event_id in told
            assert leaks(told) == []
    asked = ["--unique-key", "cardLinked", "--value", PAN, "--customer", "mobile=919700000017"]
    found = shop.command("why", *asked, "--org", str(ORG_ID)).stdout
    assert "psi-1" in found
    assert leaks(found) == []
    folder = shop.directory / str(ORG_ID)
    folder.mkdir()
    file = folder / "cardLinked.json"
    file.write_text(json.dumps(LINKED | {"notifications": [], "fields": LINKED["fields"][:2]}))
    told = shop.command("definitions", "what-if", str(file), "--json").stdout
    assert leaks(told) == []
