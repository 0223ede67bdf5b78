"""The same frame seen again on another interface of a capture of several.

A pod with a bridge, a VLAN interface or a service mesh's redirect shows one packet once per interface it
crosses. Only its first sighting counts, or every number would double. A repeat on the same interface is a
retransmission, and counts.
"""

from __future__ import annotations

from kubectl_netpolgen.packets.network import TCP, UDP

WINDOW = 1_000_000_000
"""Nanoseconds; a frame crosses a machine in far less."""
MEMORY = 4096
"""Records of the capture that are looked back at."""

# Parts of the packet behind the ports that stay the same on its way through one machine. Checksums do not:
# they are finished at the last device.
TCP_FIXED = slice(4, 14)
UDP_FIXED = slice(8, 40)
_OTHER_FIXED = slice(12, 44)


class Sightings:
    """Remembers where recent frames were first seen."""

    def __init__(self) -> None:
        self._young: dict[bytes, tuple[bytes | int, int, int]] = {}
        self._old: dict[bytes, tuple[bytes | int, int, int]] = {}
        self._begun = 0

    def is_repeat(self, frame: bytes, place: bytes | int, time: int, number: int) -> bool:
        """True when record `number` shows a frame that was seen elsewhere less than a second ago.

        It is looked for in the last 4,096 records. Otherwise it is remembered, as this frame's first
        sighting from now on.
        """
        if number - self._begun > MEMORY:
            self._old = self._young if number - self._begun <= 2 * MEMORY else {}
            self._young = {}
            self._begun = number
        known = self._young.get(frame) or self._old.get(frame)
        if known is not None and is_same(known, (place, time, number)):
            return True
        self._young[frame] = (place, time, number)
        return False


def is_same(first: tuple[bytes | int, int, int], again: tuple[bytes | int, int, int]) -> bool:
    """Whether a frame at (place, time, record) is the one that was seen first at another."""
    return first[0] != again[0] and -WINDOW <= again[1] - first[1] <= WINDOW and again[2] - first[2] <= MEMORY


def frame_identity(buffer: bytes, ports: int, end: int, *, protocol: int, key: bytes) -> bytes:
    """What makes two sightings the same frame: addresses, ports, and what the transport header says once."""
    part = TCP_FIXED if protocol == TCP else UDP_FIXED if protocol == UDP else _OTHER_FIXED
    return key + buffer[ports + part.start : min(ports + part.stop, end)]
