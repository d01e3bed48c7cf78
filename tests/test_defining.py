"""What a deployment makes of definitions and settings together: what is hidden, and from whom."""

import json
from pathlib import Path
from typing import Any

import pytest

from loyaltystream.content import value_text
from loyaltystream.defining import last_published, limits_of, psi_of
from loyaltystream.definitions.history import History
from loyaltystream.definitions.limits import Limits
from loyaltystream.definitions.model import Action
from loyaltystream.definitions.psi import Psi, hashed, sensitive_names
from loyaltystream.deployment import Deployment
from loyaltystream.errors import ConfigurationError
from loyaltystream.masking import MASK
from loyaltystream.settings import Settings
from tests.core import (
    CUSTOMER,
    EVENT_SCHEMA_ID,
    LINKED,
    ORDERED,
    TOPICS,
    VIEWED,
    Partition,
    define,
    event,
    field,
    outputs,
    raw,
    read_event,
    record,
)
from tests.definitions.topic import TOPIC, Topic

HASH_KEY = "a secret of sixteen or more"
WEBHOOK = {"org": 1800, "fields": {"Card Number": "pan", "Bank": "bank"}, "child_orgs": [1801]}


def settings(**tables: Any) -> Settings:
    """Return settings with these tables."""
    return Settings(**tables)


def stored(folder: Path, *bodies: dict[str, Any]) -> Path:
    """Write definitions of org 1800; return their folder."""
    (folder / "1800").mkdir()
    for body in bodies:
        (folder / "1800" / f"{body['eventName']}.json").write_text(json.dumps(body))
    return folder


def test_sensitive_values_are_hidden_unless_settings_say_otherwise() -> None:
    """Without a word stars stand for them, in every output."""
    psi = psi_of(settings())
    assert psi.clear_to == frozenset()
    assert psi.conceal(1800, "pan")(value_text("4929")) == MASK


def test_settings_choose_hashes_and_who_sees_values() -> None:
    """Hashes are under the deployment's secret, and only EMFConsumer may have values in clear."""
    rules, secret = {"psi": "hash", "psi_on_emf": "clear"}, {"hash_key": HASH_KEY}
    psi = psi_of(settings(rules=rules, memory=secret))
    assert psi.clear_to == {Action.EMF}
    made = psi.conceal(1800, "pan")(value_text("4929"))
    assert len(bytes.fromhex(made)) == 16
    other = psi_of(settings(rules=rules, memory={"hash_key": HASH_KEY[::-1]}))
    assert other.conceal(1800, "pan")(value_text("4929")) != made


def test_hashes_need_the_secret() -> None:
    """Without it anybody could try values: it is asked for by its name."""
    with pytest.raises(ConfigurationError, match=r"rules\.psi is hash, and memory\.hash_key"):
        psi_of(settings(rules={"psi": "hash"}))


def test_sensitive_names_are_ours_and_theirs(tmp_path: Path) -> None:
    """A screen hides a field under the name of any dialect, also of an event that is disabled."""
    gone = {
        "eventName": "cardLost",
        "actions": ["EIConsumer"],
        "disabled": True,
        "fields": [CUSTOMER, field("pin", "string", isPsiData="true"), field("bank", "string")],
    }
    rules = {"definitions": stored(tmp_path, LINKED, gone)}
    made = settings(rules=rules, dialects={"webhooks": {"default": WEBHOOK}})
    names = {"pan", "income", "born", "age", "health", "pin", "Card Number"}
    assert Deployment(made).sensitive_names == names


def test_a_topic_tells_what_is_sensitive_by_each_last_version() -> None:
    """A draft hides nothing yet; an event that was disabled hides what it always did."""
    topic = Topic()
    topic.create(ORDERED)
    topic.replace(with_note(isPsiData="true"))
    topic.create(LINKED)
    topic.disable("cardLinked")
    topic.create(VIEWED | {"eventName": "drafted"}, draft=True)
    last = last_published(topic.history())
    assert {one.event_name: one.version for one in last} == {"orderPlaced": 2, "cardLinked": 1}
    assert sensitive_names(field for one in last for field in one.fields) >= {"note", "pan"}


def test_each_version_hides_what_it_marks() -> None:
    """An event is hidden by the version that accepts it, in the deployment's way."""
    topic = Topic()
    topic.create(ORDERED)
    topic.replace(with_note(isPsiData="true"))
    history = History(TOPIC, EVENT_SCHEMA_ID, Psi(hashed(HASH_KEY)))
    history.learn(topic.records)
    notes = []
    for revision in (1, 2):
        partition = Partition(definitions=history.at(revision))
        fields = {"orderId": "A", "amount": 5, "note": "a note"}
        sent = record(raw(event(eventName="orderPlaced", fields=fields)))
        [routed] = outputs(partition.judge([sent]), TOPICS.emf)
        notes.append(read_event(routed.value)["fields"]["note"])
    assert notes == ["a note", hashed(HASH_KEY)(1800, "note")(value_text("a note"))]


def with_note(**attributes: object) -> dict[str, Any]:
    """Return the order's definition with other attributes of its note."""
    return ORDERED | {"fields": [*ORDERED["fields"][:3], field("note", "string", **attributes)]}


def test_without_definitions_nothing_is_shown_on_a_guess(tmp_path: Path) -> None:
    """Whoever looks at records without definitions is told how to see them all the same."""
    deployment = Deployment(settings(rules={"definitions": tmp_path / "none"}))
    with pytest.raises(ConfigurationError, match="--reveal shows everything: no folder"):
        _ = deployment.sensitive_names


@pytest.mark.parametrize("name", ["external_event_id", "eventDateTime"])
def test_what_leaves_as_id_or_time_is_not_sensitive(tmp_path: Path, name: str) -> None:
    """A webhook's id and time are in every output, so no definition of its orgs may hide them."""
    body = LINKED | {"fields": [CUSTOMER, field(name, "string", isPsiData="true")]}
    rules = {"definitions": stored(tmp_path, body)}
    made = settings(rules=rules, dialects={"webhooks": {"default": WEBHOOK}})
    with pytest.raises(ConfigurationError, match=f"1800/cardLinked: {name} has isPsiData"):
        _ = Deployment(made).event_definitions
    limits = limits_of(made)
    for org_id, count in ((1800, 1), (1801, 1), (1802, 0)):
        assert len(limits.refusals(define(body, org_id), others=0)) == count
    assert Limits().refusals(define(body), others=0) == []
    assert Deployment(settings(rules=rules)).event_definitions == [define(body)]
