"""Where people deal with letters: repaired, replayed, released or discarded.

Does I/O through its ports.

The state of a letter is written in the transaction that sends its replay, and read only once
whoever wrote before is fenced: a replay that was killed, or is run twice, sends nothing twice.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec

from loyaltystream.audit.findings import Place
from loyaltystream.letters import choosing
from loyaltystream.letters.letter import Letter
from loyaltystream.letters.replaying import Resender, Resent, Stay
from loyaltystream.letters.state import DONE, LetterState, States, Step, read_states, to_output
from loyaltystream.ports import Writer

BATCH: Final = 500
"""So many letters are dealt with in one transaction at most."""

BATCH_BYTES: Final = 8 * 1024 * 1024
"""Of so many bytes about: a transaction has seconds, not minutes."""


class Log(choosing.Log, Protocol):
    """The topics, for those who have to know the last word."""

    def settled_bounds(self, topic: str) -> Mapping[int, tuple[int, int]]:
        """Return the bounds of a topic once everything that was written by now is stable."""


class Sorted(msgspec.Struct, frozen=True):
    """Letters that can be sent again, and those that stay, each with the reason."""

    resent: list[Resent]
    staying: dict[Stay, list[Letter]]


class Desk:
    """Deals with letters.

    Args:
        log: the topics.
        topic: of the letters' states.
        writer: writes in transactions.
        resender: makes the records of replays.
        now_ms: tells the time.
    """

    def __init__(
        self,
        log: Log,
        topic: str,
        *,
        writer: Writer,
        resender: Resender,
        now_ms: Callable[[], int],
    ) -> None:
        self._log = log
        self._topic = topic
        self._writer = writer
        self._resender = resender
        self._now_ms = now_ms
        self.states = States()

    def look(self) -> None:
        """Read the states without taking over: for whoever writes nothing.

        Raises:
            BrokerError: if they can't be read.
        """
        bounds = self._log.settled_bounds(self._topic)
        self.states = read_states(self._log, self._topic, bounds)

    def open(self) -> None:
        """Take over from whoever is at the desk, and read what was done.

        Raises:
            BrokerError: if that fails.
        """
        self._writer.open()
        self.look()

    def sort(self, letters: Sequence[Letter], patch: list[dict[str, Any]] | None = None) -> Sorted:
        """Return which letters can be sent again.

        Args:
            letters: that are meant.
            patch: as if they were repaired by it.
        """

        def make(letter: Letter) -> Resent | Stay:
            state = self.states.of(letter.place)
            if patch is not None and state.state not in DONE:
                state = LetterState(Step.REPAIRED, patch=patch)
            return self._resender.resend(letter, state)

        return _sorted(letters, make)

    def sort_held(self, letters: Sequence[Letter]) -> Sorted:
        """Return which letters can be released."""
        return _sorted(
            letters,
            lambda letter: self._resender.release(letter, self.states.of(letter.place)),
        )

    def replay(self, resent: Sequence[Resent], *, at_once: int = BATCH) -> Iterator[Resent]:
        """Send letters again, a few in each transaction; yield each before it is sent.

        Whoever takes them may pause between two: no transaction is open then.

        Raises:
            BrokerError: if it is not known whether a transaction was committed.
        """
        return self._send_all(resent, LetterState(Step.REPLAYED), at_once)

    def release(
        self, resent: Sequence[Resent], *, reason: str, at_once: int = BATCH
    ) -> Iterator[Resent]:
        """Send held letters as new events, like `replay`; why is kept with each.

        Raises:
            BrokerError: if it is not known whether a transaction was committed.
        """
        return self._send_all(resent, LetterState(Step.RELEASED, reason=reason), at_once)

    def repair(self, resent: Sequence[Resent], patch: list[dict[str, Any]]) -> None:
        """Keep a patch for letters that it applies to; their replay will send them mended.

        Raises:
            BrokerError: if it is not known whether it was kept.
        """
        state = LetterState(Step.REPAIRED, self._now_ms(), patch=patch)
        self._say([one.letter.place for one in resent], state)

    def discard(self, letters: Sequence[Letter], reason: str) -> list[Letter]:
        """Put letters away for good; return those with which that was not done before.

        Raises:
            BrokerError: if it is not known whether that is done.
        """
        left = [one for one in letters if self.states.of(one.place).state not in DONE]
        state = LetterState(Step.DISCARDED, self._now_ms(), reason=reason)
        self._say([one.place for one in left], state)
        return left

    def _send_all(
        self, resent: Sequence[Resent], state: LetterState, at_once: int
    ) -> Iterator[Resent]:
        waiting: list[Resent] = []
        waiting_bytes = 0
        for one in resent:
            yield one
            waiting.append(one)
            waiting_bytes += len(one.value)
            if len(waiting) >= at_once or waiting_bytes > BATCH_BYTES:
                self._send(waiting, state)
                waiting, waiting_bytes = [], 0
        self._send(waiting, state)

    def _send(self, resent: Sequence[Resent], state: LetterState) -> None:
        if not resent:
            return
        now_ms = self._now_ms()
        outputs = []
        for one in resent:
            said = msgspec.structs.replace(state, at_ms=now_ms, attempt=one.attempt)
            outputs += [one.output, to_output(self._topic, one.letter.place, said)]
        self._writer.write(outputs)

    def _say(self, letters: Sequence[Place], state: LetterState) -> None:
        for start in range(0, len(letters), BATCH):
            part = letters[start : start + BATCH]
            self._writer.write([to_output(self._topic, letter, state) for letter in part])


def _sorted(letters: Sequence[Letter], make: Callable[[Letter], Resent | Stay]) -> Sorted:
    resent: list[Resent] = []
    staying: dict[Stay, list[Letter]] = {}
    for letter in letters:
        made = make(letter)
        if isinstance(made, Resent):
            resent.append(made)
        else:
            staying.setdefault(made, []).append(letter)
    return Sorted(resent, staying)
