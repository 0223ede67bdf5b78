"""What conversations say about names: the one place that both engines bring payloads to, in the file's order.

An engine brings a payload when its first byte or its port says that it may hold a name, or when its direction
is one whose beginning is still being put together. What comes back belongs to the half that sent it.
"""

from __future__ import annotations

from typing import NamedTuple

from kubectl_netpolgen.model.flow import NameSource, PeerName
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.packets.addresses import Addresses, halve
from kubectl_netpolgen.packets.assembly import Assembled, Assembly
from kubectl_netpolgen.packets.http import METHOD_PAIRS, METHOD_STARTS, read_host
from kubectl_netpolgen.packets.names import Heard, Names
from kubectl_netpolgen.packets.quic import is_initial
from kubectl_netpolgen.packets.selection import Ends, Selection
from kubectl_netpolgen.packets.signals import ASKS, REPLIES
from kubectl_netpolgen.packets.table import Context
from kubectl_netpolgen.packets.tls import begins_client_hello, read_dtls_client_hello

_MULTICAST_DNS = (5353).to_bytes(2, "big")
_HANDSHAKE = 22
_LONG_HEADER = 0xC0
TCP_STARTS = bytes(byte == _HANDSHAKE or byte in METHOD_STARTS for byte in range(256))
"""By the first byte of a TCP payload: whether it may hold a name."""


def tcp_openings() -> bytes:
    """By the first two bytes of a TCP payload, as a number: whether it may hold a name.

    A hello's second byte is the major version; two letters tell a request from most answers. One byte alone
    holds no name: `begins_client_hello` wants six, and a request more.
    """
    pairs = bytearray(1 << 16)
    pairs[_HANDSHAKE << 8 | 3] = 1
    for start in METHOD_PAIRS:
        pairs[int.from_bytes(start, "big")] = 1
    return bytes(pairs)


REQUEST_STARTS = bytes(byte in METHOD_STARTS for byte in range(256))
"""The same for a request alone."""
UDP_STARTS = bytes(byte == _HANDSHAKE or byte >= _LONG_HEADER for byte in range(256))
"""By the first byte of a UDP payload on any port but DNS's: DTLS, or the long header of QUIC."""

_KEY_LENGTHS = (12, 36)
_MOST_HOSTS = 4096
_LONGEST_REQUEST = 2048


class Whole(NamedTuple):
    """The frame around a payload, for the few that go to a full dissector."""

    buffer: bytes
    start: int
    end: int
    wire: int
    link_type: int


class Said(NamedTuple):
    """What a payload adds to the half that sent it."""

    signals: int = 0
    questions: tuple[str, ...] = ()
    names: tuple[PeerName, ...] = ()


NOTHING = Said()


class Payloads:
    """Reads names for one capture."""

    def __init__(self, addresses: Addresses, *, file: str = "") -> None:
        self._addresses = addresses
        self._hosts: dict[bytes, str | None] = {}
        self.names = Names()
        self.assembly = Assembly()
        self.selection = Selection(file)

    @property
    def pending(self) -> dict[bytes, object]:
        """Directions, by `direction_key`, of which every segment is wanted."""
        return self.assembly.pending  # type: ignore[return-value]

    def hear_segment(
        self, context: Context, key: bytes, payload: bytes, sequence: int, time: int, *, cut: bool, dns: bool
    ) -> Said:
        """Read a payload of TCP; `cut` when the snap length left less than was sent, `dns` on DNS's port."""
        direction = direction_key(context, key)
        if dns or direction in self.assembly.pending or begins_client_hello(payload, 0, len(payload)):
            found = self.assembly.segment(direction, sequence, payload, time, dns=dns, cut=cut)
            return self._told(key, found) if found else NOTHING
        name = self.hear_request(key, payload, time)
        return NOTHING if name is None else Said(0, (), (name,))

    def hear_request(
        self, key: bytes, payload: bytes, first: int, *, last: int = 0, count: int = 1
    ) -> PeerName | None:
        """Read a payload of TCP that begins like an HTTP request, of one that was sent so often."""
        # clients send the same few requests over and over
        if payload in self._hosts:
            host = self._hosts[payload]
        else:
            host = read_host(payload)
            if len(self._hosts) >= _MOST_HOSTS:
                self._hosts.clear()
            if len(payload) <= _LONGEST_REQUEST:
                self._hosts[payload] = host
        if host is None:
            return None
        return self.call(key, host, NameSource.HTTP, first, last=last, count=count)

    def call(
        self, key: bytes, name: str, source: NameSource, first: int, *, last: int = 0, count: int = 1
    ) -> PeerName:
        """Note what a half called its receiver, so often."""
        server = self._addresses.spell(halve(key[:-4])[1])
        return self.names.note(name, server, source, first, last=last, count=count)

    def hear_dns(self, key: bytes, payload: bytes, time: int) -> Heard | None:
        """Read a UDP payload from or to a port of DNS; None when it is about nothing that was asked here."""
        if _MULTICAST_DNS in (key[-4:-2], key[-2:]):
            self.names.hear_announcement(payload, time)
            return None
        return self.names.hear(payload, time)

    def tell_dns(self, key: bytes, payload: bytes, time: int) -> int:
        """`hear_dns` for whoever needs no question: the signal of the payload, or 0."""
        if _MULTICAST_DNS in (key[-4:-2], key[-2:]):
            self.names.hear_announcement(payload, time)
            return 0
        response = self.names.tell(payload, time, time)
        return 0 if response is None else REPLIES if response else ASKS

    def hear_datagram(self, key: bytes, payload: bytes, time: int, whole: Whole) -> Said:
        """Read a payload of UDP on any other port: DTLS, or QUIC, whose name only a dissector can read."""
        if payload[0] == _HANDSHAKE:
            hello = read_dtls_client_hello(payload)
            if hello is not None and hello.server_name is not None:
                return Said(0, (), (self.call(key, hello.server_name, NameSource.SNI, time),))
        elif is_initial(payload):
            source, destination = map(self._addresses.spell, halve(key[:-4]))
            source_port, destination_port = key[-4:-2], key[-2:]
            self.selection.add(
                whole.buffer[whole.start : whole.end],
                link_type=whole.link_type,
                time=time,
                wire=whole.wire,
                source=NameSource.QUIC,
                ends=Ends(
                    Protocol.UDP,
                    source,
                    int.from_bytes(source_port, "big"),
                    destination,
                    int.from_bytes(destination_port, "big"),
                ),
            )
        return NOTHING

    def _told(self, key: bytes, found: tuple[Assembled, ...]) -> Said:
        signals, questions, names = 0, [], []
        for item in found:
            if item.server_name is not None:
                names.append(self.call(key, item.server_name, NameSource.SNI, item.time))
                continue
            heard = self.names.hear(item.message, item.time)
            if heard is not None:
                signals |= REPLIES if heard.response else ASKS
                questions.append(heard.key)
        return Said(signals, tuple(questions), tuple(names))


def direction_key(context: Context, key: bytes) -> bytes:
    """The key of a half among those of all VLANs and tunnels; the plain ones are the halves' own."""
    vlan, tunnel = context.vlan, context.tunnel
    if tunnel is not None:
        return key + b"%d %s" % (-1 if vlan is None else vlan, tunnel.value.encode())
    return key if vlan is None else key + vlan.to_bytes(2, "big")


def split_direction_key(direction: bytes) -> tuple[int | None, bytes] | None:
    """VLAN and half's key of such a key; None when it is a tunnel's."""
    if len(direction) in _KEY_LENGTHS:
        return None, direction
    if len(direction) - 2 in _KEY_LENGTHS:
        return int.from_bytes(direction[-2:], "big"), direction[:-2]
    return None
