"""Tests of the local platform."""  # noqa: A005 (only ever tests.platform)
