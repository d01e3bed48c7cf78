"""The gateway's routes: who may post, what is taken, what is answered. Does I/O: HTTP.

An event is acknowledged once the broker has it, and not before. A token writes events of its org
only, whichever org an event says it is of.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from loyaltystream.dialects.envelope import ID_HEADER, SOURCE_HEADER
from loyaltystream.dialects.sources import DEFAULT, Dialect, Source, Webhook
from loyaltystream.gateway import answers
from loyaltystream.gateway.answers import ProblemError, told
from loyaltystream.gateway.bodies import (
    CLOUD_EVENT,
    JSON,
    NDJSON,
    body_of,
    events_of,
    header_of,
    kind_of,
    offer_of,
    passed_on,
)
from loyaltystream.gateway.channel import Channel, deliver
from loyaltystream.gateway.front import Done, Front
from loyaltystream.gateway.intake import IDEMPOTENCY_KEY, Intake, Offer, Posting
from loyaltystream.gateway.rates import Rates
from loyaltystream.web.tokens import Token


class Door(NamedTuple):
    """A way in for single events of one dialect."""

    path: str
    dialect: Dialect
    sources: Mapping[str, Source] | None
    acknowledge: Callable[[Posting], Response]


class Gateway:
    """Takes events.

    Args:
        channel: to the ingest topic.
        front: lets in who may post.
        intake: makes records, by the definitions in force.
        batch_bytes: how long a batch may be.
        rates: how many events a token may send.

    Attributes:
        front: likewise.
        intake: likewise; replaced where definitions change.
    """

    def __init__(
        self,
        channel: Channel,
        front: Front,
        *,
        intake: Intake,
        batch_bytes: int,
        rates: Rates,
    ) -> None:
        self._channel = channel
        self._batch_bytes = batch_bytes
        self._rates = rates
        self.front = front
        self.intake = intake

    def routes(self, mint: Callable[[], str]) -> list[Route]:
        """Return all ways in; `mint` makes ids of requests."""
        known = self.intake.rules.dialects
        doors = [
            Door("/events", Dialect.CANONICAL, None, answers.canonical),
            Door("/webhooks/{source}", Dialect.CAPILLARY, known.webhooks, answers.capillary(mint)),
            Door(
                "/api/{source}/customEvent",
                Dialect.OPEN_LOYALTY,
                known.stores,
                answers.open_loyalty,
            ),
            Door("/v1/events", Dialect.VOUCHERIFY, known.projects, answers.voucherify),
        ]
        return [
            *(self.front.route("POST", door.path, self._through(door)) for door in doors),
            self.front.route("POST", "/events/batch", self._take_batch),
        ]

    def close(self) -> None:
        """Have everything written that was taken."""
        self._channel.close()

    def not_followed(self, error: Exception) -> None:
        """Note that the definitions in force could not be asked for."""
        self.front.watch.not_followed(str(error))

    def _through(self, door: Door) -> Callable[[Request], Awaitable[Done]]:
        kinds = [JSON, CLOUD_EVENT] if door.dialect is Dialect.CANONICAL else [JSON]

        async def take(request: Request) -> Done:
            token = self.front.admit(request)
            source = None if door.sources is None else _source(door.sources, request, token)
            kind = kind_of(request, *kinds)
            raw = await body_of(request, longest=self.intake.rules.max_event_bytes)
            self._charge(token, 1)
            taken = self.intake.take(offer_of(request, kind, raw, door.dialect, source))
            if isinstance(taken, tuple):
                found = [told(violation) for violation in taken]
                raise ProblemError(422, "this can't be taken as an event", found)
            _demand_own([taken], token)
            await deliver(self._channel, [taken])
            return Done(door.acknowledge(taken), 1)

        return take

    async def _take_batch(self, request: Request) -> Done:
        """Take events of ours, all or none."""
        token = self.front.admit(request)
        kind = kind_of(request, NDJSON, JSON)
        for name in (IDEMPOTENCY_KEY, ID_HEADER):
            if name in request.headers:
                raise ProblemError(422, f"{name} is one id, and a batch has many events")
        raw = await body_of(request, longest=self._batch_bytes)
        headers, postings, wrong = passed_on(request), [], []
        values = events_of(raw, kind)
        self._charge(token, len(values))
        for number, value in enumerate(values):
            taken = self.intake.take(Offer(value, Dialect.CANONICAL, headers=headers))
            if isinstance(taken, tuple):
                wrong += [{"event": number, **told(violation)} for violation in taken]
            else:
                postings.append(taken)
        if wrong:
            raise ProblemError(422, "not all can be taken as events: none of them is", wrong)
        _demand_own(postings, token)
        await deliver(self._channel, postings)
        return Done(answers.batch(postings), len(postings))

    def _charge(self, token: Token, events: int) -> None:
        if after_s := self._rates.take(token.name, events):
            raise ProblemError(429, "more events a second than a token may send", after_s=after_s)


def _source(sources: Mapping[str, Source], request: Request, token: Token) -> str:
    """Return the webhook, store or project that a request came through; it is the token's org's."""
    name = request.path_params.get("source") or header_of(request, SOURCE_HEADER) or DEFAULT
    source = sources.get(name)
    orgs = set() if source is None else {source.org}
    if isinstance(source, Webhook):
        orgs |= source.child_orgs
    if token.org not in orgs:
        raise ProblemError(404, "the token's org has no webhook, store or project of that name")
    return str(name)


def _demand_own(postings: Sequence[Posting], token: Token) -> None:
    if any(posting.org_id != token.org for posting in postings):
        raise ProblemError(403, "this token may send events of its own org only")
