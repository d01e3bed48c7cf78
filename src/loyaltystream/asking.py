"""Puts together what tells of events. Does I/O: asks the registry for schemas."""

from collections.abc import Sequence

import msgspec

from loyaltystream.avro.event_reader import EventReader
from loyaltystream.definitions.model import EventDefinition
from loyaltystream.deployment import Deployment
from loyaltystream.kafka.searching import LogSearcher
from loyaltystream.masking import mask_key
from loyaltystream.sending import Keyer
from loyaltystream.why.arrivals import ShowKey
from loyaltystream.why.asking import Why
from loyaltystream.why.sightings import Searched


def build_why(
    deployment: Deployment,
    log: LogSearcher,
    *,
    definitions: Sequence[EventDefinition],
    show_key: ShowKey = mask_key,
) -> Why:
    """Return what answers questions, from the topics as they are now.

    Args:
        deployment: whose topics are meant.
        log: reads them.
        definitions: those in force.
        show_key: what is shown of a key; by default not whose it is.

    Raises:
        ConfigurationError: without memory.hash_key.
        BrokerError: if the topics can't be read.
    """
    group, topics, reader = deployment.group("notify"), deployment.topics, deployment.reader
    # A gateway outlives a relayout: how many partitions there are is asked each time.
    partitions = reader.partitions(topics.ingest)
    searched = Searched(
        log=log,
        topics=topics,
        layout=msgspec.structs.replace(deployment.layout, partitions=partitions),
        identity=deployment.identity,
        letters=deployment.letter_reader,
        definitions={(found.org_id, found.event_name): found for found in definitions},
        keyer=Keyer(definitions, deployment.rules),
        signer=deployment.signer,
        imports=deployment.import_signer,
    )
    return Why(
        searched,
        reader=EventReader(deployment.registry.writer_schema),
        notified_to=lambda: reader.committed(group, topics.emf),
        show_key=show_key,
    )
