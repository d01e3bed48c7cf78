"""The runner's sink on the broker in memory. Does no I/O."""

from collections.abc import Iterable, Mapping
from typing import Final

from loyaltystream.errors import AbortableTransactionError, BrokerError, FatalBrokerError
from loyaltystream.ports import Fate, Group, Outcome
from loyaltystream.testing.broker import MemoryBroker
from loyaltystream.testing.fates import CALM, Commit, Ending, Fates, Lag
from loyaltystream.testing.journal import Journal
from loyaltystream.testing.producer import MemoryProducer
from loyaltystream.topology import Output

_TOLD: Final = {
    Commit.COMMITTED: Outcome(Fate.COMMITTED),
    Commit.ABORTED: Outcome(Fate.ABORTED, "the broker wanted it aborted"),
}


class MemorySink:
    """One transactional producer; opening again makes a new one under its id.

    Args:
        broker: where it writes.
        transactional_id: stable over restarts, so that a successor fences this one.
    """

    def __init__(
        self,
        broker: MemoryBroker,
        transactional_id: str,
        *,
        fates: Fates = CALM,
        journal: Journal | None = None,
    ) -> None:
        self._broker = broker
        self._id = transactional_id
        self._fates = fates
        self._journal = journal or Journal()
        self._producer: MemoryProducer | None = None
        self._commit: _Commit | None = None

    def open(self) -> None:
        """Take over the transactional id."""
        self._producer = self._commit = None
        self._fates.at("open")
        self._producer = MemoryProducer(self._broker, self._id)
        self._journal.note("open")
        self._fates.at("opened")

    def send(self, outputs: Iterable[Output]) -> None:
        """Begin a transaction and write the outputs into it.

        Raises:
            BrokerError: as fates have it; FatalBrokerError: if fenced or not open.
        """
        producer = self._get_producer()
        producer.begin()
        self._journal.note("begin")
        count = 0
        for output in outputs:
            self._write(producer, output, count)
            count += 1
        self._journal.note("send", count)
        self._fates.at("sent")

    def submit(self, offsets: Mapping[int, int], group: Group) -> None:
        """Begin to commit; how far it gets by itself is a matter of fate."""
        self._fates.at("submit")
        self._journal.note("submit", offsets)
        self._commit = _Commit(self._get_producer(), offsets, group, self._fates.ending())
        self._commit.begin()
        self._fates.at("submitted")

    def tend(self, *, hurry: bool = False) -> None:
        """Nothing waits for us: fate has said how far a commit gets."""

    def outcome(self) -> Outcome:
        """Return what became of the submitted transaction."""
        self._fates.at("outcome")
        commit, self._commit = self._commit, None
        outcome = Outcome(Fate.ABORTED) if commit is None else commit.finish()
        self._journal.note("outcome", outcome.fate)
        self._fates.at("settled")
        return outcome

    def abort(self) -> None:
        """Abort what was sent and not submitted.

        Raises:
            FatalBrokerError: if that is impossible.
        """
        self._fates.at("abort")
        self._get_producer().abort()
        self._journal.note("abort")
        self._fates.at("aborted")

    def close(self) -> None:
        """Let a commit that is under way end; what was only sent stays open."""
        if self._commit is not None:
            self._commit.finish()
        self._producer = self._commit = None

    def _write(self, producer: MemoryProducer, output: Output, index: int) -> None:
        if index:  # the first is there already when one fails
            self._fates.at("send")
        producer.write(output)

    def _get_producer(self) -> MemoryProducer:
        if self._producer is None:
            raise FatalBrokerError("the sink is not open")
        return self._producer


class _Commit:
    """One commit under way, taken by its fate's lag in one go or in two."""

    def __init__(
        self, producer: MemoryProducer, offsets: Mapping[int, int], group: Group, ending: Ending
    ) -> None:
        self._producer = producer
        self._offsets = offsets
        self._group = group
        self._ending = ending
        self._has_offsets = False
        self._outcome: Outcome | None = None

    def begin(self) -> None:
        """Do what is done before the outcome is asked for."""
        if self._ending.lag is Lag.NONE:
            self.finish()
        elif self._ending.lag is Lag.END:
            try:
                self._add_offsets()
            except BrokerError:
                self.finish()

    def finish(self) -> Outcome:
        """Do the rest; return what the producer hears."""
        if self._outcome is None:
            self._outcome = self._end()
        return self._outcome

    def _end(self) -> Outcome:
        commit = self._ending.commit
        try:
            self._add_offsets()
            if commit in {Commit.ABORTED, Commit.UNKNOWN_ABORTED}:
                self._producer.abort()
            elif commit is Commit.UNKNOWN_LATE:
                self._producer.commit_late()
            elif commit is not Commit.UNKNOWN_OPEN:
                self._producer.commit()
        except AbortableTransactionError as error:
            return self._abort_after(error)
        except BrokerError as error:
            return Outcome(Fate.UNKNOWN, str(error))
        return _TOLD.get(commit, Outcome(Fate.UNKNOWN, "no answer"))

    def _add_offsets(self) -> None:
        if not self._has_offsets:
            self._producer.add_offsets(self._offsets, self._group.metadata)
            self._has_offsets = True

    def _abort_after(self, error: AbortableTransactionError) -> Outcome:
        try:
            self._producer.abort()
        except FatalBrokerError as stuck:
            return Outcome(Fate.UNKNOWN, f"{error}; then {stuck}")
        return Outcome(Fate.ABORTED, str(error))
