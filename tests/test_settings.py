"""Settings: the environment before the file, all mistakes at once, no secret told."""

from pathlib import Path

import pytest

from loyaltystream.clients import OWNED_CLIENT_PROPERTIES
from loyaltystream.errors import ConfigurationError
from loyaltystream.settings import (
    ENVIRONMENT_PREFIX,
    FILE_VARIABLE,
    SECRETS_VARIABLE,
    Settings,
    load,
    setting_names,
    variable,
)


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing from outside, and a working directory without a settings file."""
    for name in (*map(variable, setting_names()), FILE_VARIABLE, SECRETS_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def refused(file: Path | None = None) -> str:
    """Return what is said of settings that are not usable."""
    with pytest.raises(ConfigurationError) as error:
        load(file)
    return str(error.value)


def test_without_file_and_environment_there_are_defaults() -> None:
    """A process that is told nothing has the default of every setting."""
    assert load() == Settings()
    assert load().topics.ingest == "behavioral-events"


def test_the_environment_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable replaces one setting of the file and leaves its neighbours alone."""
    file = tmp_path / "own.toml"
    file.write_text('[topics]\nprefix = "a."\npartitions = 3\n')
    monkeypatch.setenv(variable("topics.prefix"), "b.")
    topics = load(file).topics
    assert (topics.prefix, topics.partitions) == ("b.", 3)


def test_a_file_is_found_by_name_by_variable_or_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The named file counts first, then the variable's, then the one in the working directory."""
    files = {name: tmp_path / name for name in ("named.toml", "told.toml", "loyaltystream.toml")}
    for count, file in enumerate(files.values(), 1):
        file.write_text(f"[topics]\npartitions = {count}\n")
    assert load().topics.partitions == 3
    monkeypatch.setenv(FILE_VARIABLE, str(files["told.toml"]))
    assert load().topics.partitions == 2
    assert load(files["named.toml"]).topics.partitions == 1


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return a directory for files of one setting each."""
    directory = tmp_path / "secrets"
    directory.mkdir()
    monkeypatch.setenv(SECRETS_VARIABLE, str(directory))
    return directory


def test_a_setting_may_have_a_file_of_its_own(
    secrets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands between file and environment, and leaves its neighbours alone."""
    (tmp_path / "loyaltystream.toml").write_text(
        '[memory]\nhash_key = "from the TOML file"\nwindow_days = 40\n'
    )
    (secrets / "memory.hash_key").write_text("from its own file\n")
    (secrets / "kafka.client").write_text('{"sasl.password": "quiet", "sasl.username": "me"}')
    hidden = secrets / "..data"
    hidden.mkdir()  # as Kubernetes has it
    (hidden / "memory.hash_key").write_text("the one before that")
    settings = load()
    assert settings.memory.hash_key is not None
    assert settings.memory.hash_key.get_secret_value() == "from its own file"
    assert settings.memory.window_days == 40
    assert settings.kafka.client["sasl.password"].get_secret_value() == "quiet"
    assert "quiet" not in repr(settings)
    monkeypatch.setenv(variable("memory.hash_key"), "from the environment")
    told = load().memory.hash_key
    assert told is not None
    assert told.get_secret_value() == "from the environment"


def test_a_mistake_in_a_file_of_its_own_is_told_with_its_path(secrets: Path) -> None:
    """A name that is no setting's, and a value that is not allowed; the value is not told."""
    (secrets / "memory.hashkey").write_text("never to be shown")
    (secrets / "memory.hash_key").write_text("short")
    told = refused()
    assert f"{secrets}/memory.hashkey: no such setting; did you mean memory.hash_key?" in told
    assert f"{secrets}/memory.hash_key: " in told
    assert "never to be shown" not in told
    assert "short" not in told


def test_a_directory_of_secrets_has_to_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A volume that was not mounted is told, and nobody starts without its secrets."""
    monkeypatch.setenv(SECRETS_VARIABLE, str(tmp_path / "nowhere"))
    assert refused().startswith(f"{SECRETS_VARIABLE}: ")


def test_all_mistakes_are_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each mistake stands with its place, what is allowed, and the name that was perhaps meant."""
    file = tmp_path / "own.toml"
    file.write_text("[topics]\npartitons = 3\n[memory]\nwindow_days = 3\n[colour]\nred = 1\n")
    monkeypatch.setenv(variable("telemetry.log_level"), "loud")
    monkeypatch.setenv(f"{ENVIRONMENT_PREFIX}TOPIC__PREFIX", "x")
    told = refused(file)
    assert f"{file}, topics.partitons: no such setting; did you mean topics.partitions?" in told
    assert f"{file}, memory.window_days: " in told
    assert f"{file}, colour: no such setting" in told
    assert f"{variable('telemetry.log_level')}: " in told
    assert (
        f"{ENVIRONMENT_PREFIX}TOPIC__PREFIX: no such setting; did you mean topics.prefix?" in told
    )
    assert len(told.splitlines()) == 6


@pytest.mark.parametrize(
    ("content", "words"),
    [("[topics", "is not TOML"), ("\xff", "own.toml"), ("topics = 1", "topics")],
)
def test_an_unreadable_file_is_named(tmp_path: Path, content: str, words: str) -> None:
    """A file that is not TOML, or not text, is told by name."""
    file = tmp_path / "own.toml"
    file.write_bytes(content.encode("latin-1"))
    assert words in refused(file)


def test_a_named_file_has_to_be_there(tmp_path: Path) -> None:
    """A file that somebody names and that is missing is no reason to go on with defaults."""
    assert "not there" in refused(tmp_path / "none.toml")


@pytest.mark.parametrize("owned", sorted(OWNED_CLIENT_PROPERTIES))
def test_what_decides_exactly_once_is_not_for_setting(
    monkeypatch: pytest.MonkeyPatch, owned: str
) -> None:
    """A client property that would lose or double events can not be set from outside."""
    monkeypatch.setenv(variable("kafka.client"), f'{{"{owned}": "x", "security.protocol": "SSL"}}')
    assert f"may not set {owned}" in refused()


def test_a_table_may_come_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment says a table as JSON; what is none is refused without repeating it."""
    monkeypatch.setenv(variable("rules.country_codes"), '{"1800": "91"}')
    assert load().rules.country_codes == {1800: "91"}
    monkeypatch.setenv(variable("rules.country_codes"), "1800=91")
    assert "not a JSON object" in refused()


def test_a_source_of_events_is_told_where_it_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Org, zone and keys of a webhook are checked at once, each mistake on a line of its own."""
    file = tmp_path / "own.toml"
    file.write_text(
        '[dialects]\nassumed = "capilary"\n[dialects.webhooks.mall]\norg = -1\n'
        'time_zone = "Europe/Atlantis"\ntil = "T1"\n[dialects.stores.berlin]\ntill = "T1"\n'
    )
    monkeypatch.setenv(variable("dialects.projects"), '{"hotels": {"org": "none"}}')
    told = refused(file)
    assert f"{file}, dialects.assumed: " in told
    assert f"{file}, dialects.webhooks.mall.org: " in told
    assert f"{file}, dialects.webhooks.mall.time_zone: invalid timezone" in told
    assert f"{file}, dialects.webhooks.mall.til: no such setting" in told
    assert f"{file}, dialects.stores.berlin.org: " in told
    assert f"{file}, dialects.stores.berlin.till: no such setting" in told
    assert f"{variable('dialects.projects')}: " in told
    assert len(told.splitlines()) == 8


def test_no_secret_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a printed setting nor a mistake shows the hash key or a password."""
    monkeypatch.setenv(variable("memory.hash_key"), "canary-7731-canary")
    monkeypatch.setenv(variable("kafka.client"), '{"sasl.password": "canary-7731"}')
    assert "canary" not in repr(load())
    assert "canary" not in str(load().model_dump())
    monkeypatch.setenv(variable("memory.hash_key"), "canary")
    monkeypatch.setenv(variable("topics.partitions"), "0")
    assert "canary" not in refused()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("worker.message_timeout_ms", "9000"),
        ("worker.transaction_timeout_ms", "15000"),
        ("worker.transaction_timeout_ms", "7000"),
        ("worker.batch_ms", "2500"),
        ("worker.session_timeout_ms", "8000"),
    ],
)
def test_timeouts_rise(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """Batch, message, transaction and session time out in this order, or nothing starts."""
    monkeypatch.setenv(variable(name), value)
    assert "the timeouts must rise in this order" in refused()


def test_no_topic_has_two_roles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two roles of one topic would send events round in a circle."""
    monkeypatch.setenv(variable("topics.emf"), "EIConsumer")
    assert "EIConsumer is named for more than one topic" in refused()


def test_settings_do_not_change() -> None:
    """Once read, no setting is another."""
    with pytest.raises(ValueError, match="frozen"):
        load().topics.prefix = "x"  # type: ignore[misc]  # what is tried here is forbidden
