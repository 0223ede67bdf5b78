"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# Hypothesis fails an example that takes 200 ms, so on a busy machine a correct test would fail now and then.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
