"""Definitions in files: where they lie, and how all that is wrong with them is told."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from loyaltystream.definitions.files import MAX_FILE_BYTES, load_definitions
from loyaltystream.definitions.model import Action
from loyaltystream.errors import ConfigurationError

_EXAMPLES = Path(__file__).parents[2] / "examples" / "definitions"


def body(name: str, **changes: object) -> dict[str, Any]:
    return {
        "eventName": name,
        "actions": ["EMFConsumer"],
        "fields": [{"name": "customer", "type": "customer"}],
        **changes,
    }


def write(folder: Path, files: Mapping[str, object]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


def problems(folder: Path) -> list[str]:
    with pytest.raises(ConfigurationError) as refused:
        load_definitions(folder)
    return str(refused.value).splitlines()


def test_the_examples_are_a_shop() -> None:
    """The examples load as they are: three events that notify, two that do not."""
    loaded = {found.event_name: found for found in load_definitions(_EXAMPLES)}
    caused = {name: [rule.type for rule in each.notifications] for name, each in loaded.items()}
    assert caused == {
        "appOpened": [],
        "couponRedeemed": ["CouponRedeem"],
        "customerRegistered": ["customerAdded"],
        "productViewed": [],
        "purchaseCompleted": ["transactionAdded"],
    }
    assert {found.org_id for found in loaded.values()} == {1800}
    assert loaded["productViewed"].actions == (Action.EI,)
    assert loaded["appOpened"].actions == (Action.EMF, Action.EI)
    assert [each.name for each in loaded["purchaseCompleted"].unique_fields] == ["billNumber"]


def test_definitions_come_in_order(tmp_path: Path) -> None:
    """The order is by org and name, whatever the file system says; ids count as numbers."""
    names = ["20/b", "20/a", "3/z"]
    write(tmp_path, {f"{name}.json": body(name[-1]) for name in names})
    loaded = [(found.org_id, found.event_name) for found in load_definitions(tmp_path)]
    assert loaded == [(3, "z"), (20, "a"), (20, "b")]


def test_notes_and_hidden_files_are_left_alone(tmp_path: Path) -> None:
    """Markdown and whatever begins with a dot is no definition, on either level."""
    other = {
        "README.md": "hi",
        ".DS_Store": "",
        "1/.a.json.swp": "",
        "1/notes.md": "",
        ".git/x": "",
    }
    write(tmp_path, {"1/a.json": body("a"), **other})
    assert len(load_definitions(tmp_path)) == 1


def test_a_missing_folder_says_what_to_do(tmp_path: Path) -> None:
    """Without a folder there is nothing to judge by, and the message says where to put it."""
    [line] = problems(tmp_path / "none")
    assert line.startswith(f"no folder {tmp_path / 'none'} with event definitions: put each")
    assert "<orgId>/<eventName>.json" in line
    assert "rules.definitions" in line
    assert "examples/definitions" in line


def test_an_empty_folder_says_what_to_do(tmp_path: Path) -> None:
    """A folder without a definition is as good as none."""
    (tmp_path / "1800").mkdir()
    [line] = problems(tmp_path)
    assert line.startswith(f"no event definition in {tmp_path}: put each definition into")


@pytest.mark.parametrize("org", ["shop", "01", "-5", "1.5", "٣", "9" * 19])
def test_a_folder_is_an_org(tmp_path: Path, org: str) -> None:
    """A folder's name is an org's id, written in the one way that there is."""
    write(tmp_path, {f"{org}/a.json": body("a"), "1/a.json": body("a")})
    assert problems(tmp_path)[1:] == [
        f"{org}: ORG a folder whose name is an org's id is needed, as 1800"
    ]


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("b.json", body("a"), "FILE the file of event a is a.json"),
        ("a.JSON", body("a"), "FILE a file <eventName>.json is needed"),
        ("a.json/deeper.json", body("a"), "FILE a file <eventName>.json is needed"),
        ("a.json", "", "EMPTY no bytes but white space"),
        ("a.json", "[]", "NOT_OBJECT an object is needed, not an array"),
        ("a.json", '{"eventName": "a", "eventName": "b"}', "DUP_KEY an object has the same key"),
        ("a.json", '{"eventName": NaN}', "JSON_NUMBER NaN and Infinity are not JSON"),
        ("a.json", '{"eventName": "a",}', "JSON_SYNTAX not JSON"),
        ("a.json", " " * (MAX_FILE_BYTES + 1), "SIZE"),
        ("a.json", body("a b"), "1811 event name invalid"),
        ("a.json", body("a", actions=["X"]), "1810 a event actions invalid"),
        ("a.json", body("a", extra=1), "UNKNOWN_KEY extra is not part of a definition"),
        (
            "a.json",
            body("a", notifications=[{"type": "nothing"}]),
            "NOTIFICATION notifications[0].type: no type nothing; there are customerAdded",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(
    tmp_path: Path, name: str, content: object, line: str
) -> None:
    """A problem is a line: the file, the vendor's code or ours, and what is needed."""
    write(tmp_path, {f"1800/{name}": content})
    found = problems(tmp_path)
    assert found[0] == f"1 problems in the definitions of {tmp_path}:"
    assert found[1].startswith(f"1800/{name.split('/', maxsplit=1)[0]}: {line}")
    assert len(found) == 2


def test_all_problems_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    """An operator sees every problem of every file in one go."""
    fields = [{"name": "x", "type": "tillCod"}, {"name": "y", "type": "nothing"}]
    files = {
        "1/a.json": body("a", fields=fields),
        "1/b.json": "{",
        "1/c.json": body("c"),
        "2/d.json": body("e"),
        "x/f.json": body("f"),
    }
    found = problems(write(tmp_path, files))
    assert [line.split(" ")[:2] for line in found[1:]] == [
        ["1/a.json:", "1823"],
        ["1/a.json:", "1823"],
        ["1/b.json:", "JSON_SYNTAX"],
        ["2/d.json:", "FILE"],
        ["x:", "ORG"],
    ]
    assert found[0].startswith("5 problems")


def test_a_link_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    """A definition that can't be read is a problem, not one definition less."""
    write(tmp_path, {"1/a.json": body("a")})
    (tmp_path / "1" / "b.json").symlink_to(tmp_path / "gone.json")
    assert problems(tmp_path)[1] == "1/b.json: FILE a file <eventName>.json is needed"
