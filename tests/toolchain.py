"""Programs of the machine that some tests need."""

import os
import shutil

import pytest


def demand(*programs: str) -> None:
    """Skip a test that lacks a program; fail it where everything is required."""
    missing = [name for name in programs if shutil.which(name) is None]
    if missing:
        told = f"not installed: {', '.join(missing)}"
        if os.environ.get("REQUIRE_ALL") == "1":
            pytest.fail(told)
        pytest.skip(told)
