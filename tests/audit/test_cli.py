"""What `loyaltystream audit` shows of its findings."""

import io

from rich.console import Console

from loyaltystream.audit import Fault, Findings, Notice
from loyaltystream.audit.findings import EXPLANATIONS
from loyaltystream.cli.audit import render
from tests.audit.world import busy
from tests.core import TOPICS


def shown(findings: Findings) -> str:
    """Return the text that a wide terminal shows."""
    text = io.StringIO()
    Console(file=text, width=220).print(render(findings))
    return text.getvalue()


def test_an_exact_log_is_said_to_be_exact() -> None:
    """The result is one sentence, under the recount of every partition."""
    text = shown(busy().audit())
    assert "exact: " in text
    assert "not exact" not in text
    assert all(verdict in text for verdict in ("accepted", "rekeyed", "tombstone"))


def test_every_fault_is_shown_with_its_place() -> None:
    """A fault is shown by name, with its record, its event and what it means."""
    world = busy()
    lost = world.log.all(TOPICS.emf)[0]
    world.log.delete(TOPICS.emf, lost)
    findings = world.audit()
    text = shown(findings)
    assert "not exact: 1 faults" in text
    assert Fault.MISSING in text
    assert str(findings.details[0].place) in text
    assert str(findings.details[0].event_id) in text


def test_every_kind_of_finding_is_explained() -> None:
    """Whoever sees a finding is told what it means."""
    assert EXPLANATIONS.keys() == {*Fault, *Notice}
