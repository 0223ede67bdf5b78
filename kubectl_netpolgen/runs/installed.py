"""Which version of this tool is installed, for people and for the bundles it writes."""

from __future__ import annotations

DISTRIBUTION = "kubectl-netpolgen"
"""The name that pip installs; `[metadata] name` in setup.cfg."""

UNKNOWN = "unknown"


def installed_version() -> str:
    """The version of the installed distribution; `unknown` when it runs from a bare checkout.

    Read from the distribution's own metadata, so that setup.cfg stays the only place that names it.
    """
    # importlib.metadata drags in email and zipfile, which most commands never need
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return UNKNOWN
