"""The agent's sockets file to values (kernel Documentation/networking/proc_net_tcp.rst)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from kubectl_netpolgen.model.network import Address, Protocol, canonical_address
from kubectl_netpolgen.model.sockets import PodNetwork, SocketRow, SocketState

_SECOND = 1_000_000_000
_TABLES = {"tcp": Protocol.TCP, "tcp6": Protocol.TCP, "udp": Protocol.UDP, "udp6": Protocol.UDP}
_TCP_STATES = {
    1: SocketState.ESTABLISHED,
    2: SocketState.SYN_SENT,
    3: SocketState.SYN_RECV,
    4: SocketState.CLOSING,
    5: SocketState.CLOSING,
    6: SocketState.CLOSING,
    8: SocketState.CLOSING,
    9: SocketState.CLOSING,
    10: SocketState.LISTEN,
    11: SocketState.CLOSING,
}
_UDP_STATES = {1: SocketState.ESTABLISHED, 7: SocketState.BOUND}


def parse_sockets(text: str, *, pod_uid: str, file: str) -> PodNetwork:
    """Everything a sockets file says; lines that are no rows are passed over.

    So is what follows the last line break: the end of a cut file, where half an address is an address too.
    """
    rows: dict[tuple[object, ...], SocketRow] = {}
    gateways: set[Address] = set()
    nameservers: set[Address] = set()
    variables: dict[str, str] = {}
    snapshots = 0
    for time, section, line in _lines(text[: text.rfind("\n") + 1]):
        if section in _TABLES:
            if not line:
                snapshots += section == "tcp"
                continue
            row = _row(line, _TABLES[section], time)
            if row is not None:
                key = (row.protocol, row.local, row.local_port, row.remote, row.remote_port, row.state)
                rows.setdefault(key, row)
        elif section in ("route", "ipv6_route") and line:
            gateway = _gateway(line) if section == "route" else _gateway6(line)
            if gateway is not None:
                gateways.add(gateway)
        elif section == "resolv.conf" and line.startswith("nameserver"):
            nameservers.update(_address(word) for word in line.split()[1:2] if _is_address(word))
        elif section == "environment" and "=" in line:
            name, _, value = line.partition("=")
            variables[name] = value
    return PodNetwork(
        pod_uid=pod_uid,
        file=file,
        rows=tuple(sorted(rows.values(), key=_row_order)),
        gateways=frozenset(gateways),
        nameservers=frozenset(nameservers),
        api_server=_api_server(variables),
        snapshots=snapshots,
    )


def _row_order(row: SocketRow) -> tuple[str, str, int, str, int, str]:
    return (row.protocol.value, row.local, row.local_port, row.remote, row.remote_port, row.state.value)


def _lines(text: str) -> Iterator[tuple[int, str, str]]:
    """(nanoseconds, section, line); the empty line stands for a section's beginning."""
    time, section = 0, ""
    for line in text.split("\n"):
        if line.startswith("#npg "):
            words = line.split()
            if len(words) == 3 and _is_number(words[1], digits=11):
                time, section = int(words[1]) * _SECOND, words[2]
                yield time, section, ""
        elif line.strip():
            yield time, section, line.strip()


def _row(line: str, protocol: Protocol, time: int) -> SocketRow | None:
    words = line.split()
    if len(words) < 4 or not words[0].endswith(":"):
        return None
    try:
        local, local_port = _end(words[1])
        remote, remote_port = _end(words[2])
        (state,) = bytes.fromhex(words[3])
    except ValueError:
        return None
    meaning = (_UDP_STATES if protocol is Protocol.UDP else _TCP_STATES).get(state)
    if meaning is None:
        return None
    return SocketRow(time, protocol, local, local_port, remote, remote_port, meaning)


def _end(text: str) -> tuple[Address, int]:
    """`0100090A:CECA`: 32-bit words in the node's byte order, little-endian on every platform we meet."""
    number, _, port = text.partition(":")
    raw = bytes.fromhex(number)
    if len(raw) not in (4, 16) or len(bytes.fromhex(port)) != 2:
        raise ValueError(text)
    swapped = b"".join(raw[index : index + 4][::-1] for index in range(0, len(raw), 4))
    return canonical_address(str(ipaddress.ip_address(swapped))), int(port, 16)


def _gateway(line: str) -> Address | None:
    """The next hop of a row of /proc/net/route: Iface, Destination, Gateway, ..."""
    words = line.split()
    if len(words) < 3 or len(words[2]) != 8 or words[2] == "00000000":
        return None
    try:
        return canonical_address(str(ipaddress.ip_address(bytes.fromhex(words[2])[::-1])))
    except ValueError:
        return None


def _gateway6(line: str) -> Address | None:
    """The next hop of a row of /proc/net/ipv6_route: destination, length, source, length, next hop, ..."""
    words = line.split()
    if len(words) < 5 or len(words[4]) != 32:
        return None
    try:
        hop = ipaddress.ip_address(bytes.fromhex(words[4]))
    except ValueError:
        return None
    return None if hop.is_unspecified else canonical_address(str(hop))


def _is_number(text: str, *, digits: int) -> bool:
    return len(text) <= digits and text.isascii() and text.isdigit()


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.split("%")[0])
    except ValueError:
        return False
    return True


def _address(text: str) -> Address:
    return canonical_address(text)


def _api_server(variables: dict[str, str]) -> tuple[Address, int] | None:
    host, port = variables.get("KUBERNETES_SERVICE_HOST", ""), variables.get("KUBERNETES_SERVICE_PORT", "")
    if not _is_address(host) or not _is_number(port, digits=5) or not 0 < int(port) < 65536:
        return None
    return canonical_address(host), int(port)
