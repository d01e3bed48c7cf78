"""What is hidden of sensitive fields, from whom, and what stands in its place."""

import hmac
from hashlib import blake2b, sha256

import pytest

from loyaltystream.content import value_text
from loyaltystream.definitions.model import Action
from loyaltystream.definitions.psi import Psi, Side, hashed, sensitive_names, starred
from tests.core import LINKED, VIEWED, define

HASH_KEY = "a secret of sixteen or more"
EMF, EI = frozenset({Action.EMF}), frozenset({Action.EI})
NOBODY = frozenset[Action]()


@pytest.mark.parametrize(
    ("actions", "clear_to", "sides"),
    [
        (["EMFConsumer", "EIConsumer"], NOBODY, (Side.MASKED,)),
        (["EMFConsumer"], NOBODY, (Side.MASKED,)),
        (["EIConsumer"], EMF, (Side.MASKED,)),
        (["EMFConsumer"], EMF, (Side.CLEAR,)),
        (["EIConsumer", "EMFConsumer"], EMF, (Side.CLEAR, Side.MASKED)),
    ],
)
def test_an_event_is_written_once_unless_topics_differ(
    actions: list[str], clear_to: frozenset[Action], sides: tuple[Side, ...]
) -> None:
    """Whoever may not have a value in clear makes a second record only where another one may."""
    assert Psi(starred, clear_to).sides(define(LINKED | {"actions": actions})) == sides


def test_what_is_not_marked_is_written_in_clear_only() -> None:
    """A definition without sensitive fields costs nothing, whatever the deployment hides."""
    for clear_to in (NOBODY, EMF):
        psi = Psi(hashed(HASH_KEY), clear_to)
        assert psi.sides(define(VIEWED)) == (Side.CLEAR,)
        assert psi.concealers(define(VIEWED)) == {}


def test_a_hash_is_an_hmac_under_a_key_of_its_own() -> None:
    """It is 128 bits of HMAC-SHA256 over org, field and value, as anybody with the key can tell."""
    key = blake2b(HASH_KEY.encode(), digest_size=32, person=b"psi").digest()
    expected = hmac.new(key, b'1800\x1epan\x1e"4929', sha256).hexdigest()[:32]
    assert hashed(HASH_KEY)(1800, "pan")(value_text("4929")) == expected


def test_hashes_join_within_an_org_and_a_name_only() -> None:
    """Equal values of one field are equal in every event of an org; nothing else is."""
    conceal = hashed(HASH_KEY)
    one = conceal(1800, "pan")(value_text("5"))
    assert one == conceal(1800, "pan")(value_text("5"))
    others = [
        conceal(1801, "pan")(value_text("5")),
        conceal(1800, "pin")(value_text("5")),
        conceal(1800, "pan")(value_text("6")),
        conceal(1800, "pan")(value_text(5)),
        conceal(180, "0pan")(value_text("5")),
        hashed(HASH_KEY + "!")(1800, "pan")(value_text("5")),
    ]
    assert len({one, *others}) == len(others) + 1
    assert conceal(1800, "pan")(value_text(5)) == conceal(1800, "pan")(value_text(5.0))


def test_sensitive_names_are_those_that_are_marked() -> None:
    """Whoever shows records asks for the names of what is to be hidden."""
    assert sensitive_names(define(LINKED).fields) == {"pan", "income", "born", "age", "health"}
