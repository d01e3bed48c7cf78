"""Keys for the tests of sealed letters."""

from typing import Final

from loyaltystream.sealing.ring import KeyRing

SECRETS: Final = {"old": bytes(range(32)), "new": bytes(range(32, 64))}
OLD: Final = KeyRing({"old": SECRETS["old"]}, "old")
"""Before a rotation."""
BOTH: Final = KeyRing(SECRETS, "new")
"""After it: seals under the new key, and opens what is under either."""
NEW: Final = KeyRing({"new": SECRETS["new"]}, "new")
"""The old key was taken away."""
