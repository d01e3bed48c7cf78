"""A worker's ports with failpoints before and behind their calls. Does I/O: none of its own.

`src` knows nothing of this: ports are protocols, so whatever stands before them may pass calls on.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from loyaltystream.errors import AbortableTransactionError
from loyaltystream.ports import Fate, Outcome, Ownership
from loyaltystream.runner import Runner
from loyaltystream.topology import Output
from tests.chaos.failpoints import Trap, Way

Points = Mapping[str, tuple[str, str]]
"""By a call's name: the points before and behind it; none has an empty name."""

SOURCE: Final[Points] = {
    "poll": ("before poll", "after poll"),
    "seek": ("before seek on rewind", "after seek on rewind"),
}
OWNERSHIP: Final[Points] = {
    "assigned": ("inside assigned", ""),
    "revoked": ("inside revoked", "behind revoked"),
}
SINK: Final[Points] = {
    "submit": ("after the last produce", ""),
    "abort": ("before abort", "after abort"),
}
STAGE: Final[Points] = {
    "open": ("", "between two restored partitions"),
    "remember": ("after commit, before remembering", "while remembering"),
}
PRODUCER: Final[Points] = {
    "begin_transaction": ("before begin", "after begin"),
    "produce": ("", "after the k-th produce"),
    "produce_batch": ("", "after the k-th produce"),
    "send_offsets_to_transaction": ("before send-offsets", "after send-offsets"),
    "commit_transaction": ("before commit", "after commit, before it is told"),
}


class Tapped:
    """Passes every call on; some pass a failpoint first, or afterwards."""

    def __init__(self, inner: Any, trap: Trap, points: Points) -> None:
        self._inner = inner
        self._trap = trap
        self._points = points

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name not in self._points:
            return found
        before, behind = self._points[name]

        def call(*arguments: Any, **named: Any) -> Any:
            self._trap.reached(before)
            result = found(*arguments, **named)
            self._trap.reached(behind)
            return result

        return call

    def __len__(self) -> int:
        return len(self._inner)


class TappedSource(Tapped):
    """The source; who is told of partitions has points as well."""

    def join(self, ownership: Ownership) -> None:
        """Join in the name of a tapped owner."""
        self._trap.reached("before joining")
        self._inner.join(Tapped(ownership, self._trap, OWNERSHIP))


class TappedSink(Tapped):
    """The sink, and each producer that it makes; it can be told to lie about a transaction."""

    def open(self) -> None:
        """Take over the transactional id with a tapped producer."""
        self._trap.reached("before taking over the transactional id")
        self._inner.open()
        self._inner._producer = Tapped(self._inner._producer, self._trap, PRODUCER)
        self._trap.reached("after taking over the transactional id")

    def send(self, outputs: Iterable[Output]) -> None:
        """Send, and if so ordered fail afterwards in a way that asks for an abort."""
        self._inner.send(outputs)
        if self._trap.provokes(Way.ABORTING):
            raise AbortableTransactionError("a chaos test wants this transaction aborted")

    def outcome(self) -> Outcome:
        """Wait for the outcome, and if so ordered keep it to ourselves."""
        outcome: Outcome = self._inner.outcome()
        if self._trap.provokes(Way.UNKNOWN):
            return Outcome(Fate.UNKNOWN, "a chaos test keeps the outcome to itself")
        return outcome


class TappedChangelog(Tapped):
    """The changelog; each record that is read passes a point."""

    def deltas(self, *arguments: Any, **named: Any) -> Iterator[Any]:
        """Yield what the changelog holds."""
        for delta in self._inner.deltas(*arguments, **named):
            yield delta
            self._trap.reached("while restoring")


def tap(runner: Runner, trap: Trap) -> None:
    """Put failpoints before all ports of a runner that has not begun."""
    parts: dict[str, Callable[[Any], Any]] = {
        "_source": lambda source: TappedSource(source, trap, SOURCE),
        "_sink": lambda sink: TappedSink(sink, trap, SINK),
        "_stage": lambda stage: Tapped(stage, trap, STAGE),
    }
    if (keeper := getattr(runner._stage, "_keeper", None)) is not None:
        archive = vars(keeper._archive)
        archive["_changelog"] = TappedChangelog(archive["_changelog"], trap, {})
    for name, tapped in parts.items():
        vars(runner)[name] = tapped(getattr(runner, name))
