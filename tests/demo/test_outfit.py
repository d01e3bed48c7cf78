"""The settings that a run has of its own."""

import os
from pathlib import Path

import pytest

from loyaltystream.demo.outfit import outfit, run_name, to_toml, topics_of
from loyaltystream.platform.local import Addresses
from loyaltystream.settings import ENVIRONMENT_PREFIX, Settings, load

ADDRESSES = Addresses("127.0.0.1:21000", "http://127.0.0.1:27000/apis/ccompat/v7")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(ENVIRONMENT_PREFIX):
            monkeypatch.delenv(name)


def _outfit(settings: Settings, tmp_path: Path) -> Settings:
    return outfit(
        settings,
        ADDRESSES,
        directory=tmp_path / "demo-20260131-180502",
        hash_key="0123456789abcdef",
        definitions=tmp_path / 'a "quoted" name',
    )


def test_a_run_is_named_after_its_moment() -> None:
    """Runs of different seconds have different names."""
    assert run_name(1_769_882_702_000) == "demo-20260131-180502"


def test_the_file_says_the_same_settings(tmp_path: Path) -> None:
    """Children that read the written file have exactly the settings of the run."""
    ours = _outfit(Settings(), tmp_path)
    file = tmp_path / "run.toml"
    file.write_text(to_toml(ours))
    assert load(file) == ours


def test_nothing_of_the_operator_enters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Topics, groups, secrets and clients of the surrounding deployment stay out of a run."""
    monkeypatch.setenv("LOYALTYSTREAM_KAFKA__CLIENT", '{"sasl.password": "secret"}')
    monkeypatch.setenv("LOYALTYSTREAM_TOPICS__EMF", "theirs")
    monkeypatch.setenv("LOYALTYSTREAM_MEMORY__WINDOW_DAYS", "90")
    monkeypatch.setenv("LOYALTYSTREAM_DIALECTS__ASSUMED", "capillary")
    monkeypatch.setenv("LOYALTYSTREAM_PLATFORM__KAFKA_PORT", "21000")
    ours = _outfit(load(), tmp_path)
    assert ours.kafka.client == {}
    assert ours.memory.window_days == 30
    assert ours.dialects.assumed == "auto"
    assert topics_of(ours.topics).emf == "demo-20260131-180502.EMFConsumer"
    assert ours.platform.kafka_port == 21000
    assert "secret" not in to_toml(ours)
