"""Definitions that change while events are judged: each is audited by what it was judged by."""

import pytest

from loyaltystream.audit import Deployment, Fault, Findings
from loyaltystream.audit.audit import Audit
from loyaltystream.events import REVISION_HEADER, revision_header
from tests.audit.world import GROUPS, World, ordered, viewed
from tests.core import BILLED, COUNTED, FOLLOWED, ORDERED, SUBSCRIBED, TOPICS, VIEWED, field
from tests.definitions.topic import Topic

STRICT = VIEWED | {
    "fields": [*VIEWED["fields"], field("shelf", "enum", possibleValues=["upper", "lower"])]
}


class Shop:
    """A world whose definitions come from their topic."""

    def __init__(self) -> None:
        self.topic = Topic()
        for body in (VIEWED, ORDERED, BILLED, COUNTED, SUBSCRIBED, FOLLOWED):
            self.topic.create(body)
        self.world = World()
        self.hear()

    def hear(self) -> None:
        """Have the worker know what the topic says."""
        self.world.definitions = self.topic.history().view()

    def audit(self) -> Findings:
        """Return what an audit finds that reads the topic as it is now."""
        history = self.topic.history()
        deployment = self.world.deployment()
        return Audit(
            self.world.log,
            Deployment(
                topics=deployment.topics,
                definitions=history.view(),
                rules=deployment.rules,
                identity=deployment.identity,
                layout=deployment.layout,
                letters=deployment.letters,
                views=history.at,
            ),
            groups=GROUPS,
        ).run()


def busy() -> Shop:
    """Return a shop that judged by several revisions, also by an older one behind a newer one."""
    shop = Shop()
    world = shop.world
    for number in range(6):
        world.place(viewed(number, number, fields={"sku": "S", "shelf": "floor"}))
    world.run()
    old = world.definitions
    shop.topic.replace(STRICT)
    shop.topic.disable("orderPlaced")
    shop.hear()
    for number in range(6):
        world.place(viewed(number, number, fields={"sku": "S", "shelf": "floor"}))
        world.place(viewed(10 + number, number, fields={"sku": "S", "shelf": "upper"}))
        world.place(ordered(20 + number, f"A-{number}", number), astray=number % 2)
    world.run()
    world.definitions = old  # another worker, which is behind
    for number in range(6):
        world.place(viewed(number, number, fields={"sku": "S", "shelf": "floor"}))
        world.place(viewed(30 + number, number, fields={"sku": "S", "shelf": "floor"}))
        world.place(ordered(40 + number, f"B-{number}", number))
    world.run()
    return shop


def test_each_event_is_audited_by_the_version_that_judged_it() -> None:
    """Accepted, rejected and resent events under changing definitions are exact, without excuse."""
    shop = busy()
    findings = shop.audit()
    assert findings.exact, findings.to_json()
    assert not findings.notices
    found = [partition.found for partition in findings.partitions if partition.stage == "ingest"]
    counts = {name: sum(one.get(name, 0) for one in found) for one in found for name in one}
    assert (counts["accepted"], counts["rejected"], counts["duplicate"]) == (24, 12, 6)


def test_the_header_decides_what_a_batch_was_judged_by() -> None:
    """A changelog record that tells another revision than the outputs show is found out."""
    shop = busy()
    written = shop.world.log.all(TOPICS.changelog)
    honest = next(record for record in written if (REVISION_HEADER, b"8") in record.headers)
    shop.world.log.replace(TOPICS.changelog, honest, headers=[revision_header(6)])
    faults = shop.audit().faults
    assert faults
    assert set(faults) <= {
        Fault.WRONG_CONTENT,
        Fault.WRONG_VERDICT,
        Fault.CHANGELOG_IDS,
        Fault.ACCEPTED_TWICE,
    }


@pytest.mark.parametrize("said", [b"", b"x", b"-1", b"9" * 30])
def test_a_header_of_nonsense_is_as_none(said: bytes) -> None:
    """What is no revision stands for files, by whose versions the topic then began."""
    shop = Shop()
    shop.world.place(viewed(1, 1))
    shop.world.run()
    [written] = [one for one in shop.world.log.all(TOPICS.changelog) if one.headers]
    shop.world.log.replace(TOPICS.changelog, written, headers=[(REVISION_HEADER, said)])
    assert shop.audit().exact


def test_what_files_judged_before_stays_exact() -> None:
    """Events from before the topic, whose first versions are those of the files, are no fault."""
    shop = Shop()
    world = shop.world
    topic_view, files = world.definitions, World().definitions
    world.definitions = files
    for number in range(6):
        world.place(viewed(number, number, fields={"sku": "S", "shelf": "floor"}))
    world.run()
    shop.topic.replace(STRICT)
    world.definitions = topic_view
    world.place(viewed(50, 1))
    world.run()
    findings = shop.audit()
    assert findings.exact, findings.to_json()
    assert not findings.notices
