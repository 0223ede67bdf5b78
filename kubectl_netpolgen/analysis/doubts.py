"""What cannot be said of the backends of a Service: findings instead of guesses."""

from __future__ import annotations

from collections.abc import Iterable

from kubectl_netpolgen.model.edge import Endpoint
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.objects import Service


def backend_unseen(service: Service, client: Endpoint, server: str) -> Finding:
    """A client reached other backends only; `server`, with its port, may have its next connection."""
    return Finding(
        "service-backend-unseen",
        Severity.WARNING,
        f"Service {service.namespace}/{service.name}",
        f"{client} reached another backend of it, and was never sent to {server}: "
        "there is no rule for the day it is",
        "capture longer, or write the rule yourself before you apply",
    )


def ambiguous_backend(service: Service, client: Endpoint, servers: Iterable[str], why: str) -> Finding:
    """One of `servers`, each with its port, had the client's connections, and nothing tells which."""
    return Finding(
        "ambiguous-backend",
        Severity.WARNING,
        f"Service {service.namespace}/{service.name}",
        f"{client} reached it, but its backends differ in workload or port and {why}, "
        f"so no rule was written for: {', '.join(sorted(set(servers)))}",
        "capture the backends too, or decide the edges yourself",
    )
