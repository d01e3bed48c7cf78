"""When spans are given away: once, behind a commit that is known; on a broker in memory."""

import subprocess
import sys

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from loyaltystream.runner import MAX_RENEWALS
from loyaltystream.testing import (
    Commit,
    Ending,
    Journal,
    MemoryBroker,
    ScriptedFates,
)
from loyaltystream.topology import Output
from loyaltystream.tracing.opening import tracing_to
from tests.core import NOW_MS, TOPICS, event, ingest, raw
from tests.simulation.watch import ALL_TOPICS
from tests.simulation.worker import runner_on
from tests.tracing.town import INGEST, TRACED, Taken

GROUP = "ingest"


class Shop:
    """One partition, and a worker whose transactions end as a script says."""

    def __init__(self, *endings: Commit) -> None:
        self.broker = MemoryBroker(dict.fromkeys(ALL_TOPICS, 1), now_ms=NOW_MS)
        self.broker.group(GROUP, TOPICS.ingest)
        self.taken, self.journal = Taken(), Journal()
        self.tracing = tracing_to(self.taken, INGEST, share=0.0)
        self.fates = ScriptedFates(endings=map(Ending, endings))
        self.worker = runner_on(
            self.broker,
            GROUP,
            "one",
            fates=self.fates,
            journal=self.journal,
            judge=ingest(trace=self.tracing.judged),
            around=self.tracing.around,
        )
        self._sent = 0

    def send(self) -> None:
        """Put a traced event on the topic."""
        self._sent += 1
        value = raw(event(eventId=f"event-{self._sent}"))
        self.broker.write(Output(TOPICS.ingest, None, value, 0, [TRACED]), None)

    def offsets(self) -> list[int]:
        """Return which records have a span, in the order in which they came."""
        return self.taken.told("messaging.kafka.offset")


def test_a_span_is_given_away_once_its_commit_is_known() -> None:
    """While a commit is open there is no span of it."""
    shop = Shop()
    shop.send()
    shop.worker.step()
    assert shop.offsets() == []
    shop.worker.step()
    assert shop.offsets() == [0]


def test_a_transaction_that_aborts_leaves_no_span() -> None:
    """Its events are judged again, and have one span each: of the time that counted."""
    shop = Shop(Commit.ABORTED)
    shop.send()
    shop.worker.step()
    shop.worker.step()
    assert shop.offsets() == []
    for _ in range(3):
        shop.worker.step()
    assert shop.offsets() == [0]


@given(st.lists(st.sampled_from(Commit), max_size=8), st.lists(st.booleans(), min_size=1))
def test_every_event_has_its_span_once(endings: list[Commit], sending: list[bool]) -> None:
    """However transactions end, and however it is heard: one span an event, in order."""
    late = {Commit.UNKNOWN_OPEN, Commit.UNKNOWN_LATE}  # they need a broker that goes on by itself
    lost = {Commit.UNKNOWN_COMMITTED, Commit.UNKNOWN_ABORTED}
    assume(sum(one in lost for one in endings) <= MAX_RENEWALS)  # after more a worker ends
    shop = Shop(*(one for one in endings if one not in late))
    sent = 0
    for sends in sending:
        if sends:
            shop.send()
            sent += 1
        shop.worker.step()
    for _ in range(40):
        shop.worker.step()
    assert shop.offsets() == sorted(shop.offsets())
    assert len(shop.offsets()) == len(set(shop.offsets())) == sent


def test_all_that_a_loop_tells_is_passed_on() -> None:
    """Counts, aborts and partitions reach what they reached without tracing."""
    shop = Shop(Commit.ABORTED)
    shop.send()
    for _ in range(5):
        shop.worker.step()
    lines = "\n".join(shop.journal.entries)
    for told in ("told submitted", "told aborted", "told committed"):
        assert told in lines


def test_leaving_writes_what_waits() -> None:
    """What closes a worker's tracing closes where its spans go."""
    shop = Shop()
    shop.tracing.close()
    assert shop.taken.closed == 1


@pytest.mark.parametrize("stage", ["ingest", "notify"])
def test_without_an_endpoint_there_is_nothing(stage: str) -> None:
    """A worker that traces nothing is put together without any of it, and loads no library."""
    code = (
        "import sys; from loyaltystream.settings import Settings; import loyaltystream.working;"
        "from loyaltystream.tracing.opening import NO_TRACING, open_tracing;"
        "from loyaltystream.tracing.spans import Work;"
        f"found = open_tracing(Settings().traces, Work('{stage}', 't', 'g', 'n'), 'one');"
        "assert found is NO_TRACING and found.around(7) == 7;"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
