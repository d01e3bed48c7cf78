"""Looks at what a worker is given: settings, definitions, ports, registry, disk. Does I/O: asks."""

from collections.abc import Iterator

from loyaltystream.app import STAGES
from loyaltystream.avro.registry import COMPATIBILITY, subject_of
from loyaltystream.doctor import machine, schemas, timeouts, wording
from loyaltystream.doctor.findings import Unseen
from loyaltystream.errors import BrokerError, ConfigurationError, RetryableBrokerError
from loyaltystream.examining.look import Check, Findings, Look
from loyaltystream.keeping import snapshots_directory
from loyaltystream.plans import published_schemas
from loyaltystream.premises import look_at_port, look_at_state
from loyaltystream.snapshots.files import Files
from loyaltystream.working import PORTS_PER_STAGE


class Premises:
    """Looks at all that can be looked at without a broker, and at the state directory."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._settings = look.settings
        self._deployment = look.deployment

    def checks(self) -> Iterator[Check]:
        """Yield what needs no broker."""
        yield "settings", self._of_settings
        yield "definitions", self._of_definitions
        yield "metrics ports", self._of_ports
        yield "registry", self._of_registry

    def of_state(self) -> Findings:
        """Yield what is wrong with the state directory."""
        path = self._settings.worker.state_dir
        yield from machine.of_state(look_at_state(path, self._snapshot_bytes()))

    def _of_settings(self) -> Findings:
        yield from wording.of_secret(self._settings.memory.hash_key is not None)
        yield from timeouts.of_poll(self._look.timeouts)

    def _of_definitions(self) -> Findings:
        try:
            defined = len(self._deployment.event_definitions)
        except ConfigurationError as error:
            yield from wording.of_definitions([str(error)], 0)
        else:
            yield from wording.of_definitions([], defined)

    def _of_ports(self) -> Findings:
        telemetry = self._settings.telemetry
        if telemetry.metrics_port:
            yield from machine.of_ports(
                [
                    look_at_port(
                        f"the first {stage} worker",
                        telemetry.metrics_host,
                        telemetry.metrics_port + number * PORTS_PER_STAGE,
                    )
                    for number, stage in enumerate(STAGES)
                ]
            )

    def _of_registry(self) -> Findings:
        registry = self._deployment.registry
        try:
            subjects = [
                schemas.SubjectFacts(
                    subject_of(topic, schema),
                    registry.find(topic, schema),
                    registry.compatibility(topic, schema),
                )
                for topic, schema in published_schemas(self._deployment.topics)
            ]
        except RetryableBrokerError as error:
            yield from schemas.of_outage(registry.url, str(error))
        else:
            yield from schemas.of_subjects(subjects, needed=COMPATIBILITY)

    def _snapshot_bytes(self) -> int:
        """Return what a snapshot of all partitions takes: as seen here, or else estimated."""
        files = Files(snapshots_directory(self._settings, self._deployment.group(STAGES[0])))
        try:
            seen = sum(files.size_bytes(one) for one in files.partitions())
        except OSError:  # what keeps us from looking is told of the directory itself
            seen = 0
        if seen:
            return seen
        try:
            bounds = self._deployment.reader.bounds(self._deployment.topics.ingest)
        except BrokerError as error:
            self._look.unseen.append(Unseen("room for snapshots", str(error)))
            return 0
        retained = sum(end - first for first, end in bounds.values())
        days = self._settings.memory.window_days / self._settings.topics.retention_days
        return int(retained * max(days, 1) * machine.ID_BYTES)
