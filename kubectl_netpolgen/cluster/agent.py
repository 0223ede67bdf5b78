"""The capture agent as a container's command, environment and words.

The scripts themselves are `agent.sh` (runs in the pod) and `pull.sh` (runs beside it, by exec). Numbers and
the filter travel as environment values or positional arguments and are never spliced into script text.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib import resources

MEBIBYTE = 1024 * 1024
STATUS_LIMIT = 8192
MANIFEST_LIMIT = 4096
WORDS_LIMIT = 64 * 1024


@dataclass(frozen=True)
class AgentLimits:
    """What ends an agent by itself, and how much it may take; each has a bound so that nothing runs on."""

    lease: int = 180
    """Seconds without a client after which the capture stops."""
    linger: int = 900
    """Seconds that a stopped agent keeps its files for collection."""
    snap_length: int = 1600
    """Bytes kept of each packet: whole DNS answers and most TLS hellos."""
    buffer: int = 8192
    """Kernel ring in KiB; charged to the pod."""
    packets: int = 200_000
    size: int = 32 * MEBIBYTE
    """Bytes of packets; soft by what arrives within a second."""
    sockets_size: int = 8 * MEBIBYTE
    sockets_interval: int = 15
    """Seconds between snapshots; TIME_WAIT keeps a closed connection visible for 60."""
    interface: str = "any"

    @property
    def alone(self) -> int:
        """Seconds that an agent runs which no client ever asks for anything."""
        return self.lease + self.linger


class AgentState(str, Enum):
    """Where an agent says it is."""

    STARTING = "starting"
    CAPTURING = "capturing"
    FAILED = "failed"
    DONE = "done"


@dataclass(frozen=True)
class AgentStatus:
    """One status.json: the agent's own words, bounded and stripped of control characters."""

    state: AgentState
    reason: str
    """Why it ended or failed, such as duration, client, size-cap, lease-expired, permission (agent.sh)."""
    listening: float
    """The node's uptime in seconds when tcpdump listened; 0 when it never did."""
    bytes: int
    words: str
    """The end of what tcpdump said."""
    captured: int | None = None
    received: int | None = None
    dropped: int | None = None
    """Packets that the kernel dropped because the ring was full."""


@dataclass(frozen=True)
class ManifestEntry:
    """Size and hash of one finished file; the hash is empty where the image has no sha256sum."""

    name: str
    size: int
    sha256: str


@cache
def script(name: str) -> str:
    """Text of a packaged script or filter; a script without its comments, for it stays in the pod's spec."""
    text = resources.files("kubectl_netpolgen.cluster").joinpath(name).read_text("utf-8")
    if not name.endswith(".sh"):
        return " ".join(text.split())
    return "\n".join(line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))


def agent_environment(run: str, limits: AgentLimits, *, seconds: int) -> dict[str, str]:
    """Environment of the agent that names its files after `run` and stops by itself after `seconds`."""
    return {
        "NPG_RUN": run,
        "NPG_IF": limits.interface,
        "NPG_FILTER": script("capture.bpf"),
        "NPG_SNAP": str(limits.snap_length),
        "NPG_BUF": str(limits.buffer),
        "NPG_PKTS": str(limits.packets),
        "NPG_MAX": str(limits.size),
        "NPG_SOCKMAX": str(limits.sockets_size),
        "NPG_SNAPEVERY": str(limits.sockets_interval),
        "NPG_DUR": str(seconds),
        "NPG_LEASE": str(limits.lease),
        "NPG_LINGER": str(limits.linger),
    }


class PullMode(str, Enum):
    """What an exec beside the agent asks for."""

    WAIT = "wait"
    """Wait until tcpdump listens or failed; status only."""
    PULL = "pull"
    """What there is beyond the offsets; renews the lease."""
    STOP = "stop"
    """End the capture, then everything beyond the offsets."""
    HALT = "halt"
    """End the capture and wait for nothing."""
    RELEASE = "release"
    """All is collected: the agent deletes its files and exits."""


def pull_command(
    mode: PullMode, run: str, *, limit: int = 0, wait: int = 0, offsets: Sequence[int] = (0, 0, 0)
) -> list[str]:
    """What `exec` runs: at most `limit` bytes of each file from `offsets`, after at most `wait` seconds."""
    numbers = [str(limit), str(wait), *(str(offset) for offset in offsets)]
    return ["sh", "-c", script("pull.sh"), "npg-pull", mode.value, run, *numbers]


_STATED = re.compile(r"^(\d{1,18}) packets? (captured|received by filter|dropped by kernel)", re.MULTILINE)


def read_counters(text: str) -> dict[str, int]:
    """tcpdump's closing counters (tcpdump.c, info()): captured, received by filter, dropped by kernel."""
    return {match[2]: int(match[1]) for match in _STATED.finditer(text.replace(";", "\n"))}


def parse_status(text: bytes) -> AgentStatus | None:
    """Read a status.json; None for anything that is none, since a pod may say what it likes."""
    try:
        value = json.loads(text[:STATUS_LIMIT].decode("utf-8", "replace"))
        state = AgentState(value["state"])
        listening = float(value.get("listening", 0))
        size = int(value.get("bytes", 0))
    except (ValueError, TypeError, KeyError, OverflowError, AttributeError, RecursionError):
        return None
    if not math.isfinite(listening):
        return None
    counters = read_counters(_plain(value.get("counters", ""), 1000))
    return AgentStatus(
        state=state,
        reason=_plain(value.get("reason", ""), 40),
        listening=listening,
        bytes=max(size, 0),
        words=_plain(value.get("words", ""), 600).rstrip(";"),
        captured=counters.get("captured"),
        received=counters.get("received by filter"),
        dropped=counters.get("dropped by kernel"),
    )


_ENTRY = re.compile(rb"([0-9a-f]{64}|-) (\d{1,15}) (cap\.pcap|sockets|tcpdump\.err)")


def parse_manifest(text: bytes) -> tuple[ManifestEntry, ...]:
    """Read a manifest's lines; lines that name no file of ours are left out."""
    found = (_ENTRY.fullmatch(line) for line in text[:MANIFEST_LIMIT].splitlines())
    return tuple(
        ManifestEntry(
            name=match[3].decode(), size=int(match[2]), sha256="" if match[1] == b"-" else match[1].decode()
        )
        for match in found
        if match
    )


def _plain(value: object, limit: int) -> str:
    text = value if isinstance(value, str) else ""
    return "".join(letter if letter.isprintable() else " " for letter in text[:limit]).strip()
