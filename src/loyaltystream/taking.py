"""Puts the gateway together. Does I/O: makes clients, reads definitions."""

import uuid
from collections.abc import Callable, Iterable

from starlette.applications import Starlette

from loyaltystream.app import Deployment
from loyaltystream.defining import follows
from loyaltystream.definitions.history import History
from loyaltystream.definitions.model import EventDefinition
from loyaltystream.definitions.registry import NO_SCHEMA
from loyaltystream.gateway.application import Gateway, Watch, build_gateway
from loyaltystream.gateway.intake import Intake
from loyaltystream.kafka.following import TopicFollower
from loyaltystream.kafka.posting import Poster
from loyaltystream.sending import Keyer
from loyaltystream.web.tokens import Tokens


def build(deployment: Deployment, tokens: Tokens, watch: Watch) -> Starlette:
    """Return the gateway of a deployment.

    Raises:
        ConfigurationError: if definitions are not usable.
        BrokerError: if the topic of definitions can't be read.
    """
    settings = deployment.settings
    follow = _following(deployment) if follows(settings) else None
    intake = follow() if follow else _intake(deployment, deployment.event_definitions)
    gateway = Gateway(
        Poster(settings.kafka, deployment.topics.ingest, settings.gateway),
        tokens,
        intake=intake,
        batch_bytes=settings.gateway.batch_bytes,
        watch=watch,
    )
    return build_gateway(gateway, mint=mint, follow=follow)


def mint() -> str:
    """Return an id that nobody has."""
    return str(uuid.uuid4())


def _following(deployment: Deployment) -> Callable[[], Intake]:
    """Return what reads the topic of definitions on, and makes an intake of what is in force."""
    topic = deployment.topics.definitions
    history, log = History(topic, NO_SCHEMA), TopicFollower(deployment.settings.kafka, topic)

    def follow() -> Intake:
        history.learn(log.rest())
        return _intake(deployment, history.view())

    return follow


def _intake(deployment: Deployment, definitions: Iterable[EventDefinition]) -> Intake:
    rules = deployment.rules
    return Intake(Keyer(definitions, rules), rules, mint)
