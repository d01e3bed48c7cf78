"""Each alert on made-up series: when it fires, when it does not, and what it says then."""

import json
import re
from pathlib import Path
from typing import Final

import pytest

from tests.observing.alerts import ALERTS
from tests.observing.prometheus import promtool
from tests.observing.rule import Alert
from tests.observing.scenes import SCENES, Scene
from tests.observing.written import ROOT

RULES: Final = [str(path) for path in sorted((ROOT / "deploy/prometheus/rules").glob("*.yml"))]
RUNBOOK: Final = (ROOT / "docs" / "runbook.md").read_text()


def as_test(scene: Scene) -> dict[str, object]:
    """Return a scene as promtool reads it."""
    expected = [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(scene.fires)]
    return {
        "name": scene.why,
        "interval": "1m",
        "input_series": [
            {"series": name, "values": values} for name, values in scene.series.items()
        ],
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": f"{scene.minutes}m",
                "exp_samples": expected,
            }
        ],
    }


def test_alerts_fire_when_a_person_must_act(tmp_path: Path) -> None:
    """In each scene exactly the alerts fire that it names: those, and no others."""
    file = tmp_path / "scenes.json"
    tests = [as_test(scene) for scene in SCENES]
    asked = {"rule_files": RULES, "evaluation_interval": "1m", "tests": tests}
    file.write_text(json.dumps(asked))
    promtool("test", "rules", str(file))


def test_every_alert_is_seen_to_fire_and_not_to() -> None:
    """Each alert fires in one scene at least, and a scene without any alert is like it."""
    assert {name for scene in SCENES for name in scene.fires} == {alert.name for alert in ALERTS}
    assert sum(not scene.fires for scene in SCENES) >= len(ALERTS) - 2


def test_the_rules_are_rules() -> None:
    """Prometheus takes every file, templates of annotations included."""
    promtool("check", "rules", *RULES)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_every_alert_has_its_section_in_the_runbook(alert: Alert) -> None:
    """Whoever is woken reads what it means, what to look at, what to do, and when it is over."""
    found = re.search(rf"^### {alert.name}\n(.*?)(?=^##|\Z)", RUNBOOK, re.MULTILINE | re.DOTALL)
    assert found is not None, alert.name
    told = re.findall(r"^- \*\*(.+?)\*\*", found[1], re.MULTILINE)
    assert told == ["Means", "Look", "Do", "Over"], alert.name


def test_the_runbook_has_no_section_for_an_alert_that_there_is_not() -> None:
    """Its sections are those of the alerts, in their order."""
    assert re.findall(r"^### (\w+)$", RUNBOOK, re.MULTILINE) == [alert.name for alert in ALERTS]
