"""Every row and code of the vendor's two documents, and every code of ours, asked in process."""

import re
from pathlib import Path
from typing import Any

import pytest

from loyaltystream.definitions.limits import VENDOR
from tests.web.conftest import Office
from tests.web.golden import ROWS, Case, Request, cases, check

CASES = dict(cases())
SHOWN = {row for case in CASES.values() for row in case.shows}
ELSEWHERE = {"UNAVAILABLE"}
"""Shown by `test_while_the_broker_is_away_nothing_changes`."""

PAGE = (Path(__file__).parent.parent.parent / "docs" / "definitions.md").read_text()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_request_has_its_documented_answer(case: Case) -> None:
    """Status and body are those of the golden case, and what it stored can be looked at."""
    office = Office(VENDOR if case.profile == "vendor" else None)

    def ask(request: Request) -> tuple[int, Any]:
        names = {"editor": "owner", "viewer": "looker"}
        headers = {"content-type": "application/json"}
        if request.by is not None:
            headers["x-cap-api-oauth-token"] = office.tokens[names[request.by]]
        answer = office.client.request(
            request.method, request.path, content=request.content, headers=headers
        )
        return answer.status_code, answer.json()

    check(case, 1800, ask)


@pytest.mark.parametrize("document", ROWS["documents"])
def test_every_row_of_a_document_is_shown(document: str) -> None:
    """Each parameter of the documents' tables, and each of its values, has a case."""
    rows = ROWS["documents"][document]
    assert len(rows) == len({*rows})
    assert [row for row in rows if f"{document}/{row}" not in SHOWN] == []


def test_every_trigger_of_a_code_is_shown() -> None:
    """Each of the vendor's codes has a case for everything that it is answered to."""
    triggers = [f"{code}/{trigger}" for code, found in ROWS["codes"].items() for trigger in found]
    assert [trigger for trigger in triggers if trigger not in SHOWN] == []


def test_every_code_in_the_documentation_is_shown() -> None:
    """Each code that the page names has a case with that code in its answer."""
    rows = re.findall(r"^\| ([^|]+) \| 4\d\d", PAGE, re.MULTILINE)
    rows += re.findall(r"^\| ([^|]+) \| 5\d\d", PAGE, re.MULTILINE)
    named = {code for row in rows for code in re.findall(r"[A-Z][A-Z_]+|18\d\d", row)}
    assert len(named) > 20
    assert named - ELSEWHERE - answered() == set()


def answered() -> set[str]:
    """Return all codes in the answers of cases."""
    codes = {str(code) for case in CASES.values() for code in case.answer.codes}
    bodies = [case.answer.body for case in CASES.values() if case.answer.body is not None]
    return codes | {str(error["code"]) for body in bodies for error in body["errors"]}


def test_no_case_shows_what_there_is_not() -> None:
    """Whatever a case says that it shows is a row, a trigger or a code."""
    known = {f"{document}/{row}" for document, rows in ROWS["documents"].items() for row in rows}
    known |= {f"{code}/{trigger}" for code, found in ROWS["codes"].items() for trigger in found}
    assert SHOWN - known - answered() - {"LIMIT_EXCEEDED"} == set()
