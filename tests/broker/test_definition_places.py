"""`loyaltystream definitions` on the topic, and through a running service: the same commands."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from loyaltystream.settings import variable
from tests.broker.test_definitions import Caller, follow, send, told, write
from tests.core import ORDERED, VIEWED, field
from tests.shop import Shop

pytestmark = pytest.mark.broker

WIDER = ORDERED | {"fields": [*ORDERED["fields"], field("shelf", "string")]}
LESS = ORDERED | {"fields": ORDERED["fields"][:-1]}


@pytest.fixture(params=["topic", "service"])
def place(request: pytest.FixtureRequest, make_shop: Callable[..., Shop]) -> Callable[..., Any]:
    """Return what runs a command on an empty place, and gives its JSON."""
    shop = make_shop(partitions=1)
    follow(shop)
    options: tuple[str, ...] = ("--json",)
    if request.param == "service":
        caller = Caller(shop, "shop", 1800)
        caller.start("service")
        shop.environment[variable("definitions.token")] = caller.token
        # Whoever asks a service needs no Kafka.
        shop.environment[variable("kafka.bootstrap_servers")] = "127.0.0.1:1"
        options = ("--json", "--url", f"http://127.0.0.1:{caller.port}")

    def run(*arguments: str, code: int = 0, files: tuple[dict[str, Any], ...] = ()) -> Any:
        write(shop, *files)
        done = shop.command("definitions", *arguments, *options, code=code)
        return json.loads(done.stdout) if done.stdout else done.stderr

    return run


def test_commands_do_the_same_on_both(place: Callable[..., Any]) -> None:
    """Files are compared, applied, listed, shown and disabled alike, whatever lies behind."""
    assert {one["action"] for one in place("diff", code=4, files=(ORDERED, VIEWED))} == {"create"}
    assert {one["action"] for one in place("apply", "--dry-run")} == {"create"}
    assert place("list") == []
    assert [one["version"] for one in place("apply")] == [1, 1]
    assert {one["action"] for one in place("diff")} == {"keep"}
    [step, _] = place("apply", code=2, files=(LESS,))
    assert (step["action"], step["told"]) == ("refuse", ["NOT_ADDITIVE fields: note is gone"])
    place("apply", files=(WIDER,))
    assert place("list") == [
        {
            "orgId": 1800,
            "eventName": name,
            "state": "published",
            "version": version,
            "actions": actions,
            "fields": fields,
        }
        for name, version, actions, fields in (
            ("orderPlaced", 2, ["EMFConsumer"], 5),
            ("productViewed", 1, ["EMFConsumer", "EIConsumer"], 11),
        )
    ]
    shown = place("show", "1800", "orderPlaced")
    assert [len(one["body"]["fields"]) for one in shown["versions"]] == [4, 5]
    assert place("disable", "1800", "orderPlaced", "--yes")["state"] == "disabled"
    assert place("list")[0]["state"] == "disabled"
    assert "no event nothing of org 1800" in place("show", "1800", "nothing", code=2)
    assert place("disable", "7", "productViewed", "--yes", code=2).count("\n") == 1


def test_a_what_if_over_http_tells_what_the_command_tells(make_shop: Callable[..., Shop]) -> None:
    """On a real broker both count the same events and letters; the service shows its org's."""
    shop = make_shop(partitions=2)
    follow(shop)
    folder = write(shop, VIEWED)
    shop.command("definitions", "apply")
    workers = shop.start("run", "--from", "earliest")
    send(shop, [told(number) for number in range(30)])
    send(shop, [told(number, fields={"price": 1}) for number in range(30, 40)])
    send(shop, [told(number, orgId=1801) for number in range(40, 45)])
    shop.drain()
    assert shop.stop(workers) == 0, shop.log()
    strict = VIEWED | {
        "fields": [
            *(field("sku", "string") if one["name"] == "sku" else one for one in VIEWED["fields"]),
            field("shelf", "enum", possibleValues=["upper"]),
        ]
    }
    write(shop, strict)
    file = folder / "1800" / "productViewed.json"
    done = shop.command("definitions", "what-if", str(file), "--json")
    [events, letters] = json.loads(done.stdout).values()
    caller = Caller(shop, "shop", 1800)
    caller.start("service")
    status, answer = caller.ask("POST", "/v2/events/productViewed/what-if?hours=1", strict)
    assert status == 200, answer
    assert (answer["data"]["events"]["fixes"], answer["data"]["events"]["rejects"]) == (10, 10)
    assert answer["data"]["events"] == {
        name: value for name, value in events.items() if name != "records"
    }
    assert answer["data"]["letters"]["fixes"] == letters["fixes"] == 0
    assert any(text.startswith("NOT_ADDITIVE fields: sku") for text in answer["warnings"])
    assert caller.ask("POST", "/v2/events/productViewed/what-if", strict)[0] == 429
