"""How old records were when their transaction had committed, as a histogram. Pure.

A histogram of the library takes one observation at a time; a batch has thousands of a few ages.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Final

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

BUCKETS_S: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0)


class Ages(Collector):
    """Ages of records.

    Args:
        name: of the metric.
        documentation: what it means.
    """

    def __init__(self, name: str, documentation: str) -> None:
        self._name = name
        self._documentation = documentation
        self._counts = [0] * (len(BUCKETS_S) + 1)
        self._sum_s = 0.0

    def note(self, appended: Mapping[int, int], now_ms: int) -> None:
        """Count records.

        Args:
            appended: how many the broker appended at which epoch millisecond; one that it gave no
                time has no age.
            now_ms: when it was known that they are done.
        """
        for moment_ms, count in appended.items():
            if moment_ms >= 0:
                age_s = max(now_ms - moment_ms, 0) / 1000
                self._counts[bisect_left(BUCKETS_S, age_s)] += count
                self._sum_s += age_s * count

    def collect(self) -> Iterable[HistogramMetricFamily]:
        """Return the histogram, as a scrape wants it."""
        ends = [*map(str, BUCKETS_S), "+Inf"]
        family = HistogramMetricFamily(self._name, self._documentation)
        family.add_metric(
            [], list(zip(ends, accumulate(self._counts), strict=True)), sum_value=self._sum_s
        )
        yield family
