"""Says what to install where a package of the extra `local` is missing. Pure."""

from collections.abc import Iterator
from contextlib import contextmanager

from loyaltystream.errors import PlatformError


@contextmanager
def extra() -> Iterator[None]:
    """Import packages of the extra inside of this.

    Raises:
        PlatformError: in place of ModuleNotFoundError.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "a package").partition(".")[0]
        raise PlatformError(
            f"the local platform needs {package}, which is not installed: "
            "pip install 'loyaltystream[local]'"
        ) from error
