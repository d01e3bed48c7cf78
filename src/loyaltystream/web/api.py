"""The definitions service: the vendor's Create Event API and what belongs to it. Does I/O: HTTP.

Every route asks for a token and works on the definitions of its org only. Bodies are read by our
own rules, not by the framework's: their mistakes have the vendor's codes.
"""

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

import msgspec
from fastapi import APIRouter, Depends, FastAPI, Query, Security
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from loyaltystream.definitions.files import MAX_FILE_BYTES
from loyaltystream.definitions.registry import NO_SCHEMA, Definitions
from loyaltystream.definitions.standard import STANDARD_EVENTS
from loyaltystream.dialects.strict_json import parse
from loyaltystream.rules import Rules
from loyaltystream.trying import Trial, try_event
from loyaltystream.verdicts import Verdict
from loyaltystream.web.answers import RefusedError, done, shown
from loyaltystream.web.book import Book
from loyaltystream.web.documents import DEFINITION, EVENT, REFUSALS
from loyaltystream.web.meta import fields_meta
from loyaltystream.web.requests import editor_of, object_of, raw_of, token_of, viewer_of
from loyaltystream.web.tokens import Token, Tokens

State = Annotated[
    Literal["published", "draft"], Query(description="What to store: a draft judges nothing.")
]
Version = Annotated[int | None, Query(ge=1, le=2**31, description="An older version.")]
Draft = Annotated[bool, Query(description="Hold the event against the draft.")]


_BEARER: Final = Security(HTTPBearer(scheme_name="token", auto_error=False))
"""Tells the OpenAPI page that every route wants a token; who it is of, `requests` finds."""


class _Inline(msgspec.Struct):
    """The event of a body that brings its own definition."""

    event: msgspec.Raw = msgspec.Raw(b"")


class Api:
    """The routes.

    Args:
        book: everybody's definitions.
        rules: what a valid event is, for dry runs.
        clock_ms: the time, likewise.
    """

    def __init__(self, book: Book, rules: Rules, clock_ms: Callable[[], int]) -> None:
        self._book = book
        self._rules = rules
        self._clock_ms = clock_ms

    async def create(self, request: Request, state: State = "published") -> JSONResponse:
        """Define a new event; it is in force at once, unless it is a draft."""
        body = object_of(await raw_of(request))
        made = await run_in_threadpool(
            self._book.create, token_of(request), body, draft=state == "draft"
        )
        return done(made.version)

    async def replace(self, request: Request, state: State = "published") -> JSONResponse:
        """Give an event its next version, which may only add; the body is the whole of it."""
        body = object_of(await raw_of(request))
        made = await run_in_threadpool(
            self._book.replace, token_of(request), body, draft=state == "draft"
        )
        return done(made.version)

    def events(self, request: Request, eventName: str | None = None) -> JSONResponse:  # noqa: N803 (the API's word)
        """List all events of the org, disabled ones and drafts included."""
        events = self._book.events(token_of(request))
        return shown([one for one in events if eventName in {None, one["eventName"]}])

    def event(self, request: Request, event_name: str, version: Version = None) -> JSONResponse:
        """Show one event: its last version, or another one."""
        return shown(self._book.event(token_of(request), event_name, version))

    def sample(self, request: Request, event_name: str) -> JSONResponse:
        """Show an event that the definition accepts."""
        sample = self._book.sample(token_of(request), event_name)
        warnings = [f"fields.{name}: fill in what its regex wants" for name in sample.open_fields]
        return shown(dict(sample), warnings)

    def disable(self, request: Request, event_name: str) -> JSONResponse:
        """Reject an event from now on, for good; its name stays taken."""
        return done(self._book.disable(token_of(request), event_name).version)

    def standard(self) -> JSONResponse:
        """List the vendor's standard events, which an org may enable."""
        return shown(list(STANDARD_EVENTS))

    def enable(self, request: Request, event_name: str) -> JSONResponse:
        """Define a standard event for the org."""
        return done(self._book.enable(token_of(request), event_name).version)

    async def validate(self, request: Request, draft: Draft = False) -> JSONResponse:  # noqa: FBT002 (a query)
        """Tell what would become of an event, and everything that is wrong with it.

        The body is the event; or an object of `definition` and `event`, whose definition need not
        be stored. Nothing is written. Whether an event was seen before is not asked.
        """
        raw = await raw_of(request)
        trial = await run_in_threadpool(self._validate, token_of(request), raw, draft=draft)
        return shown(msgspec.to_builtins(trial))

    async def verify(self, request: Request, event_name: str) -> JSONResponse:
        """Try a draft with an event that it has to accept; then it may be published."""
        raw = await raw_of(request)
        trial = await run_in_threadpool(self._verify, token_of(request), event_name, raw)
        return shown(msgspec.to_builtins(trial))

    def publish(self, request: Request, event_name: str) -> JSONResponse:
        """Make the verified draft of an event its next version."""
        return done(self._book.publish(token_of(request), event_name).version)

    def _validate(self, token: Token, raw: bytes, *, draft: bool) -> Trial:
        found = parse(raw, max_bytes=MAX_FILE_BYTES)
        if isinstance(found, dict) and isinstance(found.get("definition"), dict):
            # Its event is judged as it came, not as it would be written again.
            inline = msgspec.json.decode(raw, type=_Inline)
            definition = self._book.read_inline(token, found["definition"])
            return self._run(bytes(inline.event), Definitions([definition], NO_SCHEMA))
        name = found.get("eventName") if isinstance(found, dict) else None
        return self._run(raw, self._defined(token, name, draft=draft))

    def _verify(self, token: Token, event_name: str, raw: bytes) -> Trial:
        definition = self._book.definition(token, event_name, draft=True)
        trial = self._run(raw, Definitions([definition], NO_SCHEMA))
        if trial.verdict == Verdict.ACCEPTED:
            self._book.verify(token, event_name)
        return trial

    def _defined(self, token: Token, name: object, *, draft: bool) -> Definitions:
        """Return what the token's own org has defined under a name; without that, nothing."""
        found = []
        if isinstance(name, str):
            try:
                found = [self._book.definition(token, name, draft=draft)]
            except RefusedError:
                if draft:  # else the verdict tells that there is no such event
                    raise
        return Definitions(found, NO_SCHEMA)

    def _run(self, raw: bytes, definitions: Definitions) -> Trial:
        return try_event(raw, definitions, self._rules, now_ms=self._clock_ms())


def add_routes(app: FastAPI, api: Api, book: Book, tokens: Tokens) -> None:
    """Have all routes served."""
    looking, changing = (
        APIRouter(dependencies=[_BEARER, Depends(admit(tokens))], responses=REFUSALS)
        for admit in (viewer_of, editor_of)
    )

    def meta() -> JSONResponse:
        """Tell of what a definition may consist: actions, types, attributes, defaults."""
        return shown(fields_meta(book.limits))

    one = "/v2/events/{event_name}"
    routes: list[tuple[APIRouter, str, str, Callable[..., Any], dict[str, Any] | None]] = [
        (changing, "POST", "/v2/events", api.create, DEFINITION),
        (changing, "PUT", "/v2/events", api.replace, DEFINITION),
        (looking, "GET", "/v2/events", api.events, None),
        (looking, "GET", "/v2/events/meta", meta, None),
        (looking, "POST", "/v2/events/validate", api.validate, EVENT),
        (looking, "GET", one, api.event, None),
        (looking, "GET", f"{one}/sample", api.sample, None),
        (changing, "POST", f"{one}/verify", api.verify, EVENT),
        (changing, "POST", f"{one}/publish", api.publish, None),
        (changing, "POST", f"{one}/disable", api.disable, None),
        (looking, "GET", "/v2/standardEvents", api.standard, None),
        (changing, "POST", "/v2/standardEvents/{event_name}/enable", api.enable, None),
    ]
    for router, method, path, endpoint, body in routes:
        extra = None if body is None else {"requestBody": body}
        router.add_api_route(path, endpoint, methods=[method], openapi_extra=extra)
    app.include_router(looking)
    app.include_router(changing)
