"""What all routes have in common: who is let in, and every failure as a problem. Does I/O: HTTP."""

from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from typing import Final, NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from loyaltystream.errors import LoyaltyStreamError
from loyaltystream.gateway.answers import ProblemError, problem
from loyaltystream.gateway.channel import FullError, TooLargeError
from loyaltystream.gateway.watch import Watch
from loyaltystream.web.answers import RefusedError
from loyaltystream.web.requests import demand
from loyaltystream.web.tokens import Token, Tokens

_OTHER: Final = "other"


class Done(NamedTuple):
    """An answer, and how many events it acknowledges."""

    answer: Response
    events: int = 0


Take = Callable[[Request], Awaitable[Done]]


class Front:
    """Lets in whose token may, and answers whatever ends a request.

    Args:
        tokens: who may come in.
        watch: told what was answered.

    Attributes:
        watch: likewise.
    """

    def __init__(self, tokens: Tokens, watch: Watch) -> None:
        self._tokens = tokens
        self.watch = watch

    def admit(self, request: Request) -> Token:
        """Return whose request that is.

        Raises:
            RefusedError: if it has no token that somebody has.
            ProblemError: 403, if that is not a producer's.
        """
        token = demand(self._tokens, request)
        if token.role != "producer":
            raise ProblemError(403, "this token may send no events: a producer's may")
        return token

    def route(self, method: str, path: str, take: Take) -> Route:
        """Return a route whose every answer is counted, and every failure a problem."""
        return Route(path, _Endpoint(self, path.replace(":path}", "}"), take), methods=[method])

    async def refuse(self, _request: Request, error: Exception) -> Response:
        """Answer where no route is."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        self.watch.answered(_OTHER, status, 0)
        answer = problem(status, "/docs has all routes")
        if isinstance(error, HTTPException):
            answer.headers.update(error.headers or {})
        return answer

    def failed(self, error: Exception) -> Response:
        """Return what is answered behind a failure."""
        match error:
            case ProblemError():
                return error.answer()
            case RefusedError():
                return problem(401, str(error))
            case ClientDisconnect():
                return problem(400, "the body has no end")
            case FullError():
                return problem(429, str(error))
            case TooLargeError():
                return problem(413, str(error))
        self.watch.not_written(str(error))
        return problem(503, "not known to be written: send it again, under the same id")


class _Request(Request):
    """A request whose headers are a plain dictionary: the framework's looks through all for each.

    Of a header that came twice the first counts, as the framework has it.
    """

    @cached_property
    def headers(self) -> Mapping[str, str]:  # type: ignore[override]  # all that is asked of them
        raw = reversed(self.scope["headers"])
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in raw}


class _Endpoint:
    """Answers the requests of one route.

    Attributes:
        label: the route's path, without what differs from request to request.
    """

    def __init__(self, front: Front, label: str, take: Take) -> None:
        self._front = front
        self.label = label
        self._take = take

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        events = 0
        try:
            answer, events = await self._take(_Request(scope, receive, send))
        except (ProblemError, RefusedError, ClientDisconnect, LoyaltyStreamError) as error:
            answer = self._front.failed(error)
        self._front.watch.answered(self.label, answer.status_code, events)
        await answer(scope, receive, send)
