"""ICMP destination unreachable: what became of the packet it quotes.

RFC 792, RFC 1812 section 5.2.7.1, RFC 4443 section 3.1. The quoted packet is the start of one that this
capture's pod, or its peer, had sent: it marks that conversation and never is one.
"""

from __future__ import annotations

from kubectl_netpolgen.packets.link import ETHERTYPE_IPV4, ETHERTYPE_IPV6
from kubectl_netpolgen.packets.network import ICMP, ICMPV6, Transport, find_transport
from kubectl_netpolgen.packets.signals import PROHIBITED, REFUSED

_HEADER = 8
_QUOTES = {
    ICMP: (3, ETHERTYPE_IPV4),
    ICMPV6: (1, ETHERTYPE_IPV6),
}
# Port unreachable is also what iptables' REJECT answers to TCP by default, kube-proxy's for a Service
# without endpoints among them. 9, 10 and 13: administratively prohibited. IPv6 5 and 6 are finer words for 1.
# Other codes (no route, host down) leave the attempt unanswered.
_VERDICTS = {
    (ICMP, 3): REFUSED,
    (ICMP, 9): PROHIBITED,
    (ICMP, 10): PROHIBITED,
    (ICMP, 13): PROHIBITED,
    (ICMPV6, 4): REFUSED,
    (ICMPV6, 1): PROHIBITED,
    (ICMPV6, 5): PROHIBITED,
    (ICMPV6, 6): PROHIBITED,
}


def quoted_failure(buffer: bytes, error: Transport) -> tuple[int, Transport] | None:
    """The signal and the quoted packet of an ICMP error, or None when the packet says nothing of the kind."""
    if error.protocol not in _QUOTES or error.later_fragment or error.at + _HEADER > error.end:
        return None
    kind, ethertype = _QUOTES[error.protocol]
    if buffer[error.at] != kind:
        return None
    signal = _VERDICTS.get((error.protocol, buffer[error.at + 1]))
    if signal is None:
        return None
    quoted = find_transport(buffer, error.at + _HEADER, error.end, ethertype=ethertype)
    if quoted is None or quoted.later_fragment or quoted.at + 4 > quoted.end:
        return None
    return signal, quoted
