"""Where traces go, and of how many events: table `[traces]`. Pure."""

from typing import Annotated

from pydantic import Field, SecretStr

from loyaltystream.section import FROM_TEXT, Section


class TraceSettings(Section):
    """Where traces go, and of how many events; without an endpoint there are none."""

    endpoint: str | None = Field(None, pattern=r"^https?://")
    headers: Annotated[dict[str, SecretStr], FROM_TEXT] = Field({})
    share: float = Field(0.01, ge=0, le=1)
    service_name: str = Field("loyaltystream", min_length=1, max_length=100)
