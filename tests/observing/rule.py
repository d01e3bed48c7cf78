"""What an alert and a recording rule are, and how Prometheus reads them. Pure.

A rule file is YAML, which every JSON string is part of: nothing here needs a library for it.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

RUNBOOK: Final = "docs/runbook.md"
HEAD: Final = "# Written by `make dashboards` from tests/observing; change it there."


class Recording(msgspec.Struct, frozen=True):
    """A series that is computed once for all who ask for it."""

    name: str
    expr: str


class Alert(msgspec.Struct, frozen=True):
    """A symptom that a person must act on.

    Attributes:
        expr: has a sample for whatever is wrong.
        wait: for how long that must be so, as Prometheus writes durations.
        severity: `critical`: at any hour; `warning`: on the next working day.
        summary: one line.
        description: what is wrong, with its value, and what it means.
    """

    name: str
    expr: str
    wait: str
    severity: str
    summary: str
    description: str

    @property
    def section(self) -> str:
        """Where the runbook says what to do."""
        return f"{RUNBOOK}#{self.name.lower()}"


def write_group(name: str, rules: Iterable[Recording | Alert]) -> str:
    """Return the file of one group of rules."""
    lines = [HEAD, "groups:", f"  - name: {name}", "    rules:"]
    for rule in rules:
        lines += _recording(rule) if isinstance(rule, Recording) else _alert(rule)
    return "\n".join(lines) + "\n"


def _recording(rule: Recording) -> Iterator[str]:
    yield f"      - record: {rule.name}"
    yield from _expr(rule.expr)


def _alert(rule: Alert) -> Iterator[str]:
    yield f"      - alert: {rule.name}"
    yield from _expr(rule.expr)
    yield f"        for: {rule.wait}"
    yield "        labels:"
    yield f"          severity: {rule.severity}"
    yield "        annotations:"
    yield f"          summary: {json.dumps(rule.summary)}"
    yield f"          description: {json.dumps(rule.description)}"
    yield f"          runbook: {json.dumps(rule.section)}"


def _expr(expr: str) -> Iterator[str]:
    yield "        expr: |-"
    yield from (f"          {line}" for line in expr.strip().splitlines())
