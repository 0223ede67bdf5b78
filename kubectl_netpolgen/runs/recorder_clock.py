"""What was stamped by the clock of the machine that captured, told by the cluster's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from kubectl_netpolgen.analysis.clocks import Recording, recorder_offset
from kubectl_netpolgen.bundle.reader import Recorded
from kubectl_netpolgen.model.bundle import Manifest, PodCapture
from kubectl_netpolgen.model.finding import Finding, Severity

_SECOND = 1_000_000_000


def on_cluster_clock(recorded: Recorded) -> Recorded:
    """The bundle as if the recorder's clock had been the cluster's, with a finding where it was not.

    Watch events and the run's own times are stamped here, while pods are created by the API server's clock
    and packets have their nodes'; each agent was asked for its time, so the difference is known.
    """
    manifest = recorded.manifest
    ahead = recorder_offset(_nanoseconds(pod.clock_offset) for pod in manifest.pods if pod.clock_offset)
    if not ahead:
        return recorded
    return replace(
        recorded,
        manifest=replace(
            manifest,
            started=_moved(manifest.started, ahead),
            ended=_moved(manifest.ended, ahead),
            pods=tuple(_pod(pod, ahead) for pod in manifest.pods),
        ),
        events=tuple(replace(event, time=event.time + ahead) for event in recorded.events),
        findings=(*recorded.findings, _finding(ahead)),
    )


def recordings(manifest: Manifest) -> Mapping[str, Recording]:
    """By capture file, when it was taken and how its node's clock differed; of what the run noted."""
    return {
        pod.pcap: Recording(
            **({"start": pod.started} if pod.started else {}),
            **({"end": pod.ended} if pod.ended else {}),
            offset=_nanoseconds(pod.clock_offset),
        )
        for pod in manifest.pods
        if pod.pcap
    }


def _pod(pod: PodCapture, ahead: int) -> PodCapture:
    return replace(
        pod,
        started=_moved(pod.started, ahead),
        ended=_moved(pod.ended, ahead),
        # one that was never asked is taken to be like the others
        clock_offset=pod.clock_offset - ahead / _SECOND if pod.clock_offset else 0.0,
    )


def _moved(time: int, ahead: int) -> int:
    return time + ahead if time else 0


def _nanoseconds(seconds: float) -> int:
    return int(seconds * _SECOND)


def _finding(ahead: int) -> Finding:
    seconds = round(abs(ahead) / _SECOND)
    side = "behind" if ahead > 0 else "ahead of"
    return Finding(
        "clock-skew",
        Severity.WARNING,
        "the machine that captured",
        f"its clock is {seconds} s {side} the cluster's; the times of its events were moved by as much",
        "set its clock right (NTP) before the next capture",
    )
