"""A record that was given up in, its dead letter out: the bytes as they came, and why. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Final

from loyaltystream.events import Header
from loyaltystream.masking import MASK
from loyaltystream.subscriber.outcomes import Failure, Work
from loyaltystream.subscriber.records import Notification
from loyaltystream.subscriber.subscription import Subscription
from loyaltystream.topology import Output

PREFIX: Final = "dead-letter-"
"""Of the headers that a letter has beyond those of its record."""

MAX_MESSAGE_CHARACTERS: Final = 500
_SHORTEST: Final = 3  # shorter values are in every text


def make_letter(work: Work, failure: Failure, subscription: Subscription) -> Output:
    """Return the letter of a record: same key, value and headers, and headers that say why."""
    record = work.record
    why = {
        "origin": f"{subscription.topic}/{record.partition}/{record.offset}",
        "group": subscription.group,
        "reason": str(failure.blame),
        "error": failure.error,
        "message": failure.message,
        "attempts": str(work.attempts),
    }
    # A letter that was sent again and failed again tells of the last time.
    headers: list[Header] = [each for each in record.headers if not each[0].startswith(PREFIX)]
    headers += [(f"{PREFIX}{name}", text.encode(errors="replace")) for name, text in why.items()]
    return Output(subscription.dead_letter_topic or "", record.key, record.value, None, headers)


def describe_error(error: BaseException, notification: Notification) -> tuple[str, str]:
    """Return an error's class, and its message without anything that stands in a notification."""
    kind = type(error)
    room = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return f"{room}{kind.__qualname__}", without_values(str(error), asdict(notification))


def without_values(text: str, value: object) -> str:
    """Return a text, bounded, with each value that a notification holds masked."""
    held = sorted({*_leaves(value)}, key=len, reverse=True)
    if held:
        text = re.sub("|".join(map(re.escape, held)), MASK, text, flags=re.IGNORECASE)
    return text[:MAX_MESSAGE_CHARACTERS]


def _leaves(value: object) -> Iterator[str]:
    """Yield the texts and numbers in a value, as they would be shown."""
    match value:
        case Mapping():
            for part in value.values():
                yield from _leaves(part)
        case list() | tuple():
            for part in value:
                yield from _leaves(part)
        case None | bool():
            pass
        case float() if value.is_integer():
            yield from _leaves(int(value))
        case _:
            if len(shown := str(value)) >= _SHORTEST:
                yield shown
