"""Whether the schema registry answers, asked in a thread of its own. Does I/O: through its port.

Workers ask it when they start and when they meet a schema that is new to them. In between nobody
would notice that it is away, until a worker has to start.
"""

import threading
from collections.abc import Callable
from typing import Final

from loyaltystream.errors import LoyaltyStreamError
from loyaltystream.telemetry.metrics import Metrics

ASK_EVERY_S: Final = 15.0


class RegistryWatch:
    """Asks now and then.

    Args:
        metrics: told.
        ask: asks for something; raises what the registry's room raises.
    """

    def __init__(self, metrics: Metrics, ask: Callable[[], object]) -> None:
        self._metrics = metrics
        self._ask = ask

    def begin(self, every_s: float = ASK_EVERY_S) -> None:
        """Ask from now on, until the process ends."""
        pause = threading.Event()

        def go_on() -> None:
            while True:
                self.look()
                pause.wait(every_s)

        threading.Thread(target=go_on, name="registry", daemon=True).start()

    def look(self) -> None:
        """Ask once, and tell."""
        try:
            self._ask()
        except LoyaltyStreamError:
            answers = False
        else:
            answers = True
        outcome = "answered" if answers else "failed"
        self._metrics.registry_requests.labels(outcome).inc()
        self._metrics.registry_up.set(answers)
