"""Where things lie in a bundle; no name that comes from a cluster is ever a path."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from enum import Enum

MANIFEST = "bundle.json"
SESSION = "session.jsonl"
OBJECTS = "cluster/objects.jsonl"
EVENTS = "cluster/events.jsonl"
CAPTURES = "captures"
DECISIONS = "decisions.yaml"
OPTIONS = "options.json"
FLOWS = "flows.jsonl"
EDGES = "edges.jsonl"
DECLARED = "declared.jsonl"
EXCESS = "excess.jsonl"
COVERAGE = "coverage.json"
COVERAGE_PAGE = "coverage.md"
EVIDENCE = "evidence.jsonl"
EVIDENCE_PAGE = "evidence.md"
FINDINGS = "findings.jsonl"
POLICIES = "policies"
REQUESTS = "requests"
KUSTOMIZATION = "kustomization.yaml"
ROLLOUT = "rollout.md"
GRAPH_DOT = "graph.dot"

SUSPECT = ".suspect"
"""Added to the name of a file whose size or hash is not what the agent said."""
PART = ".part"
"""Added to the name of a file while it is being written."""

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class CaptureFile(str, Enum):
    """The files of one pod's capture; the value is the suffix."""

    PCAP = "pcap"
    SOCKETS = "sockets"
    STATUS = "status.json"
    STDERR = "stderr"


def capture_name(uid: str, run: str, kind: CaptureFile) -> str:
    """`captures/UID/RUN.SUFFIX`; ValueError when uid or run could leave the folder."""
    for part in (uid, run):
        if not _SAFE.fullmatch(part) or ".." in part:
            raise ValueError(f"not usable as a file name: {part!r}")
    return f"{CAPTURES}/{uid}/{run}.{kind.value}"


def bundle_name(namespaces: tuple[str, ...], started: int) -> str:
    """`netpolgen-NAMESPACE-YYYYmmdd-HHMMSS`, in UTC."""
    moment = datetime.fromtimestamp(started // 1_000_000_000, tz=timezone.utc)
    who = namespaces[0] if len(namespaces) == 1 else f"{len(namespaces)}-namespaces"
    return f"netpolgen-{who}-{moment:%Y%m%d-%H%M%S}"
