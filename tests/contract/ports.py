"""What a backend of the contract suite has to offer, and how its tests drive it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Protocol, TypeVar

from loyaltystream.errors import RetryableBrokerError
from loyaltystream.events import Record
from loyaltystream.ports import Group, Sink, Source
from loyaltystream.topology import Output

Answer = TypeVar("Answer")
Answer_co = TypeVar("Answer_co", covariant=True)

PARTITIONS: Final = 2
MANY: Final = 100
PATIENCE: Final = 400
"""How many polls are waited for something; on the real broker each takes 50 ms."""


class Asked(Protocol[Answer_co]):
    """A question that the broker may not be able to answer yet."""

    def is_open(self) -> bool:
        """Say whether it is not answered."""

    def answer(self) -> Answer_co:
        """Return the answer, waiting for it."""


class Held(Protocol):
    """A transaction that holds a group's offsets, and is neither committed nor aborted."""

    def commit(self) -> None:
        """Commit it."""

    def abort(self) -> None:
        """Abort it."""


class Backend(Protocol):
    """A broker with two topics, `input` and `output`, and a group that reads the first."""

    input: str
    output: str

    def source(self, member: str, batch_records: int = MANY) -> Source:
        """Return a member of the group."""

    def sink(self, name: str) -> Sink:
        """Return a sink under a transactional id."""

    def hold(self, name: str, offsets: Mapping[int, int], group: Group) -> Held:
        """Return a transaction that has taken the offsets and one record of partition 0."""

    def deltas(self, partition: int, start: int = 0) -> Iterator[bytes]:
        """Yield what the memory's own log would hold, read from `output`."""

    def changelog_end(self, partition: int) -> int:
        """Return where the memory's own log would end."""

    def append(self, partition: int, *values: bytes) -> None:
        """Write to `input`, outside of any transaction."""

    def records(self, topic: str, partition: int) -> list[Record]:
        """Return what a read_committed reader sees."""

    def ends(self, topic: str, partition: int) -> tuple[int, int]:
        """Return the last stable offset and the end."""

    def arrive(self, topic: str, partition: int, end: int) -> None:
        """Wait until everything before that offset has reached the broker."""

    def settle(self, topic: str, partition: int) -> None:
        """Wait until no transaction is open there; its marker may come after its outcome."""

    def committed(self) -> dict[int, int]:
        """Return the group's stable committed offsets, asked from outside."""

    def miss(self, member: str) -> None:
        """Let the group notice that a member that went away is not there."""

    def ask(self, question: Callable[[], Answer]) -> Asked[Answer]:
        """Ask something that may have to wait."""

    def close(self) -> None:
        """Let go of everything."""


class Told:
    """What members were told about their partitions, one list for all of them.

    Args:
        starts: where a partition is read from instead of its committed offset.
        failures: how many times the partitions can't be taken yet.
    """

    def __init__(
        self,
        log: list[str] | None = None,
        name: str = "",
        *,
        starts: Mapping[int, int] | None = None,
        failures: int = 0,
    ) -> None:
        self.log = [] if log is None else log
        self.owned: set[int] = set()
        self.committed: dict[int, int | None] = {}
        self.times_idle = 0
        self._name = name
        self._starts = starts or {}
        self._failures = failures

    def assigned(self, committed: Mapping[int, int | None]) -> Mapping[int, int]:
        """Take partitions."""
        if self._failures and committed:
            self._failures -= 1
            raise RetryableBrokerError("what is known of them can't be read yet")
        self._note("takes", committed)
        self.owned |= committed.keys()
        self.committed.update(committed)
        return {number: self._starts.get(number, found or 0) for number, found in committed.items()}

    def revoked(self, partitions: Sequence[int]) -> None:
        """Give partitions away."""
        self._note("gives", partitions)
        self.owned -= set(partitions)

    def meanwhile(self) -> None:
        """Count how often there was nothing else to do."""
        self.times_idle += 1

    def _note(self, does: str, partitions: Mapping[int, int | None] | Sequence[int]) -> None:
        self.log += [f"{self._name} {does} {number}" for number in sorted(partitions)]


def output(backend: Backend, value: bytes, *, topic: str = "", partition: int = 0) -> Output:
    """Return a record to be written."""
    return Output(topic or backend.output, None, value, partition, [])


def poll_until(done: Callable[[], object], *sources: Source) -> list[Record]:
    """Poll in turn until something is so; return all that came."""
    came: list[Record] = []
    for _ in range(PATIENCE):
        if done():
            return came
        for source in sources:
            came += [record for records in source.poll().values() for record in records]
    raise TimeoutError(f"not within {PATIENCE} polls; {len(came)} records came")


def poll_records(source: Source, count: int) -> list[Record]:
    """Poll until that many records came."""
    came: list[Record] = []
    for _ in range(PATIENCE):
        if len(came) >= count:
            return came
        came += [record for records in source.poll().values() for record in records]
    raise TimeoutError(f"{len(came)} of {count} records came within {PATIENCE} polls")


def joined(backend: Backend, member: str = "one", told: Told | None = None) -> Source:
    """Return a source that has all partitions."""
    told = told or Told()
    source = backend.source(member)
    source.join(told)
    poll_until(lambda: told.owned == set(range(PARTITIONS)), source)
    return source


def opened(backend: Backend, name: str = "sink") -> Sink:
    """Return a sink that has its transactional id."""
    sink = backend.sink(name)
    sink.open()
    return sink


def settled(backend: Backend, partition: int = 0) -> list[Record]:
    """Return what is committed in `output`, once nothing is open there."""
    backend.settle(backend.output, partition)
    return backend.records(backend.output, partition)


def values(records: Sequence[Record]) -> list[bytes | None]:
    """Return the records' values."""
    return [record.value for record in records]
