"""The gateway's routes: who may post, what is taken, what is answered. Does I/O: HTTP.

An event is acknowledged once the broker has it, and not before. A token writes events of its org
only, whichever org an event says it is of.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final, NamedTuple, Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from loyaltystream.dialects.envelope import ID_HEADER, SOURCE_HEADER
from loyaltystream.dialects.sources import DEFAULT, Dialect, Source, Webhook
from loyaltystream.errors import LoyaltyStreamError
from loyaltystream.gateway import answers
from loyaltystream.gateway.answers import ProblemError, problem, told
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
from loyaltystream.gateway.channel import Channel, FullError, TooLargeError, deliver
from loyaltystream.gateway.intake import IDEMPOTENCY_KEY, Intake, Offer, Posting
from loyaltystream.web.answers import RefusedError
from loyaltystream.web.requests import demand
from loyaltystream.web.tokens import Token, Tokens

FOLLOW_S: Final = 5.0
_OTHER: Final = "other"


class Watch(Protocol):
    """Told what was answered, as `telemetry.gateway.GatewayTelemetry` is."""

    def answered(self, route: str, status: int, events: int) -> None:
        """Count an answer, and the events that it acknowledges."""

    def not_written(self, why: str) -> None:
        """Note that events could not be written."""

    def not_followed(self, why: str) -> None:
        """Note that the definitions in force could not be asked for."""


class Door(NamedTuple):
    """A way in for single events of one dialect."""

    path: str
    dialect: Dialect
    sources: Mapping[str, Source] | None
    acknowledge: Callable[[Posting], JSONResponse]


class _Done(NamedTuple):
    answer: JSONResponse
    events: int


class Gateway:
    """Takes events.

    Args:
        channel: to the ingest topic.
        tokens: who may post.
        intake: makes records, by the definitions in force.
        batch_bytes: how long a batch may be.
        watch: told what was answered.

    Attributes:
        intake: likewise; replaced where definitions change.
    """

    def __init__(
        self,
        channel: Channel,
        tokens: Tokens,
        *,
        intake: Intake,
        batch_bytes: int,
        watch: Watch,
    ) -> None:
        self._channel = channel
        self._tokens = tokens
        self._batch_bytes = batch_bytes
        self._watch = watch
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
            *(self._route(door.path, self._through(door)) for door in doors),
            self._route("/events/batch", self._take_batch),
        ]

    async def refuse(self, _request: Request, error: Exception) -> Response:
        """Answer where no route is."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        self._watch.answered(_OTHER, status, 0)
        answer = problem(status, "docs/gateway.md has all routes")
        if isinstance(error, HTTPException):
            answer.headers.update(error.headers or {})
        return answer

    def close(self) -> None:
        """Have everything written that was taken."""
        self._channel.close()

    def not_followed(self, error: Exception) -> None:
        """Note that the definitions in force could not be asked for."""
        self._watch.not_followed(str(error))

    def _route(self, path: str, take: Callable[[Request], Awaitable[_Done]]) -> Route:
        async def endpoint(request: Request) -> Response:
            events = 0
            try:
                answer, events = await take(request)
            except ProblemError as error:
                answer = error.answer()
            except RefusedError as error:
                answer = problem(401, str(error))
            except ClientDisconnect:
                answer = problem(400, "the body has no end")
            except FullError as error:
                answer = problem(429, str(error))
            except TooLargeError as error:
                answer = problem(413, str(error))
            except LoyaltyStreamError as error:
                self._watch.not_written(str(error))
                answer = problem(503, "not known to be written: send it again, under the same id")
            self._watch.answered(path, answer.status_code, events)
            return answer

        return Route(path, endpoint, methods=["POST"])

    def _through(self, door: Door) -> Callable[[Request], Awaitable[_Done]]:
        kinds = [JSON, CLOUD_EVENT] if door.dialect is Dialect.CANONICAL else [JSON]

        async def take(request: Request) -> _Done:
            token = self._admit(request)
            source = None if door.sources is None else _source(door.sources, request, token)
            kind = kind_of(request, *kinds)
            raw = await body_of(request, longest=self.intake.rules.max_event_bytes)
            taken = self.intake.take(offer_of(request, kind, raw, door.dialect, source))
            if isinstance(taken, tuple):
                found = [told(violation) for violation in taken]
                raise ProblemError(422, "this can't be taken as an event", found)
            _demand_own([taken], token)
            await deliver(self._channel, [taken])
            return _Done(door.acknowledge(taken), 1)

        return take

    async def _take_batch(self, request: Request) -> _Done:
        """Take events of ours, all or none."""
        token = self._admit(request)
        kind = kind_of(request, NDJSON, JSON)
        for name in (IDEMPOTENCY_KEY, ID_HEADER):
            if name in request.headers:
                raise ProblemError(422, f"{name} is one id, and a batch has many events")
        raw = await body_of(request, longest=self._batch_bytes)
        headers, postings, wrong = passed_on(request), [], []
        for number, value in enumerate(events_of(raw, kind)):
            taken = self.intake.take(Offer(value, Dialect.CANONICAL, headers=headers))
            if isinstance(taken, tuple):
                wrong += [{"event": number, **told(violation)} for violation in taken]
            else:
                postings.append(taken)
        if wrong:
            raise ProblemError(422, "not all can be taken as events: none of them is", wrong)
        _demand_own(postings, token)
        await deliver(self._channel, postings)
        return _Done(answers.batch(postings), len(postings))

    def _admit(self, request: Request) -> Token:
        token = demand(self._tokens, request)
        if token.role != "producer":
            raise ProblemError(403, "this token may send no events: a producer's may")
        return token


def build_gateway(
    gateway: Gateway, *, mint: Callable[[], str], follow: Callable[[], Intake] | None
) -> Starlette:
    """Return what answers requests.

    Args:
        gateway: takes events.
        mint: makes ids of requests.
        follow: returns an intake by the definitions in force now; None: they never change.
    """

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        following = asyncio.create_task(keep_up(gateway, follow)) if follow is not None else None
        yield
        if following is not None:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following
        await asyncio.to_thread(gateway.close)

    return Starlette(
        routes=gateway.routes(mint),
        lifespan=lifespan,
        exception_handlers={HTTPException: gateway.refuse, Exception: gateway.refuse},
    )


async def keep_up(
    gateway: Gateway,
    follow: Callable[[], Intake],
    pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """Take events by what is defined: an event that was just defined has a key soon."""
    while True:
        await pause(FOLLOW_S)
        try:
            gateway.intake = await asyncio.to_thread(follow)
        except LoyaltyStreamError as error:
            gateway.not_followed(error)


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
