"""A subscriber in a process of its own, which can be killed: it writes down what its reactions do.

`python -m tests.broker.subscribing SETTINGS JOURNAL STORE`: settings as JSON, a file for lines of
event and notification id, and a folder of handled ids, or `none`. A notification's refId says what
its reaction is to do: nothing, `fail`, `hang`, or wait for so many seconds.
"""

import json
import sys
import time
from pathlib import Path

from loyaltystream.subscriber import Notification, Reactions, Seen, Subscriber, Subscription


class Folder:
    """A store of ids that outlives the process: an empty file for each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(exist_ok=True)

    def has(self, notification_id: str) -> bool:
        return (self._folder / notification_id).exists()

    def remember(self, notification_id: str) -> None:
        (self._folder / notification_id).touch()


def main(settings: str, journal: str, store: str) -> None:
    """Run until SIGTERM."""
    reactions = Reactions()
    seen: Seen | None = None if store == "none" else Folder(Path(store))

    with Path(journal).open("a", buffering=1) as lines:

        @reactions.on(Notification)
        def note(notification: Notification) -> None:
            lines.write(f"begun {notification.eventId}\n")
            order = notification.refId or "0"
            if order == "fail":
                raise ConnectionError("no connection")
            time.sleep(3600 if order == "hang" else float(order))
            lines.write(f"done {notification.eventId}\n")

        tally = Subscriber(Subscription(**json.loads(settings)), reactions, seen=seen).run()
        lines.write(f"stopped {tally}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
