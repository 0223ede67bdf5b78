"""What a run recorded, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from kubectl_netpolgen.model.finding import Finding


class PodState(str, Enum):
    """The life of one pod in a run; each change is a line of session.jsonl."""

    DISCOVERED = "discovered"
    SKIPPED = "skipped"
    REJECTED = "rejected"
    PATCHED = "patched"
    START_FAILED = "start-failed"
    CAPTURING = "capturing"
    PULLING = "pulling"
    VERIFIED = "verified"
    RELEASED = "released"
    GONE = "gone"
    TRANSFER_FAILED = "transfer-failed"
    SUSPECT = "suspect"

    @property
    def ended(self) -> bool:
        """True once the pod's part is over, well or badly: nothing more will be received of it."""
        return self not in (PodState.DISCOVERED, PodState.PATCHED, PodState.CAPTURING, PodState.PULLING)


class Rung(str, Enum):
    """How a pod is captured: the least privilege that works."""

    STRICT = "strict"
    BASELINE = "baseline"


@dataclass(frozen=True)
class PodCapture:
    """One pod's part of a run."""

    uid: str
    namespace: str
    name: str
    state: PodState
    reason: str = ""
    rung: Rung | None = None
    pcap: str = ""
    """Path inside the bundle; empty when there is none."""
    sockets: str = ""
    bytes: int = 0
    sha256: str = ""
    verified: bool = False
    dropped: int | None = None
    """Packets that the kernel dropped for want of room."""
    started: int = 0
    """Nanoseconds since the epoch when tcpdump listened."""
    ended: int = 0
    clock_offset: float = 0.0
    """Seconds the node's clock is ahead of ours."""
    stopped_by: str = ""
    """The agent's own word: duration, client, size-cap, lease-expired, sigterm, tcpdump-exited."""
    entries: int = 0
    """Ephemeral-container entries that this run left in the pod's spec."""


SCHEMA = 1


@dataclass(frozen=True)
class Manifest:
    """bundle.json."""

    run: str
    tool_version: str
    namespaces: tuple[str, ...]
    context: str
    server: str
    started: int
    ended: int
    duration: float
    arguments: Mapping[str, str] = field(default_factory=dict)
    pods: tuple[PodCapture, ...] = ()
    readable: tuple[str, ...] = ()
    """What the cluster let us read beyond the namespaces: `nodes`, `pods:*`, `services:*`, ..."""
    findings: tuple[Finding, ...] = ()
    """What the run itself had to say; analysis repeats it with its own."""
    schema: int = SCHEMA
