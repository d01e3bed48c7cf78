"""The probes of the HTTP services, in front of everything else that they answer."""

import threading
from collections.abc import Callable

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from loyaltystream.errors import RetryableBrokerError
from loyaltystream.web.probing import FRESH_S, Probing


class Broker:
    """One that answers or does not, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.now_s = 0.0
        self.away = False
        self.released = threading.Event()
        self.released.set()

    def ask(self) -> None:
        """Answer, or fail as a client of a broker that is away does."""
        self.asked += 1
        self.released.wait(10)
        if self.away:
            raise RetryableBrokerError("asking for topic events: no answer")


async def welcome(_request: Request) -> PlainTextResponse:
    """Answer as the service itself."""
    return PlainTextResponse("welcome")


@pytest.fixture
def broker() -> Broker:
    """Return a broker that answers."""
    return Broker()


@pytest.fixture
def ask(broker: Broker) -> Callable[[str], tuple[int, str]]:
    """Return what asks a service on that broker."""
    app = Starlette(routes=[Route("/", welcome)])
    client = TestClient(Probing(app, broker.ask, now_s=lambda: broker.now_s))
    client.__enter__()

    def get(path: str) -> tuple[int, str]:
        answer = client.get(path)
        return answer.status_code, answer.text

    return get


Ask = Callable[[str], tuple[int, str]]


def test_a_service_is_ready_while_its_broker_answers(broker: Broker, ask: Ask) -> None:
    """An outage makes it unready, without a word of where the broker is, and leaves it alive."""
    assert [ask(path)[0] for path in ("/livez", "/readyz", "/startupz")] == [200, 200, 200]
    broker.away = True
    broker.now_s += FRESH_S
    status, text = ask("/readyz")
    assert status == 503
    assert text == "failing\nwaiting_for_broker: the broker does not answer\n"
    assert [ask(path)[0] for path in ("/livez", "/startupz")] == [200, 200]
    broker.away = False
    broker.now_s += FRESH_S
    assert ask("/readyz") == (200, "ok\n")


def test_probes_do_not_ask_the_broker_each_time(broker: Broker, ask: Ask) -> None:
    """However often a service is probed, its broker is asked once in a few seconds."""
    for _ in range(20):
        ask("/readyz")
        ask("/livez")
    assert broker.asked == 0
    broker.now_s += FRESH_S
    for _ in range(20):
        ask("/readyz")
    assert broker.asked == 1


def test_no_probe_waits_for_a_silent_broker(broker: Broker, ask: Ask) -> None:
    """While the broker is asked, the last answer counts, and it is asked once only."""
    broker.released.clear()
    broker.now_s += FRESH_S
    assert [ask("/readyz")[0] for _ in range(3)] == [200, 200, 200]
    assert broker.asked == 1
    broker.away = True
    broker.released.set()
    # What was asked for comes in while the next one waits for it.
    assert ask("/readyz")[0] == 503


def test_everything_else_is_the_services(ask: Ask) -> None:
    """Only the three paths are taken away from it."""
    assert ask("/") == (200, "welcome")
    assert ask("/livez/")[0] == 404
