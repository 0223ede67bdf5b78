"""Programs that some tests need beside Python.

`.ci/packages.txt` and `tests/harness/packages.txt` name the packages that bring them.
"""

from __future__ import annotations

import os
import shutil

import pytest


def needs(program: str) -> pytest.MarkDecorator:
    """Mark tests that call a program: skipped where it is not installed, but never in CI, where they fail.

    A skip would look like success there, and CI installs what it needs. CI systems say `CI=true`.
    """
    absent = shutil.which(program) is None and os.environ.get("CI") != "true"
    return pytest.mark.skipif(absent, reason=f"needs the program {program}")
