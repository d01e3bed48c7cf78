"""What is wrong with the settings themselves, before anything can be asked. Pure."""

from collections.abc import Iterator, Sequence

from loyaltystream.doctor.findings import Finding, Kind

_ORDER = "the timeouts must rise"


def of_settings(lines: Sequence[str]) -> Iterator[Finding]:
    """Yield a finding for each line that says what is wrong with a setting, and where."""
    for line in lines:
        place, _, what = line.partition(": ")
        if _ORDER in what:
            yield Finding(
                Kind.TIMEOUTS,
                place,
                f"{what}: else a hung commit outlives its worker's place in the group",
                "[worker] batch_ms = 100, message_timeout_ms = 7000, "
                "transaction_timeout_ms = 8000, session_timeout_ms = 15000",
            )
        else:
            yield Finding(
                Kind.SETTINGS,
                place,
                what,
                f"mend {place}; docs/reference.md#settings has every setting with its default",
            )


def of_secret(is_set: bool) -> Iterator[Finding]:  # noqa: FBT001 (a fact, which forks nothing else)
    """Yield that the secret is missing which ids are made with."""
    if not is_set:
        yield Finding(
            Kind.HASH_KEY_MISSING,
            "memory.hash_key",
            "not set: no worker starts. One secret for the whole deployment, made once and kept",
            "export LOYALTYSTREAM_MEMORY__HASH_KEY=$(openssl rand -hex 32)",
        )


def of_definitions(wrong: Sequence[str], defined: int) -> Iterator[Finding]:
    """Yield what is wrong with the definitions of events.

    Args:
        wrong: what can't be used.
        defined: how many can.
    """
    for line in wrong:
        yield Finding(
            Kind.DEFINITIONS,
            "rules.definitions",
            line,
            "loyaltystream definitions validate tells all of it; to begin with some, "
            "loyaltystream definitions standard 1800",
        )
    if not wrong and not defined:
        yield Finding(
            Kind.NO_DEFINITIONS,
            "rules.definitions",
            "no event is defined: every one would be rejected as UNKNOWN_EVENT",
            "loyaltystream definitions standard 1800",
        )
