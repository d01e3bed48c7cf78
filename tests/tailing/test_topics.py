"""What a topic may be called on the command line."""

import msgspec
import pytest

from loyaltystream.errors import ConfigurationError
from loyaltystream.tailing.topics import ROLES, Asked, resolve
from loyaltystream.topology import Topics
from tests.core import TOPICS

OURS = Topics(**{name: f"shop.{value}" for name, value in msgspec.structs.asdict(TOPICS).items()})


@pytest.mark.parametrize(("role", "field"), ROLES.items())
def test_a_topic_goes_by_its_role_its_name_and_its_name_without_prefix(
    role: str, field: str
) -> None:
    """All three mean the same topic."""
    asked = Asked(getattr(OURS, field), field)
    for name in (role, role.upper(), field, getattr(OURS, field), getattr(TOPICS, field)):
        assert resolve(name, OURS, prefix="shop.") == asked


def test_any_other_name_is_taken_as_it_is() -> None:
    """A topic of somebody else's can be looked at as well."""
    assert resolve("their.topic", OURS, prefix="shop.") == Asked("their.topic", None)


@pytest.mark.parametrize("name", ["", "a b", "a/b", "x" * 250, "\x1b[31m"])
def test_what_can_be_no_topic_is_refused_with_the_roles(name: str) -> None:
    """Whoever mistypes is told every role and its topic."""
    with pytest.raises(ConfigurationError) as caught:
        resolve(name, OURS, prefix="shop.")
    assert all(role in str(caught.value) for role in ROLES)
    assert all(topic in str(caught.value) for topic in msgspec.structs.astuple(OURS))
