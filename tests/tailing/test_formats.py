"""In which form a topic is shown, and what is told of a record that has no such form."""

import json

import msgspec
import pytest

from loyaltystream.avro import schemas
from loyaltystream.errors import ConfigurationError
from loyaltystream.events import Record
from loyaltystream.rendering.reader import Notification, read_text
from loyaltystream.rendering.shapes import Rendering
from loyaltystream.tailing.decoding import BYTES, TOMBSTONE, UNDECODABLE, Content, reader_of
from loyaltystream.tailing.formats import Format, choose, to_rendered
from loyaltystream.tailing.shown import Shown
from loyaltystream.tailing.topics import Asked
from tests.core import NOW_MS, TOPICS, outputs
from tests.notifications.shop import NAMES, REGISTERED, accept, plan, read_notification

NOTIFICATIONS = Asked("loyalty-notifications", "notifications")


def shown(content: Content, timestamp_ms: int = NOW_MS) -> Shown:
    """Return a record of the topic of notifications."""
    return Shown(NOTIFICATIONS.topic, Record(2, 7, timestamp_ms, None, None, ()), content)


@pytest.mark.parametrize(
    ("named", "shorthand", "chosen"),
    [
        (None, None, Format.TABLE),
        (None, Format.JSON, Format.JSON),
        (Format.JSON, Format.JSON, Format.JSON),
        (Format.BODY, None, Format.BODY),
    ],
)
def test_a_form_is_named_or_a_table(
    named: Format | None, shorthand: Format | None, chosen: Format
) -> None:
    """Without an option records are for people; `--json` is a form by another name."""
    assert choose(NOTIFICATIONS, named, shorthand) is chosen


def test_two_forms_at_once_are_refused() -> None:
    """Whoever asks for two forms is told which, and that one has to go."""
    with pytest.raises(ConfigurationError, match="--json and --format flat are two forms"):
        choose(NOTIFICATIONS, Format.FLAT, Format.JSON)


@pytest.mark.parametrize("form", Rendering)
@pytest.mark.parametrize("asked", [Asked("EMFConsumer", "emf"), Asked("somebody", None)])
def test_only_notifications_are_rendered(form: Rendering, asked: Asked) -> None:
    """No other topic has the vendor's JSON, and the line says what there is instead."""
    told = f"^--format {form} is for notifications, not for {asked.topic}: take json or table$"
    with pytest.raises(ConfigurationError, match=told):
        choose(asked, Format(form), None)


@pytest.mark.parametrize("rendering", Rendering)
def test_a_notification_is_one_line_of_the_vendors_json(rendering: Rendering) -> None:
    """A record of the topic becomes one line in ASCII, from which the very record can be read."""
    [made] = outputs(plan(accept(REGISTERED)), TOPICS.notifications)
    read = reader_of("notifications", lambda schema_id: schemas.load(NAMES[schema_id]))
    line = to_rendered(shown(read(made.value)), rendering)
    assert line.problem is None
    assert line.text is not None
    assert line.text.isascii()
    assert line.text.isprintable()
    found = read_text(line.text)
    assert isinstance(found, Notification)
    assert msgspec.to_builtins(found.record) == read_notification(made)


def card(timestamp_ms: int, **more: object) -> Shown:
    """Return a notification that was created at 5 ms, as a record of that time."""
    envelope = {"eventName": "cardUpdated", "eventId": "n", "orgId": 1, "createdAt": 5}
    kind = "loyalty.notification.v1.CardUpdated"
    return shown(Content(kind, {**envelope, "data": {}, **more}), timestamp_ms)


@pytest.mark.parametrize(("timestamp_ms", "told_ms"), [(NOW_MS, NOW_MS), (-1, 5)])
def test_a_notification_is_delivered_when_its_record_came(timestamp_ms: int, told_ms: int) -> None:
    """The delivery's time is the record's; of a record without a time, the notification's."""
    line = to_rendered(card(timestamp_ms), Rendering.ATTRIBUTES)
    assert json.loads(line.text or "")["timeStamp"] == told_ms


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (Content(UNDECODABLE, "x", "the registry has no schema 9"), "the registry has no schema 9"),
        (Content(TOMBSTONE, None), "it is no notification: tombstone"),
        (Content(BYTES, "x"), "it is no notification: bytes"),
        (
            Content("loyalty.notification.v1.X", {"a": 1}),
            "NO_EVENT_NAME: eventName: no text stands",
        ),
    ],
)
def test_what_is_not_rendered_is_told(content: Content, why: str) -> None:
    """A record without a rendering leaves no line but the place and the reason."""
    line = to_rendered(shown(content), Rendering.FLAT)
    assert line.text is None
    assert (line.problem or "").startswith(f"loyalty-notifications/2@7: not rendered: {why}")


def test_what_a_rendering_has_no_key_for_is_told() -> None:
    """A member that a later writer added is named beside the line, whatever its name steers."""
    line = to_rendered(card(NOW_MS, **{"later\x1b[31m": 1}), Rendering.FLAT)
    assert line.text is not None
    assert line.problem == "loyalty-notifications/2@7: not rendered: no key for later\\u001b[31m"
