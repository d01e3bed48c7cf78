"""README and docs say what the code does: every name in them, and every example, is held to it."""

import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import pytest
import typer

from loyaltystream import kit_events
from loyaltystream.audit.findings import EXPLANATIONS
from loyaltystream.cli import app
from loyaltystream.cli.audit import NOT_EXACT
from loyaltystream.cli.definitions import DIFFERENT
from loyaltystream.cli.demo import NOT_EXACT as DEMO_NOT_EXACT
from loyaltystream.cli.platform import NOT_RUNNING
from loyaltystream.cli.send import INTERRUPTED, TOO_LARGE
from loyaltystream.cli.why import NEVER_SEEN
from loyaltystream.definitions.causes import RULE_KEYS
from loyaltystream.definitions.model import DAY_CLASSES, EventDefinition, FieldType
from loyaltystream.definitions.ours import KEYS
from loyaltystream.definitions.parsing import _ATTRIBUTES as ATTRIBUTES
from loyaltystream.definitions.parsing import parse_definition
from loyaltystream.definitions.registry import Definitions
from loyaltystream.dialects.envelope import (
    DIALECT_HEADER,
    ID_HEADER,
    SOURCE_HEADER,
    TIME_HEADER,
)
from loyaltystream.dialects.sources import Dialects, Source, Webhook
from loyaltystream.doctor.findings import EXIT_CODES, Kind, Severity, severity_of
from loyaltystream.errors import LoyaltyStreamError
from loyaltystream.health import DEGRADED, PROBES, State
from loyaltystream.log_event import LogEvent
from loyaltystream.notifications.catalog import CATALOG, TURNS
from loyaltystream.notifications.conversions import CONVERSIONS
from loyaltystream.notifications.envelope import (
    CAUSE_ID_HEADER,
    CAUSE_RULE_HEADER,
    CAUSE_SOURCE_HEADER,
)
from loyaltystream.notifications.paths import _FAMILIES as FAMILIES
from loyaltystream.notifications.paths import _FIXED as FIXED_PATHS
from loyaltystream.reemit.marking import AT_HEADER, FROM_HEADER
from loyaltystream.reemit.marking import ID_HEADER as REEMIT_ID_HEADER
from loyaltystream.rules import Rules
from loyaltystream.sealing.ring import Locked
from loyaltystream.settings import (
    ENVIRONMENT_PREFIX,
    FILE_VARIABLE,
    SECRETS_VARIABLE,
    Settings,
    load,
    setting_names,
    variable,
)
from loyaltystream.tailing.topics import ROLES
from loyaltystream.telemetry import log_events as process_events
from loyaltystream.telemetry.gateway import GatewayTelemetry
from loyaltystream.telemetry.metrics import Metrics
from loyaltystream.verdicts import NotifyOutcome, Reason, Verdict
from tests.core import (
    EVENT_SCHEMA_ID,
    TOPICS,
    Partition,
    ingest,
    outputs,
    raw,
    read_event,
    record,
    verdicts,
)
from tests.notifications.shop import accept, read_notification
from tests.notifications.shop import plan as notify_plan
from tests.test_settings_reference import WITHOUT_DEFAULT

ROOT: Final = Path(__file__).parent.parent
README: Final = ROOT / "README.md"
PAGES: Final = [README, *sorted((ROOT / "docs").glob("*.md")), ROOT / "CHANGELOG.md"]
TEXT: Final = "\n".join(page.read_text() for page in PAGES[:-1])
COMMAND_LINE: Final = typer.main.get_command(app)
NOT_OFFERED: Final = {"source", "accountId"}
"""Attributes that a definition may have and nothing uses yet."""

GROUPS: Final = {
    f"loyaltystream {name}"
    for name in ("dead-letters", "definitions", "memory", "platform", "schemas", "serve")
}

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_BLOCK_OF_JSON = re.compile(r"^```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(ENVIRONMENT_PREFIX):
            monkeypatch.delenv(name)


def rows(first: str) -> list[list[str]]:
    """Return the cells of every table row whose first cell is that name, as code."""
    found = (line for line in TEXT.splitlines() if line.startswith(f"| `{first}` |"))
    # A bar inside a cell has a backslash before it.
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in found]


def untold(names: Iterable[str]) -> list[str]:
    """Return the names that head no row of any table."""
    return [name for name in names if not rows(name)]


def blocks(language: str) -> list[str]:
    """Return all code blocks in that language."""
    found = (block for page in PAGES for block in _BLOCK.findall(page.read_text()))
    return [code for kind, code in found if kind == language]


def anchors(page: Path) -> set[str]:
    """Return what links to the headings of a page are called."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(command: Any, path: str = "loyaltystream") -> Iterator[tuple[str, Any]]:
    """Yield every command and group by its full name."""
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from commands(child, f"{path} {name}")


def options(command: Any) -> list[str]:
    """Return how the options of a command are spelled, those of all commands left out."""
    shown = [one for one in command.params if not getattr(one, "hidden", False)]
    return [name for one in shown for name in one.opts if name.startswith("-")]


def exit_codes(kind: type[LoyaltyStreamError] = LoyaltyStreamError) -> Iterator[int]:
    """Yield the exit codes of all errors."""
    yield kind.exit_code
    for child in kind.__subclasses__():
        yield from exit_codes(child)


def metrics() -> Iterator[Any]:
    """Yield every metric of a worker, and of the gateway."""
    for registry in (Metrics().registry, GatewayTelemetry().registry):
        yield from registry.collect()


def log_events() -> list[LogEvent[...]]:
    """Return all that processes of ours log, then all that the subscribers' kit does."""
    declared = (*vars(process_events).values(), *vars(kit_events).values())
    return [found for found in declared if isinstance(found, LogEvent)]


def example_definition() -> EventDefinition:
    """Return the README's definition as a worker loads it."""
    [body] = [found for found in map(json.loads, blocks("json")) if "actions" in found]
    definition = parse_definition(1800, body)
    assert isinstance(definition, EventDefinition), definition
    return definition


def example_event() -> dict[str, Any]:
    """Return the README's event."""
    [event] = [
        one for one in map(json.loads, blocks("json")) if {"eventId", "fields"} <= one.keys()
    ]
    assert isinstance(event, dict)
    return event


def without_nulls(value: Any) -> Any:
    """Return a notification without what is unknown: nulls and empty arrays."""
    if not isinstance(value, dict):
        return value
    return {name: without_nulls(part) for name, part in value.items() if part not in (None, [])}


def test_every_command_has_its_row() -> None:
    """Every command heads a row that names each of its options."""
    for name, command in commands(COMMAND_LINE):
        if name in GROUPS:
            continue  # groups without options: their commands have the rows
        told = " ".join(" ".join(row) for row in rows(name))
        assert told, name
        missing = [option for option in options(command) if not re.search(rf"`{option}[ `]", told)]
        assert missing == [], name


def test_every_row_of_a_command_is_true() -> None:
    """No row names a command that there is not, or an option that its command lacks."""
    known = {name: set(options(command)) for name, command in commands(COMMAND_LINE)}
    for name in re.findall(r"^\| `(loyaltystream(?: [^`]*)?)` \|", TEXT, re.MULTILINE):
        for row in rows(name):
            assert set(re.findall(r"`(--?[a-z-]+)", row[2])) - {"-"} <= known[name], name


def test_every_option_in_an_example_is_one() -> None:
    """What the pages tell people to type is a command of ours with options that it has."""
    known = dict(commands(COMMAND_LINE))
    shown = re.findall(r"`(loyaltystream [a-z][^`]*)`", TEXT)
    typed_in = re.findall(
        r"(?:^|\| )(loyaltystream [a-z][^|#\n]*)", "".join(blocks("sh")), re.MULTILINE
    )
    for typed in (*shown, *typed_in):
        name = max((name for name in known if typed.startswith(name)), key=len)
        assert name != "loyaltystream", typed
        assert set(re.findall(r"(?<= )--[a-z-]+", typed)) <= set(options(known[name])), typed


def test_every_setting_has_its_row() -> None:
    """Every setting heads a row with its default, and no row names a setting that there is not."""
    shown = {
        name: row[1]
        for name in setting_names()
        for row in rows(name)
        if name not in WITHOUT_DEFAULT
    }
    assert untold(list(setting_names())) == []
    default = Settings().model_dump(mode="json")
    for name, told in shown.items():
        table, _, setting = name.partition(".")
        assert json.loads(told.strip("`")) == default[table][setting], name
    tables = "|".join(default)
    named = set(re.findall(rf"`((?:{tables})\.[a-z_]+)`", TEXT))
    assert named - set(setting_names()) - {event.name for event in log_events()} == set()


def test_every_environment_variable_is_a_setting() -> None:
    """A variable that the pages name sets something."""
    variables = {variable(name) for name in setting_names()} | {FILE_VARIABLE, SECRETS_VARIABLE}
    assert set(re.findall(rf"{ENVIRONMENT_PREFIX}[A-Z_]+", TEXT)) - variables == set()


def test_everything_that_keeps_a_letter_sealed_is_told() -> None:
    """Each reason why an original can't be opened heads a row."""
    assert untold(why.name for why in Locked) == []


def test_everything_that_can_become_of_an_event_is_told() -> None:
    """Every verdict, outcome of NOTIFY and reason heads a row of its own."""
    assert untold([*Verdict, *NotifyOutcome, *Reason]) == []
    assert len(rows(Verdict.TOMBSTONE)) == 3  # of INGEST, of NOTIFY and of a subscriber


def test_every_finding_of_the_audit_is_told() -> None:
    """Every fault and notice heads a row, in the words that the audit itself uses."""
    for kind, explanation in EXPLANATIONS.items():
        [row] = rows(kind)
        assert row[1].replace("`", "").startswith(explanation), kind


def test_every_finding_of_the_doctor_is_told() -> None:
    """All that the doctor finds heads a row with its severity, and each severity its code."""
    for kind in Kind:
        [row] = [found for found in rows(kind) if found[1] in {*Severity}]
        assert row[1] == severity_of(kind).value, kind
    for severity, code in EXIT_CODES.items():
        assert [row[2] for row in rows(severity)] == [str(code)]


def test_every_state_of_health_is_told() -> None:
    """Every state that a probe tells heads a row that says whether it is ready."""
    for state in State:
        [row] = rows(state)
        assert row[1].startswith("yes") == (state in DEGRADED), state
    assert untold(PROBES) == []


def test_every_metric_has_its_row() -> None:
    """Every metric heads a row that says its kind."""
    for metric in metrics():
        [row] = rows(metric.name)
        assert row[1] == metric.type, metric.name


def test_no_metric_is_made_up() -> None:
    """A metric that the pages name is one that workers or the gateway serve."""
    known = {metric.name for metric in metrics()}
    named = set(re.findall(r"`(loyaltystream_[a-z_]+)`", TEXT))
    assert {name.removesuffix("_total") for name in named} == known


def test_every_log_event_has_its_row() -> None:
    """The page about logs has each event of the catalogues, in their order, and no other."""
    page = (ROOT / "docs" / "logs.md").read_text()
    table = re.findall(
        r"^\| `([a-z]+\.[a-z_]+)` \| (\w+) \| (.*?) *\| (.*?) \|", page, re.MULTILINE
    )
    told = [
        (name, level, re.findall(r"\w+", fields), means) for name, level, fields, means in table
    ]
    wanted = [(one.name, one.level, list(one.fields), one.meaning) for one in log_events()]
    assert told == wanted
    assert all(re.fullmatch(r"[a-z]+\.[a-z_]+", event.name) for event in log_events())


def test_every_field_of_a_log_event_has_its_row() -> None:
    """Each field that a line may have is explained once, and what each line has by itself."""
    page = (ROOT / "docs" / "logs.md").read_text()
    table = page.partition("| field | is |")[2].partition("\n\n")[0]
    fields = {field for event in log_events() for field in event.fields}
    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE) == sorted(fields)
    events = {event.name: event for event in log_events()}
    for line in map(json.loads, _BLOCK_OF_JSON.findall(page)):
        by_itself = {"event", "stage", "worker", "level", "timestamp"}
        assert line.keys() == {*events[line["event"]].fields, *by_itself}
        assert untold(by_itself) == []


def test_every_make_target_has_its_row() -> None:
    """Every target of the Makefile is explained, and no other is named."""
    targets = re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert untold([f"make {target}" for target in targets]) == []
    assert set(re.findall(r"`make ([a-z]+)", TEXT)) == set(targets)


def test_every_exit_code_has_its_row() -> None:
    """Every code that a command can end with is explained, and no other."""
    codes = {
        0,
        *exit_codes(),
        NOT_EXACT,
        DEMO_NOT_EXACT,
        DIFFERENT,
        NOT_RUNNING,
        TOO_LARGE,
        INTERRUPTED,
        NEVER_SEEN,
    }
    told = re.findall(r"^\| `(\d+)` \|", TEXT, re.MULTILINE)
    assert sorted(map(int, told)) == sorted(codes)


def test_every_topic_has_its_row() -> None:
    """Every role of a topic heads a row that says its usual name."""
    for role, field in ROLES.items():
        assert any(row[1] == f"`{getattr(TOPICS, field)}`" for row in rows(role)), role


def test_definitions_are_explained() -> None:
    """Every key, field type and attribute of a definition stands there, and every window."""
    names = {*KEYS, *ATTRIBUTES, *FieldType, *CATALOG, *RULE_KEYS, *CONVERSIONS}
    assert {name for name in names if f"`{name}`" not in TEXT} <= NOT_OFFERED
    [window] = rows("uniquenessWindow")[1:]
    assert window[2].endswith(", ".join(map(str, DAY_CLASSES[:-1])) + f" or {DAY_CLASSES[-1]}")


def test_every_path_of_the_mapping_language_is_told() -> None:
    """Every path that a template may read stands in the table of paths."""
    table = README.read_text().partition("| path | reads |")[2].partition("\n\n")[0]
    assert [path for path in FIXED_PATHS if f"`{path}`" not in table] == []
    assert [family for family in FAMILIES if f"`{family}." not in table] == []


def test_every_link_leads_somewhere() -> None:
    """A link to a file of the repository finds it, and one to a heading finds that."""
    for page in PAGES:
        for link in _LINK.findall(page.read_text()):
            if link.startswith("https://"):
                continue
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), f"{page.name}: {link}"
            assert not anchor or anchor in anchors(target), f"{page.name}: {link}"


def test_every_picture_stands_alone() -> None:
    """A picture is well-formed, says what it shows, and fetches nothing from elsewhere."""
    for picture in sorted((ROOT / "docs").glob("*.svg")):
        assert f"docs/{picture.name}" in README.read_text()
        drawn = ET.fromstring(picture.read_text())  # noqa: S314 (our own file)
        assert drawn.get("role") == "img"
        assert not re.search(r"(href|src|url\()\W*http", picture.read_text()), picture.name


def test_every_block_can_be_read() -> None:
    """JSON is JSON, TOML is TOML that the settings accept, and Python compiles."""
    kinds = {kind for page in PAGES for kind, _ in _BLOCK.findall(page.read_text())}
    assert kinds == {"json", "toml", "python", "sh", "text"}
    for block in blocks("json"):
        json.loads(block)
    for block in blocks("python"):
        compile(block, README.name, "exec")


def test_every_settings_file_in_the_pages_loads(tmp_path: Path) -> None:
    """A TOML example is a settings file that a worker takes."""
    for number, block in enumerate(blocks("toml")):
        file = tmp_path / f"{number}.toml"
        file.write_text(block)
        load(file)


def test_the_example_event_is_accepted() -> None:
    """The README's event, under the README's definition, is accepted and goes where that says."""
    definitions = Definitions([example_definition()], EVENT_SCHEMA_ID)
    plan = Partition(definitions=definitions).commit([record(raw(example_event()))])
    assert verdicts(plan) == {"accepted": 1}
    [routed] = outputs(plan, TOPICS.emf)
    assert len(outputs(plan, TOPICS.ei)) == 1
    assert routed.key is not None
    assert f"`{routed.key.decode()}`" in README.read_text()


def test_the_example_notification_is_what_the_event_causes() -> None:
    """The notification that the README shows is the one that its event causes."""
    definitions = Definitions([example_definition()], EVENT_SCHEMA_ID)
    [made] = outputs(
        notify_plan(accept(example_event(), definitions=definitions), definitions),
        TOPICS.notifications,
    )
    caused = without_nulls(read_notification(made)["data"])
    [shown] = [found for found in map(json.loads, blocks("json")) if "transactionId" in found]
    caused.pop("enteredAt")  # the broker's time, another one on each day
    assert shown == caused


def test_the_examples_of_the_dialects_are_one_event() -> None:
    """The dialects' page shows one order three times: accepted, and the same by its unique key."""
    page = (ROOT / "docs" / "dialects.md").read_text()
    [(_, sources)] = [found for found in _BLOCK.findall(page) if found[0] == "toml"]
    shown = [code for kind, code in _BLOCK.findall(page) if kind == "json"]
    rules = Rules(dialects=Dialects(**tomllib.loads(sources)["dialects"]))
    definitions = Definitions([example_definition()], EVENT_SCHEMA_ID)
    now_ms = 1_769_846_400_000
    told = []
    for example in shown:
        plan = Partition(ingest(rules), definitions).commit(
            [record(example.encode(), timestamp_ms=now_ms)]
        )
        assert verdicts(plan) == {"accepted": 1}
        [routed] = outputs(plan, TOPICS.emf)
        event = read_event(routed.value)
        told.append((event["dialect"], routed.key, event["fields"], event["occurredAt"]))
    assert [dialect for dialect, *_ in told] == ["capillary", "open_loyalty", "voucherify"]
    assert len({json.dumps(rest, default=str, sort_keys=True) for _, *rest in told}) == 1
    judge = Partition(ingest(rules), definitions)
    everything = [record(code.encode(), at, timestamp_ms=now_ms) for at, code in enumerate(shown)]
    assert verdicts(judge.commit(everything)) == {"accepted": 1, "duplicate": 2}


def test_every_turn_is_told() -> None:
    """The table of turns has each with its types, in order; headers of notifications are told."""
    page = (ROOT / "docs" / "reference.md").read_text()
    [table] = [part for part in page.split("\n\n") if part.startswith("| turn | types |")]
    told = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    wanted = [[turn, ", ".join(f"`{name}`" for name in names)] for turn, names in TURNS.items()]
    assert told == wanted
    headers = [CAUSE_ID_HEADER, CAUSE_SOURCE_HEADER, CAUSE_RULE_HEADER]
    headers += [FROM_HEADER, AT_HEADER, REEMIT_ID_HEADER]
    assert [name for name in headers if f"| `{name}` |" not in page] == []


def test_everything_of_a_source_is_told() -> None:
    """Every key that a source may have in the settings heads a row, and so does every header."""
    assert untold([*Webhook.model_fields, *Source.model_fields]) == []
    assert untold([DIALECT_HEADER, SOURCE_HEADER, ID_HEADER, TIME_HEADER]) == []
    [default] = [row[1] for row in rows("id_field")]
    assert json.loads(default.strip("`")) == Webhook.model_fields["id_field"].default


def test_the_benchmark_has_its_place() -> None:
    """The README has a section for the benchmark."""
    assert "\n## Benchmark\n" in README.read_text()
