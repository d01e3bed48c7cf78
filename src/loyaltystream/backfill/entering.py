"""What an operator says about an import in, what it may claim out, or why it may not. Pure."""

from collections.abc import Callable

import msgspec

from loyaltystream.backfill.claim import IMPORT_ID
from loyaltystream.backfill.journal import Entry
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
        topic_id: of the ingest topic.
        quiet: whether its events shall cause no notifications.
    """

    import_id: str
    until_ms: int
    now_ms: int
    topic_id: str
    quiet: bool = False


def enter(wish: Wish, kept: Entry | None, prove: Callable[[], Proven | None]) -> Entry:
    """Return where an import begins, or goes on.

    Args:
        wish: what is asked for.
        kept: what an earlier run has left.
        prove: tells what an import may claim that begins now.

    Raises:
        ConfigurationError: if it would claim what nobody can prove.
    """
    if IMPORT_ID.fullmatch(wish.import_id) is None:
        raise ConfigurationError(
            f"--import-id {wish.import_id}: 64 letters, digits, dots, dashes and underscores at "
            f"most, such as till-history-2019"
        )
    if kept is not None and kept.topic_id == wish.topic_id:
        return _go_on(wish, kept)
    proven = prove()
    until = moment(wish.until_ms)
    if wish.until_ms > wish.now_ms:
        raise ConfigurationError(f"--until {until} has not come yet: live events are not history")
    if proven is None:
        raise ConfigurationError(
            f"--until {until} can't be proven: the changelog no longer tells when this deployment "
            f"began, so older events may have been accepted and forgotten. If you know it, say "
            f"--live-since TIME: no event was judged before"
        )
    if wish.until_ms > proven.until_ms:
        raise ConfigurationError(
            f"--until {until} is too late: later than {moment(proven.until_ms)} an event may have "
            f"occurred that was accepted since and is forgotten by now; say that moment or an "
            f"earlier one, and later events are judged like live ones"
        )
    claim = Import(wish.import_id, wish.until_ms, proven.before_ms, wish.quiet)
    return Entry(claim, wish.topic_id)


def _go_on(wish: Wish, kept: Entry) -> Entry:
    claim, name = kept.claim, wish.import_id
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
            f"import {name} was begun too long ago: since {moment(claim.before_ms)} the memory "
            f"forgets what it brought. It stopped behind {kept.lines:,} lines; what is left is an "
            f"import of its own, under another --import-id"
        )
    return kept
