"""What a service of the platform runs: the port that broker and registry fill. Pure."""

from pathlib import Path
from typing import Protocol

from loyaltystream.platform.process import Command


class Program(Protocol):
    """One Java program: how to set it up, run it, and ask whether it is there."""

    @property
    def name(self) -> str:
        """Its short name, which is also its directory's."""
        ...

    @property
    def setting(self) -> str:
        """The setting that chooses its port."""
        ...

    @property
    def ports(self) -> range:
        """Where to look for a free one if the setting is 0."""
        ...

    @property
    def patience_s(self) -> float:
        """How long it may take to answer."""
        ...

    @property
    def grace_s(self) -> float:
        """How long it may take to end when asked to."""
        ...

    def prepare(self, directory: Path, port: int) -> None:
        """Write into `directory` what it reads when it starts, and what it keeps there."""
        ...

    def command(self, directory: Path, mark: str) -> Command:
        """Return what to run, with `mark` as one of its arguments."""
        ...

    def address(self, port: int) -> str:
        """Return how a client names it."""
        ...

    def answers(self, port: int) -> bool:
        """Tell whether it serves clients now."""
        ...
