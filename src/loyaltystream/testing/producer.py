"""A transactional producer of the broker in memory. Does no I/O."""

from collections.abc import Mapping

from loyaltystream.errors import AbortableTransactionError, FatalBrokerError
from loyaltystream.testing.broker import MemoryBroker, Transaction
from loyaltystream.testing.group import MemberMetadata
from loyaltystream.topology import Output


class MemoryProducer:
    """Whoever is made last under a transactional id fences the others.

    A fenced one hears of it only when it asks for the broker's answer: what it begins and writes
    before goes nowhere, and raises nothing.

    Args:
        broker: where it writes.
        transactional_id: whose open transaction is aborted first.
    """

    def __init__(self, broker: MemoryBroker, transactional_id: str) -> None:
        self._broker = broker
        self._id = transactional_id
        broker.settle(transactional_id, "aborted")
        self._epoch = broker.epochs.get(transactional_id, 0) + 1
        broker.epochs[transactional_id] = self._epoch
        self._has_heard = False

    def begin(self) -> None:
        """Begin a transaction.

        Raises:
            FatalBrokerError: if it has heard that it is fenced, or one is open.
        """
        if self._has_heard:
            raise self._fenced()
        if self._is_fenced():
            return
        if self._id in self._broker.transactions:
            raise FatalBrokerError("beginning a transaction: one is open")
        self._broker.transactions[self._id] = Transaction({}, [])

    def write(self, output: Output) -> None:
        """Write a record into the transaction.

        Raises:
            FatalBrokerError: if none is open.
        """
        if not self._is_fenced():
            self._broker.write(output, self._get_open())

    def add_offsets(self, offsets: Mapping[int, int], member: MemberMetadata) -> None:
        """Put a group's offsets into the transaction.

        Raises:
            AbortableTransactionError: if the group has gone on without that member.
            FatalBrokerError: if fenced, or none is open.
        """
        self._demand_epoch()
        transaction = self._get_open()
        if not member.group.knows(member):
            raise AbortableTransactionError("adding offsets to a transaction: not of this group")
        transaction.offsets.append((member.group, dict(offsets)))

    def commit(self) -> None:
        """Commit the transaction.

        Raises:
            FatalBrokerError: if fenced, or none is open.
        """
        self._demand_epoch()
        self._get_open()
        self._broker.settle(self._id, "committed")

    def commit_late(self) -> None:
        """Ask for a commit that is still on its way to the broker."""
        self._broker.on_the_way.append((self._id, self._epoch))

    def abort(self) -> None:
        """Abort the transaction, if one is open.

        Raises:
            FatalBrokerError: if fenced.
        """
        self._demand_epoch()
        self._broker.settle(self._id, "aborted")

    def _is_fenced(self) -> bool:
        return self._broker.epochs[self._id] != self._epoch

    def _fenced(self) -> FatalBrokerError:
        return FatalBrokerError(f"{self._id}: fenced by a newer producer")

    def _demand_epoch(self) -> None:
        if self._is_fenced():
            self._has_heard = True
            raise self._fenced()

    def _get_open(self) -> Transaction:
        if (transaction := self._broker.transactions.get(self._id)) is None:
            raise FatalBrokerError(f"{self._id}: no transaction is open")
        return transaction
