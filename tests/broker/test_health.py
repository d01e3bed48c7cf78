"""The probes of a real worker, from its first moment to its end."""

import json
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from loyaltystream.platform.ports import free_port
from tests.shop import QUICK, Shop, eventually

pytestmark = pytest.mark.broker

PORTS = range(28_000, 29_000)


def ask(port: int, probe: str) -> tuple[int, list[str]]:
    """Return the status of a probe's answer, and the states that it tells; 0: nobody answers."""
    request = Request(f"http://127.0.0.1:{port}{probe}", headers={"Accept": "application/json"})
    try:
        with urlopen(request, timeout=5) as answer:  # noqa: S310 (likewise)
            return answer.status, _states(json.load(answer))
    except HTTPError as error:
        return error.code, _states(json.load(error))
    except OSError:
        return 0, []


def _states(told: dict[str, Any]) -> list[str]:
    return [one["state"] for one in told["reasons"]]


def test_a_worker_tells_how_it_is(make_shop: Callable[..., Shop]) -> None:
    """While no broker answers it is alive and unready, with partitions ready, without spare."""
    port = free_port(PORTS)
    shop = make_shop(2, **QUICK, telemetry__metrics_port=str(port))
    arguments = ("run", "--stage", "ingest", "--from", "earliest")
    with shop.changed({"kafka.bootstrap_servers": "127.0.0.1:1"}):
        lost = shop.start(*arguments, log="lost")
        eventually(
            lambda: ask(port, "/readyz") == (503, ["waiting_for_broker", "starting"]),
            "waiting is told",
        )
        assert [ask(port, probe)[0] for probe in ("/livez", "/startupz")] == [200, 503]
        assert shop.stop(lost) == 0
    first = shop.start(*arguments)
    eventually(lambda: ask(port, "/readyz") == (200, []), "the worker is ready", 60)
    assert [ask(port, probe) for probe in ("/livez", "/startupz")] == [(200, []), (200, [])]
    spare_port = free_port(PORTS)
    spare = {"telemetry.metrics_port": str(spare_port), "worker.instance": "spare"}
    with shop.changed(spare):
        second = shop.start(*arguments, log="spare")
    third_port = free_port(range(29_000, 30_000))
    with shop.changed({"telemetry.metrics_port": str(third_port), "worker.instance": "third"}):
        third = shop.start(*arguments, log="third")
    eventually(
        lambda: (
            sorted(ask(one, "/readyz")[1] for one in (port, spare_port, third_port))
            == [[], [], ["no_partitions"]]
        ),
        "the third of three workers on two partitions stands by",
        90,
    )
    assert all(ask(one, "/readyz")[0] == 200 for one in (port, spare_port, third_port))
    assert [shop.stop(one) for one in (third, second, first)] == [0, 0, 0]
