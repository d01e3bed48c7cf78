"""Every notification by Kafka: the events of the standard pack in, decoded by stock clients out."""

from typing import Any

import msgspec
import pytest

from loyaltystream.platform import Addresses
from tests.broker.standard import caused, judged_cases, without_arrival
from tests.broker.test_subscribers import subscribe

pytestmark = pytest.mark.broker


def test_a_stock_client_reads_every_notification_as_it_is_described(
    proven_cluster: Addresses, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """All 28 types, with everything and with nothing, are read just as the golden files say."""
    with judged_cases(proven_cluster, tmp_path_factory.mktemp("standard")) as shop:
        received = subscribe(shop, shop.deployment.topics.notifications)
    expected = caused()
    assert len({each["notification"]["eventName"] for each in expected}) == 28
    read = [
        (
            (one.key or b"").decode(),
            one.headers["ce_type"].decode(),
            without_arrival(msgspec.to_builtins(one.value)),
        )
        for one in received
    ]
    told = [(each["key"], each["type"], without_arrival(each["notification"])) for each in expected]
    assert sorted(read, key=_id) == sorted(told, key=_id)


def _id(read: tuple[str, str, dict[str, Any]]) -> str:
    return str(read[2]["eventId"])
