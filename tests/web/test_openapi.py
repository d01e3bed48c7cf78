"""The definitions service is what its OpenAPI document says, whatever is sent."""

from typing import Any

from schemathesis import Case

from tests.openapi import described
from tests.web.conftest import Office

OFFICE = Office()
SCHEMA = described(OFFICE.client.app, OFFICE.tokens["owner"], may_refuse=["400", "422"])


@SCHEMA.parametrize()
def test_every_answer_is_documented(case: Case[Any]) -> None:
    """No request makes it fail, and each answer has a status and a body that the document has."""
    case.call_and_validate()
