"""How an id chooses its place, and how columns of ids are compared. Pure."""

from typing import Final

import numpy as np
import numpy.typing as npt

from loyaltystream.memory.identity import Ids

Hashes = npt.NDArray[np.uint64]

# Arrays without a dimension: numpy takes them in half the time that it needs for a scalar.
HALF: Final = np.array(32, np.uint64)
LOWER: Final = np.array(0xFFFFFFFF, np.uint64)
_FIRST: Final = np.array(0xFF51AFD7ED558CCD, np.uint64)
_SECOND: Final = np.array(0xC4CEB9FE1A85EC53, np.uint64)
_EMPTY: Final = np.array(0, np.uint64)
_BOTH: Final = np.array([True, True]).view(np.uint16)


def mix(ids: Ids) -> Hashes:
    """Return 64 well-mixed bits of each id.

    The first word is mixed before the second enters: ids are masked with a secret, but by XOR, and
    any hash that is linear in both would let a producer choose ids that collide.
    """
    return _stir(_stir(ids[:, 0]) ^ ids[:, 1])


def _stir(words: Hashes) -> Hashes:
    hashes = words >> HALF
    hashes ^= words
    hashes *= _FIRST
    hashes ^= hashes >> HALF
    hashes *= _SECOND
    hashes ^= hashes >> HALF
    return hashes


def alike(ids: Ids, others: Ids) -> npt.NDArray[np.bool_]:
    """Say row by row whether two columns hold the same id."""
    # Both words of an id at once: reducing over an axis of two costs ten times as much.
    equal: npt.NDArray[np.bool_] = (ids == others).view(np.uint16)[:, 0] == _BOTH
    return equal


def may_have_zero(ids: Ids) -> bool:
    """Say whether the id of zeros may be among these; hardly ever in vain."""
    return bool(np.count_nonzero(ids[:, 0]) < len(ids))


def nonzero(ids: Ids) -> npt.NDArray[np.bool_]:
    """Say of each id whether it has any bit: an empty slot has none."""
    filled: npt.NDArray[np.bool_] = (ids[..., 0] | ids[..., 1]) != _EMPTY
    return filled
