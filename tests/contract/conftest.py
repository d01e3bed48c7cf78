"""Every test of the contract runs on both backends."""

from tests.contract.both import on_both
from tests.contract.kafka import KafkaBackend
from tests.contract.memory import MemoryBackend

backend = on_both(MemoryBackend, KafkaBackend)
