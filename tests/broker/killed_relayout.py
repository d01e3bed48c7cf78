"""`loyaltystream`, with a relayout that is killed: `python -m tests.broker.killed_relayout N ...`.

The process is killed when its N-th transaction is sent and not committed, so that it stays open.
Everything else is the program itself, through its own command line.
"""

import os
import signal
import sys
from collections.abc import Iterable, Mapping

from loyaltystream import cli
from loyaltystream.cli import relayout
from loyaltystream.deployment import Deployment
from loyaltystream.ports import Group, Outcome, Sink
from loyaltystream.relayout.building import build_relayout
from loyaltystream.relayout.run import Relayout
from loyaltystream.topology import Output


class DeadlySink:
    """Passes everything on, and kills the process at one of its transactions."""

    def __init__(self, sink: Sink, at: int) -> None:
        self._sink = sink
        self._left = at
        self.open, self.tend, self.abort, self.close = sink.open, sink.tend, sink.abort, sink.close

    def send(self, outputs: Iterable[Output]) -> None:
        """Write a transaction."""
        self._sink.send(outputs)
        self._left -= 1

    def submit(self, offsets: Mapping[int, int], group: Group) -> None:
        """Have it committed, or die."""
        if self._left <= 0:
            self._sink.tend()
            os.kill(os.getpid(), signal.SIGKILL)
        self._sink.submit(offsets, group)

    def outcome(self) -> Outcome:
        """Return what became of it."""
        return self._sink.outcome()


def main() -> None:
    """Run the command line with a relayout that dies."""
    at = int(sys.argv.pop(1))

    def build(deployment: Deployment) -> Relayout:
        moving = build_relayout(deployment)
        moving._sink = DeadlySink(moving._sink, at)
        return moving

    vars(relayout)["build_relayout"] = build
    cli.main()


if __name__ == "__main__":
    main()
