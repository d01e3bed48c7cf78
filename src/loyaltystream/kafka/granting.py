"""Gives rights at the brokers. Does I/O."""

from collections.abc import Sequence
from typing import Final

from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from loyaltystream.access import Grant, Operation, Resource
from loyaltystream.clients import KafkaSettings
from loyaltystream.kafka.connection import connect, properties
from loyaltystream.kafka.errors import translated
from loyaltystream.kafka.topics import TIMEOUT_S

_RESOURCES: Final = {
    Resource.TOPIC: ResourceType.TOPIC,
    Resource.GROUP: ResourceType.GROUP,
    Resource.TRANSACTIONAL_ID: ResourceType.TRANSACTIONAL_ID,
    # Kafka's protocol has one number for the cluster; the client library calls it the broker.
    Resource.CLUSTER: ResourceType.BROKER,
}
_OPERATIONS: Final = {
    Operation.READ: AclOperation.READ,
    Operation.WRITE: AclOperation.WRITE,
    Operation.CREATE: AclOperation.CREATE,
    Operation.ALTER: AclOperation.ALTER,
    Operation.ALTER_CONFIGS: AclOperation.ALTER_CONFIGS,
    Operation.DESCRIBE: AclOperation.DESCRIBE,
    Operation.DESCRIBE_CONFIGS: AclOperation.DESCRIBE_CONFIGS,
}


def allow(kafka: KafkaSettings, principal: str, grants: Sequence[Grant]) -> None:
    """Give a principal rights, from any host; what it has already stays as it is.

    Raises:
        BrokerError: if the broker refuses, or does not answer.
    """
    admin = connect(AdminClient, properties(kafka))
    bindings = [
        AclBinding(
            _RESOURCES[grant.resource],
            grant.name,
            ResourcePatternType.PREFIXED if grant.prefixed else ResourcePatternType.LITERAL,
            principal,
            "*",
            _OPERATIONS[operation],
            AclPermissionType.ALLOW,
        )
        for grant in grants
        for operation in grant.operations
    ]
    with translated(f"giving rights to {principal}"):
        for answer in admin.create_acls(bindings, request_timeout=TIMEOUT_S).values():
            answer.result()
