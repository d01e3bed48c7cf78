"""A deployment's topics and servers in, its AsyncAPI 3 document out. Pure.

What producers write, what loyaltystream writes, and what subscribers read: topics, keys, headers,
messages and examples, all of it taken from the code that writes and reads them. The topics that
only loyaltystream itself reads are no contract, and are left out.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from loyaltystream.contracts.headers import ALWAYS, headers_of
from loyaltystream.contracts.messages import AVRO, headers_name, messages
from loyaltystream.contracts.servers import BINDING
from loyaltystream.kafka.topics import TopicPlan
from loyaltystream.partitioning import PartitionBy

Document = dict[str, Any]

VERSION: Final = "3.1.0"
"""Of the specification."""


class Channel(msgspec.Struct, frozen=True):
    """What a role's topic is for.

    Attributes:
        action: of loyaltystream: it receives what producers send, and sends what subscribers
            receive.
        operation: its name.
        title: of the channel.
        summary: what happens there.
    """

    action: str
    operation: str
    title: str
    summary: str


CHANNELS: Final = {
    "ingest": Channel(
        "receive",
        "receiveEvents",
        "Events, as producers send them",
        "Producers send behavioral events as JSON; each is judged exactly once: accepted, "
        "duplicate, conflict, late or rejected.",
    ),
    "emf": Channel(
        "send",
        "sendEventsToEmf",
        "Accepted events, for the loyalty engine",
        "Subscribers receive every accepted event whose definition has the action EMFConsumer, "
        "once. Notifications are made of these.",
    ),
    "ei": Channel(
        "send",
        "sendEventsToEi",
        "Accepted events, for insights",
        "Subscribers receive every accepted event whose definition has the action EIConsumer, "
        "once, its sensitive values hidden.",
    ),
    "notifications": Channel(
        "send",
        "sendNotifications",
        "Notifications",
        "Subscribers receive what accepted events cause, once, each customer's in order.",
    ),
    "duplicates": Channel(
        "send",
        "sendDuplicates",
        "Resent events",
        "Whoever wants to know receives events that were accepted before; they were not routed "
        "again.",
    ),
    "dead-letter": Channel(
        "send",
        "sendDeadLetters",
        "Dead letters",
        "Operators receive what was rejected, is a conflict, came late or could not be mapped, "
        "with every reason.",
    ),
}
"""The published topics, by role."""

_ABOUT: Final = (
    "loyaltystream judges every behavioral event of a loyalty program exactly once, routes it, and "
    "sends the notifications that it causes. Read with isolation.level=read_committed: only then "
    "is a record there exactly once. Avro values are in the Confluent wire format, under "
    "TopicRecordNameStrategy and full transitive compatibility: fields are added, null by default, "
    "and nothing is taken away. Examples of Avro values show times as epoch milliseconds."
)


def document(
    *,
    version: str,
    servers: Document,
    plans: Mapping[str, TopicPlan],
    ingest_group: str,
    partition_by: PartitionBy,
) -> Document:
    """Return the document.

    Args:
        version: of loyaltystream.
        servers: where clients find the deployment.
        plans: the topic of each published role.
        ingest_group: the consumer group that receives events.
        partition_by: what chooses an event's partition, and so its key.
    """
    made = messages(partition_by)
    return {
        "asyncapi": VERSION,
        "id": "urn:loyaltystream",
        "info": {
            "title": "loyaltystream",
            "version": version,
            "description": _ABOUT,
            "license": {
                "name": "Apache-2.0",
                "url": "https://www.apache.org/licenses/LICENSE-2.0",
            },
            "tags": [{"name": "kafka"}, {"name": "loyalty"}],
        },
        "defaultContentType": AVRO,
        "servers": servers,
        "channels": {role: _channel(role, plans[role], [*made[role]]) for role in CHANNELS},
        "operations": {
            channel.operation: _operation(role, channel, [*made[role]], ingest_group)
            for role, channel in CHANNELS.items()
        },
        "components": {
            "messages": {
                name: message for role in CHANNELS for name, message in made[role].items()
            },
            "schemas": {headers_name(role): headers_of(role) for role in ALWAYS},
        },
    }


def _channel(role: str, plan: TopicPlan, names: Sequence[str]) -> Document:
    channel = CHANNELS[role]
    return {
        "address": plan.name,
        "title": channel.title,
        "description": channel.summary,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {
            "kafka": {
                "topic": plan.name,
                "partitions": plan.partitions,
                "replicas": plan.replication_factor,
                "topicConfiguration": {
                    name: _setting(name, value) for name, value in sorted(plan.settings.items())
                },
                "bindingVersion": BINDING,
            }
        },
    }


def _setting(name: str, value: str) -> object:
    """Return a topic's setting as the binding has it: numbers are numbers, policies a list."""
    if name == "cleanup.policy":
        return value.split(",")
    return int(value) if value.isdigit() else value


def _operation(role: str, channel: Channel, names: Sequence[str], group: str) -> Document:
    made = {
        "action": channel.action,
        "title": channel.title,
        "summary": channel.summary,
        "channel": {"$ref": f"#/channels/{role}"},
        "messages": [{"$ref": f"#/channels/{role}/messages/{name}"} for name in names],
    }
    if channel.action == "receive":
        binding = {"groupId": {"type": "string", "const": group}, "bindingVersion": BINDING}
        made["bindings"] = {"kafka": binding}
    return made
