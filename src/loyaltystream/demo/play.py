"""Plays a run: workers up, story sent, a SIGKILL in the middle, watched until all is judged.

Does I/O through what it is given; waits on the clock.
"""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final, Protocol

from loyaltystream.audit import Findings
from loyaltystream.demo.counting import Meter, due, judged
from loyaltystream.demo.screen import Screen, Snapshot
from loyaltystream.demo.script import PATIENCE_S, Act, Script
from loyaltystream.demo.sending import Pacer
from loyaltystream.demo.watching import Watcher
from loyaltystream.story import Intent, Recipe, Sent

TICK_S: Final = 0.2


class Worker(Protocol):
    """A worker process."""

    def start(self) -> None:
        """Start a process."""

    def kill(self) -> None:
        """End it by SIGKILL."""

    def demand_life(self) -> None:
        """Raise what it said last, if it has ended by itself."""


@dataclass(frozen=True)
class Cast:
    """Everything that takes part in a run.

    Attributes:
        ingest: the worker that is killed.
        notify: the one that is not.
        pacer: sends the story.
        watcher: counts what is committed; entered already.
    """

    ingest: Worker
    notify: Worker
    pacer: Pacer
    watcher: Watcher
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


def play(cast: Cast, recipe: Recipe, story: Iterable[Sent], screen: Screen) -> Snapshot:
    """Play the run until every event has its verdict; return how things stand then.

    Raises:
        LoyaltyStreamError: if a worker ends by itself, nothing moves, or the broker fails.
    """
    script = Script(recipe.events - recipe.counts()[Intent.TOMBSTONE])
    meter, began_s = Meter(), cast.clock()
    with ExitStack() as stack:
        sender = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="till"))
        stack.callback(cast.pacer.stop)
        sending: Future[None] = sender.submit(cast.pacer.send, story)
        while True:
            now_s = cast.clock()
            seen = cast.watcher.seen()
            count = judged(seen)
            act = script.next(count, now_s=now_s)
            _do(act, cast)
            for worker in (cast.ingest, cast.notify):
                worker.demand_life()
            snapshot = Snapshot(
                events=recipe.events,
                sent=due(cast.pacer.sent().elements()),
                seen=seen,
                per_second=meter.rate(count, now_s=now_s),
                at_s=now_s - began_s,
                note=script.note,
            )
            screen.show(snapshot)
            if act is Act.END:
                sending.result()
                return snapshot
            if sending.done():
                sending.result()
            cast.sleep(TICK_S)


def _do(act: Act, cast: Cast) -> None:
    match act:
        case Act.KILL:
            cast.ingest.kill()
        case Act.RESTART:
            cast.ingest.start()
        case Act.WAIT | Act.END:
            return


def audit_when_still(
    audit: Callable[[], Findings],
    *,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Findings:
    """Return the audit's findings once nothing is left to be judged or notified.

    What still lags after a minute is in the findings.
    """
    deadline_s = clock() + PATIENCE_S
    while True:
        findings = audit()
        if not any(found.lag for found in findings.partitions) or clock() > deadline_s:
            return findings
        sleep(1)
