"""What an import leaves behind: an exact log, a story to be told, and letters that come back."""

from typing import Any, Final

import msgspec
import pytest

from loyaltystream.audit import Findings
from loyaltystream.events import Import, Record, Waiver
from loyaltystream.pipeline import Ingest
from loyaltystream.topology import Output
from loyaltystream.verdicts import Verdict
from loyaltystream.why.screen import render
from tests.audit.world import PARTITIONS, home_of, viewed
from tests.backfill.test_claim import CLAIM, DAY_MS
from tests.core import NOW_MS, TOPICS, header, ingest, raw
from tests.letters.town import PATCH, desk_of, letters_of, replay
from tests.why.test_screen import answer, shown
from tests.why.test_why import id_of
from tests.why.world import IMPORTS, Town, bought, lively

QUIET: Final = msgspec.structs.replace(CLAIM, import_id="quiet", quiet=True)


def bring(
    town: Town, value: dict[str, Any], *, claim: Import = CLAIM, astray: int = 0, age: int = 900
) -> Record:
    """Have an import bring an event of so many days ago."""
    body = raw(value | {"occurredAt": NOW_MS - age * DAY_MS})
    home = home_of(value["customer"]["identifiers"][0]["value"])
    return town.send(body, (home + astray) % PARTITIONS, headers=IMPORTS.headers(claim, body))


def settle(town: Town) -> Town:
    """Let both stages work until nothing is left."""
    town.run()
    town.notify()
    return town


def audited(town: Town) -> Findings:
    """Return what an audit of both stages finds."""

    def derive(records: Any) -> list[Output]:
        plan = town.notifier.plan(records, definitions=town.definitions, generation=0)
        return plan.outputs

    return town.audit(derive)


def test_an_audit_judges_imports_again() -> None:
    """Old and new, astray, quiet, resent, behind the claim and beyond it: the log is exact."""
    town = lively()
    for number in range(200, 212):
        bring(town, viewed(number, number % 12), astray=number % 3)
    bring(town, viewed(200, 200 % 12))
    bring(town, bought(220), claim=QUIET)
    bring(town, bought(221))
    bring(town, viewed(222), claim=Import("old", NOW_MS - 1000 * DAY_MS, CLAIM.before_ms, NOW_MS))
    settle(town)
    town.now_ms = CLAIM.before_ms
    bring(town, viewed(223))
    findings = audited(settle(town))
    assert findings.exact, findings.to_json()
    late = [one for one in letters_of(town, verdict="late") if one.event_id == id_of(223)]
    assert len(late) == 1
    routed = [record for record in town.log.all(TOPICS.emf) if record.header("import-id")]
    assert len(routed) == 14


def test_an_import_notifies_unless_it_is_quiet() -> None:
    """Notifications of history name their import; a quiet one has none."""
    town = Town()
    bring(town, bought(1, basket={"count": 1}))
    bring(town, bought(2, basket={"count": 1}), claim=QUIET)
    settle(town)
    [made] = town.log.all(TOPICS.notifications)
    assert made.header("import-id") == b"tills-2019"
    assert made.header("import-quiet") is None
    assert audited(town).exact


class Lavish(Town):
    """A town whose worker believes an import for ever."""

    def __init__(self) -> None:
        super().__init__()
        honest = self.rules

        def believe(record: Record) -> Waiver | None:
            waiver = honest.waiver_of(record)
            if waiver is None or waiver.imported is None:
                return waiver
            claim = msgspec.structs.replace(waiver.imported, until_ms=2**62, before_ms=2**62)
            return msgspec.structs.replace(waiver, imported=claim)

        lavish = msgspec.structs.replace(honest, waiver_of=believe)
        self._ingest: Ingest = ingest(lavish, PARTITIONS)


@pytest.mark.parametrize("beyond", ["its end", "its moment"])
def test_an_audit_finds_a_worker_that_believes_too_much(beyond: str) -> None:
    """An event that was accepted beyond what its import claims is no exact log."""
    town = Lavish()
    if beyond == "its end":
        town.now_ms = CLAIM.before_ms
    bring(town, viewed(1), claim=Import("old", NOW_MS - 1000 * DAY_MS, CLAIM.before_ms, NOW_MS))
    assert not audited(settle(town)).exact


def test_why_names_the_import() -> None:
    """An event that came as history says so, late as it is, and a resend of it as well."""
    town = Town()
    bring(town, viewed(1))
    bring(town, viewed(1), astray=1)
    settle(town)
    first, second = answer(town, 1).arrivals
    assert (first.verdict, first.import_id, first.late) == (Verdict.ACCEPTED, "tills-2019", True)
    assert (second.verdict, second.import_id) == (Verdict.DUPLICATE, "tills-2019")
    text = shown(render(answer(town, 1)))
    assert "as history, by import tills-2019" in text
    assert "late, which its import spares it" in text


def test_a_routed_record_names_its_import_when_nothing_else_is_left() -> None:
    """Behind the retention of the ingest topic, the routed record still tells."""
    town = Town()
    brought = bring(town, viewed(1))
    settle(town)
    town.log.cut(TOPICS.ingest, brought.partition, brought.offset + 1)
    [arrival] = answer(town, 1).arrivals
    assert arrival.import_id == "tills-2019"


def test_a_claim_of_a_stranger_is_not_told() -> None:
    """Whoever writes such headers is not believed by `why` either."""
    town = Town()
    value = viewed(1, occurredAt=NOW_MS)
    headers = [("import-id", b"tills-2019"), ("import-mac", b"0" * 64)]
    town.send(raw(value), home_of(value["customer"]["identifiers"][0]["value"]), headers=headers)
    settle(town)
    [arrival] = answer(town, 1).arrivals
    assert arrival.import_id is None


def test_a_mended_event_is_still_one_of_its_import() -> None:
    """Repaired and replayed it is as old as it was, and its claim is signed for what it is now."""
    town = Town()
    bring(town, viewed(1, fields={"price": 1}))
    settle(town)
    [letter] = letters_of(town, event_id=id_of(1))
    desk = desk_of(town)
    desk.repair(desk.sort([letter], PATCH).resent, PATCH)
    [resent] = replay(town, desk_of(town), [letter])
    assert header(resent.output, "import-id") == "tills-2019"
    assert IMPORTS.import_of(resent.output.headers, resent.output.value) == CLAIM
    before, after = answer(town, 1).arrivals
    assert (before.verdict, before.import_id) == (Verdict.REJECTED, "tills-2019")
    assert (after.verdict, after.import_id, after.late) == (Verdict.ACCEPTED, "tills-2019", True)
    assert audited(settle(town)).exact
