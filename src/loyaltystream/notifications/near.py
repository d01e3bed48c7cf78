"""A name that nobody knows in, the known one that may be meant out. Pure."""

from collections.abc import Iterable
from difflib import get_close_matches


def hint(name: str, known: Iterable[str]) -> str:
    """Return ` (did you mean ...?)` with the known name that is nearest, nothing if none is."""
    spelled = {each.lower(): each for each in known}
    nearest = get_close_matches(name.lower(), spelled, n=1)
    return f" (did you mean {spelled[nearest[0]]}?)" if nearest else ""
