"""How an id chooses its place, and how columns of ids are compared. Pure."""

from typing import Final

import numpy as np
import numpy.typing as npt

from loyaltystream.memory.identity import Ids

Hashes = npt.NDArray[np.uint64]

HALF: Final = np.uint64(32)
LOWER: Final = np.uint64(0xFFFFFFFF)
_MIXERS: Final = (np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53))


def mix(ids: Ids) -> Hashes:
    """Return 64 well-mixed bits of each id.

    The first word is mixed before the second enters: ids are masked with a secret, but by XOR, and
    any hash that is linear in both would let a producer choose ids that collide.
    """
    hashes = ids[:, 0].copy()
    for word in (ids[:, 1], np.uint64(0)):
        for mixer in _MIXERS:
            hashes ^= hashes >> HALF
            hashes *= mixer
        hashes ^= hashes >> HALF
        hashes ^= word
    return hashes


def alike(ids: Ids, others: Ids) -> npt.NDArray[np.bool_]:
    """Say row by row whether two columns hold the same id."""
    # Word by word: reducing over an axis of two costs ten times as much.
    equal: npt.NDArray[np.bool_] = (ids[:, 0] == others[:, 0]) & (ids[:, 1] == others[:, 1])
    return equal


def nonzero(ids: Ids) -> npt.NDArray[np.bool_]:
    """Say of each id whether it has any bit: an empty slot has none."""
    filled: npt.NDArray[np.bool_] = (ids[..., 0] | ids[..., 1]) != 0
    return filled
