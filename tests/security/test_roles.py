"""What is said of roles and their rights, by the command and by the page."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from loyaltystream.access import PURPOSE, Grant, Operation, Resource, Role, command
from loyaltystream.cli import app
from loyaltystream.errors import ConfigurationError

PAGE = Path(__file__).parent.parent.parent / "docs" / "security.md"


def told(*arguments: str) -> str:
    """Return what the command prints."""
    done = CliRunner().invoke(app, ["acls", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def refused(*arguments: str) -> str:
    """Return why the command does nothing."""
    done = CliRunner().invoke(app, ["acls", *arguments])
    assert isinstance(done.exception, ConfigurationError)
    return str(done.exception)


def test_the_page_has_every_role() -> None:
    """Its table says of each role what the code says."""
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", PAGE.read_text(), re.MULTILINE))
    assert rows == {role.value: PURPOSE[role] for role in Role}


def test_a_grant_is_a_line_for_kafkas_own_tool() -> None:
    """Operations, kind of pattern and name, as kafka-acls.sh takes them."""
    transactions = Grant(Resource.TRANSACTIONAL_ID, "shop.", (Operation.WRITE,), prefixed=True)
    assert command(transactions, "User:one") == (
        "kafka-acls.sh --bootstrap-server BROKER --add --allow-principal User:one "
        "--operation Write --resource-pattern-type prefixed --transactional-id shop."
    )
    cluster = Grant(Resource.CLUSTER, "kafka-cluster", (Operation.DESCRIBE_CONFIGS,))
    assert command(cluster, "User:one").endswith("--operation DescribeConfigs --cluster")


def test_a_role_is_told_under_the_names_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prefixes of topics and groups are in every name."""
    monkeypatch.setenv("LOYALTYSTREAM_TOPICS__PREFIX", "eu.")
    monkeypatch.setenv("LOYALTYSTREAM_WORKER__GROUP_PREFIX", "shop")
    found = json.loads(told("notify", "--json"))
    names = {(one["resource"], one["name"]) for one in found}
    assert ("group", "shop.notify") in names
    assert ("transactional-id", "shop.notify.") in names
    assert ("topic", "eu.loyalty-notifications") in names
    lines = told("notify", "--principal", "User:n").splitlines()
    assert len(lines) == len(found)
    assert all(line.startswith("kafka-acls.sh ") and "User:n" in line for line in lines)


def test_without_a_role_all_are_told() -> None:
    """The table names each role once."""
    table = told()
    assert all(re.search(rf"^{role.value} ", table, re.MULTILINE) for role in Role)


def test_nothing_is_given_to_nobody() -> None:
    """Rights are given to a principal in a role, and on names that somebody has said."""
    assert "--principal" in refused("--apply")
    assert "--principal" in refused("ingest", "--apply")
    assert "--group NAME" in refused("subscriber", "--apply", "--principal", "User:crm")
    assert "--topic NAME" in refused("re-emit", "--apply", "--principal", "User:crm")
