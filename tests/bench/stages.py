"""`--stage`: NOTIFY alone on what INGEST routed, and both workers at once, end to end."""

from tests.bench.ground import Ground, console, demand_exact, ended, finish, run, start
from tests.bench.measuring import Measure
from tests.bench.sheet import COSTS, Sheet, costs
from tests.shop import Shop, eventually


def measure_stages(ground: Ground, *, both: bool) -> list[Sheet]:
    """Run INGEST, then NOTIFY on what it routed; and then both at once on a new topic."""
    shop = ground.filled("stages")
    ingest = ground.ingest(shop)
    routed = len(shop.read(shop.deployment.topics.emf))
    notify = run(shop, "notify", routed)
    demand_exact(shop)
    rows = [["INGEST alone", *costs(ingest)], ["NOTIFY alone", *costs(notify)]]
    if both:
        rows += run_both(ground, routed)
    silent = notify.verdicts.get("silent", 0)
    return [
        Sheet(
            f"The two stages, {ground.events:,} events, {routed:,} of them routed to NOTIFY",
            ("what runs", *COSTS),
            rows,
            [
                (
                    f"An event of NOTIFY's is one that INGEST routed; {silent:,} of them cause no "
                    f"notification. Both stages' outputs audited: exact."
                )
            ],
        )
    ]


def run_both(ground: Ground, routed: int) -> list[list[str]]:
    """Run both workers at once; return their rows, and the one for both together."""
    shop = ground.filled("both")
    console.print("running notify and ingest ...")
    successor = start(shop, "notify", routed)
    with ended(successor):
        eventually(lambda: has_begun(shop, ground.partitions), "NOTIFY begins")
        ingest = run(shop, "ingest", ground.events)
        notify = finish(successor)
    demand_exact(shop)
    return [
        ["INGEST beside NOTIFY", *costs(ingest)],
        ["NOTIFY beside INGEST", *costs(notify)],
        ["both, until NOTIFY has caught up", *costs(together(ingest, notify))],
    ]


def has_begun(shop: Shop, partitions: int) -> bool:
    """Say whether NOTIFY has committed where it begins: from then on it waits for events."""
    deployment = shop.deployment
    committed = deployment.reader.committed(deployment.group("notify"), deployment.topics.emf)
    return len(committed) == partitions


def together(ingest: Measure, notify: Measure) -> Measure:
    """Return the measure of an event's way through both, from INGEST's first commit on."""
    return Measure(
        events=ingest.events,
        seconds=notify.ended_s - ingest.began_s,
        cpu_seconds=ingest.cpu_seconds + notify.cpu_seconds,
        machine_cpu_seconds=notify.machine_cpu_seconds,
        rss_bytes=ingest.rss_bytes + notify.rss_bytes,
        began_s=ingest.began_s,
        ended_s=notify.ended_s,
        ready_s=ingest.ready_s,
        verdicts={},
        remembered=ingest.remembered,
        restored_s=[],
    )
