"""Faults of broker and registry: ended, killed, held; and a transaction that nobody ends.

Does I/O: processes of the platform.
"""

import signal
import time
from random import Random

from tests.chaos.crew import Member
from tests.chaos.deaths import Blow, some_member
from tests.chaos.field import PARTITIONS, Field, Mark
from tests.chaos.foreign import leave_open


def broker_restarted(field: Field, random: Random) -> Mark:
    """End the broker as an operator does, and start it again."""
    del random
    field.ground.platform.broker.stop()
    field.ground.platform.broker.start()
    return field.mark()


def broker_killed(field: Field, random: Random) -> Mark:
    """Kill the broker; start it again after a while."""
    field.ground.signal_broker(signal.SIGKILL)
    time.sleep(random.uniform(0, 4))
    field.ground.platform.broker.start()
    return field.mark()


def broker_held(least_s: float, most_s: float) -> Blow:
    """Return a fault: the broker does nothing for a while."""

    def blow(field: Field, random: Random) -> Mark:
        field.ground.signal_broker(signal.SIGSTOP)
        time.sleep(random.uniform(least_s, most_s))
        field.ground.signal_broker(signal.SIGCONT)
        return field.mark()

    return blow


def registry_killed(field: Field, random: Random) -> Mark:
    """Kill the registry and a worker, which has to wait for it."""
    member = some_member(field, random)
    field.ground.kill_registry()
    field.crew.kill(member)
    field.crew.start(member)
    time.sleep(random.uniform(2, 4))
    field.ground.platform.registry.start()
    return field.mark([member.stage])


def foreign_transaction(role: str) -> Blow:
    """Return a fault: somebody's transaction hangs on a topic until the broker aborts it."""

    def blow(field: Field, random: Random) -> Mark | None:
        bootstrap = field.ground.addresses.bootstrap_servers
        timeout_ms = random.randint(3_000, 8_000)
        if not leave_open(bootstrap, field.names[role], PARTITIONS, timeout_ms):
            return None
        mark = field.mark(["ingest"])
        if role == "changelog":  # only who restores reads it
            member = Member("ingest", 0)
            field.crew.kill(member)
            field.crew.start(member)
        return mark

    return blow
