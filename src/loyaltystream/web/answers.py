"""What the service says, in the vendor's form: problems in, status and body out. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from starlette.responses import JSONResponse

from loyaltystream.definitions.applying import Applied
from loyaltystream.definitions.changing import (
    DISABLED,
    LIMIT_EXCEEDED,
    NO_DRAFT,
    NOT_ADDITIVE,
    NOT_FOUND,
    NOT_VERIFIED,
)
from loyaltystream.definitions.problem import Problem

UNAUTHORIZED: Final = "UNAUTHORIZED"
FORBIDDEN: Final = "FORBIDDEN"
TOO_LARGE: Final = "SIZE"
BUSY: Final = "BUSY"
REFUSED: Final = "REFUSED"
UNAVAILABLE: Final = "UNAVAILABLE"

STATUSES: Final[dict[int | str, int]] = {
    UNAUTHORIZED: 401,
    FORBIDDEN: 403,
    NOT_FOUND: 404,
    NOT_ADDITIVE: 409,
    REFUSED: 409,
    DISABLED: 409,
    NO_DRAFT: 409,
    NOT_VERIFIED: 409,
    TOO_LARGE: 413,
    LIMIT_EXCEEDED: 422,
    BUSY: 429,
    UNAVAILABLE: 503,
}
"""Of every other code: 400."""

_HEADERS: Final = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "5"}}


class RefusedError(Exception):
    """Ends a request: what is wrong with it, and when it may be tried again."""

    def __init__(self, problems: Sequence[Problem], retry_after_s: int | None = None) -> None:
        super().__init__(problems[0].message)
        self.problems = problems
        self.retry_after_s = retry_after_s


def refusal(code: int | str, message: str, *, retry_after_s: int | None = None) -> RefusedError:
    """Return what ends a request for one reason."""
    return RefusedError([Problem(code, message)], retry_after_s)


def done(version: int | None = None) -> JSONResponse:
    """Return the vendor's body of a success."""
    headers = None if version is None else {"x-definition-version": str(version)}
    return JSONResponse({"warnings": [], "errors": []}, headers=headers)


def shown(content: object, warnings: Sequence[str] = ()) -> JSONResponse:
    """Return what was asked for."""
    return JSONResponse({"data": content, "warnings": list(warnings), "errors": []})


def stepped(applied: Applied) -> JSONResponse:
    """Return what became of each definition; refused ones stand among the errors as well."""
    steps = msgspec.to_builtins(applied.steps)
    if not applied.refused:
        return shown(steps)
    problems = [
        Problem(REFUSED, f"{step.event_name}: {text}")
        for step in applied.refused
        for text in step.told
    ]
    return JSONResponse({"data": steps, **refused_body(problems)}, STATUSES[REFUSED])


def refused(problems: Sequence[Problem], retry_after_s: int | None = None) -> JSONResponse:
    """Return the vendor's body of a failure, with every problem."""
    status = STATUSES.get(problems[0].code, 400)
    headers = dict(_HEADERS.get(status, {}))
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    return JSONResponse(refused_body(problems), status, headers=headers)


def refused_body(problems: Sequence[Problem]) -> Mapping[str, Any]:
    """Return the body itself."""
    return {"errors": [_error(problem) for problem in problems], "warnings": []}


def _error(problem: Problem) -> Mapping[str, Any]:
    error = {"status": False, "code": problem.code, "message": problem.message}
    return error if problem.field is None else error | {"field": problem.field}
