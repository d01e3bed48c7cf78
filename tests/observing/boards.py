"""The six dashboards. Pure."""

from typing import Final

from tests.observing.kafka import KAFKA
from tests.observing.memory import MEMORY
from tests.observing.outside import GATEWAY, SUBSCRIBERS
from tests.observing.overview import OVERVIEW
from tests.observing.producers import PRODUCERS

BOARDS: Final = [OVERVIEW, PRODUCERS, MEMORY, KAFKA, SUBSCRIBERS, GATEWAY]
