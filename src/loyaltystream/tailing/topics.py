"""What a person calls a topic in, the topic and its role out. Pure."""

import re
from typing import Final

import msgspec

from loyaltystream.errors import ConfigurationError
from loyaltystream.topology import Topics

ROLES: Final = {field.replace("_", "-"): field for field in Topics.__struct_fields__}
"""Each role as it is typed, and its field of `Topics`."""

_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,249}")


class Asked(msgspec.Struct, frozen=True):
    """A topic; `role` is None where it is none of the deployment's."""

    topic: str
    role: str | None


def resolve(name: str, topics: Topics, *, prefix: str) -> Asked:
    """Return the topic of that role or name; a name may leave the prefix out.

    Raises:
        ConfigurationError: if no topic can have that name.
    """
    if (field := ROLES.get(name.lower().replace("_", "-"))) is not None:
        return Asked(getattr(topics, field), field)
    for field in ROLES.values():
        if getattr(topics, field) in {name, prefix + name}:
            return Asked(getattr(topics, field), field)
    if not _NAME.fullmatch(name):
        raise unknown("no topic can have that name", topics)
    return Asked(name, None)


def unknown(why: str, topics: Topics) -> ConfigurationError:
    """Return the error that names every role and its topic."""
    known = "\n".join(f"  {role:<13} {getattr(topics, field)}" for role, field in ROLES.items())
    return ConfigurationError(f"{why}; give a topic's full name, or one of these roles:\n{known}")
