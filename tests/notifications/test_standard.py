"""The standard pack: what a CRM, a till or an engine sends, and every notification that it causes.

The expected notifications are written from the description of the domain, never by the encoder: for
each type one with everything and one with nothing.
"""

import json
from pathlib import Path
from typing import Any, Final

import pytest
from typer.testing import CliRunner

from loyaltystream.cli import app
from loyaltystream.definitions.files import load_definitions
from loyaltystream.definitions.model import EventDefinition
from loyaltystream.definitions.packing import pack_bodies, write_pack
from loyaltystream.definitions.parsing import parse_definition
from loyaltystream.definitions.registry import Definitions
from loyaltystream.errors import ConfigurationError
from loyaltystream.notifications.catalog import CATALOG
from tests.core import EVENT_SCHEMA_ID, TOPICS, header, outputs
from tests.notifications.shop import accept, plan, read_notification

CASES: Final = sorted((Path(__file__).parent / "standard").glob("*.json"))


def standard_definitions() -> list[EventDefinition]:
    """Return the pack as the definitions of org 1800."""
    made = [parse_definition(1800, body) for body in pack_bodies().values()]
    assert [each for each in made if not isinstance(each, EventDefinition)] == []
    return [each for each in made if isinstance(each, EventDefinition)]


STANDARD: Final = Definitions(standard_definitions(), EVENT_SCHEMA_ID)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_an_event_of_the_pack_causes_this_very_notification(path: Path) -> None:
    """What stands in the file is written, under that key, and nothing else."""
    case = json.loads(path.read_text())
    made = plan(accept(case["event"], definitions=STANDARD), STANDARD)
    written = [
        {
            "key": (output.key or b"").decode(),
            "type": header(output, "ce_type"),
            "notification": read_notification(output),
        }
        for output in outputs(made, TOPICS.notifications)
    ]
    assert outputs(made, TOPICS.dead_letter) == []
    assert written == case["caused"]


def unknown(value: Any, path: str = "") -> list[str]:
    """Return the paths of nulls and empty arrays."""
    if value is None or value == []:
        return [path]
    if not isinstance(value, dict | list):
        return []
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    return [found for name, part in parts for found in unknown(part, f"{path}.{name}")]


def caused(form: str) -> dict[str, dict[str, Any]]:
    """Return the notifications of all cases of a form, by type."""
    cases = [json.loads(path.read_text()) for path in CASES if path.stem.endswith(form)]
    made = [each["notification"] for case in cases for each in case["caused"]]
    return {each["eventName"]: each for each in made}


def test_every_type_is_shown_with_everything_and_with_nothing() -> None:
    """Of each type there is a notification without any null, and one with all that may be null."""
    full, bare = caused("_full"), caused("_bare")
    assert full.keys() == bare.keys() == CATALOG.keys()
    assert {name: found for name, each in full.items() if (found := unknown(each))} == {}
    kept = {"customerIdentifiers", "transferInitiatingCustomerIdentifiers", "issualType"}
    for name, each in bare.items():
        told = {field for field, value in each["data"].items() if value not in (None, [])}
        assert told <= kept, name


def test_the_pack_can_be_taken_over(tmp_path: Path) -> None:
    """Its files are definitions as any other, once for each org; files that are there stay."""
    made = write_pack(tmp_path, 1800)
    assert len(load_definitions(tmp_path)) == len(made) == len(pack_bodies())
    with pytest.raises(ConfigurationError, match=r"has crmCardChanged.json, .* nothing is written"):
        write_pack(tmp_path, 1800)


def test_taking_the_pack_over_is_a_command(tmp_path: Path) -> None:
    """`definitions standard` writes the pack for an org, and says where."""
    done = CliRunner().invoke(app, ["definitions", "standard", "7", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert {each.org_id for each in load_definitions(tmp_path)} == {7}
