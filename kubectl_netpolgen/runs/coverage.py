"""What a person should know about how well each pod was captured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kubectl_netpolgen.model.bundle import PodState
from kubectl_netpolgen.model.finding import Finding, Severity, sort_findings
from kubectl_netpolgen.model.times import parse_rfc3339
from kubectl_netpolgen.output.quantities import duration_text
from kubectl_netpolgen.runs.pod_session import PodSession

# Start times of containers are whole seconds.
_NOTICEABLE = 1_000_000_000

_LIMITED = {
    "size-cap": "its packets reached the size limit",
    "packet-cap": "its packets reached the limit of their number",
    "lease-expired": "the agent heard nothing from here for the length of its lease and stopped",
    "duration": "the agent's own time ended before this run's",
    "tcpdump-exited": "tcpdump ended by itself",
}


def describe(sessions: Iterable[PodSession]) -> tuple[Finding, ...]:
    """Findings about pods: left out, not captured, in part, late, with losses, with more entries than one."""
    return sort_findings(finding for session in sessions for finding in _findings(session))


def _findings(session: PodSession) -> Iterator[Finding]:
    subject = f"Pod {session.label}"
    if session.state is PodState.SKIPPED:
        yield Finding("pod-skipped", Severity.NOTE, subject, f"was not captured: {session.reason}")
        return
    if session.state in (PodState.REJECTED, PodState.START_FAILED):
        yield Finding(
            "pod-not-captured",
            Severity.ERROR,
            subject,
            f"was not captured: {session.reason}",
            _way_out(session),
        )
    elif session.state is PodState.GONE and not session.received:
        yield Finding("pod-not-captured", Severity.ERROR, subject, f"was not captured: {session.reason}")
    elif session.state is PodState.GONE:
        yield Finding("capture-cut-off", Severity.NOTE, subject, f"is captured in part: {session.reason}")
    elif session.state is PodState.TRANSFER_FAILED:
        yield Finding(
            "transfer-failed",
            Severity.ERROR,
            subject,
            f"{session.received} bytes of its capture arrived, the rest did not: {session.reason}",
            f"what is missing stays in container {session.container} until its linger time is over",
        )
    elif session.state is PodState.SUSPECT:
        yield Finding(
            "capture-suspect",
            Severity.ERROR,
            subject,
            f"its capture could not be verified: {session.reason}",
            "the files are kept with the suffix .suspect; capture again if their pod matters",
        )
    if session.may_run:
        yield Finding(
            "agent-left-behind",
            Severity.WARNING,
            subject,
            f"its agent {session.container} was given up and may still start; it ends by itself "
            f"{duration_text(session.may_run)} after its start at the latest",
            f"`kubectl netpolgen clean -n {session.namespace}` ends it once it runs",
        )
    if session.entries > 1:
        yield Finding(
            "rung-fallback",
            Severity.NOTE,
            subject,
            f"keeps {session.entries} ephemeral-container entries until it is replaced, one for each rung "
            f"that was tried: {'; '.join(session.fallbacks)}",
            "an image whose tcpdump keeps its user, or another one with --image, needs one entry only",
        )
    yield from _losses(session, subject)
    missed = late_by(session)
    if missed > _NOTICEABLE:
        yield _late(session, subject, missed)


def _late(session: PodSession, subject: str, missed: int) -> Finding:
    """A pod's first moments are those of its init containers, which its policy applies to as well."""
    said = f"its first {missed / 1e9:.1f} s are not captured: it appeared during the run"
    names = [
        str(container.get("name"))
        for container in (session.pod.get("spec") or {}).get("initContainers") or ()
        if container.get("restartPolicy") != "Always"
    ]
    if not names:
        return Finding("capture-late", Severity.NOTE, subject, said)
    return Finding(
        "capture-late",
        Severity.WARNING,
        subject,
        f"{said}, and its init containers ran then: {', '.join(names)}",
        "add the rules yourself for what they alone need",
    )


def _losses(session: PodSession, subject: str) -> Iterator[Finding]:
    status = session.collector.status if session.collector else None
    if status is None:
        return
    if status.dropped:
        yield Finding(
            "packets-dropped",
            Severity.WARNING,
            subject,
            f"the kernel dropped {status.dropped} of {status.received or 'its'} packets of interest",
            "edges seen only in those are missing: capture again at a calmer time",
        )
    if status.reason in _LIMITED:
        yield Finding(
            "capture-limited",
            Severity.WARNING,
            subject,
            f"{_LIMITED[status.reason]}; from then on only its sockets were read"
            if status.reason in ("size-cap", "packet-cap", "tcpdump-exited")
            else f"{_LIMITED[status.reason]}",
        )


def late_by(session: PodSession) -> int:
    """Nanoseconds from the start of a pod's first container to its capture; 0 for pods that were there."""
    since = session.collector.listening_since if session.collector else 0
    if session.initial or not since:
        return 0
    status = session.pod.get("status") or {}
    starts = []
    for key in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(key) or ():
            for state in ((container.get("state") or {}), (container.get("lastState") or {})):
                for phase in state.values():
                    try:
                        starts.append(parse_rfc3339((phase or {}).get("startedAt") or ""))
                    except ValueError:
                        continue
    return max(since - min(starts), 0) if starts else 0


def _way_out(session: PodSession) -> str:
    words = session.reason.lower()
    if "image" in words or "pull" in words:
        return "name an image that the nodes can pull with --image or NETPOLGEN_IMAGE"
    if "no rights" in words or "forbidden" in words:
        return "ask for the rights that `kubectl netpolgen rbac` prints"
    if "podsecurity" in words:
        return "capture needs a namespace that allows at least the PodSecurity level baseline"
    return ""
