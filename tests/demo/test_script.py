"""When the worker dies and comes back."""

import pytest

from loyaltystream.demo.script import DEAD_S, PATIENCE_S, Act, Script
from loyaltystream.errors import PlatformError


def test_the_worker_is_killed_once_and_comes_back() -> None:
    """Half way the worker is killed, lies dead for a moment, comes back, and the rest is judged."""
    script = Script(100)
    assert script.next(49, now_s=0) is Act.WAIT
    assert script.next(50, now_s=1) is Act.KILL
    assert "SIGKILL" in script.note
    assert script.next(50, now_s=1 + DEAD_S / 2) is Act.WAIT
    assert script.next(50, now_s=1 + DEAD_S) is Act.RESTART
    assert script.next(99, now_s=5) is Act.WAIT
    assert script.next(100, now_s=6) is Act.END


def test_the_kill_comes_even_if_all_is_judged() -> None:
    """A worker that is faster than the script is killed and started again all the same."""
    script = Script(100)
    acts = [script.next(100, now_s=second) for second in range(4)]
    assert acts == [Act.KILL, Act.WAIT, Act.RESTART, Act.END]


def test_a_run_that_stands_still_is_given_up() -> None:
    """After a minute without a verdict the run ends with an error that says how far it came."""
    script = Script(100)
    script.next(10, now_s=0)
    script.next(11, now_s=PATIENCE_S)
    with pytest.raises(PlatformError, match="11 of 100"):
        script.next(11, now_s=2 * PATIENCE_S + 1)
