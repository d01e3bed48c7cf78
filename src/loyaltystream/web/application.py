"""Puts the service together, and serves it. Does I/O: HTTP."""

import signal
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Final

import uvicorn
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import compile_path
from starlette.types import ASGIApp

from loyaltystream.definitions.problem import Problem
from loyaltystream.errors import LoyaltyStreamError
from loyaltystream.foresight import Foresight
from loyaltystream.telemetry import log_events
from loyaltystream.telemetry.seldom import Seldom
from loyaltystream.web.answers import UNAVAILABLE, RefusedError, refused, refused_body
from loyaltystream.web.api import Api, add_routes
from loyaltystream.web.book import Book
from loyaltystream.web.outlooks import ORGS_AT_ONCE, REST_S, Outlooks
from loyaltystream.web.tokens import Tokens
from loyaltystream.web.turnstile import Turnstile

GRACE_S: Final = 10


def build_application(
    book: Book,
    tokens: Tokens,
    *,
    foresight: Foresight,
    clock_ms: Callable[[], int] = lambda: int(time.time() * 1000),
    turnstile: Turnstile | None = None,
) -> FastAPI:
    """Return the definitions service.

    Args:
        book: everybody's definitions.
        tokens: who may ask.
        foresight: reads what was judged, for a what-if; its rules are those of dry runs.
        clock_ms: the time, likewise.
        turnstile: lets orgs pass to what costs much.
    """
    app = FastAPI(
        title="loyaltystream definitions",
        description="Every call needs a token of the org, as header `X-CAP-API-OAUTH-TOKEN` or as "
        "`Authorization: Bearer`.",
        redoc_url=None,
    )
    outlooks = Outlooks(book, foresight, clock_ms, turnstile or Turnstile(ORGS_AT_ONCE, REST_S))
    add_routes(app, Api(book, foresight.rules, outlooks, clock_ms), book, tokens)
    app.add_exception_handler(RefusedError, _answer_refused)
    app.add_exception_handler(RequestValidationError, _answer_parameter)
    app.add_exception_handler(HTTPException, _answer_path)
    app.add_exception_handler(LoyaltyStreamError, _answer_away(Seldom()))
    return app


def serve(
    app: ASGIApp, host: str, port: int, *, grace_s: int = GRACE_S, connections: int | None = None
) -> None:
    """Serve until SIGTERM or SIGINT; requests that were begun are finished.

    Args:
        app: what answers.
        host: the address.
        port: its port.
        grace_s: how long what was begun is waited for.
        connections: how many there may be at once; the next is answered 503.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        # The server raises the signal once more when it has finished.
        signal.signal(number, lambda _number, _frame: sys.exit(0))
    uvicorn.run(
        app,
        host=host,
        port=port,
        # It bounds headers, at 64 KiB; the quicker one, taken where it is installed, does not.
        http="h11",
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=grace_s,
        limit_concurrency=connections,
    )


async def _answer_refused(_request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, RefusedError):
        return refused(error.problems, error.retry_after_s)
    raise error


async def _answer_parameter(_request: Request, error: Exception) -> JSONResponse:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    return refused(
        [Problem("PARAMETER", f"{'.'.join(map(str, one['loc']))}: {one['msg']}") for one in found]
    )


async def _answer_path(request: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = str(error.detail) if isinstance(error, HTTPException) else "a fault of ours"
    problem = Problem(detail.upper().replace(" ", "_"), f"{detail}; /docs shows all paths")
    headers = {"Allow": ", ".join(_methods_at(request))} if status == 405 else None
    return JSONResponse(refused_body([problem]), status, headers=headers)


def _methods_at(request: Request) -> list[str]:
    """Return every method that a path has: it may have several routes, and each knows its own."""
    documented, path = request.app.openapi()["paths"], request.url.path
    # A path that is spelled out there is the one that is meant, as OpenAPI has it.
    found = [path] if path in documented else [one for one in documented if _is_at(one, path)]
    return sorted({method.upper() for one in found for method in documented[one]})


def _is_at(template: str, path: str) -> bool:
    return compile_path(template)[0].match(path) is not None


def _answer_away(seldom: Seldom) -> Callable[[Request, Exception], Awaitable[JSONResponse]]:
    async def answer(_request: Request, error: Exception) -> JSONResponse:
        if seldom.take():
            log_events.requests_refused(why=str(error))
        return refused([Problem(UNAVAILABLE, "the broker is away; try again in a while")])

    return answer
