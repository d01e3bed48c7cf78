"""One contract, two backends: a fixture that is the one, and then the other."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest


class Closing(Protocol):
    """Something that a test lets go of."""

    def close(self) -> None:
        """Let go."""


def on_both(in_memory: Callable[[], object], on_kafka: Callable[[str], Closing]) -> Any:
    """Return a fixture: something empty in memory, and then on the real broker.

    Args:
        in_memory: makes it.
        on_kafka: makes it on the broker at that address.
    """

    @pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.broker)])
    def made(request: pytest.FixtureRequest) -> Iterator[object]:
        if request.param == "memory":
            yield in_memory()
            return
        found = on_kafka(request.getfixturevalue("proven_cluster").bootstrap_servers)
        yield found
        found.close()

    return made
