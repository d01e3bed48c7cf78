"""The gateway is what its OpenAPI document says, whatever is sent."""

from html import unescape
from typing import Any

import pytest
from schemathesis import Case
from schemathesis.specs.openapi.checks import positive_data_acceptance
from starlette.routing import Route

from tests.gateway.conftest import Counter
from tests.openapi import described

COUNTER = Counter()
SCHEMA = described(COUNTER.app, COUNTER.tokens["till"])
OPEN = {"/openapi.json", "/docs"}


@SCHEMA.parametrize()
def test_every_answer_is_documented(case: Case[Any]) -> None:
    """No request makes it fail, and each answer has a status and a body that the document has."""
    answer = case.call()
    case.validate_response(
        answer, excluded_checks=[positive_data_acceptance] if beyond(case) else []
    )


def beyond(case: Case[Any]) -> bool:
    """Say whether a schema can't say why a request is refused: it has more than one id."""
    given = {name.lower(): value for name, value in (case.headers or {}).items()}
    ids = {given[name] for name in ("idempotency-key", "x-event-id") if name in given}
    body = case.body if isinstance(case.body, dict) else {}
    for part in (body, body.get("data")):
        if isinstance(part, dict):
            ids |= {part[name] for name in ("eventId", "id") if isinstance(part.get(name), str)}
    return len(ids) > 1 or (case.path == "/events/batch" and isinstance(case.body, str))


def test_every_route_is_documented() -> None:
    """The document has every route with its method, and no other."""
    routes = {
        (route.path.replace(":path}", "}"), method)
        for route in COUNTER.app.routes
        if isinstance(route, Route) and route.path not in OPEN
        for method in (route.methods or set()) - {"HEAD"}
    }
    paths = COUNTER.client.get("/openapi.json").json()["paths"]
    assert {(path, method.upper()) for path in paths for method in paths[path]} == routes


def test_the_page_has_every_route_and_answer() -> None:
    """People read what programs read, and the page fetches nothing from elsewhere."""
    shown = COUNTER.client.get("/docs")
    assert shown.headers["content-type"].startswith("text/html")
    paths = COUNTER.client.get("/openapi.json").json()["paths"]
    for path, methods in paths.items():
        for method, operation in methods.items():
            assert f"<code>{method.upper()} {path}</code>" in shown.text
            for answer in operation["responses"].values():
                assert answer["description"] in unescape(shown.text)
    assert "http" not in shown.text


@pytest.mark.parametrize("path", sorted(OPEN))
def test_the_description_is_open_to_everybody(path: str) -> None:
    """Whoever writes a producer has no token yet."""
    assert COUNTER.client.get(path).status_code == 200
