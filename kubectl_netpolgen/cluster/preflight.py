"""Everything that can be known about a capture before anything is touched."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from kubectl_netpolgen.cluster.access import CAPTURE_RIGHTS, CONFIGURATION_RIGHTS, review
from kubectl_netpolgen.cluster.admission import admitted_rung
from kubectl_netpolgen.cluster.api import Api, Objects
from kubectl_netpolgen.cluster.attach import skip_reason
from kubectl_netpolgen.cluster.leftovers import leftovers_of
from kubectl_netpolgen.cluster.status import ApiError
from kubectl_netpolgen.model.bundle import Rung
from kubectl_netpolgen.model.errors import ClusterError, NothingCaptured
from kubectl_netpolgen.model.finding import Finding, Severity, sort_findings

OLDEST_SERVER = (1, 25)
"""Ephemeral containers are generally available from this version on (KEP-277)."""

LEFT_OUT = "pods-left-out"
"""The code of findings that a recording repeats for each pod."""

_WORKERS = 8
_ENFORCE = "pod-security.kubernetes.io/enforce"


@dataclass(frozen=True)
class Preflight:
    """What was found."""

    server_version: str
    namespaces: tuple[str, ...]
    pods_by_namespace: Mapping[str, int]
    """Pods that can be captured; without the namespaces whose pods may not be listed."""
    skipped: int
    """Pods that cannot."""
    findings: tuple[Finding, ...]

    @property
    def pods(self) -> int:
        """Pods that can be captured, in all namespaces."""
        return sum(self.pods_by_namespace.values())

    def demand_rights(self) -> None:
        """Raise ClusterError for what would make the capture fail in any case."""
        errors = [finding for finding in self.findings if finding.severity is Severity.ERROR]
        if errors:
            raise ClusterError(
                "; ".join(f"{finding.subject}: {finding.message}" for finding in errors),
                way_out="\n".join(dict.fromkeys(finding.way_out for finding in errors if finding.way_out)),
            )


@dataclass(frozen=True)
class _Look:
    """One namespace as far as it may be read."""

    name: str
    labels: Mapping[str, str] | None
    """None where the Namespace may not be read."""
    pods: Objects | None
    """None where pods may not be listed."""


def preflight(
    api: Api, namespaces: Sequence[str], selector: str = "", *, configuration: bool = False
) -> Preflight:
    """Look at server, rights, namespaces and pods; changes nothing.

    With `configuration`, also whether ConfigMaps may be read.
    Raises ClusterError for a namespace that does not exist and NothingCaptured where there is no pod to
    capture; what else stands in the way comes as findings.
    """
    wanted = (*CAPTURE_RIGHTS, *(CONFIGURATION_RIGHTS if configuration else ()))
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="netpolgen-preflight") as pool:
        version = pool.submit(api.get, "/version")
        rights = pool.submit(review, api, namespaces, wanted)
        looks = list(pool.map(lambda name: _look(api, name, selector), namespaces))
        findings = _version_findings(api, version.result()) + rights.result()
        capturable = {look.name: _capturable(look) for look in looks}
        admissions = pool.map(lambda look: _admission_findings(api, look, capturable[look.name]), looks)
        for look, admission in zip(looks, admissions, strict=True):
            findings += _skip_findings(look) + _leftover_findings(look) + admission
    if all(look.pods is not None for look in looks):
        _demand_pods(looks, capturable, selector)
        findings += _empty_findings(looks, capturable, selector)
    return Preflight(
        server_version=str(version.result().get("gitVersion", "unknown")),
        namespaces=tuple(namespaces),
        pods_by_namespace={look.name: len(capturable[look.name]) for look in looks if look.pods is not None},
        skipped=sum(len(look.pods or ()) - len(capturable[look.name]) for look in looks),
        findings=sort_findings(findings),
    )


def _look(api: Api, name: str, selector: str) -> _Look:
    path = f"/api/v1/namespaces/{quote(name, safe='')}"
    labels: Mapping[str, str] | None = None
    try:
        labels = api.get(path)["metadata"].get("labels") or {}
    except ApiError as error:
        if error.code == 404:
            raise ClusterError(f"namespace {name} does not exist", way_out=_nearest(api, name)) from error
        if error.code != 403:
            raise
    try:
        pods, _ = api.list(f"{path}/pods", {"labelSelector": selector} if selector else None)
    except ApiError as error:
        if error.code == 400 and selector:
            raise ClusterError(
                f"the API server does not understand the selector {selector}: {error.message}",
                way_out="check -l: it takes what `kubectl get -l` takes, such as app=web,tier!=cache",
            ) from error
        if error.code != 403:
            raise
        return _Look(name, labels, None)
    return _Look(name, labels, pods)


def _nearest(api: Api, name: str) -> str:
    try:
        items, _ = api.list("/api/v1/namespaces")
    except ApiError:
        return "check -n and --context"
    known = sorted(str(item["metadata"]["name"]) for item in items)
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(known[:20])}"


def _capturable(look: _Look) -> list[Mapping[str, Any]]:
    return [pod for pod in look.pods or () if not skip_reason(pod)]


def _demand_pods(looks: Sequence[_Look], capturable: Mapping[str, Sequence[Any]], selector: str) -> None:
    if any(capturable.values()):
        return
    where = ", ".join(look.name for look in looks)
    reasons = sorted({f"{_name(pod)}: {skip_reason(pod)}" for look in looks for pod in look.pods or ()})
    if reasons:
        raise NothingCaptured(
            f"no pod of {where} can be captured: {'; '.join(reasons[:5])}",
            way_out="NetworkPolicies apply to running pods with a network of their own; start some first",
        )
    with_labels = f" with labels {selector}" if selector else ""
    unsure = [look.name for look in looks if look.labels is None]
    existence = f" (or there is no namespace {', '.join(unsure)}: you may not see)" if unsure else ""
    raise NothingCaptured(
        f"no pods{with_labels} in {where}{existence}", way_out="check -n, -l and --context, or start the pods"
    )


def _version_findings(api: Api, version: Mapping[str, Any]) -> list[Finding]:
    numbers = [_leading_number(str(version.get(part, ""))) for part in ("major", "minor")]
    if None not in numbers and tuple(numbers) < OLDEST_SERVER:
        return [
            Finding(
                code="server-too-old",
                severity=Severity.ERROR,
                subject=api.server,
                message=f"Kubernetes {version.get('gitVersion')} has no stable ephemeral containers",
                way_out="a capture needs Kubernetes 1.25 or later",
            )
        ]
    return []


def _leading_number(text: str) -> int | None:
    """Vendors write minors such as `27+`."""
    digits = text[: len(text) - len(text.lstrip("0123456789"))]
    return int(digits) if digits else None


def _empty_findings(
    looks: Iterable[_Look], capturable: Mapping[str, Sequence[Any]], selector: str
) -> list[Finding]:
    with_labels = f" with labels {selector}" if selector else ""
    return [
        Finding(
            "namespace-without-pods",
            Severity.WARNING,
            f"namespace {look.name}",
            f"no pod{with_labels} to capture",
            "start some, or leave the namespace out",
        )
        for look in looks
        if not capturable[look.name]
    ]


def _skip_findings(look: _Look) -> list[Finding]:
    by_reason: dict[str, list[str]] = {}
    for pod in look.pods or ():
        reason = skip_reason(pod)
        if reason:
            by_reason.setdefault(reason, []).append(_name(pod))
    return [
        Finding(
            code=LEFT_OUT,
            severity=Severity.NOTE,
            subject=f"namespace {look.name}",
            message=f"not captured: {', '.join(sorted(pods))}: {reason}",
        )
        for reason, pods in by_reason.items()
    ]


def _leftover_findings(look: _Look) -> list[Finding]:
    running: dict[str, list[str]] = {}
    for pod in look.pods or ():
        for leftover in leftovers_of(pod):
            if leftover.running:
                running.setdefault(leftover.run, []).append(leftover.pod)
    return [
        Finding(
            code="agents-running",
            severity=Severity.WARNING,
            subject=f"namespace {look.name}",
            message=f"run {run} still captures in {', '.join(sorted(pods))}; it may be somebody else's",
            way_out=f"wait for it, or end it with `kubectl netpolgen clean -n {look.name}`",
        )
        for run, pods in running.items()
    ]


def _admission_findings(api: Api, look: _Look, pods: Sequence[Mapping[str, Any]]) -> list[Finding]:
    if not pods:
        return []
    admission = admitted_rung(api, look.name, _name(pods[0]))
    if admission is None or admission.rung is Rung.STRICT:
        return []
    level = (look.labels or {}).get(_ENFORCE, "")
    subject = f"namespace {look.name}"
    labelled = f" (PodSecurity {level})" if level else ""
    if admission.rung is not None:
        return [
            Finding(
                code="admitted-with-defaults-only",
                severity=Severity.NOTE,
                subject=subject,
                message=f"admits no added NET_RAW{labelled}; the runtime's default capabilities will be used",
            )
        ]
    return [
        Finding(
            code="capture-not-admitted",
            # One pod was asked; another may look different to admission.
            severity=Severity.WARNING,
            subject=subject,
            message=f"{_name(pods[0])} admits no capture container{labelled}: {admission.refusals[-1]}",
            way_out=f"have an administrator label the namespace {_ENFORCE}=baseline while it is captured",
        )
    ]


def _name(pod: Mapping[str, Any]) -> str:
    return str(pod["metadata"]["name"])
