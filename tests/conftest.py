"""Settings of the test tools, for all tests."""

from __future__ import annotations

from hypothesis import settings

# the same examples in every run, and no time limit for one: the machine may be busy
settings.register_profile("suite", derandomize=True, deadline=None, database=None, max_examples=100)
settings.load_profile("suite")
