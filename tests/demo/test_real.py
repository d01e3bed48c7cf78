"""The demo itself, small, on a real Kafka and registry."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from loyaltystream.auditing import build_audit
from loyaltystream.demo.run import Options, run
from loyaltystream.settings import PlatformSettings, Settings, load
from loyaltystream.story import Recipe

pytestmark = pytest.mark.broker


def test_the_demo_is_exact_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """A small demo kills a worker, is audited as exact, and stops whatever it started."""
    platform = PlatformSettings(
        directory=tmp_path / "platform",
        cache=load().platform.cache,
        kafka_port=0,
        registry_port=0,
    )
    settings = Settings().model_copy(update={"platform": platform})
    text = io.StringIO()
    options = Options(Recipe(events=2_000), per_second=500)
    exact = run(
        settings,
        options,
        Console(file=text, width=200),
        build_audit=lambda ours: build_audit(ours).run,
    )
    told = text.getvalue()
    assert exact, told
    for said in ("SIGKILL", "is back", "every event has its verdict", "EXACT", "A dead letter"):
        assert said in told
    assert told.count('"eventId": ') >= 3
    assert list((tmp_path / "demo").iterdir()) == []
