"""What counts the dead letters that wait, put together. Does I/O: makes clients."""

from loyaltystream.kafka.searching import LogSearcher
from loyaltystream.letters.backlog import Backlog
from loyaltystream.plans import letters_kept_days
from loyaltystream.settings import Settings
from loyaltystream.telemetry.letters import LetterWatch, Rest, WaitingLetters
from loyaltystream.times import DAY_MS
from loyaltystream.topology import Topics


def build_letter_watch(settings: Settings, topics: Topics, waiting: WaitingLetters) -> LetterWatch:
    """Return what counts the letters of a worker's partitions, those of both stages.

    A letter lies in its event's partition, so whoever judges a partition's events counts them.
    """
    waiting.retention_s = letters_kept_days(settings) * DAY_MS / 1000
    backlog = Backlog(
        LogSearcher(settings.kafka),
        letters=topics.dead_letter,
        states=topics.letter_state,
        rest=Rest().take,
    )
    return LetterWatch(waiting, backlog.count)
