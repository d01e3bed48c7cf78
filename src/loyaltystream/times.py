"""Points in time as producers write them: text or number in, epoch milliseconds or a reason out.

Pure. The unit is never guessed: a number is milliseconds or it is refused (reliability.md 4, 42).
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from loyaltystream.verdicts import Reason

DAY_MS: Final = 86_400_000
SKEW_MS: Final = 300_000
"""How far a producer's clock may be off, in milliseconds."""

# Seconds read as milliseconds lie in 1970, microseconds beyond the year 50,000: both fall outside.
FIRST_MS: Final = 946_684_800_000  # 2000-01-01
_LAST_MS: Final = 4_102_444_800_000  # 2100-01-01
LAST_DUE_MS: Final = 253_402_300_800_000  # 10000-01-01, which is out of range
_FIRST_YEAR, _LAST_YEAR = 2000, 2099
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_ISO = re.compile(
    r"(\d{4}-\d{2}-\d{2}T(?!24)\d{2}:\d{2}(?::\d{2})?)(?:[.,](\d{1,9}))?(Z|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)


def occurred_at_ms(value: object) -> int | Reason:
    """Return epoch milliseconds of `value`: milliseconds, or ISO 8601 with a zone.

    Fractions beyond the millisecond are cut. Dates alone, basic forms and leap seconds are refused.
    """
    if value.__class__ is int:  # as usual
        return value if FIRST_MS <= value < _LAST_MS else Reason.TIME_FORMAT
    return _moment_ms(value, _LAST_MS)


def due_ms(value: object) -> int | Reason:
    """Return the same of what may lie far ahead, as the end of a coupon: up to the year 9999."""
    return _moment_ms(value, LAST_DUE_MS)


def _moment_ms(value: object, last_ms: int) -> int | Reason:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value if FIRST_MS <= value < last_ms else Reason.TIME_FORMAT
    if not isinstance(value, str):
        return Reason.TYPE
    return _iso_ms(value, last_ms)


def _iso_ms(text: str, last_ms: int = _LAST_MS) -> int | Reason:
    matched = _ISO.fullmatch(text)
    if matched is None:
        return Reason.TIME_FORMAT
    moment, fraction, zone = matched.groups()
    if zone is None:
        return Reason.TIME_ZONE
    try:
        second = int(datetime.fromisoformat(moment + zone).timestamp())
    except (ValueError, OverflowError):
        return Reason.TIME_FORMAT
    milliseconds = second * 1000 + int((fraction or "0").ljust(3, "0")[:3])
    return milliseconds if FIRST_MS <= milliseconds < last_ms else Reason.TIME_FORMAT


def local_ms(value: object, zone: tzinfo) -> int | Reason:
    """Return epoch milliseconds of ISO 8601 text; without an offset it is a time of that zone."""
    if not isinstance(value, str):
        return Reason.TYPE
    moment_ms = _iso_ms(value)
    if moment_ms is not Reason.TIME_ZONE or (matched := _ISO.fullmatch(value)) is None:
        return moment_ms
    try:
        local = datetime.fromisoformat(matched[1]).replace(tzinfo=zone)
    except ValueError:
        return Reason.TIME_FORMAT
    return _in_range(local + timedelta(milliseconds=int((matched[2] or "0").ljust(3, "0")[:3])))


def vendor_ms(value: object, zone: tzinfo) -> int | Reason:
    """Return epoch milliseconds of text in one of the vendor's 17 patterns.

    Without an offset it is a time of that zone.
    """
    if not isinstance(value, str):
        return Reason.TYPE
    moment = vendor_date(value, zone)
    return Reason.TIME_FORMAT if moment is None else _in_range(moment)


def _in_range(moment: datetime) -> int | Reason:
    if not _FIRST_YEAR - 1 <= moment.year <= _LAST_YEAR + 1:
        return Reason.TIME_FORMAT
    moment_ms = (moment - _EPOCH) // timedelta(milliseconds=1)
    return moment_ms if FIRST_MS <= moment_ms < _LAST_MS else Reason.TIME_FORMAT


_MONTHS = "January February March April May June July August September October November December"
_MONTH_NUMBERS = {name: number for number, name in enumerate(_MONTHS.split(), 1)} | {
    name[:3]: number for number, name in enumerate(_MONTHS.split(), 1)
}
_TOKENS: Final = {
    "yyyy": r"(?P<year>\d{4})",
    "yy": r"(?P<short_year>\d{2})",
    "MMMM": rf"(?P<month_name>{'|'.join(_MONTHS.split())})",
    "MMM": rf"(?P<month_name>{'|'.join(name[:3] for name in _MONTHS.split())})",
    "MM": r"(?P<month>\d{2})",
    "dd": r"(?P<day>\d{2})",
    "HH": r"(?P<hour>\d{2})",
    "mm": r"(?P<minute>\d{2})",
    "ss": r"(?P<second>\d{2})",
    "s": r"(?P<second>\d{1,2})",
    "S": r"(?P<fraction>\d{1,9})",
    "XXX": r"(?P<zone>Z|[+-]\d{2}:\d{2})",
    "EEE": r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)",
    "z": r"(?P<utc>GMT|UTC)",
}
# The vendor's patterns, in its documented order, which decides where two overlap (domain.md 4.1).
VENDOR_PATTERNS: Final = (
    "yyyy-MM-dd'T'HH:mm:ssXXX",
    "yyyy-MM-dd'T'HH:mm:s.S",
    "yyyy-MM-dd HH:mm:ss",
    "yyyy-MM-dd",
    "dd-MM-yyyy HH:mm:ss",
    "MM/dd/yyyy HH:mm:ss",
    "yyyy/MM/dd HH:mm:ss",
    "yyyy/MM/dd",
    "dd-MM-yyyy",
    "MM/dd/yyyy",
    "yyyyMMdd HH:mm:ss",
    "dd-MMM-yy",
    "yyyy-MM-dd'T'HH:mm:ss",
    "EEE MMM dd HH:mm:ss z yyyy",
    "MMMM,dd,yyyy",
    "MMMM,dd",
    "yyyy-dd-MM HH:mm:ss",
)
_TOKEN = re.compile(r"'[^']*'|[A-Za-z]+|[^A-Za-z']+")


def _compile(pattern: str) -> re.Pattern[str]:
    parts = []
    for token in _TOKEN.findall(pattern):
        # A run such as yyyyMMdd is several tokens of one letter each.
        runs = [run.group() for run in re.finditer(r"([A-Za-z])\1*", token)]
        if token.startswith("'"):
            parts.append(re.escape(token.strip("'")))
        elif token[0].isalpha():
            parts += [_TOKENS[run] for run in runs]
        else:
            parts.append(re.escape(token))
    return re.compile("".join(parts), re.ASCII)


_COMPILED = tuple(map(_compile, VENDOR_PATTERNS))
# The first pattern and the fourth; no other one fits what has their form.
_ISO_FORMS = re.compile(
    r"[1-9]\d{3}-\d{2}-\d{2}(?:T(?!24)\d{2}:\d{2}:\d{2}(?:Z|[+-]\d{2}:\d{2}))?", re.ASCII
)


def vendor_date(text: str, zone: tzinfo = UTC) -> datetime | None:
    """Return the moment in `text` by the first of the vendor's 17 patterns that fits, or None.

    Without an offset it lies in `zone`; `MMMM,dd` has no year and means 1970, as Java reads it.
    """
    if _ISO_FORMS.fullmatch(text):
        try:
            moment = datetime.fromisoformat(text)  # as below, at a tenth of the cost
        except ValueError:
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return _by_patterns(text, zone)


def _by_patterns(text: str, zone: tzinfo = UTC) -> datetime | None:
    for pattern in _COMPILED:
        if matched := pattern.fullmatch(text):
            try:
                return _moment(matched.groupdict(), zone)
            except ValueError:
                continue
    return None


def _moment(parts: dict[str, str | None], zone: tzinfo) -> datetime:
    short_year = parts.get("short_year")
    year = int(parts.get("year") or (f"20{short_year}" if short_year else 1970))
    month_name = parts.get("month_name")
    month = _MONTH_NUMBERS[month_name] if month_name else int(parts["month"] or 0)
    hour, minute, second = (int(parts.get(part) or 0) for part in ("hour", "minute", "second"))
    microsecond = int((parts.get("fraction") or "0").ljust(6, "0")[:6])
    moment = datetime(
        year,
        month,
        int(parts["day"] or 0),
        hour,
        minute,
        second,
        microsecond,
        tzinfo=UTC if parts.get("utc") else zone,
    )
    offset = parts.get("zone")
    return datetime.fromisoformat(f"{moment:%Y-%m-%dT%H:%M:%S}{offset}") if offset else moment
