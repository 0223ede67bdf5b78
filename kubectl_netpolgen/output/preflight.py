"""One screen that says what a capture will do, before it does anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kubectl_netpolgen.model.finding import Finding
from kubectl_netpolgen.output.escape import terminal_text
from kubectl_netpolgen.output.findings import findings_text
from kubectl_netpolgen.output.quantities import count_text, duration_text


@dataclass(frozen=True)
class CapturePlan:
    """What will be done, in plain values."""

    context: str
    server: str
    server_version: str
    namespaces: Sequence[str]
    pods: int
    """Pods that will get an ephemeral container."""
    image: str
    capabilities: Sequence[str]
    """Linux capabilities of the first rung, without `CAP_`."""
    duration: float
    """Seconds."""
    bundle: str
    skipped: int = 0
    """Pods that cannot be captured; the findings say why."""


def preflight_text(plan: CapturePlan, findings: Sequence[Finding] = (), *, colour: bool = False) -> str:
    """The plan as aligned lines, then what stays behind, then the findings."""
    privilege = f"drop ALL, add {', '.join(plan.capabilities)}" if plan.capabilities else "drop ALL"
    skipped = f", {plan.skipped} left out" if plan.skipped else ""
    many = len(plan.namespaces) != 1
    rows = (
        ("cluster", f"{plan.context} ({plan.server}, Kubernetes {plan.server_version})"),
        ("namespaces" if many else "namespace", ", ".join(plan.namespaces)),
        ("pods", f"{count_text(plan.pods, 'pod')} will get an ephemeral container{skipped}"),
        ("image", plan.image),
        ("privilege", f"{privilege}; more only where a pod needs it, and it is said"),
        ("duration", duration_text(plan.duration)),
        ("bundle", plan.bundle),
    )
    width = max(len(name) for name, _ in rows)
    lines = [f"  {name:{width}}  {terminal_text(text)}\n" for name, text in rows]
    stays = (
        "\nThe containers end by themselves. Their entries stay in the pods' specs until the pods are\n"
        "replaced: Kubernetes lets nobody remove them.\n"
    )
    told = findings_text(findings, colour=colour)
    return "This capture will use\n" + "".join(lines) + stays + (f"\n{told}" if told else "")
