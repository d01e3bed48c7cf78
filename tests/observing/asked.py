"""What many panels ask for in the same words. Pure."""

from typing import Final

from tests.observing.board import Query, Variable

R: Final = "[$__rate_interval]"
MINE: Final = 'instance=~"$instance"'
THEIRS: Final = 'org=~"$org",event=~"$event"'
INSTANCE: Final = Variable("instance", "Worker", "loyaltystream_partitions")
BEHIND_S: Final = 30


def quantiles(metric: str, labels: str = "", by: str = "") -> list[Query]:
    """Return the median and the 99th percentile of a histogram."""
    grouped = f"le, {by}" if by else "le"
    prefix = f"{{{{{by}}}}} " if by else ""
    return [
        Query(
            f"histogram_quantile({share}, "
            f"sum by ({grouped}) (rate(loyaltystream_{metric}_bucket{{{labels}}}{R})))",
            f"{prefix}{name}",
        )
        for share, name in ((0.5, "p50"), (0.99, "p99"))
    ]
