"""Settings in, where clients find a deployment out, without any secret. Pure."""

from typing import Any, Final
from urllib.parse import urlsplit

from loyaltystream.clients import KafkaSettings, RegistrySettings

Document = dict[str, Any]

BINDING: Final = "0.5.0"
"""Of AsyncAPI's bindings for Kafka."""

_MECHANISMS: Final = {
    "PLAIN": "plain",
    "SCRAM-SHA-256": "scramSha256",
    "SCRAM-SHA-512": "scramSha512",
    "GSSAPI": "gssapi",
}
_ENCRYPTED: Final = frozenset({"ssl", "sasl_ssl"})


def servers_of(kafka: KafkaSettings, registry: RegistrySettings) -> Document:
    """Return the servers of a deployment: each broker that clients may ask first."""
    brokers = [broker.strip() for broker in kafka.bootstrap_servers.split(",")]
    said = _said(kafka, "security.protocol").lower()
    server: Document = {
        "protocol": "kafka-secure" if said in _ENCRYPTED else "kafka",
        "description": "A broker of the cluster, and the registry that has the Avro schemas.",
        "bindings": {
            "kafka": {
                "schemaRegistryUrl": _without_user(registry.url),
                "schemaRegistryVendor": "confluent",
                "bindingVersion": BINDING,
            }
        },
    }
    if security := _security(said, _said(kafka, "sasl.mechanism") or "GSSAPI"):
        server["security"] = [{"type": security}]
    return {
        "kafka" if number == 1 else f"kafka{number}": {"host": broker, **server}
        for number, broker in enumerate(brokers, 1)
    }


def _said(kafka: KafkaSettings, name: str) -> str:
    found = kafka.client.get(name)
    return "" if found is None else found.get_secret_value()


def _security(protocol: str, mechanism: str) -> str | None:
    """Return what AsyncAPI calls the way in; None: there is no door, or none that it has."""
    if protocol.startswith("sasl"):
        return _MECHANISMS.get(mechanism.upper())
    return "X509" if protocol == "ssl" else None


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
