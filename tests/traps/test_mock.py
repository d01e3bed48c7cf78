"""T20: what may be believed of exactly-once that was seen on something else than a broker."""

import ast
import re

from confluent_kafka import Producer

from tests.cluster import abilities
from tests.test_house import TESTS, functions, modules, name_of, parsed

ANSWER_S = 10.0


def test_a_mock_cluster_proves_nothing() -> None:
    """What our tests demand of a broker, the client library's own imitation of one does not do."""
    imitation = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "none", "log_level": 0})
    [broker] = imitation.list_topics("topic", ANSWER_S).brokers.values()
    seen = abilities(f"{broker.host}:{broker.port}", "topic")
    assert len(seen) == 4
    assert not any(seen.values()), seen
    imitation.close()


def test_what_claims_to_be_shown_on_a_broker_is() -> None:
    """Every test that lies among those of the broker has the mark of it."""
    for path in modules(TESTS / "broker"):
        if path.name.startswith("test_"):
            marks = re.findall(r"^pytestmark = .*$", path.read_text(), re.MULTILINE)
            assert "pytest.mark.broker" in "".join(marks), name_of(path)


def test_no_test_of_ours_uses_an_imitation_of_a_broker() -> None:
    """The library's mock cluster stands in this file only, to be shown wanting."""
    for path in modules(TESTS):
        for function in functions(parsed(path)):
            names = re.findall(r"test\.mock\.num", ast.unparse(function))
            assert not names or path.name == "test_mock.py", name_of(path)
