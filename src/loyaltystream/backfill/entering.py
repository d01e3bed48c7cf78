"""What an operator says about an import in, what it may claim out, or why it may not. Pure."""

from collections.abc import Callable, Mapping

import msgspec

from loyaltystream.backfill.claim import IMPORT_ID
from loyaltystream.backfill.proven import Proven
from loyaltystream.errors import ConfigurationError
from loyaltystream.events import Import
from loyaltystream.tailing.shown import moment


class Wish(msgspec.Struct, frozen=True):
    """What somebody asks for.

    Attributes:
        import_id: the import's name.
        until_ms: events that occurred before shall not be late.
        now_ms: when that is said.
        quiet: whether its events shall cause no notifications.
        never_imported: somebody's word that no forgotten import brought any of them.
    """

    import_id: str
    until_ms: int
    now_ms: int
    quiet: bool = False
    never_imported: bool = False


def enter(wish: Wish, begun: Mapping[str, Import], prove: Callable[[], Proven | None]) -> Import:
    """Return what an import claims.

    Args:
        wish: what is asked for.
        begun: the claims of all imports that there were.
        prove: tells what an import may claim that begins now.

    Raises:
        ConfigurationError: if it would claim what nobody can prove.
    """
    if IMPORT_ID.fullmatch(wish.import_id) is None:
        raise ConfigurationError(
            f"--import-id {wish.import_id}: 64 letters, digits, dots, dashes and underscores at "
            f"most, such as tills-2019"
        )
    if (claim := begun.get(wish.import_id)) is not None:
        return _go_on(wish, claim)
    if wish.until_ms > wish.now_ms:
        until = moment(wish.until_ms)
        raise ConfigurationError(f"--until {until} has not come yet: what comes is no history")
    proven = _demand(wish, prove())
    before_ms = proven.before_ms
    if not proven.is_all_remembered:
        before_ms = _beside(wish, begun, before_ms)
    return Import(wish.import_id, wish.until_ms, before_ms, wish.now_ms, wish.quiet)


def _go_on(wish: Wish, claim: Import) -> Import:
    """Return the claim of an import that was begun before: it never grows."""
    name = wish.import_id
    if claim.until_ms != wish.until_ms:
        raise ConfigurationError(
            f"import {name} was begun with --until {moment(claim.until_ms)}: say the same, or "
            f"another --import-id"
        )
    if claim.quiet != wish.quiet:
        raise ConfigurationError(
            f"import {name} was begun {'with' if claim.quiet else 'without'} --no-notify: say the "
            f"same, or another --import-id"
        )
    if wish.now_ms >= claim.before_ms:
        raise ConfigurationError(
            f"import {name} was begun too long ago: since {moment(claim.before_ms)} the memory may "
            f"have forgotten what it brought. Bring what it did not under another --import-id"
        )
    return claim


def _demand(wish: Wish, proven: Proven | None) -> Proven:
    until = moment(wish.until_ms)
    if proven is None:
        raise ConfigurationError(
            f"--until {until} can't be proven: the changelog does not tell any more when this "
            f"deployment began, so older events may have been accepted and forgotten. If you know "
            f"it, say --live-since TIME: no event was judged before"
        )
    if wish.until_ms > proven.until_ms:
        raise ConfigurationError(
            f"--until {until} is too late: an event from behind {moment(proven.until_ms)} may have "
            f"been accepted since, and be forgotten by now. Say that moment or an earlier one; "
            f"later events are judged like live ones"
        )
    return proven


def _beside(wish: Wish, begun: Mapping[str, Import], before_ms: int) -> int:
    """Return until when an import holds beside others, which may have brought the same events."""
    forgotten = [one for one in begun.values() if one.before_ms <= wish.now_ms]
    if forgotten and not wish.never_imported:
        last = max(forgotten, key=lambda one: one.before_ms)
        raise ConfigurationError(
            f"import {last.import_id} has brought history before, and the memory may have "
            f"forgotten it since {moment(last.before_ms)}: an event of both would be doubled. If "
            f"there is none, say --never-imported"
        )
    known = [one.before_ms for one in begun.values() if one.before_ms > wish.now_ms]
    return min([before_ms, *known])
