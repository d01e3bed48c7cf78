"""What the platform is made of."""

from loyaltystream.platform.pin import REGISTRY, ROOTS
from loyaltystream.platform.pins import Coordinate, read_pins


def test_every_archive_is_pinned_by_size_and_hash() -> None:
    """A pin says the version, the size and the SHA-256 of each archive."""
    pins = read_pins()
    for archive in (*pins.broker, pins.registry):
        assert archive.coordinate.version
        assert archive.size_bytes > 0
        assert len(archive.sha256) == 64


def test_the_class_path_is_that_of_one_kafka() -> None:
    """All archives of Kafka itself have one version, and none is there twice."""
    pins = read_pins()
    kafka = [a.coordinate for a in pins.broker if a.coordinate.group == "org.apache.kafka"]
    assert {coordinate.version for coordinate in kafka} == {"4.2.0"}
    names = [archive.filename for archive in pins.broker]
    assert len(set(names)) == len(names) == 46


def test_a_file_is_named_as_in_any_maven_repository() -> None:
    """The registry's archive has a classifier in its name, a jar has none."""
    pins = read_pins()
    assert pins.registry.filename == "apicurio-registry-app-3.3.3-all.tar.gz"
    assert pins.broker[0].filename == "kafka_2.13-4.2.0.jar"
    assert Coordinate("g", "a", "1").packaging == "jar"


def test_the_pins_are_those_of_their_writer() -> None:
    """Whoever changes a version where pins are made has to make them."""
    pins = read_pins()
    named = {":".join(archive.coordinate[:3]) for archive in pins.broker}
    assert set(ROOTS) <= named
    assert pins.registry.coordinate == REGISTRY
