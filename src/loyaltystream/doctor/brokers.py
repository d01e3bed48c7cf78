"""Whether the brokers can be reached, are new enough, and take our transactions. Pure."""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from loyaltystream.access import Grant, Operation, Resource, command
from loyaltystream.doctor.findings import SOMEBODY, Finding, Kind

SKEW_MS: Final = 30_000
"""A clock that is wrong by more is told; an event that is 5 minutes ahead is rejected."""

VERIFICATION: Final = "transaction.partition.verification.enable"
"""A broker that lacks this setting is older than Kafka 3.6."""


class Reached(msgspec.Struct, frozen=True):
    """One address, and why no broker answers there; None: one does."""

    address: str
    why: str | None


class Trial(msgspec.Struct, frozen=True):
    """What became of a throw-away transaction.

    Attributes:
        refused: why it failed; None: it did not.
        skew_ms: how far this machine's clock is ahead of the broker's; None: that was not seen.
    """

    refused: str | None
    skew_ms: float | None = None


def of_addresses(named: list[Reached]) -> Iterator[Finding]:
    """Yield what is wrong with the addresses in kafka.bootstrap_servers."""
    away = [one for one in named if one.why is not None]
    kind = Kind.BROKER_AWAY if len(away) == len(named) else Kind.ADDRESS_AWAY
    for one in away:
        yield Finding(
            kind,
            one.address,
            f"no broker answers: {one.why}",
            "start it (`loyaltystream platform start`), or name others: "
            "export LOYALTYSTREAM_KAFKA__BOOTSTRAP_SERVERS=HOST:PORT; TLS, SASL: kafka.client",
        )


def of_advertised(brokers: list[Reached]) -> Iterator[Finding]:
    """Yield the brokers that say of themselves to be where they can't be reached from here."""
    for one in brokers:
        if one.why is not None:
            yield Finding(
                Kind.ADVERTISED_AWAY,
                one.address,
                f"a broker tells clients that it is there, and does not answer: {one.why}",
                f"advertised.listeners=PLAINTEXT://HOST:PORT in that broker's server.properties, "
                f"with a name that this machine reaches instead of {one.address}",
            )


def of_settings(settings: Mapping[str, str | None], broker: str) -> Iterator[Finding]:
    """Yield what is wrong with a broker's own settings."""
    verifies = settings.get(VERIFICATION)
    if verifies is None:
        yield Finding(
            Kind.BROKER_OLD,
            broker,
            "older than Kafka 3.6: it does not verify transactions, and a late message of a dead "
            "worker can leave one open for ever",
            "upgrade the brokers to Kafka 3.6 or newer; 4.2 is what this is tested on",
        )
    elif verifies == "false":
        yield Finding(
            Kind.BROKER_OLD,
            broker,
            "does not verify transactions: a late message of a dead worker can leave one open for "
            "ever",
            _alter_brokers(f"{VERIFICATION}=true"),
        )
    if settings.get("auto.create.topics.enable") == "true":
        yield Finding(
            Kind.AUTO_CREATE,
            broker,
            "makes a topic for every name that a client mistypes, with settings of its own; events "
            "sent there are seen by nobody",
            "auto.create.topics.enable=false in every broker's server.properties, then restart it",
        )


def of_trial(trial: Trial, transactional_id: str) -> Iterator[Finding]:
    """Yield what a throw-away transaction brought to light."""
    if trial.refused is not None:
        # The id's last part is the trial's own: workers' have the rest in common.
        prefix = transactional_id.rpartition(".doctor.")[0] + "."
        needed = Grant(Resource.TRANSACTIONAL_ID, prefix, (Operation.WRITE,), prefixed=True)
        yield Finding(
            Kind.TRANSACTIONS,
            transactional_id,
            f"the broker refuses a transaction: {trial.refused}",
            command(needed, SOMEBODY),
        )
    if trial.skew_ms is not None and abs(trial.skew_ms) > SKEW_MS:
        ahead = "ahead of" if trial.skew_ms > 0 else "behind"
        yield Finding(
            Kind.CLOCK_SKEW,
            "this machine",
            f"its clock is {abs(trial.skew_ms) / 1000:.0f} s {ahead} the broker's, which alone "
            f"says when an event arrived",
            "chronyc makestep, with the workers stopped; then let chrony or ntpd slew both clocks",
        )


def _alter_brokers(setting: str) -> str:
    return (
        f"kafka-configs.sh --bootstrap-server BROKER --alter --entity-type brokers "
        f"--entity-default --add-config {setting}"
    )
