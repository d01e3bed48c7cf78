"""Puts together what reads and changes definitions. Does I/O: reads files, asks the broker."""

from collections.abc import Callable, Iterable
from contextlib import closing

from msgspec.structs import replace

from loyaltystream.definitions.files import demand_placeable, load_definitions
from loyaltystream.definitions.history import History
from loyaltystream.definitions.limits import VENDOR, Limits
from loyaltystream.definitions.model import Action, EventDefinition
from loyaltystream.definitions.psi import Psi, hashed, sensitive_names, starred
from loyaltystream.definitions.registry import NO_SCHEMA, Definitions
from loyaltystream.definitions.source import Fixed, Followed, Source
from loyaltystream.desk import Desk
from loyaltystream.dialects import capillary
from loyaltystream.errors import ConfigurationError
from loyaltystream.kafka.following import TopicFollower
from loyaltystream.kafka.writing import TransactionalWriter
from loyaltystream.partitioning import PartitionBy
from loyaltystream.settings import Settings
from loyaltystream.topology import Topics

Heard = Callable[[int, int], None]


def _say_nothing(_revision: int, _events: int) -> None:
    """Take what is heard and leave it."""


def follows(settings: Settings) -> bool:
    """Say whether definitions come from their topic."""
    return settings.definitions.source == "topic"


def limits_of(settings: Settings) -> Limits:
    """Return what the deployment allows of definitions."""
    profile = VENDOR if settings.definitions.profile == "vendor" else Limits()
    return replace(
        profile,
        window_days=settings.definitions.max_window_days,
        unique_keys=settings.rules.partition_by is PartitionBy.CUSTOMER,
        told_fields=_told_fields(settings),
    )


def _told_fields(settings: Settings) -> frozenset[tuple[int, str]]:
    """Return the fields that leave as an event's id or time, by org and name."""
    return frozenset(
        (org, name)
        for webhook in settings.dialects.webhooks.values()
        for org in (webhook.org, *webhook.child_orgs)
        for name in (webhook.id_field, capillary.TIME)
    )


def psi_of(settings: Settings) -> Psi:
    """Return how the deployment hides sensitive values.

    Raises:
        ConfigurationError: if they are to be hashed, and there is no memory.hash_key.
    """
    rules, secret = settings.rules, settings.memory.hash_key
    clear_to = frozenset({Action.EMF} if rules.psi_on_emf == "clear" else ())
    if rules.psi == "mask":
        return Psi(starred, clear_to)
    if secret is None:
        raise ConfigurationError(
            "rules.psi is hash, and memory.hash_key, which its key is made of, is not set: give "
            "all workers the same one, or let rules.psi be mask"
        )
    return Psi(hashed(secret.get_secret_value()), clear_to)


def windows_of(settings: Settings) -> list[int]:
    """Return the windows, in days, that unique keys may be remembered for."""
    if follows(settings):
        return [settings.definitions.max_window_days]
    return [one.uniqueness_window_days for one in _of_files(settings)]


def _of_files(settings: Settings) -> list[EventDefinition]:
    rules = settings.rules
    definitions = demand_placeable(load_definitions(rules.definitions), rules.partition_by)
    _demand_within(Limits(told_fields=_told_fields(settings)), definitions)
    return definitions


def _demand_within(limits: Limits, definitions: Iterable[EventDefinition]) -> None:
    for definition in definitions:
        for problem in limits.refusals(definition, others=None):
            raise ConfigurationError(f"{definition.org_id}/{problem.message}")


def read_in_force(settings: Settings, topics: Topics) -> list[EventDefinition]:
    """Return the definitions in force, of the source that the settings name.

    Raises:
        ConfigurationError: if one is not usable.
        BrokerError: if the topic can't be read.
    """
    if not follows(settings):
        return _of_files(settings)
    return list(_read_history(settings, topics).view())


def read_sensitive_names(settings: Settings, topics: Topics) -> frozenset[str]:
    """Return the names that sensitive values may stand under: ours, and those of the dialects.

    Raises:
        ConfigurationError: if a definition is not usable.
        BrokerError: if the topic can't be read.
    """
    if follows(settings):
        definitions = last_published(_read_history(settings, topics))
    else:
        definitions = load_definitions(settings.rules.definitions)
    ours = sensitive_names(field for one in definitions for field in one.fields)
    told = settings.dialects
    sources = [*told.webhooks.values(), *told.stores.values(), *told.projects.values()]
    return ours | {name for one in sources for name, field in one.fields.items() if field in ours}


def last_published(history: History) -> list[EventDefinition]:
    """Return each event's last version, disabled or not: none hides less than those before it."""
    published = [
        history.of_version(name, stored.version) for name, stored in history.events.items()
    ]
    return [one.definition for one in published if one is not None]


def _read_history(settings: Settings, topics: Topics) -> History:
    history = History(topics.definitions, NO_SCHEMA)
    with closing(TopicFollower(settings.kafka, topics.definitions)) as log:
        history.learn(log.rest())
    return history


def build_source(
    settings: Settings, topics: Topics, schema_id: int, *, heard: Heard = _say_nothing
) -> Source:
    """Return what gives the compiled definitions; a topic has been read to its end.

    Args:
        settings: of the deployment.
        topics: their names.
        schema_id: that routed records carry.
        heard: told each new revision, and how many events are in force.

    Raises:
        ConfigurationError: if a definition is not usable.
        BrokerError: if the topic can't be read, or nothing is defined there yet.
    """
    psi = psi_of(settings)
    if not follows(settings):
        return Fixed(Definitions(_of_files(settings), schema_id, psi))
    log = TopicFollower(settings.kafka, topics.definitions)
    followed = Followed(History(topics.definitions, schema_id, psi), log, heard)
    followed.begin()
    chosen = limits_of(settings)
    limits = Limits(
        window_days=chosen.window_days,
        unique_keys=chosen.unique_keys,
        told_fields=chosen.told_fields,
    )
    _demand_within(limits, followed.view())
    return followed


def build_desk(settings: Settings, topics: Topics) -> Desk:
    """Return what changes the topic of definitions."""
    topic = topics.definitions
    return Desk(
        History(topic, NO_SCHEMA),
        TopicFollower(settings.kafka, topic),
        TransactionalWriter(settings.kafka, settings.worker, transactional_id=f"{topic}.desk"),
    )
