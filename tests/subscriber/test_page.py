"""The page about the subscribers' kit says what the code does."""

import dataclasses
import re
from pathlib import Path
from typing import Any, Final

from loyaltystream import kit_events
from loyaltystream.events import Record
from loyaltystream.log_event import LogEvent
from loyaltystream.subscriber import Outcome, Subscription, Window
from loyaltystream.subscriber.letters import MAX_MESSAGE_CHARACTERS, make_letter
from loyaltystream.subscriber.outcomes import Blame, Failure, Work
from loyaltystream.subscriber.reactions import Reactions
from loyaltystream.subscriber.testing import CREATED_AT, Rehearsal

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = (ROOT / "docs" / "subscribers.md").read_text()
BLOCKS: Final = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table whose first heading is that."""
    table = PAGE.partition(f"| {heading} |")[2].partition("\n\n")[0]
    return [
        [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        for line in table.splitlines()[2:]
    ]


def test_every_setting_has_its_row() -> None:
    """Each setting of a subscription heads a row with its default, in the order of the code."""
    told = [(name, default) for name, default, _ in rows("setting")]
    fields = dataclasses.fields(Subscription)
    assert [name for name, _ in told] == [field.name for field in fields]
    for (name, default), field in zip(told[1:], fields[1:], strict=True):
        assert default.replace('"', "'") == repr(getattr(Subscription(group="x"), name)), field


def test_every_outcome_and_reason_has_its_row() -> None:
    """Each outcome, reason and header of a letter heads a row, and no other does."""
    assert [name for name, *_ in rows("outcome")] == [*Outcome]
    assert [name for name, *_ in rows("reason")] == [*Blame]
    failure = Failure(Blame.UNDECODABLE, "SchemaError", "")
    letter = make_letter(Work(Record(0, 0, 0, None, b"")), failure, Subscription(group="x"))
    assert [name for name, *_ in rows("header")] == [name for name, _ in letter.headers]
    assert f"{MAX_MESSAGE_CHARACTERS} characters at most" in PAGE


def test_every_log_event_is_told() -> None:
    """What a subscriber says in the log stands on the page, under the name that it has there."""
    events = [one for one in vars(kit_events).values() if isinstance(one, LogEvent)]
    assert {event.name for event in events if f"`{event.name}`" not in PAGE} == set()


def test_the_example_of_a_test_passes() -> None:
    """The page's example of a subscriber's own test is one that passes."""
    [block] = [block for block in BLOCKS if "Rehearsal" in block]
    exec(compile(block, "subscribers.md", "exec"), {})  # noqa: S102 (our own page)


def test_the_example_of_a_store_keeps_ids(tmp_path: Path) -> None:
    """The page's store knows what it was told, in the process behind this one as well."""
    [block] = [block for block in BLOCKS if "sqlite3" in block]
    names: dict[str, Any] = {}
    exec(compile(block, "subscribers.md", "exec"), names)  # noqa: S102 (our own page)
    path = str(tmp_path / "seen")
    for _ in range(2):
        names["Store"](path).remember("a")
    store = names["Store"](path)
    assert store.has("a")
    assert not store.has("b")


def test_the_window_is_as_large_as_is_told() -> None:
    """The page says how many ids a window remembers by default."""
    window = Window()
    for number in range(100_001):
        window.remember(str(number))
    assert (window.has("0"), window.has("1")) == (False, True)
    assert PAGE.count("100,000") >= 2


def test_everything_of_a_rehearsal_is_told() -> None:
    """What a rehearsal offers to a test stands on the page."""
    names = {name for name in vars(Rehearsal(Reactions())) | vars(Rehearsal) if name[0] != "_"}
    missing = {name for name in names if not re.search(rf"`{name}[`.]", PAGE)}
    assert missing == set()
    assert CREATED_AT.tzinfo is not None
