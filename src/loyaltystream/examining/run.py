"""Everything that the doctor looks at, in order: settings in, a report out. Does I/O: asks.

What can't be looked at is told with the reason, and keeps nothing else from being looked at.
"""

from collections.abc import Callable, Iterable

from loyaltystream.deployment import Deployment
from loyaltystream.doctor import wording
from loyaltystream.doctor.findings import Finding, Kind, Report, Unseen, report
from loyaltystream.errors import LoyaltyStreamError, SettingsError
from loyaltystream.examining.cluster import Cluster
from loyaltystream.examining.look import Check, Doing, Look
from loyaltystream.examining.premises import Premises
from loyaltystream.examining.traffic import Traffic
from loyaltystream.settings import Settings


def examine(load: Callable[[], Settings], doing: Doing = lambda _what: None) -> Report:
    """Return what came of a look at everything.

    Args:
        load: reads the settings, which may be wrong.
        doing: told what is looked at.

    Raises:
        ConfigurationError: if the settings' file can't be read at all.
    """
    try:
        settings = load()
    except SettingsError as error:
        found = list(wording.of_settings(error.lines))
        return report(["settings"], found, [Unseen("all else", "the settings are not usable")])
    return _Round(Look(Deployment(settings), doing)).run()


class _Round:
    """Goes from check to check."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._looked_at: list[str] = []
        self._findings: list[Finding] = []

    def run(self) -> Report:
        """Return what all checks find."""
        premises, cluster = Premises(self._look), Cluster(self._look)
        self._go([*premises.checks(), ("bootstrap addresses", cluster.of_addresses)])
        if any(found.kind is Kind.BROKER_AWAY for found in self._findings):
            self._look.unseen.append(Unseen("all that only a broker tells", "none answers"))
        else:
            self._go(cluster.checks())
            self._go([("state directory", premises.of_state)])
            self._go(Traffic(self._look).checks())
        return report(self._looked_at, self._findings, self._look.unseen)

    def _go(self, checks: Iterable[Check]) -> None:
        for what, check in checks:
            self._look.doing(what)
            try:
                found = list(check())
            except LoyaltyStreamError as error:
                self._look.unseen.append(Unseen(what, str(error)))
            else:
                self._looked_at.append(what)
                self._findings += found
