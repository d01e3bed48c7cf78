"""A request in, who asks and what it brings out; or what ends it. Does I/O: reads the request."""

from collections.abc import Callable
from typing import Annotated, Any, Final

import msgspec
from starlette.requests import Request

from loyaltystream.definitions.files import MAX_FILE_BYTES
from loyaltystream.definitions.problem import Problem
from loyaltystream.dialects.strict_json import parse
from loyaltystream.verdicts import Reason, Violation
from loyaltystream.web.answers import FORBIDDEN, TOO_LARGE, UNAUTHORIZED, RefusedError, refusal
from loyaltystream.web.tokens import Token, Tokens

TOKEN_HEADER: Final = "x-cap-api-oauth-token"  # noqa: S105 (a header's name)
MAX_APPLIED_BYTES: Final = 16 * MAX_FILE_BYTES
_SCHEME: Final = "bearer "


class _Several(msgspec.Struct, forbid_unknown_fields=True):
    """Several definitions; each is looked into by our own rules."""

    definitions: Annotated[list[msgspec.Raw], msgspec.Meta(min_length=1)]


def viewer_of(tokens: Tokens) -> Callable[[Request], None]:
    """Return what lets requests pass whose token may look, and notes whose it is."""

    def admit(request: Request) -> None:
        token = demand(tokens, request)
        if token.role == "producer":
            raise refusal(FORBIDDEN, "this token may send events, and see nothing")
        request.state.token = token

    return admit


def editor_of(tokens: Tokens) -> Callable[[Request], None]:
    """Return what lets requests pass whose token may change definitions."""

    def admit(request: Request) -> None:
        token = demand(tokens, request)
        if token.role != "editor":
            raise refusal(FORBIDDEN, "this token may look, and change nothing: an editor's may")
        request.state.token = token

    return admit


def token_of(request: Request) -> Token:
    """Return whose request that is; it was let pass."""
    token: Token = request.state.token
    return token


async def raw_of(request: Request, longest: int = MAX_FILE_BYTES) -> bytes:
    """Return the body, of which no more is read than is allowed."""
    raw = await read_within(request, longest)
    if raw is None:
        raise refusal(TOO_LARGE, f"more than {longest} bytes")
    return raw


async def read_within(request: Request, longest: int) -> bytes | None:
    """Return the body, or None as soon as it is longer than so many bytes."""
    parts, size = [], 0
    async for part in request.stream():
        parts.append(part)
        size += len(part)
        if size > longest:
            return None
    return b"".join(parts)


def object_of(raw: bytes) -> dict[str, Any]:
    """Return the JSON object in a body."""
    found = parse(raw, max_bytes=MAX_FILE_BYTES)
    if isinstance(found, Violation):
        raise refusal(found.reason.value, found.detail)
    return found


def definitions_of(raw: bytes) -> list[dict[str, Any]]:
    """Return the definitions in a body, each read as a body of its own."""
    try:
        several = msgspec.json.decode(raw, type=_Several)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise refusal(Reason.JSON_SYNTAX.value, f"not a list `definitions`: {error}") from error
    found = [parse(bytes(one), max_bytes=MAX_FILE_BYTES) for one in several.definitions]
    problems = [
        Problem(one.reason.value, one.detail, f"definitions[{position}]")
        for position, one in enumerate(found)
        if isinstance(one, Violation)
    ]
    if problems:
        raise RefusedError(problems)
    return [one for one in found if not isinstance(one, Violation)]


def demand(tokens: Tokens, request: Request) -> Token:
    """Return whose token a request has.

    Raises:
        RefusedError: if it has none that somebody has.
    """
    said = request.headers.get(TOKEN_HEADER)
    if said is None:
        authorization = request.headers.get("authorization", "")
        if authorization[: len(_SCHEME)].lower() == _SCHEME:
            said = authorization[len(_SCHEME) :].strip()
    token = tokens.find(said) if said else None
    if token is None:
        raise refusal(UNAUTHORIZED, "a token of the org is needed, as header x-cap-api-oauth-token")
    return token
