"""The same frame seen again on another interface of a `tcpdump -i any` capture.

A pod with a bridge, a VLAN interface or a service mesh's redirect shows one packet once per interface it
crosses. Only its first sighting counts, or every number would double. A repeat on the same interface is a
retransmission, and counts.
"""

from __future__ import annotations

from kubectl_netpolgen.packets.network import TCP, UDP

WINDOW = 1_000_000_000
"""Nanoseconds; a frame crosses a machine in far less."""
GENERATION = 4096
"""Frames that are remembered for certain; twice as many at most."""

# Parts of the packet behind the ports that stay the same on its way through one machine. Checksums do not:
# they are finished at the last device.
_TCP_FIXED = slice(4, 14)
_UDP_FIXED = slice(8, 40)
_OTHER_FIXED = slice(12, 44)


class Sightings:
    """Remembers where recent frames were first seen."""

    def __init__(self) -> None:
        self._young: dict[bytes, tuple[bytes, int]] = {}
        self._old: dict[bytes, tuple[bytes, int]] = {}

    def is_repeat(self, frame: bytes, place: bytes, time: int) -> bool:
        """True when this frame was first seen elsewhere within a second; otherwise it is remembered."""
        young = self._young
        known = young.get(frame) or self._old.get(frame)
        if known is not None and known[0] != place and -WINDOW <= time - known[1] <= WINDOW:
            return True
        if len(young) >= GENERATION:
            self._old = young
            self._young = young = {}
        young[frame] = (place, time)
        return False


def frame_identity(buffer: bytes, ports: int, end: int, *, protocol: int, key: bytes) -> bytes:
    """What makes two sightings the same frame: addresses, ports, and what the transport header says once."""
    part = _TCP_FIXED if protocol == TCP else _UDP_FIXED if protocol == UDP else _OTHER_FIXED
    return key + buffer[ports + part.start : min(ports + part.stop, end)]
