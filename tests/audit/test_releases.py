"""What an older release wrote is told apart, and is held against the log as far as it can be."""

from collections.abc import Mapping
from typing import Any

import msgspec

from loyaltystream.audit import Fault, Findings, Notice
from loyaltystream.audit.audit import Audit
from loyaltystream.audit.releases import Releases
from loyaltystream.avro.wire import frame
from tests.audit.world import GROUPS, World, busy
from tests.core import TOPICS

OLD, NEW, STRANGE = 7, 8, 9
NAME = "loyalty.Event"


def releases(asked: list[int]) -> Releases:
    """Return what knows two releases of one schema, and one of somebody else's."""
    schemas: Mapping[int, Any] = {OLD: {"name": NAME}, NEW: {"name": NAME}, STRANGE: {"name": "x"}}

    def writer_of(schema_id: int) -> Mapping[str, Any] | None:
        asked.append(schema_id)
        return schemas.get(schema_id)

    return Releases([("out", {"name": NAME})], id_of=lambda *_: NEW, writer_of=writer_of)


def test_another_schema_of_the_same_record_is_an_older_release() -> None:
    """By the id in a value's frame; what no release of ours wrote is held to this one."""
    asked: list[int] = []
    found = releases(asked)
    told = {number: found.is_older("out", frame(number) + b"x") for number in (7, 8, 9, 10, 7)}
    assert told == {OLD: True, NEW: False, STRANGE: False, 10: False}
    assert asked == [OLD, NEW, STRANGE, 10], "each id is asked for once"
    for value in (None, b"", b"\1no frame of ours"):
        assert not found.is_older("out", value)
    assert not found.is_older("elsewhere", frame(OLD))


def audited(world: World) -> Findings:
    """Return what an audit finds that takes all routed events for an older release's."""
    deployment = msgspec.structs.replace(
        world.deployment(), is_older=lambda topic, _value: topic == TOPICS.emf
    )
    return Audit(world.log, deployment, groups=GROUPS, deriver=None).run()


def test_an_older_release_is_a_notice() -> None:
    """Its values are not compared, and it is exact all the same."""
    world = busy()
    routed = len(world.log.all(TOPICS.emf))
    findings = audited(world)
    assert findings.exact, findings.to_json()
    assert findings.notices == {Notice.OLDER_RELEASE: routed}


def test_an_older_release_is_there_once_under_its_key() -> None:
    """A key that is not its event's, a copy, and what is not there are faults as ever."""
    world = busy()
    first, second, third = world.log.all(TOPICS.emf)[:3]
    world.log.replace(TOPICS.emf, first, key=b"another's")
    world.log.append(TOPICS.emf, second)
    world.log.delete(TOPICS.emf, third)
    found = audited(world).faults
    assert found.keys() == {Fault.WRONG_CONTENT, Fault.REPEATED, Fault.MISSING}
