"""Bad records on the real broker: each gets one letter, and none holds up those behind it."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from loyaltystream.events import Record
from loyaltystream.platform import Addresses
from loyaltystream.story import Intent, Sent
from tests.broker.golden import Letter, Refused, fresh, letters, refused, sources, write_definitions
from tests.shop import Shop, opened

pytestmark = pytest.mark.broker

GOOD_BETWEEN = 40


class Judged(NamedTuple):
    """A deployment that has judged all refused cases among good events, and what was sent."""

    shop: Shop
    cases: list[Refused]
    letters: dict[tuple[int, int], Letter]
    ingest: list[Record]


@pytest.fixture(scope="module")
def judged(proven_cluster: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judged]:
    """Send every refused case to one partition, good events and tombstones in between."""
    folder = tmp_path_factory.mktemp("golden")
    definitions = write_definitions(folder / "definitions")
    cases = refused()
    settings = {"rules.definitions": str(definitions), **sources()}
    with opened(proven_cluster, folder / "shop", 1, **settings) as shop:
        shop.send(_among_good_ones(cases))
        worker = shop.start("run", "--stage", "ingest", "--from", "earliest")
        shop.drain(["ingest"])
        assert shop.stop(worker) == 0, shop.log()
        yield Judged(shop, cases, letters(shop), shop.read(shop.deployment.topics.ingest))


def _among_good_ones(cases: list[Refused]) -> Iterator[Sent]:
    for number, case in enumerate(cases):
        record = case.record
        yield Sent(record.key, record.value, record.headers, Intent.INVALID)
        if number < GOOD_BETWEEN:
            yield Sent(None, fresh(f"good {number}"), (), Intent.NEW)
            yield Sent(b"gone", None, (), Intent.TOMBSTONE)


def test_every_refused_case_has_one_letter_with_its_reasons(judged: Judged) -> None:
    """What the golden files call rejected has exactly one letter each, with just their codes."""
    assert len(judged.cases) > 100
    bad = [record for record in judged.ingest if _is_bad(record)]
    assert len(bad) == len(judged.cases) == len(judged.letters)
    for record, case in zip(bad, judged.cases, strict=True):
        letter = judged.letters[record.partition, record.offset]
        assert [found["code"] for found in letter["violations"]] == case.reasons, case.why
        assert letter["verdict"] == "rejected", case.why


def test_a_letter_has_the_original_bytes(judged: Judged) -> None:
    """Value, key and headers lie in the letter exactly as the broker took them."""
    for record in filter(_is_bad, judged.ingest):
        letter = judged.letters[record.partition, record.offset]
        assert not letter["truncated"]
        assert letter["value"]["bytes"] == record.value
        assert (letter["key"] or {}).get("bytes") == record.key
        headers = [(header["name"], header["value"]["bytes"]) for header in letter["headers"]]
        assert headers == list(record.headers)


def test_nothing_stalls_behind_a_bad_record(judged: Judged) -> None:
    """Good events and tombstones between the bad ones are judged as if they stood alone."""
    findings = judged.shop.audit()
    assert findings.exact, findings.to_json()
    (partition,) = [found for found in findings.partitions if found.stage == "ingest"]
    assert partition.found["accepted"] == GOOD_BETWEEN
    assert partition.found["tombstone"] == GOOD_BETWEEN
    assert partition.found["rejected"] == len(judged.cases)


def _is_bad(record: Record) -> bool:
    return record.value is not None and b'"eventId": "good ' not in record.value
