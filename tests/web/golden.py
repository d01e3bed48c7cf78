"""Golden requests to the definitions service: what is sent, what is answered, and what that shows.

A file of `cases/` has a list of them. A case has `why`; `shows`, rows of the documents 000 and 001
and codes; the `request`, after those of `before`, which succeed; the `answer`, whole or its codes;
and `then`, what an event holds afterwards. ORG in an answer is the org that asked.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

FOLDER: Final = Path(__file__).parent / "cases"
ROWS: Final[dict[str, Any]] = json.loads((Path(__file__).parent / "rows.json").read_text())
"""The rows of the documents' tables and the triggers of their codes, in words of ours."""


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One request.

    Attributes:
        body: sent as JSON, with a description of `padding` characters if that is not 0.
        text: sent as it is.
        by: whose token is shown: an editor's, a viewer's, or none.
    """

    method: str
    path: str
    body: Any = msgspec.UNSET
    text: str | None = None
    padding: int = 0
    by: str | None = "editor"

    @property
    def content(self) -> bytes | None:
        """The bytes of the body, if there is one."""
        if self.text is not None:
            return self.text.encode()
        if self.body is msgspec.UNSET:
            return None
        padded = {"description": "x" * self.padding} if self.padding else {}
        return json.dumps(self.body | padded).encode()


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An answer: its whole body, or the codes in it."""

    status: int
    body: Any = None
    codes: list[int | str] = []


class Holds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is shown of an event."""

    path: str
    holds: dict[str, Any]


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One golden request."""

    why: str
    shows: list[str]
    request: Request
    answer: Expected
    before: list[Request] = []
    then: Holds | None = None
    profile: str = "extended"


Ask = Callable[[Request], tuple[int, Any]]
"""Sends a request of one org; returns status and body of the answer."""


def cases() -> Iterator[tuple[str, Case]]:
    """Yield all cases, each with a name."""
    for file in sorted(FOLDER.glob("*.json")):
        found = msgspec.json.decode(file.read_bytes(), type=list[Case])
        yield from ((f"{file.stem}-{number}", case) for number, case in enumerate(found, 1))


def check(case: Case, org: int, ask: Ask) -> None:
    """Send a case's requests, and hold the answers against what it says."""
    for request in case.before:
        assert ask(request)[0] == 200, (case.why, request)
    status, body = ask(case.request)
    assert status == case.answer.status, (case.why, body)
    if case.answer.codes:
        assert [error["code"] for error in body["errors"]] == case.answer.codes, case.why
    else:
        assert body == _of(org, case.answer.body), case.why
    if case.then is not None:
        status, body = ask(Request("GET", case.then.path))
        assert status == 200, case.why
        held: Mapping[str, Any] = body["data"]
        assert {name: held.get(name) for name in case.then.holds} == case.then.holds, case.why


def _of(org: int, body: Any) -> Any:
    return json.loads(json.dumps(body).replace('"ORG"', str(org)))
