"""The whole demo in order: platform, init, workers, the story, samples, audit, and the way out.

Does I/O: processes, broker, registry, the run's directory.
"""

import logging
import secrets
import shutil
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console

from loyaltystream.audit import Findings
from loyaltystream.avro.registry import Registry
from loyaltystream.demo import closing, samples
from loyaltystream.demo.outfit import outfit, run_name, to_toml, topics_of
from loyaltystream.demo.play import Cast, audit_when_still, play
from loyaltystream.demo.screen import screen_on
from loyaltystream.demo.sending import Pacer
from loyaltystream.demo.watching import Watcher
from loyaltystream.demo.workers import Worker, initialise
from loyaltystream.kafka.connection import LOGGER
from loyaltystream.kafka.reading import LogReader
from loyaltystream.kafka.sending import Sender
from loyaltystream.platform import LocalPlatform, disk, report_on
from loyaltystream.platform.ports import free_port
from loyaltystream.settings import Settings
from loyaltystream.story import Recipe, definitions_folder, generate

SETTINGS_FILE: Final = "loyaltystream.toml"
METRICS_PORTS: Final = range(18_000, 20_000)

BuildAudit = Callable[[Settings], Callable[[], Findings]]
"""Returns the audit of a deployment, ready to run."""


@dataclass(frozen=True)
class Options:
    """What a run is like.

    Attributes:
        recipe: what the story is made of.
        seed: which of all such stories.
        per_second: how fast it is sent.
        keep: whether everything is left running.
    """

    recipe: Recipe
    seed: int = 1
    per_second: int = 1_000
    keep: bool = False


def run(settings: Settings, options: Options, console: Console, *, build_audit: BuildAudit) -> bool:
    """Play the demo; return whether the audit found it exact.

    What this starts is stopped again, unless it is to be kept; a platform that ran stays.

    Raises:
        LoyaltyStreamError: naming what went wrong; the run's directory and its logs stay then.
    """
    # While a new broker settles, clients try again and say so; what fails is raised.
    LOGGER.setLevel(logging.ERROR)
    with ExitStack() as stack:
        ours = _start(settings, console, stack)
        topics = topics_of(ours.settings.topics)
        log = LogReader(ours.settings.kafka)
        _tell(console, ["making topics and registering schemas ..."])
        initialise(ours.file)
        workers = [
            Worker(stage, ours.file, free_port(METRICS_PORTS)) for stage in ("ingest", "notify")
        ]
        for worker in workers:
            stack.callback(worker.stop)
            worker.start()
        pacer = Pacer(Sender(ours.settings.kafka, topics.ingest), per_second=options.per_second)
        story = generate(options.recipe, options.seed, now_ms=ours.now_ms)
        with Watcher(log, topics) as watcher, screen_on(console) as screen:
            cast = Cast(workers[0], workers[1], pacer, watcher)
            snapshot = play(cast, options.recipe, story, screen)
        findings = audit_when_still(build_audit(ours.settings))
        find = Registry(ours.settings.registry).writer_schema
        _tell(console, closing.told_notifications(samples.notifications(log, topics, find)))
        _tell(console, closing.told_letter(samples.dead_letter(log, topics, find)))
        _tell(console, [closing.told_summary(snapshot), *closing.told_audit(findings)])
        if options.keep:
            _tell(console, closing.told_addresses(ours.settings, ours.file, workers))
            stack.pop_all()
        _tell(console, closing.told_next(kept=options.keep))
    if findings.exact and not options.keep:
        shutil.rmtree(ours.file.parent, ignore_errors=True)
    return findings.exact


@dataclass(frozen=True)
class _Ours:
    """What a run has of its own."""

    settings: Settings
    file: Path
    now_ms: int


def _start(settings: Settings, console: Console, stack: ExitStack) -> _Ours:
    """Start the platform, unless it runs, and write the run's settings file."""
    platform = LocalPlatform(settings.platform, report=report_on(console))
    running = {state.name for state in platform.status() if state.running}
    addresses = platform.start()
    for service in (platform.broker, platform.registry):
        if service.name not in running:
            stack.callback(service.stop)
    now_ms = int(time.time() * 1000)
    directory = platform.directory.parent / "demo" / run_name(now_ms)
    ours = outfit(
        settings,
        addresses,
        directory=directory,
        hash_key=secrets.token_hex(32),
        definitions=definitions_folder().absolute(),
    )
    file = directory / SETTINGS_FILE
    with disk.translated(directory, setting="platform.directory"):
        directory.mkdir(parents=True)
        # It holds the memory's secret.
        file.touch(mode=0o600)
        file.write_text(to_toml(ours), encoding="utf-8")
    return _Ours(ours, file, now_ms)


def _tell(console: Console, lines: Iterable[str]) -> None:
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.print()
