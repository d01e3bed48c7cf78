"""Puts the gateway together. Does I/O: makes clients, reads definitions."""

import time
import uuid
from collections.abc import Callable, Iterable
from typing import Final

from starlette.applications import Starlette
from starlette.types import ASGIApp

from loyaltystream.asking import build_why
from loyaltystream.defining import follows
from loyaltystream.definitions.history import History
from loyaltystream.definitions.model import EventDefinition
from loyaltystream.definitions.registry import NO_SCHEMA
from loyaltystream.deployment import Deployment
from loyaltystream.gateway.application import Gateway
from loyaltystream.gateway.enquiry import Enquiry
from loyaltystream.gateway.front import Front
from loyaltystream.gateway.intake import Intake
from loyaltystream.gateway.questions import Questions
from loyaltystream.gateway.rates import Rates
from loyaltystream.gateway.serving import build_gateway
from loyaltystream.gateway.standing import Standing, standing_of
from loyaltystream.gateway.traced import TracedRequests
from loyaltystream.gateway.watch import Watch
from loyaltystream.kafka.following import TopicFollower
from loyaltystream.kafka.posting import Poster
from loyaltystream.kafka.searching import LogSearcher
from loyaltystream.sending import Keyer
from loyaltystream.settings import Settings
from loyaltystream.tracing.opening import open_export
from loyaltystream.web.tokens import Tokens

ASK_S: Final = 5.0
"""So long a silent broker is waited for before a question is refused."""


def build(deployment: Deployment, tokens: Tokens, watch: Watch) -> Starlette:
    """Return the gateway of a deployment.

    Raises:
        ConfigurationError: if definitions are not usable.
        BrokerError: if the topic of definitions can't be read.
    """
    settings = deployment.settings
    defined = _Followed(deployment) if follows(settings) else _Fixed(deployment)
    front = Front(tokens, watch)
    gateway = Gateway(
        Poster(settings.kafka, deployment.topics.ingest, settings.gateway),
        front,
        intake=defined.intake(),
        batch_bytes=settings.gateway.batch_bytes,
        rates=Rates(settings.gateway.rate, time.monotonic),
    )
    follow = defined.intake if isinstance(defined, _Followed) else None
    questions = _questions(deployment, defined) if settings.memory.hash_key is not None else None
    return build_gateway(gateway, Enquiry(front, questions), mint=mint, follow=follow)


def traced(app: ASGIApp, settings: Settings) -> tuple[ASGIApp, Callable[[], None]]:
    """Return the same with a span around each request that is traced, and what ends that.

    Raises:
        ConfigurationError: if traces are asked for and not installed.
    """
    told = settings.traces
    if told.endpoint is None:
        return app, lambda: None
    export = open_export(told, "gateway", settings.worker.instance)
    return TracedRequests(app, share=told.share, take=export.take), export.close


def mint() -> str:
    """Return an id that nobody has."""
    return str(uuid.uuid4())


class _Fixed:
    """Definitions that never change."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self.in_force: list[EventDefinition] = []

    def intake(self) -> Intake:
        """Return what takes events by them."""
        self.in_force = [*self._read()]
        rules = self._deployment.rules
        return Intake(Keyer(self.in_force, rules), rules, mint)

    def _read(self) -> Iterable[EventDefinition]:
        return self._deployment.event_definitions


class _Followed(_Fixed):
    """Definitions of their topic, which is read on each time."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__(deployment)
        topic = deployment.topics.definitions
        self._history = History(topic, NO_SCHEMA)
        self._log = TopicFollower(deployment.settings.kafka, topic)

    def _read(self) -> Iterable[EventDefinition]:
        self._history.learn(self._log.rest())
        return self._history.view()


def _questions(deployment: Deployment, defined: _Fixed) -> Questions:
    log = LogSearcher(deployment.settings.kafka, timeout_s=ASK_S)

    def ask(event_id: str, org_id: int) -> Standing | None:
        why = build_why(deployment, log, definitions=defined.in_force)
        return standing_of(why.of_id(event_id, org_id), event_id, org_id)

    at_once = deployment.settings.gateway.questions
    return Questions(ask, at_once=at_once, close=log.close)
