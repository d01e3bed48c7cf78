"""Settings and an address in, the place where definitions are kept out. Does I/O: makes clients."""

from loyaltystream.defining import limits_of
from loyaltystream.deployment import Deployment
from loyaltystream.errors import ConfigurationError
from loyaltystream.places.line import HttpLine
from loyaltystream.places.place import Place
from loyaltystream.places.remote import RemotePlace
from loyaltystream.places.topic import TopicPlace
from loyaltystream.settings import variable


def build_place(deployment: Deployment, url: str | None) -> Place:
    """Return the topic of a deployment, or the service at an address.

    Raises:
        ConfigurationError: if the address is none, or there is no token for it.
    """
    settings = deployment.settings
    if url is None:
        who = f"command line on {settings.worker.instance}"
        return TopicPlace(deployment.topics.definitions, deployment.desk, who, limits_of(settings))
    token = settings.definitions.token
    if token is None:
        raise ConfigurationError(
            f"definitions.token is not set: the service wants a token, as "
            f"{variable('definitions.token')}; `loyaltystream serve token` makes one there"
        )
    return RemotePlace(url, HttpLine(url, token.get_secret_value()))
