"""A deployment in, its audit put together out. Does I/O: asks the registry for schemas."""

from collections.abc import Sequence

from loyaltystream.app import build_notify
from loyaltystream.audit.audit import Audit
from loyaltystream.audit.log import Groups
from loyaltystream.audit.releases import Releases
from loyaltystream.audit.stage import Deployment as AuditedDeployment
from loyaltystream.audit.stage import Progress
from loyaltystream.defining import build_source
from loyaltystream.deployment import Deployment
from loyaltystream.events import Record
from loyaltystream.plans import published_schemas
from loyaltystream.settings import Settings
from loyaltystream.topology import Output


def build_audit(settings: Settings, progress: Progress = lambda _what, _offsets: None) -> Audit:
    """Put the audit of a deployment together.

    Raises:
        ConfigurationError: if settings or definitions are not usable.
        SchemaError: if a schema is not registered.
        BrokerError: if the broker or the registry does not answer.
    """
    deployment = Deployment(settings)
    deployment.demand_readable()
    notify = build_notify(deployment, deployment.open_letters("notify"))
    source = build_source(settings, deployment.topics, deployment.event_schema_id())
    definitions = source.view()

    def derive(records: Sequence[Record]) -> list[Output]:
        return notify.plan(records, definitions=definitions, generation=0).outputs

    return Audit(
        deployment.reader,
        AuditedDeployment(
            topics=deployment.topics,
            definitions=definitions,
            rules=deployment.rules,
            identity=deployment.identity,
            layout=deployment.layout,
            letters=deployment.open_letters("ingest"),
            ring=deployment.ring,
            views=source.at,
            is_older=Releases(
                published_schemas(deployment.topics),
                id_of=deployment.registry.find,
                writer_of=deployment.registry.writer_schema,
            ).is_older,
            catch_up=source.catch_up,
        ),
        groups=Groups(deployment.group("ingest"), deployment.group("notify")),
        deriver=derive,
        progress=progress,
    )
