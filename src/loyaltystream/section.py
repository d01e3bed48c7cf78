"""One table of the settings file: frozen, and closed to names that it does not know. Pure."""

import json
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Port = Annotated[int, Field(ge=0, le=65535)]


class Section(BaseModel):
    """A table of the settings file: frozen, and closed to names that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _table(value: object) -> object:
    """Read a table that came as JSON text, which is how the environment says one."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise ValueError(f"not a JSON object: {error}") from error


FROM_TEXT: Final = BeforeValidator(_table)
"""Makes a setting's type take its table as JSON text, too."""
